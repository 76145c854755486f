// SPDX-License-Identifier: Apache-2.0
// A file of kalends export is refused with a reason, or an empty workspace takes what it lacks, and each
// document opens.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/mutate_json.h"
#include "worker/porting/board_export.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  auto file = parse_export(as_text({data, size}));
  if (!file.ok()) {
    KALENDS_CHECK(!file.error().message.empty());
    return 0;
  }
  ReplicaOptions options;
  options.document.raw.bytes[0] = options.replica.raw.bytes[0] = 1;
  options.kind = DocumentKind::kWorkspace;
  Replica workspace(options);
  auto commands = missing_in(workspace.document(), *file);
  if (!commands.empty())
    KALENDS_CHECK(workspace.edit({MemberId{}, Cause::kImport, 1'796'000'000'000}, commands).ok());
  KALENDS_CHECK(missing_in(workspace.document(), *file).empty());
  for (const ExportedDocument& board : file->boards) {
    auto opened = Replica::open({board.id, board.kind, options.replica}, board.snapshot, {});
    KALENDS_CHECK(opened.ok() && opened->hash() == board.hash);
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  kalends::Prng random(seed);
  return kalends::fuzz::mutate_json(data, size, max_size, random);
}
