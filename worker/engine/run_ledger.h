// SPDX-License-Identifier: Apache-2.0
// The ledger of a run: what it did, to which card or event, why, and what was there before. An entry stands
// in the transaction of the fact it speaks of; a write to Google has its entry before it leaves and its
// outcome with the stored answer, so a crash between the two leaves one entry that the next look completes. A
// run that changes nothing writes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/calendar/shadow.h"
#include "core/replica/replica.h"
#include "worker/engine/ports.h"

namespace kalends {

// Do not renumber: stored.
enum class EntryKind : int64_t {
  kInsertEvent = 1,
  kPatchEvent = 2,
  kDeleteEvent = 3,
  kEditCard = 4,
  kUnscheduleCard = 5,
  kArchiveCard = 6,
  kCreateCard = 7,
  kDeleteCard = 8,  // by an undo, as the rest
  kLeaveAlone = 9,  // the pair is left as it is until somebody changes it
};
inline bool is_of_event(EntryKind kind) { return kind <= EntryKind::kDeleteEvent; }

// Do not renumber: stored.
enum class EntryOutcome : int64_t {
  kUnknown = 0,  // the answer has not come
  kDone = 1,
  kRefused = 2,  // by Google, by the card, or overtaken by somebody's edit
};

// Do not renumber: stored.
enum class Actor : uint8_t {
  kBridge = 0,    // the bridge by itself
  kMember = 1,    // a member: by editing the card, or by asking for an undo
  kCalendar = 2,  // somebody in the calendar
};

// What happened to one field of a card. The value of a text is the whole text.
struct FieldChange {
  Field field = Field::kTitle;
  Value before;
  Value after;
  bool is_offer = false;  // `after` was put down as an open loser
  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

struct EntryContent {
  Actor actor = Actor::kBridge;
  MemberId member;    // of kMember
  std::string title;  // what the card was called
  FacetMask fields;   // of the event that were written
  std::vector<std::string> reasons;
  std::optional<EventFacet> before, after;  // of the event, as the calendar showed it
  std::string etag;                         // of the event after
  std::optional<Shadow> agreed;             // the agreement before
  std::optional<EventFacet> card;           // of a removed event: what the card said then
  std::vector<FieldChange> changes;         // of the card
  bool is_deletion_undone = false;          // the card was taken out of the bin
  // Of a write without an answer yet: its last try was refused for certain (somebody was faster), and an
  // earlier try may have arrived all the same.
  bool is_last_try_refused = false;
  bool may_have_arrived = false;
  friend bool operator==(const EntryContent&, const EntryContent&) = default;
};

Bytes encode_entry(const EntryContent& content);
Result<EntryContent> decode_entry(ByteView bytes);

// Names a facet without telling it: 16 hexadecimal digits.
std::string facet_hash(const EventFacet& facet);

// What these commands, made for a card as it is now, will change on it. `card` is false for one to be made.
std::vector<FieldChange> changes_of(const std::vector<Command>& commands, const Entity& card);
// Who last touched what the card's event depends on; nil when nobody did.
MemberId last_editor(const Entity& card);

class RunLedger {
 public:
  explicit RunLedger(Ports& ports) : ports_(ports) {}

  struct Entry {
    EntryKind kind = EntryKind::kEditCard;
    EntryOutcome outcome = EntryOutcome::kDone;
    CardId card;
    bool deletes = false;  // a deletion that nobody had approved: the guard counts it
    EntryContent content;
  };
  // The first entry gives the run its number. Gives the row with both numbers.
  Result<EntryRow> append(Txn& txn, const LinkLease& lease, const Entry& entry);
  // The card's entry that waits for an answer has it now. Nothing when there is none.
  struct Answer {
    EntryOutcome outcome = EntryOutcome::kDone;
    const Observation* event = nullptr;  // as it is now
    std::string reason;                  // of a refusal
    // What was asked for was so already: done by an earlier try, if there was one, and else by somebody else.
    bool was_so_already = false;
  };
  Status answered(Txn& txn, const LinkLease& lease, CardId card, const Answer& answer);
  // The write was refused because somebody was faster: it is planned again.
  Status refused_try(Txn& txn, const LinkLease& lease, CardId card);
  // No answer will come: what the event shows decides whether the write arrived.
  Status overtaken(Txn& txn, const LinkLease& lease, CardId card, const std::optional<Observation>& event,
                   FacetMask mask);

  // Begins the run if nothing did: for one that was stopped.
  Status begin(Txn& txn, const LinkLease& lease);
  bool is_begun() const { return run_ > 0; }
  uint64_t run() const { return run_; }
  // What the run was, and what is kept of those before.
  Status finish(Txn& txn, const LinkLease& lease, ByteView report);

 private:
  Ports& ports_;
  uint64_t run_ = 0;
};

}  // namespace kalends
