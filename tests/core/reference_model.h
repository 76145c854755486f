// SPDX-License-Identifier: Apache-2.0
// What a document shows, worked out again from nothing but the set of its operations: slow, and simple enough
// to be held against docs/algebra.md line by line. Shares no code with the fold in core/oplog: it keeps no
// state, every question is asked of the whole set. It uses the types of values, the schema's tables,
// decode_body and the calendar's arithmetic, nothing else of the core.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/oplog/op.h"
#include "core/wire/cbor.h"

namespace kalends::test {

class ReferenceModel {
 public:
  // Operations in any order; one that is there twice counts once.
  ReferenceModel(DocumentId document, DocumentKind kind, const std::vector<Op>& ops);

  // The same CBOR as view_board, view_workspace, view_card and view_conflicts.
  Cbor board() const;
  Cbor workspace() const;
  Cbor card(const Id128& id) const;
  Cbor conflicts(const Id128& entity) const;

  std::vector<Id128> entities() const;

 private:
  struct Where {
    Id128 entity;
    OpId child;
    friend auto operator<=>(const Where&, const Where&) = default;
    friend bool operator==(const Where&, const Where&) = default;
  };
  struct Fact {  // one operation with its body
    Op op;
    OpBody body;
  };
  struct Slot {
    Where where;
    Field field;
    Id128 key;
  };
  struct Candidate {
    OpId op;
    Hlc stamp;
    MemberId author;
    Value value;
    bool is_offer;
  };

  void take(const Op& op, bool is_carried);
  static bool is_before(const Candidate& a, const Candidate& b);
  Hlc stamp_of(const Op& op) const;
  bool is_redacted(const OpId& op) const { return redacted_.count(op) > 0; }
  bool is_about(const Fact& fact, const Where& where) const;  // the thing itself, not its children
  std::vector<const Fact*> about(const Where& where) const;
  const Fact* first_create(const Where& where) const;
  EntityType type_of(const Where& where) const;
  bool is_text_offer(const Fact& fact) const;
  std::vector<Candidate> register_of(const Where& where, Field field, const Id128& key = {}) const;
  std::vector<Candidate> text_offers(const Where& where) const;
  std::set<std::pair<Field, Id128>> register_names(const Where& where) const;
  Value value(const Where& where, Field field, const Id128& key = {}) const;
  std::string text_value(const Where& where, Field field) const;
  bool flag(const Where& where, Field field) const;
  std::vector<Id128> elements(const Where& where, Field field) const;
  std::string text(const Where& where) const;
  std::vector<const Fact*> deletions(const Where& where) const;  // not undone
  bool is_deleted(const Where& where) const;
  bool is_live(const Where& where) const;
  bool lives_here(const Id128& entity) const;
  std::vector<OpId> children(const Id128& entity, EntityType type) const;  // live, in order
  std::vector<Id128> in_order(EntityType type, const Id128& list) const;
  std::string rank(const Where& where) const;

  Cbor live_card(const Id128& id) const;
  Cbor keyed(const Where& where, Field field) const;
  Cbor row(const Id128& id) const;
  Cbor rows(EntityType type) const;
  void collect_conflicts(const Where& where, Cbor& rows) const;
  Cbor conflict_value(const OpId& op, const Value& value, MemberId author, int64_t at_ms,
                      bool is_winner) const;

  DocumentId document_;
  DocumentKind kind_;
  std::map<OpId, Fact> facts_;                         // without voids and what is unknown
  std::map<Id128, std::vector<const Fact*>> targets_;  // only so that a question is not asked of other cards
  std::map<OpId, Hlc> caps_;
  std::set<OpId> redacted_;
};

// Where two renderings differ first, as a path and both values; "" when they are equal.
std::string difference_of(const Cbor& a, const Cbor& b, const std::string& path = "");

}  // namespace kalends::test
