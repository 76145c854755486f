// SPDX-License-Identifier: Apache-2.0
// A chunk is refused or canonical, and folding it never harms the document: state and hash stay well formed.
#include <cstddef>
#include <cstdint>

#include "core/replica/replica.h"
#include "tests/fuzz/mutate_ops.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  auto ops = decode_chunk({data, size});
  if (!ops.ok()) return 0;
  Bytes encoded = encode_chunk(*ops);
  KALENDS_CHECK(std::equal(encoded.begin(), encoded.end(), data, data + size));
  auto again = decode_chunk(encoded);
  KALENDS_CHECK(again.ok() && *again == *ops);
  Replica replica({DocumentId{}, DocumentKind::kBoard, ReplicaId{}});
  if (!replica.merge(*ops, 0).ok() || !fuzz::is_consistent({&*ops})) return 0;
  for (const Bytes& saved : {replica.snapshot(), replica.save()}) {
    auto reopened = Replica::open(replica.options(), saved, {});
    KALENDS_CHECK(reopened.ok());
    KALENDS_CHECK(reopened->hash() == replica.hash());
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  kalends::Prng random(seed);
  return kalends::fuzz::mutate_chunk(data, size, max_size, random);
}
