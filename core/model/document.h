// SPDX-License-Identifier: Apache-2.0
// The state of one document: what its operations add up to. It is a function of the *set* of operations,
// never of their order (docs/algebra.md), and it keeps what a later operation may still need: losers,
// tombstones, versions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/model/op_id.h"
#include "core/model/schema.h"
#include "core/model/text_sequence.h"
#include "core/model/value.h"
#include "core/time/hlc.h"

namespace kalends {

// One value of a multi-value register.
struct RegisterValue {
  OpId op;
  Hlc stamp;  // capped by a bound operation, if there is one
  MemberId author;
  Value value;
  bool is_offer = false;  // put there to be kept as a loser: never wins against a value that is not an offer
  bool is_redacted = false;
  friend bool operator==(const RegisterValue&, const RegisterValue&) = default;
};

// The order that decides between concurrent values; a total order. True when `a` wins.
bool wins(const RegisterValue& a, const RegisterValue& b);

// All values that no operation has replaced: the winner first, then the open losers.
struct Register {
  std::vector<RegisterValue> values;
  std::vector<OpId> replaced_early;  // replaced by an operation seen before them; sorted
};

struct RegisterKey {
  Field field;
  Id128 key;  // of a custom field's value; nil otherwise
  friend bool operator==(const RegisterKey&, const RegisterKey&) = default;
  friend auto operator<=>(const RegisterKey&, const RegisterKey&) = default;
};

// Add-wins set: an element is in while an add that no remove has seen is there.
struct AddWinsSet {
  std::map<Id128, std::vector<OpId>> adds;  // element -> adds, sorted; never empty vectors
  std::vector<OpId> removed_early;          // sorted
};

// A deletion and the operations on the entity that it had seen.
struct Deletion {
  OpId op;
  Hlc stamp;
  MemberId author;
  Version seen;
};

struct Entity {
  EntityType type = EntityType::kUnknown;
  OpId created_by;  // the smallest creating op; nil while unknown
  Hlc created_at;
  MemberId creator;
  std::map<RegisterKey, Register> registers;
  std::map<Field, AddWinsSet> sets;
  TextSequence text;                       // the entity's text field, if its type has one
  std::vector<RegisterValue> text_offers;  // whole texts kept as losers (calendar edits that overlapped ours)
  std::vector<OpId> text_offers_replaced_early;
  std::vector<Deletion> deletions;   // not undone; sorted by op
  std::vector<OpId> restored_early;  // deletions undone before they were seen; sorted
  Version touched;                   // every operation here but deletions
  std::map<OpId, Entity> children;   // comments, checklists, items, attachments, steps

  bool is_created() const { return type != EntityType::kUnknown; }
  // Some deletion had seen every other operation here.
  bool is_deleted() const;
  // Alive although a deletion was made: somebody edited without knowing of it.
  bool has_open_deletion() const { return !is_deleted() && !deletions.empty(); }
  bool is_live() const { return is_created() && !is_deleted(); }

  // The shown value; nullptr when the register is empty.
  const RegisterValue* winner(Field field, Id128 key = {}) const;
  const Value& value(Field field, Id128 key = {}) const;  // null value when empty
  std::string text_value(Field field) const;              // "" when it is not a text
  bool bool_value(Field field) const;
  std::vector<Id128> elements(Field field) const;
};

struct Document {
  DocumentId id;
  DocumentKind kind = DocumentKind::kBoard;
  Version version;                   // operations of this document, gap-free per replica
  std::set<OpId> carried;            // operations that came with a card from another document
  std::map<Id128, Entity> entities;  // the root under the document's own id
  std::map<OpId, Hlc> bounds;        // capped stamps
  std::set<OpId> redactions;
  std::set<OpId> voids;          // operations that were refused; a void stands in their place
  std::map<OpId, Bytes> opaque;  // whole operations that this version does not know, byte for byte

  bool has_seen(const OpId& op) const { return version.covers(op) || carried.count(op) > 0; }
  const Entity* find(Id128 entity, const OpId& child = {}) const;
};

// A card that was moved to another board stays in this document, unseen: it lives where its home says.
bool lives_here(const Document& document, const Entity& entity);

// The canonical encoding of everything above: equal states, equal bytes. It is also the snapshot.
void encode_document(Writer& out, const Document& document);
Result<Document> decode_document(ByteView bytes);
Digest state_hash(const Document& document);

// Keeps a sorted vector of op ids a set.
void insert_sorted(std::vector<OpId>& ids, const OpId& id);
bool erase_sorted(std::vector<OpId>& ids, const OpId& id);

}  // namespace kalends
