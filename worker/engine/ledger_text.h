// SPDX-License-Identifier: Apache-2.0
// Plans and entries of the ledger as a person reads them.
#pragma once

#include <string>

#include "core/calendar/event_facet.h"
#include "worker/engine/link_engine.h"
#include "worker/engine/run_ledger.h"
#include "worker/google/json.h"

namespace kalends {

// "7 December 2026 …" is the page's business: dates are 2026-12-07, times 2026-12-07T09:00:00 with their
// zone.
std::string facet_text(const EventFacet& facet, FacetField field);
std::string field_text(Field field);
// The board knows what lists are called.
std::string value_text(const Document& board, const Value& value);

std::vector<PlannedStep::Change> event_changes(const EventFacet& before, const EventFacet& after,
                                               FacetMask fields);
std::vector<PlannedStep::Change> card_changes(const Document& board, const std::vector<FieldChange>& changes);

// title "A" → "B", dates …
std::string changes_text(const std::vector<PlannedStep::Change>& changes);
// What an entry did, in one sentence without its subject's name: "The event was made: …"
std::string entry_text(const Document& board, EntryKind kind, EntryOutcome outcome,
                       const EntryContent& content);
// As the API shows it.
Json entry_json(const EntryView& entry);

}  // namespace kalends
