// SPDX-License-Identifier: Apache-2.0
// The decision: from what was agreed, what the card says and what the event says, to what should be done.
// Pure: it neither reads nor writes anything, so that all situations can be walked
// (tests/core/reconcile_test.cc).
//
// Laws: a pair in agreement plans nothing; after a plan is carried out, wholly or by one half only, the next
// plans lead to one state and then nothing; an edit of one side alone always arrives; where both sides edited
// one field, the loser is kept open on the card.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/calendar/link_policy.h"
#include "core/calendar/shadow.h"

namespace kalends {

struct CardSide {
  bool exists = false;  // there is (or was) such a card
  bool is_deleted = false;
  std::optional<EventFacet> wanted;                       // the event it should have
  EventFacet facet;                                       // its fields even when it should have none
  std::array<int64_t, kFacetFields.size()> changed_ms{};  // when each field was last edited
};

struct Situation {
  CardSide card;
  std::optional<Observation> event;  // nothing: never seen
  std::optional<Shadow> shadow;      // nothing: never agreed
};

enum class RemoteWrite : uint8_t { kNone, kInsert, kPatch, kDelete };
enum class CardChange : uint8_t {
  kNone,
  kEdit,        // the fields of `edits`
  kUnschedule,  // its dates go: the event was deleted
  kArchive,     // the event was deleted and the link's policy says archive
  kCreate,      // a card for an event that a person made
};

// One field of the card that should change.
struct FieldEdit {
  FacetField field;
  bool is_offer = false;    // keep the event's value as an open loser; the card's stays shown
  bool keep_loser = false;  // the event's value is shown; the card's stays as an open loser
};

struct Plan {
  RemoteWrite write = RemoteWrite::kNone;
  EventFacet target;                // of kInsert and kPatch: what the event should show
  FacetMask fields;                 // of kPatch: which fields to send
  bool is_next_generation = false;  // of kInsert: the old id is taken by a deleted event
  CardChange change = CardChange::kNone;
  std::vector<FieldEdit> edits;    // of kEdit; values are those of the event
  std::string merged_description;  // when both sides' texts merge without overlap
  bool has_merged_description = false;
  bool offer_unscheduling =
      false;            // the event was deleted while the card was edited: "no date" stays as a loser
  bool forget = false;  // nothing is left to keep in step: drop the pair
  bool agree = false;   // no write needed: the shadow becomes (card after `edits`, event)
  std::vector<std::string> reasons;  // for people: "the title was changed in the calendar"

  bool is_nothing() const {
    return write == RemoteWrite::kNone && change == CardChange::kNone && !forget && !offer_unscheduling;
  }
};

Plan reconcile(const Situation& situation, const LinkPolicy& policy);

}  // namespace kalends
