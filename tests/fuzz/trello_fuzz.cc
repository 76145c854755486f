// SPDX-License-Identifier: Apache-2.0
// A board's file from Trello is refused with a reason, or what it became is taken by the workspace and by the
// board, all of it, and the report of it can be shown.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/mutate_json.h"
#include "worker/porting/trello_import.h"

namespace kalends {
namespace {

void check_taken(DocumentId document, DocumentKind kind, const std::vector<Command>& commands) {
  ReplicaId copy;
  copy.raw.bytes[0] = 1;
  Replica replica({document, kind, copy});
  KALENDS_CHECK(replica.edit({MemberId{}, Cause::kImport, 1'796'000'000'000}, commands).ok());
}

}  // namespace
}  // namespace kalends

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  TrelloOptions options;
  options.import_id = "first";
  options.workspace.raw.bytes[0] = 2;
  options.time_zone = "Europe/Berlin";
  auto import = parse_trello(as_text({data, size}), options);
  if (!import.ok()) {
    KALENDS_CHECK(import.error().code == ErrorCode::kInvalid && !import.error().message.empty());
    return 0;
  }
  check_taken(DocumentId{options.workspace.raw}, DocumentKind::kWorkspace, import->workspace_commands);
  check_taken(import->board, DocumentKind::kBoard, import->board_commands);
  KALENDS_CHECK(!report_text(import->report).empty());
  // Strict: throws where a text is not UTF-8.
  KALENDS_CHECK(!report_json(import->report).dump().empty());
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  kalends::Prng random(seed);
  return kalends::fuzz::mutate_json(data, size, max_size, random);
}
