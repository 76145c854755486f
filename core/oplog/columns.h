// SPDX-License-Identifier: Apache-2.0
// Operations in columns: the i-th number of each column belongs to the i-th operation (or field, value, …) that has
// one. Neighbours in a column are alike, so most numbers are small, columns of zeros are left out, and what is left
// compresses well. Chunks (chunk.h) and snapshots (image.h) are made of it; docs/memory-layout.md lists the columns.
#pragma once

#include <vector>

#include "core/base/u64_map.h"
#include "core/oplog/clock_table.h"
#include "core/oplog/record.h"
#include "core/oplog/shape.h"
#include "core/wire/codec.h"

namespace kalends {

enum class Column : uint8_t {
  kShape,
  kReplica,
  kCounter,
  kMs,
  kLogical,
  kAuthor,
  kBack,
  kCause,
  kTarget,
  kChild,
  kReplacedOp,
  kKey,
  kNumber,
  kZone,
  kWhen,
  kList,
  kParent,
  kRankShared,
  kRankSize,
  kRank,
  kTextSize,
  kRunSize,
  kRun,
  kRange,
  kRest,
  kDead,
  kFill,
  kCount,
};
inline constexpr size_t kColumns = static_cast<size_t>(Column::kCount);

// Ids to small numbers, in the order of first use.
class IdIndex {
 public:
  uint32_t of(IdRef ref) {
    if (ref >= local_.size()) local_.resize(ref * 2 + 64);
    if (local_[ref] == 0) {
      ids_.push_back(ref);
      local_[ref] = static_cast<uint32_t>(ids_.size());
    }
    return local_[ref] - 1;
  }
  void clear() {
    for (IdRef ref : ids_) local_[ref] = 0;
    ids_.clear();
  }
  const std::vector<IdRef>& ids() const { return ids_; }
  bool has(IdRef ref) const { return ref < local_.size() && local_[ref] != 0; }

 private:
  std::vector<uint32_t> local_;
  std::vector<IdRef> ids_;
};

// Which register an operation wrote last, so that the next one that replaces exactly that needs no words for it.
using LastWrites = U64Map<OpRef>;

// The counter of the last operation of each replica; most come in runs of one replica.
class LastCounters {
 public:
  void clear() {
    current_ = {};
    others_.clear();
  }
  uint32_t& of(uint32_t replica) {
    if (replica != current_.replica) {
      if (current_.replica != 0) others_.at(current_.replica) = current_.counter;
      const uint32_t* known = others_.find(replica);
      current_ = {replica, known ? *known : 0};
    }
    return current_.counter;
  }

 private:
  OpRef current_;
  U64Map<uint32_t> others_;
};

// What suits these operations; written beside the columns.
struct ColumnOptions {
  bool remembers = false;   // what was written last in each register, so that replacing it takes no words
  bool are_rows = false;    // few operations: the numbers of one after those of another, in one column

  uint32_t slope = 0;       // of the clock: milliseconds that one operation is expected to take
  uint32_t date_unit = 1;   // seconds that divide every wall time
  uint32_t first_target = 0;  // local number of the first target
  bool is_state = false;    // of a snapshot: what is left of operations, without their envelopes where those are history
  bool is_image = false;    // ids are in the order of places, not of first use
  const ClockTable* clock = nullptr;  // what is expected of stamps; nothing beyond `slope` where it is silent
};

// Where the columns lie, one beside the other or each with those of other operations.
struct ColumnSlices {
  ByteView columns[kColumns];
};

class ColumnWriter {
 public:
  ColumnWriter() = default;
  void use(const Interner& names, IdIndex& ids, ShapeTable& table) {
    names_ = &names;
    ids_ = &ids;
    table_ = &table;
  }
  // Readers know who made the entities of this document: all of them, or those that `known` covers, by replica.
  void use_makers(const Document* document, const std::vector<uint32_t>* known) {
    makers_ = document;
    known_ = known;
  }

  // `zones` grows by the zones that dates name; several sets of columns may share it.
  // `remembers_on`: go on with what the operations before wrote last.
  void start(const ColumnOptions& options, std::vector<std::string_view>& zones, bool remembers_on = false);
  // `dead_fields`: which fields of a create do not hold any more, a bit each; none where it ends.
  void add(const Record& record, std::span<const uint64_t> dead_fields = {});
  // Appends: the shapes, the columns present as a mask, their sizes, their bytes. The texts stay in `texts()`.
  void finish(Writer& out);
  // The shapes of the operations, by the numbers of the table.
  const std::vector<uint32_t>& shapes() const { return shapes_; }
  // What the fields of the operations cost (column_rules.h).
  uint64_t cost() const { return cost_; }
  const Bytes& texts() const { return texts_; }
  const Bytes& column(size_t index) const { return columns_[index]; }

 private:
  void number(Column column, uint64_t value) {
    auto index = are_rows_ ? 0 : static_cast<size_t>(column);
    if (value == 0 && !are_rows_ && columns_[index].empty()) {
      ++zeros_[index];  // a column of zeros is not written
      return;
    }
    put(index, value);
  }
  void put(size_t index, uint64_t value);
  void raw(Column column, const uint8_t* bytes, size_t size);
  void zigzag(Column column, int64_t value) {
    number(column, static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }
  void op(Column column, const OpRef& base, const OpRef& op);
  void field(const StoredField& field, bool has_value);
  void value(const Stored& value);
  void run(const Record& record, const RecordText& text);
  void shape_of(const Record& record);
  void add_body(const Record& record, std::span<const uint64_t> dead_fields, uint32_t target, uint32_t replica,
                uint32_t child_replica);
  OpRef maker_of(IdRef entity) const;

  const Interner* names_ = nullptr;
  IdIndex* ids_ = nullptr;
  ShapeTable* table_ = nullptr;
  Shape shape_;
  std::vector<uint64_t> spelled_;
  std::vector<uint32_t> shapes_;
  uint64_t cost_ = 0;
  const Document* makers_ = nullptr;
  const std::vector<uint32_t>* known_ = nullptr;
  ColumnOptions options_;
  bool are_rows_ = false;
  Bytes columns_[kColumns];
  uint32_t zeros_[kColumns] = {};  // that stand before what is in the column
  Bytes texts_;
  std::vector<std::string_view>* zones_ = nullptr;
  LastWrites last_;
  LastCounters last_counters_;
  OpRef last_op_;
  uint64_t last_ms_ = 0;
  uint32_t last_logical_ = 0;
  uint32_t last_author_ = 0;
  uint32_t last_replica_ = 0;  // by its number in the table
  uint32_t last_target_ = UINT32_MAX;
  uint32_t next_place_ = 0;
  OpRef last_child_;
  IdRef last_child_of_ = 0;
  int64_t last_when_[2] = {};
  U64Map<std::string_view> last_ranks_;  // of each list, and of each checklist
  std::string_view last_rank_;           // of any
};

// What a ColumnReader needs besides the columns.
struct ColumnTables {
  const std::vector<IdRef>* ids = nullptr;             // local number -> id
  const std::vector<std::string_view>* zones = nullptr;  // kept bytes
  bool are_in_order = false;    // of a chunk: in the order of first use, and all of them used
  bool skips_replaced = false;  // nobody asks what the operations replaced
  const std::vector<Shape>* shapes = nullptr;  // none in rows: there each operation says its own
  const std::vector<OpRef>* makers = nullptr;  // local number -> the operation that made it, nil where it is not known
};

class ColumnReader {
 public:
  ColumnReader() = default;
  ColumnReader(const ColumnReader&) = delete;
  ColumnReader& operator=(const ColumnReader&) = delete;
  // `texts` must stay where they are as long as the records.
  void start(Interner& names, const ColumnTables& tables, const ColumnOptions& options, Reader& columns,
             std::string_view texts);
  void start(Interner& names, const ColumnTables& tables, const ColumnOptions& options, const ColumnSlices& columns,
             std::string_view texts, bool remembers_on = false);
  // Fails (ok() is false) on anything that ColumnWriter does not write.
  Record next();
  std::span<const uint64_t> dead_fields() const { return dead_fields_; }
  bool ok() const { return ok_; }
  size_t used_ids() const { return used_ids_; }
  // Of a chunk: how often each shape was used, and in which order they were used first.
  const std::vector<uint32_t>& shape_uses() const { return shape_uses_; }
  const std::vector<uint32_t>& shape_order() const { return shape_order_; }
  // Everything was read.
  bool done();

 private:
  struct Cursor {
    const uint8_t* at = nullptr;
    const uint8_t* end = nullptr;
    bool is_absent = true;
  };
  Cursor& cursor(Column column) { return cursors_[options_.are_rows ? 0 : static_cast<size_t>(column)]; }
  uint64_t number(Column column) {
    Cursor& from = cursor(column);
    if (from.is_absent) return 0;
    if (from.at == from.end) return fail(), uint64_t{0};
    uint64_t first = *from.at++;
    return first < 0x80 ? first : rest_of_number(from, first);
  }
  uint64_t rest_of_number(Cursor& from, uint64_t first);
  int64_t zigzag(Column column) {
    uint64_t value = number(column);
    return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1));
  }
  uint32_t small(Column column, uint32_t max);
  uint32_t narrow(Column column);
  OpRef op(Column column, const OpRef& base);
  IdRef id(uint64_t local);
  uint32_t replica(int64_t local);
  std::string_view text(Column sizes);
  const Shape* shape();
  RecordText run(const Shape& shape, const Record& record);
  bool read_body(const Shape& shape, Record& record, uint64_t replica_local, uint64_t child_replica,
                 uint64_t& written);
  StoredField field(const FieldShape& shape, bool has_value);
  Stored value(const FieldShape& shape);
  void fail() { ok_ = false; }

  Interner* names_ = nullptr;
  ColumnTables tables_;
  ColumnOptions options_;
  Cursor cursors_[kColumns];
  std::string_view texts_;
  bool ok_ = true;
  std::vector<uint64_t> dead_fields_;
  LastWrites last_;
  LastCounters last_counters_;
  std::vector<OpRef> scratch_ops_;
  Shape own_shape_;
  std::vector<uint32_t> shape_uses_;
  std::vector<uint32_t> shape_order_;
  uint64_t bytes_ = 0;  // of the columns, without what fills them up
  uint64_t cost_ = 0;   // of the fields that were read
  uint64_t cost_max_ = 0;
  OpRef last_op_;
  int64_t last_replica_ = 0;
  uint64_t last_ms_ = 0;
  uint32_t last_logical_ = 0;
  int64_t last_author_ = 0;
  uint64_t last_target_ = 0;
  uint64_t next_place_ = 0;
  bool has_target_ = false;
  OpRef last_child_;
  IdRef last_child_of_ = 0;
  uint64_t last_child_local_ = 0;  // of its replica
  uint64_t last_local_ = 0;        // of the replica that `op` read last
  int64_t last_when_[2] = {};
  size_t used_ids_ = 0;
  size_t used_zones_ = 0;
  uint64_t last_key_ = 0;
  uint64_t last_id_ = 0;
  U64Map<std::string_view> last_ranks_;  // of each list, and of each checklist
  std::string_view last_rank_;           // of any
};

// The options that suit some operations.
ColumnOptions options_for(std::span<const Record* const> records);

}  // namespace kalends
