// SPDX-License-Identifier: Apache-2.0
// A document as bytes that can be opened at once: a directory of its entities, then blocks of 128 entities that are
// read when somebody asks for one of them (format 2; docs/memory-layout.md).
//
// Two kinds. A snapshot holds what the state needs and nothing else: equal states give equal bytes, so its hash is
// the hash of the state. An archive holds every operation; those whose effect still shows stand before the others,
// so that opening it reads no more than a snapshot does.
#pragma once

#include <memory>
#include <vector>

#include "core/oplog/columns.h"

namespace kalends {

inline constexpr uint32_t kBlockEntities = 128;
inline constexpr uint8_t kImageFormat = 2;  // do not renumber; 1 was never released

// Encodes. Requires: the document is not damaged. Both read all of its blocks.
Bytes encode_snapshot(const Document& document);
// `records`: every operation of the document, in any order that keeps each replica's own in sequence.
Bytes encode_archive(const Document& document, std::span<const Record* const> records);

Digest state_hash(const Document& document);

// An opened image. Must outlive the documents that it was installed in.
class Image : public ColdBlocks {
 public:
  // Reads the directory and leaves the rest. Installs itself in `document`, which must be new. The bytes are checked
  // block by block when they are read; `is_damaged` of the document tells when one did not hold.
  static Result<std::unique_ptr<Image>> open(ByteView bytes, Document& document);
  // Once more, in a document with the same tables.
  void install(Document& document);

  void load(Document& document, uint32_t block) override;
  uint32_t block_count() const override { return static_cast<uint32_t>(blocks_.size()); }
  IdRef made_by(const OpRef& op) const override;

  bool is_archive() const { return is_archive_; }
  // Every operation of a block, in no particular order; the records live in `arena`. False, and none, when it is
  // damaged.
  bool read_operations(Document& document, uint32_t block, Arena& arena, std::vector<const Record*>& out) const;
  uint32_t block_of(IdRef entity) const;  // kNoSlot when the entity is not in it
  ByteView bytes() const { return bytes_; }
  // Per replica, its last operation and that one's stamp.
  const std::vector<std::pair<OpRef, Hlc>>& version() const { return version_; }

 private:
  static constexpr size_t kParts = kColumns + 1;  // the columns and the texts
  struct Part {
    ColumnOptions options;
    uint32_t count = 0;
    uint32_t begins[kParts] = {};  // in each column, and in the texts
  };
  struct Block {
    Part live;
    Part past;
    uint32_t rest_begin = 0;
    uint32_t rest_size = 0;
    uint64_t live_sum = 0;  // of the live part and the rest
    uint64_t past_sum = 0;
  };
  uint64_t slices_of(uint32_t index, bool is_live, ColumnSlices& slices, std::string_view& texts) const;
  bool read_rest(Document& document, ByteView rest, uint32_t first) const;

  ByteView live_[kParts];
  ByteView past_[kParts];
  ByteView rests_;
  ByteView bytes_;
  bool is_archive_ = false;
  std::vector<IdRef> ids_;  // the first `entity_count_` are entities
  uint32_t entity_count_ = 0;
  std::vector<std::string_view> zones_;
  std::vector<OpRef> makers_;  // of the entities; in the canonical order of ids
  std::vector<Block> blocks_;
  ColumnReader reader_;
  ClockTable clock_;
  std::vector<Shape> shapes_;
  DocumentId id_;
  DocumentKind kind_ = DocumentKind::kBoard;
  std::vector<std::pair<OpRef, Hlc>> version_;
  std::vector<OpRef> carried_, redactions_, voids_;
  std::vector<std::pair<OpRef, Hlc>> bounds_;
  std::vector<std::pair<OpRef, Bytes>> opaque_;
};

}  // namespace kalends
