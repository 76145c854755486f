// SPDX-License-Identifier: Apache-2.0
// Saved bytes are refused, or they give a state that is encoded and opened again without a change.
#include <algorithm>
#include <cstddef>
#include <cstdint>

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
  for (const Entity& entity : replica->document().all()) (void)entity.text();
  Bytes again = replica->snapshot();
  auto reopened = Replica::open(options, again, {});
  KALENDS_CHECK(reopened.ok());
  KALENDS_CHECK(reopened->snapshot() == again);
  return 0;
}
