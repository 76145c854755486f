// SPDX-License-Identifier: Apache-2.0
// A chunk: operations as they are stored and sent (format 2; docs/memory-layout.md).
#pragma once

#include <vector>

#include "core/oplog/columns.h"

namespace kalends {

class ChunkWriter {
 public:
  // `known`: when not null, what the receiver has, by replica number. Entities that it must know by then are named
  // by the operation that made them, which is shorter than their ids.
  Bytes encode(const Document& document, std::span<const Record* const> records,
               const std::vector<uint32_t>* known = nullptr);
  Bytes encode(const Interner& names, std::span<const Record* const> records);

 private:
  Bytes encode(const Interner& names, const Document* document, std::span<const Record* const> records,
               const std::vector<uint32_t>* known);

  IdIndex ids_;
};

// Reads a chunk into records in `names`. Entities that are named by the operation that made them are looked up in
// `document`; without one such a chunk is refused. On an error nothing of the chunk is in the document, though its
// tables may have grown.
Result<std::vector<Record*>> read_chunk(Interner& names, const Document* document, ByteView bytes);

inline constexpr uint8_t kChunkFormat = 2;  // do not renumber; 1 was never released

}  // namespace kalends
