// SPDX-License-Identifier: Apache-2.0
// A snapshot is refused, or it is exactly what the state that it gives is encoded to.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/model/document.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  auto document = decode_document({data, size});
  if (!document.ok()) return 0;
  Writer out;
  encode_document(out, *document);
  KALENDS_CHECK(out.size() == size && std::equal(data, data + size, out.view().begin()));
  for (const auto& [id, entity] : document->entities) (void)entity.text.text();
  return 0;
}
