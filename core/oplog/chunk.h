// SPDX-License-Identifier: Apache-2.0
// A chunk: operations as they are stored and sent (format 2; docs/memory-layout.md).
#pragma once

#include <vector>

#include "core/oplog/columns.h"

namespace kalends {

class ChunkWriter {
 public:
  // Chunks of few operations are written in rows.
  static constexpr size_t kRowsMax = 6;

  // `known`: when not null, what the receiver has, by replica number. Entities that it must know by then are named
  // by the operation that made them, which is shorter than their ids.
  Bytes encode(const Document& document, std::span<const Record* const> records,
               const std::vector<uint32_t>* known = nullptr);
  Bytes encode(const Interner& names, std::span<const Record* const> records);

 private:
  Bytes encode(const Interner& names, const Document* document, std::span<const Record* const> records,
               const std::vector<uint32_t>* known);

  IdIndex ids_;
  ShapeTable shapes_;
  ColumnWriter columns_;
  std::vector<std::string_view> zones_;
};

// Reads chunks into records. Keeps its memory from one to the next.
class ChunkReader {
 public:
  // The records live in `names`, the list until the next call. Entities that are named by the operation that made
  // them are looked up in `document`; without one such a chunk is refused. On an error nothing of the chunk is in the
  // document, though its tables may have grown.
  Status read(Interner& names, const Document* document, ByteView bytes);
  std::span<Record* const> records() const { return records_; }

 private:
  bool read_shapes(Reader& in);
  bool are_shapes_in_order() const;
  Status read_makers(Interner& names, const Document& document, Reader& in, ByteView is_known);

  std::vector<Record*> records_;
  std::vector<IdRef> ids_;
  std::vector<OpRef> makers_;  // of entities that are named by them; nil for others
  std::vector<std::string_view> zones_;
  std::vector<Shape> shapes_;
  ShapeTable known_shapes_;
  ColumnReader columns_;
};

inline constexpr uint8_t kChunkFormat = 2;  // do not renumber; 1 was never released

}  // namespace kalends
