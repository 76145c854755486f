// SPDX-License-Identifier: Apache-2.0
// One living copy of one document: edit, merge, hand out what others lack. No transport, no persistence, no
// clock: the caller stores the operations that come out before it shows or sends them.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/oplog/apply.h"
#include "core/oplog/chunk.h"
#include "core/oplog/image.h"
#include "core/replica/command.h"
#include "core/replica/order_index.h"

namespace kalends {

struct ReplicaOptions {
  DocumentId document;
  DocumentKind kind = DocumentKind::kBoard;
  ReplicaId replica;  // never shared by two living copies: a restored or cloned copy takes a new one
};

struct EditContext {
  MemberId author;
  Cause cause = Cause::kPerson;
  int64_t now_ms = 0;
  // A start after the due date is refused, unless this is set: then it is shown as an open conflict.
  bool keeps_crossed_dates = false;
};

// What an edit made, as the replica keeps it. Good until the replica changes again.
struct Edited {
  std::span<const Record* const> records;  // one transaction; empty when everything was so already
  std::vector<OpRef> created;              // one entry a command: the child it made, or nil
};

struct EditResult {
  std::vector<Op> ops;        // one transaction; empty when everything was so already
  std::vector<OpId> created;  // one entry a command: the child it made, or nil
  Changes changes;
};

struct MergeResult {
  size_t applied = 0;    // operations that were new
  size_t held_back = 0;  // operations that wait for an earlier one of their replica
  Changes changes;
};

// What a retracted operation said, so that a person can say it again.
struct TrayEntry {
  OpId op;
  Id128 entity;
  Field field = Field::kTitle;
  Value value;
};

class Replica {
 public:
  explicit Replica(const ReplicaOptions& options);
  Replica(Replica&&) = default;
  Replica& operator=(Replica&&) = default;
  // From what snapshot() or save() gave (may be empty) and the operations after it. `is_trusted`: the bytes were
  // written by this very copy, so blocks need not be read before somebody asks for them.
  static Result<Replica> open(const ReplicaOptions& options, ByteView saved, const std::vector<Op>& ops,
                              bool is_trusted = false);

  // The same from bytes that are given away: they are not copied.
  static Result<Replica> open(const ReplicaOptions& options, std::unique_ptr<uint8_t[]> saved, size_t size,
                              bool is_trusted);

  // All commands or none of them. Errors name the command that cannot be done, and why.
  Result<EditResult> edit(const EditContext& context, const std::vector<Command>& commands);
  // The same without copies.
  Result<Edited> edit_in_place(const EditContext& context, std::span<const Command> commands, Changes& changes);

  // Operations from elsewhere, in any order, known ones too. A malformed operation refuses them all, and so does what
  // no honest copy makes of them: more that waits than kHeldBackMax, a text longer than kTextLengthBound.
  Result<MergeResult> merge(const std::vector<Op>& ops, int64_t now_ms);
  Status merge_chunk(ByteView chunk, int64_t now_ms, MergeResult& result);
  // A chunk that this copy stored: its own operations are followed by its clock without a limit.
  Status merge_stored(ByteView chunk, MergeResult& result);

  // Own operations that were refused: a void takes the place of each. Those named are retracted, no others:
  // the hub names what depends on them.
  struct Refusal {
    OpId op;
    ErrorCode reason;
  };
  struct Retraction {
    std::vector<TrayEntry> tray;
    std::vector<Op> voids;
    Changes changes;
  };
  Retraction retract(const std::vector<Refusal>& refusals);

  // Operations that `version` does not cover, each replica's in order. kConflict when history below the
  // compaction floor would be needed: hand out the snapshot instead.
  Result<std::vector<Op>> ops_since(const Version& version) const;
  Result<Bytes> chunk_since(const Version& version) const;
  Bytes chunk_of(std::span<const Record* const> records) { return writer_.encode(document_.names, records); }

  // What the state needs, without history; equal states give equal bytes.
  Bytes snapshot() const;
  // Everything, history included, as far as this copy has it.
  Bytes save() const;
  Digest hash() const { return state_hash(document_); }
  // Forgets the operations that the snapshot contains; nothing visible changes.
  void compact();
  // The document as it was when exactly the operations of `version` were known; to read only. kConflict when history
  // that far back is gone.
  Result<Replica> at(const Version& version) const;

  // Takes back the last transaction of this copy that was not taken back; later edits by others stay. Operations like
  // any other, in a transaction of their own; none when there is nothing to take back.
  Result<Edited> undo(const EditContext& context, Changes& changes);
  Result<Edited> redo(const EditContext& context, Changes& changes);
  bool can_undo() const { return !undo_.empty(); }
  bool can_redo() const { return !redo_.empty(); }

  const Document& document() const { return document_; }
  Version version() const { return document_.version(); }
  const Version& floor() const { return floor_; }
  const ReplicaOptions& options() const { return options_; }
  // After the floor, each replica's in order.
  std::vector<Op> log() const;
  // Own operations from `counter` on. Those that stand in an archive are read into `arena`.
  std::vector<const Record*> own_since(uint64_t counter, Arena& arena) const;
  Bytes base() const;  // snapshot at the floor; empty at the beginning of history
  // Another copy of what this one holds, history included.
  Result<Replica> copy() const { return open(options_, save(), {}, true); }
  // Every operation on an entity and its children that is known, oldest first. Records live in `arena`.
  std::vector<const Record*> history_of(const Id128& entity, Arena& arena) const;
  // True when some block of the bytes it was opened from could not be read: open it again from elsewhere.
  bool is_damaged() const { return document_.is_damaged(); }

  // The number of an id in the document's table; makes it.
  IdRef ref_of(const Id128& id) { return document_.names.ids.intern(id); }

  // Cards of a list, in order; deleted and archived ones included.
  std::vector<Entity> cards(const Id128& list) const;
  // Entities of another kind, in order; deleted ones included.
  std::vector<Entity> ordered(EntityType type) const;
  // Lists that hold at least one card, whether or not they were created.
  std::vector<Id128> lists_with_cards() const;

 private:
  friend class Transaction;
  friend class Undoing;
  struct Span {
    uint32_t first;
    uint32_t last;
  };
  // Where the document's memory stood, to give back what came to nothing.
  struct Room {
    Arena::Mark mark;
    uint32_t warmed;
  };
  Room room() const { return {document_.names.arena.mark(), document_.warmed()}; }
  void give_back(const Room& before) {
    // A block that was read meanwhile stays.
    if (document_.warmed() == before.warmed) document_.names.arena.release(before.mark);
  }
  // `before`: the room as it was before the records were put into it.
  Status fold(std::span<Record* const> records, const Room& before, int64_t now_ms, MergeResult& result);
  std::vector<const Record*> all_records(Arena& arena) const;
  void rebuild();
  void unpack();
  const Record* find_record(const OpRef& op, IdRef target, Arena& arena) const;
  Result<Edited> take_back(const EditContext& context, std::vector<Span>& from, std::vector<Span>& to,
                           Changes& changes);

  ReplicaOptions options_;
  uint32_t me_ = 0;  // own replica number
  mutable Document document_;  // reading warms blocks and notes order; what it says never changes by that
  mutable OrderIndex order_;
  HlcClock clock_;
  std::unique_ptr<Image> image_;
  Version floor_;                     // history before it is gone
  std::vector<const Record*> log_;    // after the image, in the order applied
  std::map<OpId, Record*> early_;     // held back
  std::vector<Span> undo_, redo_;     // own transactions of this session, by counters
  U64Map<OpRef> stands_for_;          // operations by which undo brought the effect of another back
  mutable ChunkWriter writer_;
  std::unique_ptr<ChunkReader> reader_ = std::make_unique<ChunkReader>();
};

// The operation that stands in the place of a refused one: the same bytes wherever it is made.
Op void_of(const Op& refused, ErrorCode reason);

// How many early operations are held back before merge refuses more: enough for any honest reordering.
inline constexpr size_t kHeldBackMax = 100000;
inline constexpr size_t kUndoMax = 500;  // transactions

}  // namespace kalends
