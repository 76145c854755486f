// SPDX-License-Identifier: Apache-2.0
// Writing images.
#include <algorithm>
#include <new>

#include "core/base/sort.h"
#include "core/base/text.h"
#include "core/oplog/image.h"
#include "core/oplog/column_rules.h"
#include "core/oplog/image_format.h"

namespace kalends {
namespace {

class ImageWriter {
 public:
  explicit ImageWriter(const Document& document) : document_(document), names_(document.names) {
    document.warm_all();
    rank_replicas();
    writer_.use(names_, ids_, shapes_);
    writer_.use_makers(&document, nullptr);
  }

  Bytes snapshot() {
    order_entities({});
    Rows live(blocks());
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i] == kNoSlot) continue;
      auto& rows = live[i / kBlockEntities];
      state_of(slots_[i], rows);
      for (uint32_t at = record(slots_[i]).first_child; at != kNoSlot; at = record(at).next_sibling)
        state_of(at, rows);
    }
    for (auto& rows : live) sort(rows);
    return write(false, live, {});
  }

  Bytes archive(std::span<const Record* const> records) {
    order_entities(records);
    Rows live(blocks());
    Rows past(blocks());
    auto take = [&](const Record* op, bool is_carried) {
      size_t block = place_of_[op->target] / kBlockEntities;
      size_t before = dead_words_.size();
      if (still_shows(*op)) {
        live[block].push_back(op);
        if (dead_words_.size() > before) dead_fields_.emplace_back(op, before);
      } else if (!is_carried) {  // a carried one is in the operation that carries it
        past[block].push_back(op);
      }
    };
    U64Map<uint32_t> carried;
    for (const Record* op : records) {
      take(op, false);
      if (!op->is(OpKind::kCarry)) continue;
      for (uint32_t i = 0; i < op->count; ++i) {
        const OpRef& id = op->carried[i].id;
        bool is_own = id.counter <= document_.counter_of(id.replica);
        if (!is_own && carried.at(id.packed())++ == 0) take(&op->carried[i], true);
      }
    }
    for (auto& rows : live) sort(rows);
    for (auto& rows : past) sort(rows);
    kalends::sort(dead_fields_);
    return write(true, live, past);
  }

 private:
  using Rows = std::vector<std::vector<const Record*>>;

  const EntityRecord& record(uint32_t slot) const { return document_.entities[slot]; }
  size_t blocks() const { return (slots_.size() + kBlockEntities - 1) / kBlockEntities; }

  void rank_replicas() {
    std::vector<uint32_t> numbers;
    for (uint32_t i = 1; i < names_.replica_ids.size(); ++i) numbers.push_back(i);
    kalends::sort(numbers, [&](uint32_t a, uint32_t b) { return names_.replica_ids[a] < names_.replica_ids[b]; });
    rank_.resize(names_.replica_ids.size());
    for (uint32_t i = 0; i < numbers.size(); ++i) rank_[numbers[i]] = i + 1;
  }
  // The canonical order of operations as one number.
  uint64_t key(const OpRef& op) const { return uint64_t{rank_[op.replica]} << 32 | op.counter; }

  // Named by somebody, and nothing is known of it.
  bool is_blank(const EntityRecord& entity) const {
    return entity.created_by.is_nil() && entity.cells.count == 0 && entity.touched.count == 0 &&
           entity.first_child == kNoSlot && entity.text == kNoSlot &&
           (entity.rarities == kNoSlot ||
            (document_.rarities[entity.rarities]->deletions.empty() && lists_of(entity).empty()));
  }

  // What is written of the rarities beside the deletions: what was named before it arrived and has arrived since says
  // nothing any more. Requires: there are some.
  Rarities lists_of(const EntityRecord& entity) const {
    Rarities lists;
    const Rarities& rarities = *document_.rarities[entity.rarities];
    lists.other_makers = rarities.other_makers;
    for (const OpRef& op : rarities.restored_early)
      if (!document_.has_seen(op)) lists.restored_early.push_back(op);
    auto keep_unseen = [&](const std::vector<Early>& from, std::vector<Early>& to) {
      for (const Early& entry : from)
        if (!document_.has_seen(entry.op)) to.push_back(entry);
    };
    keep_unseen(rarities.replaced_early, lists.replaced_early);
    keep_unseen(rarities.removed_early, lists.removed_early);
    return lists;
  }

  // By the operation that made them; first those that were not made, by id.
  void order_entities(std::span<const Record* const> records) {
    std::vector<std::pair<uint64_t, IdRef>> order;
    std::vector<uint8_t> is_listed(names_.ids.size());
    for (const EntityRecord& entity : document_.entities) {
      if (!entity.child.is_nil() || is_blank(entity)) continue;
      order.emplace_back(key(entity.created_by), entity.id);
      is_listed[entity.id] = true;
    }
    // Operations may be about things that have no state.
    auto list = [&](IdRef target) {
      if (is_listed[target]) return;
      is_listed[target] = true;
      order.emplace_back(0, target);
    };
    for (const Record* op : records) {
      list(op->target);
      if (!op->is(OpKind::kCarry)) continue;
      for (uint32_t i = 0; i < op->count; ++i) list(op->carried[i].target);
    }
    kalends::sort(order, [&](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : names_.ids[a.second] < names_.ids[b.second];
    });
    place_of_.resize(names_.ids.size());
    for (const auto& [made, id] : order) {
      place_of_[id] = ids_.of(id);
      slots_.push_back(document_.slot_of(id));
    }
  }

  void sort(std::vector<const Record*>& rows) const {
    // First what made the entities, in their order: the directory says who that was.
    struct Keyed {
      uint64_t key;
      uint32_t target;
      const Record* row;
    };
    std::vector<Keyed> keyed;
    keyed.reserve(rows.size());
    for (const Record* row : rows) keyed.push_back({makes_target(*row) ? 0 : key(row->id), place_of_[row->target], row});
    kalends::sort(keyed, [&](const Keyed& a, const Keyed& b) {
      if (a.key != b.key) return a.key < b.key;
      if (a.target != b.target) return a.target < b.target;
      return comes_before(*a.row, *b.row);
    });
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = keyed[i].row;
  }
  bool makes_target(const Record& row) const {
    uint32_t slot = document_.slot_of(row.target);
    return slot != kNoSlot && record(slot).created_by == row.id;
  }
  // Rows of one operation on one entity: a creation first, then by what they are about.
  bool comes_before(const Record& a, const Record& b) const {
    if (a.kind != b.kind) return a.kind < b.kind;
    if (key(a.child) != key(b.child)) return key(a.child) < key(b.child);
    bool has_field = !a.is_opaque && (a.is(OpKind::kSet) || a.is(OpKind::kOffer) || a.is(OpKind::kAdd));
    if (!has_field) return false;
    if (a.fields->field != b.fields->field) return a.fields->field < b.fields->field;
    return names_.ids[a.fields->key] < names_.ids[b.fields->key];
  }

  Record* row(OpKind kind, uint32_t slot, const OpRef& op, Hlc stamp, IdRef author) {
    Record* made = new (arena_.take(sizeof(Record))) Record;
    made->id = op;
    made->stamp = stamp;
    made->child = record(slot).child;
    made->target = record(slot).id;
    made->author = author;
    made->kind = static_cast<uint16_t>(kind);
    return made;
  }

  static bool is_of_creation(const EntityRecord& entity, const Cell& cell) {
    const FieldSpec* spec = find_field(entity.type, cell.field);
    // A field that only a newer version knows is a register here: both write the same state.
    return cell.op == entity.created_by && !cell.is_add && !cell.is_offer && (!spec || spec->merge == Merge::kRegister);
  }

  void state_of(uint32_t slot, std::vector<const Record*>& rows) {
    const EntityRecord& entity = record(slot);
    if (!entity.created_by.is_nil()) {
      Record* made = row(OpKind::kCreate, slot, entity.created_by, entity.created_at, entity.creator);
      made->child = {};
      made->detail = static_cast<uint8_t>(entity.type);
      // What the creation said and still holds, in the order of fields and keys.
      std::vector<StoredField> said;
      for (const Cell& cell : entity.cells)
        if (is_of_creation(entity, cell)) said.push_back({cell.field, cell.key, cell.value});
      auto by_register = [&](const StoredField& a, const StoredField& b) {
        return a.field != b.field ? a.field < b.field : names_.ids[a.key] < names_.ids[b.key];
      };
      kalends::sort(said, by_register);
      // What is more than a creation can say, somebody forged: it is said beside it.
      for (; said.size() >= kCreateFieldsMax; said.pop_back()) {
        Record* beside = row(OpKind::kSet, slot, entity.created_by, entity.created_at, entity.creator);
        beside->fields = new (arena_.take(sizeof(StoredField))) StoredField(said.back());
        beside->count = 1;
        rows.push_back(beside);
      }
      if (std::string_view words = text_of_creation(entity); !words.empty()) {
        Stored text;
        text.kind = ValueKind::kText;
        text.size = static_cast<uint32_t>(words.size());
        text.text = words.data();
        said.push_back({text_field(entity.type), 0, text});
      }
      kalends::sort(said, by_register);
      auto* fields = arena_.array<StoredField>(said.size());
      for (const StoredField& field : said) new (&fields[made->count++]) StoredField(field);
      made->fields = fields;
      rows.push_back(made);
    }
    for (const Cell& cell : entity.cells) {
      if (is_of_creation(entity, cell)) continue;
      OpKind kind = cell.is_add ? OpKind::kAdd : cell.is_offer ? OpKind::kOffer : OpKind::kSet;
      Record* made = row(kind, slot, cell.op, cell.stamp, cell.author);
      made->fields = new (arena_.take(sizeof(StoredField))) StoredField{cell.field, cell.key, cell.value};
      made->count = 1;
      rows.push_back(made);
    }
    if (entity.text != kNoSlot) text_of(slot, rows);
    if (entity.rarities == kNoSlot) return;
    for (const Deletion& deletion : document_.rarities[entity.rarities]->deletions) {
      Record* made = row(OpKind::kDelete, slot, deletion.op, deletion.stamp, deletion.author);
      auto* seen = arena_.array<OpRef>(deletion.seen.size());
      std::copy(deletion.seen.begin(), deletion.seen.end(), seen);
      made->ops = seen;
      made->count = static_cast<uint32_t>(deletion.seen.size());
      rows.push_back(made);
    }
  }

  static Field text_field(EntityType type) {
    for (const FieldSpec& spec : all_fields())
      if (spec.entity == type && spec.merge == Merge::kText) return spec.field;
    return Field{};
  }

  // The text that the creation said, when all of it still shows; empty otherwise.
  std::string_view text_of_creation(const EntityRecord& entity) const {
    if (entity.text == kNoSlot || entity.created_by.is_nil() || text_field(entity.type) == Field{}) return {};
    const TextSequence& sequence = document_.texts[entity.text];
    if (sequence.run_length(entity.created_by) == 0 || !sequence.removed_of(entity.created_by).empty()) return {};
    for (const TextSequence::Run& run : sequence.runs())
      if (run.op == entity.created_by && run.parent.op.is_nil() && run.side == Side::kAfter) return run.text;
    return {};
  }

  void text_of(uint32_t slot, std::vector<const Record*>& rows) {
    bool is_said = !text_of_creation(record(slot)).empty();  // by the row of the creation
    const TextSequence& sequence = document_.texts[record(slot).text];
    const std::vector<TextSequence::Intervals> all_removed = sequence.removed();
    size_t number = 0;
    for (const auto& run : sequence.runs()) {
      if (is_said && run.op == record(slot).created_by) {
        ++number;
        continue;
      }
      // When and by whom a run was written is history.
      Record* made = row(OpKind::kRun, slot, run.op, {}, 0);
      const TextSequence::Intervals& removed = all_removed[number++];
      auto* ranges = arena_.array<RefRange>(removed.size());
      std::string visible;
      uint32_t at = 0;
      uint32_t count = 0;
      size_t byte = 0;
      std::string_view text = run.text;  // empty when nothing of it is kept
      uint32_t gap = 0;             // each lies within what is removed
      auto take_until = [&](uint32_t end, bool is_kept) {
        uint32_t worded = end - at;
        for (; gap < run.gap_count && run.gaps[gap].offset < end; ++gap) worded -= run.gaps[gap].length;
        size_t bytes = byte_offset(text.substr(byte), worded);
        if (is_kept) visible.append(text.substr(byte, bytes));
        byte += bytes;
        at = end;
      };
      for (const auto& [begin, end] : removed) {
        uint32_t stop = std::min(end, run.length);
        if (begin >= stop) continue;  // beyond the run: such a range is kept as it was sent
        take_until(begin, true);
        take_until(stop, false);
        ranges[count++] = {run.op, begin, stop - begin};
      }
      take_until(run.length, true);
      made->run = new (arena_.take(sizeof(RecordRun)))
          RecordRun{{run.parent, run.side, static_cast<uint32_t>(visible.size()), arena_.copy(visible)},
                    run.length,
                    count,
                    ranges};
      rows.push_back(made);
    }
  }

  uint32_t slot_of(const Record& op) const {
    uint32_t slot = document_.slot_of(op.target);
    OpRef child = op.child;
    // A creation makes the child that is called by it, or the entity, whatever child it names.
    if (op.is(OpKind::kCreate)) child = is_child(static_cast<EntityType>(op.detail)) ? op.id : OpRef{};
    return slot == kNoSlot || child.is_nil() ? slot : document_.child_of(slot, child);
  }

  bool has_cell(uint32_t slot, const OpRef& op, Field field, IdRef key) const {
    for (const Cell& cell : record(slot).cells)
      if (cell.op == op && cell.field == field && cell.key == key) return true;
    return false;
  }

  // Something of the operation is still in the state.
  bool still_shows(const Record& op) {
    if (op.is_opaque) return false;
    uint32_t slot = slot_of(op);
    if (slot == kNoSlot) return false;
    switch (op.op_kind()) {
      case OpKind::kCreate: {
        size_t before = dead_words_.size();
        for (uint32_t i = 0; i < op.count; ++i) {
          const StoredField& field = op.fields[i];
          const FieldSpec* spec = find_field(static_cast<EntityType>(op.detail), field.field);
          bool is_text = spec && spec->merge == Merge::kText && field.value.kind == ValueKind::kText;
          bool is_add = spec && spec->merge == Merge::kSet && field.value.kind == ValueKind::kId;
          IdRef field_key = is_add ? static_cast<IdRef>(field.value.number) : field.key;
          if (is_text || has_cell(slot, op.id, field.field, field_key)) continue;
          if (dead_words_.size() == before) dead_words_.resize(before + (op.count + 63) / 64);
          dead_words_[before + i / 64] |= uint64_t{1} << i % 64;
        }
        return true;
      }
      case OpKind::kSet:
      case OpKind::kOffer:
      case OpKind::kAdd:
        return has_cell(slot, op.id, op.fields->field, op.fields->key);
      case OpKind::kDelete: {
        uint32_t rarities = record(slot).rarities;
        if (rarities == kNoSlot) return false;
        const auto& deletions = document_.rarities[rarities]->deletions;
        return std::any_of(deletions.begin(), deletions.end(),
                           [&](const Deletion& deletion) { return deletion.op == op.id; });
      }
      case OpKind::kTextInsert:
      case OpKind::kTextRemove:
        return true;
      default:
        return false;
    }
  }

  struct Touch {
    uint32_t slot;
    OpRef op;
  };

  // What `put_back` of the rows touches, and what the entities say they were touched by, may differ: operations that
  // left nothing else behind. Those, and other rare things, are written beside the rows.
  void rest_of(size_t block, const std::vector<const Record*>& rows, bool is_archive, Writer& out) {
    U64Map<uint32_t> touched;  // (slot, replica) -> counter
    auto touch = [&](uint32_t slot, const OpRef& op) {
      uint32_t& counter = touched.at(uint64_t{slot + 1} << 32 | op.replica);
      counter = std::max(counter, op.counter);
    };
    for (const Record* op : rows) {
      uint32_t slot = slot_of(*op);
      uint32_t around = document_.slot_of(op->target);
      if (!op->is(OpKind::kDelete)) touch(slot, op->id);
      if (slot != around) touch(around, op->id);
    }
    for (size_t i = block * kBlockEntities; i < std::min(slots_.size(), (block + 1) * kBlockEntities); ++i) {
      if (slots_[i] == kNoSlot) continue;
      auto local = static_cast<uint32_t>(i - block * kBlockEntities);
      rest_of_slot(local, slots_[i], touched, is_archive, out);
      std::vector<uint32_t> children;
      for (uint32_t at = record(slots_[i]).first_child; at != kNoSlot; at = record(at).next_sibling)
        children.push_back(at);
      kalends::sort(children, [&](uint32_t a, uint32_t b) { return key(record(a).child) < key(record(b).child); });
      for (uint32_t child : children) rest_of_slot(local, child, touched, is_archive, out);
    }
  }

  void rest_of_slot(uint32_t local, uint32_t slot, const U64Map<uint32_t>& derived, bool is_archive, Writer& out) {
    const EntityRecord& entity = record(slot);
    std::vector<OpRef> touched;
    for (const OpRef& op : entity.touched) {
      const uint32_t* counter = derived.find(uint64_t{slot + 1} << 32 | op.replica);
      if (!counter || *counter != op.counter) touched.push_back(op);
    }
    std::vector<RefRange> unseen;
    if (entity.text != kNoSlot && !is_archive) {
      const TextSequence& sequence = document_.texts[entity.text];
      sequence.for_each_removed([&](const OpRef& op, uint32_t begin, uint32_t end) {
        uint32_t length = sequence.run_length(op);  // 0: not seen yet
        if (end <= length) return;
        unseen.push_back({op, std::max(begin, length), end - std::max(begin, length)});
      });
    }
    bool is_rare = entity.rarities != kNoSlot;
    // A child that nothing was put into exists nevertheless.
    if (touched.empty() && unseen.empty() && !is_rare) return;
    const Rarities lists = is_rare ? lists_of(entity) : Rarities{};
    if (touched.empty() && unseen.empty() && lists.empty()) return;
    out.varint(local + 1);
    write_op(out, entity.child);
    sort_ops(touched);
    write_ops(out, touched);
    kalends::sort(unseen, [&](const RefRange& a, const RefRange& b) {
      return key(a.op) != key(b.op) ? key(a.op) < key(b.op) : a.offset < b.offset;
    });
    out.varint(unseen.size());
    for (const RefRange& range : unseen) {
      write_op(out, range.op);
      out.varint(range.offset);
      out.varint(range.length);
    }
    write_sorted(out, lists.restored_early);
    write_sorted(out, lists.other_makers);
    write_early(out, lists.replaced_early);
    write_early(out, lists.removed_early);
  }

  void sort_ops(std::vector<OpRef>& ops) const {
    kalends::sort(ops, [&](const OpRef& a, const OpRef& b) { return key(a) < key(b); });
  }
  void write_op(Writer& out, const OpRef& op) {
    out.varint(op.counter);
    if (!op.is_nil()) out.varint(ids_.of(names_.replica_refs[op.replica]));
  }
  void write_ops(Writer& out, const std::vector<OpRef>& ops) {
    out.varint(ops.size());
    for (const OpRef& op : ops) write_op(out, op);
  }
  void write_sorted(Writer& out, std::vector<OpRef> ops) {
    sort_ops(ops);
    write_ops(out, ops);
  }
  void write_early(Writer& out, std::vector<Early> early) {
    kalends::sort(early, [&](const Early& a, const Early& b) {
      if (a.field != b.field) return a.field < b.field;
      if (a.key != b.key) return names_.ids[a.key] < names_.ids[b.key];
      return key(a.op) < key(b.op);
    });
    out.varint(early.size());
    for (const Early& entry : early) {
      out.varint(static_cast<uint64_t>(entry.field));
      out.varint(entry.key == 0 ? 0 : ids_.of(entry.key) + uint64_t{1});
      write_op(out, entry.op);
    }
  }
  // Requires: the replica of `id` was named in this document.
  void write_id(Writer& out, const OpId& id) { write_op(out, names_.find_op(id)); }

  // Each column of all blocks in one piece: alike stands beside alike.
  struct Columns {
    Writer columns[kColumns];
    Writer texts;
  };

  // What the table says of one part of a block; the shapes get their numbers when those of all parts are known.
  struct Part {
    size_t count = 0;
    ColumnOptions options;
    size_t sizes[kColumns] = {};
    uint64_t sums[kColumns] = {};
    size_t texts = 0;
    uint64_t texts_sum = 0;
    std::vector<uint32_t> shapes;
    uint64_t cost = 0;
  };

  Part part(const std::vector<const Record*>& rows, size_t block, bool is_state, bool remembers_on, Columns& out) {
    Part made;
    made.count = rows.size();
    if (rows.empty()) return made;
    ColumnOptions options = options_for(rows);
    options.slope = 0;  // the rows are not in the order of time
    options.first_target = static_cast<uint32_t>(block * kBlockEntities);
    options.is_state = is_state;
    options.is_image = true;
    options.clock = &clock_;
    made.options = options;
    writer_.start(options, zones_, remembers_on);
    for (const Record* row : rows) {
      auto dead = std::lower_bound(dead_fields_.begin(), dead_fields_.end(), std::pair(row, size_t{0}));
      std::span<const uint64_t> words;
      if (dead != dead_fields_.end() && dead->first == row)
        words = std::span(dead_words_).subspan(dead->second, (row->count + 63) / 64);
      writer_.add(*row, words);
    }
    for (size_t i = 0; i < kColumns; ++i) {
      const Bytes& column = writer_.column(i);
      if (column.empty()) continue;
      made.sizes[i] = column.size();
      made.sums[i] = image_checksum(column);
      out.columns[i].raw(column);
    }
    made.texts = writer_.texts().size();
    made.texts_sum = image_checksum(writer_.texts());
    out.texts.raw(writer_.texts());
    made.shapes = writer_.shapes();
    made.cost = writer_.cost();
    return made;
  }

  // Returns a sum over its columns.
  uint64_t write_part(Part& part, const std::vector<uint32_t>& numbers, Writer& table, Columns& out) {
    table.varint(part.count);
    if (part.count == 0) return 0;
    constexpr auto kShapes = static_cast<size_t>(Column::kShape);
    if (std::any_of(part.shapes.begin(), part.shapes.end(), [&](uint32_t shape) { return numbers[shape] != 0; })) {
      Writer& shapes = out.columns[kShapes];
      size_t begin = shapes.size();
      for (uint32_t shape : part.shapes) shapes.varint(numbers[shape]);
      part.sizes[kShapes] = shapes.size() - begin;
      part.sums[kShapes] = image_checksum(ByteView(shapes.view()).subspan(begin));
    }
    uint64_t bytes = 0;
    for (size_t size : part.sizes) bytes += size;
    if (Bytes fill(static_cast<size_t>(fill_of(part.cost, bytes)), kFillByte); !fill.empty()) {
      constexpr auto kFill = static_cast<size_t>(Column::kFill);
      part.sizes[kFill] = fill.size();
      part.sums[kFill] = image_checksum(fill);
      out.columns[kFill].raw(fill);
    }
    table.u8(part.options.remembers);
    table.varint(part.options.date_unit);
    uint64_t mask = 0;
    for (size_t i = 0; i < kColumns; ++i)
      if (part.sizes[i] != 0) mask |= uint64_t{1} << i;
    table.varint(mask);
    uint64_t sum = 0;
    for (size_t i = 0; i < kColumns; ++i) {
      if (part.sizes[i] == 0) continue;
      table.varint(part.sizes[i]);
      sum = sum * 31 + part.sums[i];
    }
    table.varint(part.texts);
    return sum * 31 + part.texts_sum;
  }

  void write_clock(bool is_archive, const Rows& live, const Rows& past, Writer& head) {
    std::vector<std::pair<OpRef, uint64_t>> stamps;
    for (const Rows* rows : {&live, &past})
      for (const auto& of_block : *rows)
        for (const Record* row : of_block)
          if (!is_bare(*row, !is_archive))
            stamps.emplace_back(row->id, row->stamp.raw >> 16);
    clock_.build(std::move(stamps), rank_);
    head.varint(clock_.rows().size());
    for (const ClockTable::Row& row : clock_.rows()) {
      head.varint(ids_.of(names_.replica_refs[row.replica]));
      head.varint(row.first);
      head.varint(row.ms.size());
      uint64_t last = 0;
      for (uint64_t ms : row.ms) {
        head.zigzag(static_cast<int64_t>(ms - last));
        last = ms;
      }
    }
  }

  Bytes write(bool is_archive, const Rows& live, const Rows& past) {
    Writer table, rests, head;
    auto live_columns = std::make_unique<Columns>();
    auto past_columns = std::make_unique<Columns>();
    // Replicas first: they are named most.
    std::vector<uint32_t> replicas;
    for (uint32_t i = 1; i < document_.counters.size(); ++i)
      if (document_.counters[i] != 0) replicas.push_back(i);
    kalends::sort(replicas, [&](uint32_t a, uint32_t b) { return rank_[a] < rank_[b]; });
    head.varint(replicas.size());
    for (uint32_t replica : replicas) {
      head.varint(ids_.of(names_.replica_refs[replica]));
      head.varint(document_.counters[replica]);
      head.varint(document_.stamps[replica].raw);
    }
    write_clock(is_archive, live, past, head);
    OpRef last;
    for (uint32_t slot : slots_) {
      OpRef made = slot == kNoSlot ? OpRef{} : record(slot).created_by;
      if (made.is_nil()) {
        head.varint(0);
        continue;
      }
      // The next operation of the same replica is 1; else the replica is named. Only forged things have one maker.
      if (made.replica == last.replica && made.counter != last.counter) {
        head.varint((uint64_t{made.counter} - last.counter) << 1);
      } else {
        head.varint(uint64_t{made.counter} << 1 | 1);
        head.varint(ids_.of(names_.replica_refs[made.replica]));
      }
      last = made;
    }
    auto write_all = [&](const auto& set) {
      head.varint(set.size());
      for (const auto& id : set) write_id(head, id);
    };
    write_all(document_.carried);
    write_all(document_.redactions);
    write_all(document_.voids);
    head.varint(document_.bounds.size());
    for (const auto& [id, stamp] : document_.bounds) {
      write_id(head, id);
      head.varint(stamp.raw);
    }
    head.varint(document_.opaque.size());
    for (const auto& [id, bytes] : document_.opaque) {
      write_id(head, id);
      head.bytes(bytes);
    }
    static const std::vector<const Record*> kNone;
    std::vector<Part> pasts, lives;
    std::vector<uint32_t> uses;
    auto add = [&](std::vector<Part>& parts, Part made) {
      uses.resize(shapes_.size());
      for (uint32_t shape : made.shapes) ++uses[shape];
      parts.push_back(std::move(made));
    };
    for (size_t block = 0; block < live.size(); ++block) {
      // The past first: what still shows replaced it.
      const auto& gone = past.empty() ? kNone : past[block];
      add(pasts, part(gone, block, false, false, *past_columns));
      add(lives, part(live[block], block, !is_archive, !gone.empty(), *live_columns));
    }
    std::vector<uint32_t> order = ShapeTable::order(uses);
    std::vector<uint32_t> numbers(order.size());
    for (uint32_t i = 0; i < order.size(); ++i) numbers[order[i]] = i;
    for (size_t block = 0; block < live.size(); ++block) {
      uint64_t past_sum = write_part(pasts[block], numbers, table, *past_columns);
      if (pasts[block].count > 0) table.fixed64(past_sum);
      uint64_t live_sum = write_part(lives[block], numbers, table, *live_columns);
      size_t rest_start = rests.size();
      rest_of(block, live[block], is_archive, rests);
      table.varint(rests.size() - rest_start);
      table.fixed64(live_sum * 31 + image_checksum(ByteView(rests.view()).subspan(rest_start)));
    }

    Writer out;
    out.u8(kImageFormat);
    out.u8(is_archive ? 1 : 0);
    out.id(document_.id.raw);
    out.u8(static_cast<uint8_t>(document_.kind));
    out.varint(slots_.size());
    out.varint(ids_.ids().size());
    // All first bytes, then all second ones …
    for (size_t k = 0; k < 16; ++k)
      for (IdRef id : ids_.ids()) out.u8(names_.ids[id].bytes[k]);
    out.varint(zones_.size());
    for (std::string_view zone : zones_) out.text(zone);
    out.varint(order.size());
    for (uint32_t shape : order)
      for (uint64_t number : shapes_.spelled(shape)) out.varint(number);
    out.raw(head.view());
    out.raw(table.view());
    out.fixed64(image_checksum(out.view()));
    for (const Writer& column : live_columns->columns) out.raw(column.view());
    out.raw(rests.view());
    out.raw(live_columns->texts.view());
    for (const Writer& column : past_columns->columns) out.raw(column.view());
    out.raw(past_columns->texts.view());
    return out.take();
  }

  const Document& document_;
  const Interner& names_;
  Arena arena_;
  IdIndex ids_;
  ShapeTable shapes_;
  ColumnWriter writer_;
  ClockTable clock_;
  std::vector<std::string_view> zones_;
  std::vector<uint32_t> rank_;      // of a replica number, in the order of ids
  std::vector<uint32_t> place_of_;  // of an entity, by IdRef
  std::vector<uint32_t> slots_;     // by place; kNoSlot: no state
  std::vector<std::pair<const Record*, size_t>> dead_fields_;  // where its words begin
  std::vector<uint64_t> dead_words_;
};

}  // namespace

Bytes encode_snapshot(const Document& document) { return ImageWriter(document).snapshot(); }

Bytes encode_archive(const Document& document, std::span<const Record* const> records) {
  return ImageWriter(document).archive(records);
}

Digest state_hash(const Document& document) { return digest_of(encode_snapshot(document)); }

}  // namespace kalends
