// SPDX-License-Identifier: Apache-2.0
// Saved bytes are refused, or they give a state that is encoded and opened again without a change. Sums are not looked at
// in fuzzing builds, so bytes that nobody wrote get far: what they say twice is written once, and stays as it is then.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/api/view.h"
#include "core/replica/replica.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  // The document that it claims to be of stands near its beginning.
  ReplicaOptions options;
  if (size < 28) return 0;
  std::copy_n(data + 11, 16, options.document.raw.bytes.begin());
  options.kind = data[27] == 2 ? DocumentKind::kWorkspace : DocumentKind::kBoard;
  auto replica = Replica::open(options, {data, size}, {});
  if (!replica.ok()) return 0;
  for (const Entity& entity : replica->document().all()) {
    (void)entity.text();
    (void)view_conflicts(replica->document(), entity.id());
  }
  (void)(options.kind == DocumentKind::kBoard ? view_board(*replica) : view_workspace(*replica));
  (void)view_history(*replica, options.document.raw);
  (void)replica->chunk_since({});
  if (replica->is_damaged()) return 0;
  auto reopened = Replica::open(options, replica->snapshot(), {});
  KALENDS_CHECK(reopened.ok());
  Bytes again = reopened->snapshot();
  auto settled = Replica::open(options, again, {});
  KALENDS_CHECK(settled.ok());
  KALENDS_CHECK(settled->snapshot() == again);
  return 0;
}
