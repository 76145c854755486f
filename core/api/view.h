// SPDX-License-Identifier: Apache-2.0
// What a document looks like to a reader: one rendering, as CBOR, for the browser, the REST API and exports.
// Ids are 32 hexadecimal digits, op ids "<replica>:<counter>", dates {"date"} or {"at","zone","fold"}.
#pragma once

#include <string>

#include "core/replica/conflicts.h"
#include "core/replica/replica.h"
#include "core/wire/cbor.h"

namespace kalends {

Cbor view_card(const Document& document, const Id128& id);  // null when it is not there or deleted
// `with_cards`: with what is on them; else lists and the order of cards alone.
Cbor view_board(const Replica& replica, bool with_cards = true);
Cbor view_workspace(const Replica& replica);
Cbor view_conflicts(const Document& document, const Id128& entity);
Cbor view_all_conflicts(const Document& document);  // each with its `entity`
// Every operation on an entity that is known, oldest first, and what each field shows since when and by whom.
Cbor view_history(const Replica& replica, const Id128& entity);
Cbor view_blame(const Replica& replica, const Id128& entity);
// Puts children into their order: by rank where they have one, by age otherwise.
void order_children(const Document& document, std::vector<uint32_t>& slots);
// Live children of a type, in order.
std::vector<Entity> live_children(const Document& document, const Entity& parent, EntityType type);
Cbor view_value(const Value& value);
// A line for every field: its entity's name and number, its own name and number, the number of its kind of value and of
// its way to merge.
std::string view_schema();
Cbor view_op(const OpId& id);
Cbor view_changes(const Document& document, const Changes& changes);

// From a message to a value of the field's kind; the error says what the field takes.
Result<Value> parse_value(const FieldSpec& spec, const Cbor& cbor);

}  // namespace kalends
