// SPDX-License-Identifier: Apache-2.0
#include "core/oplog/apply.h"

#include <algorithm>

namespace kalends {
namespace {

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

class Folding {
 public:
  Folding(Document& document, const Op& op, Changes& changes)
      : document_(document), op_(op), changes_(changes) {
    auto bound = document.bounds.find(op.id);
    stamp_ = bound == document.bounds.end() ? op.stamp : std::min(op.stamp, bound->second);
    is_redacted_ = document.redactions.count(op.id) > 0;
  }

  void run(const OpBody& body) {
    std::visit(overloaded{
                   [&](const CreateBody& b) { create(b); },
                   [&](const SetBody& b) {
                     touch();
                     set(entity(), b.field, false);
                   },
                   [&](const OfferBody& b) {
                     touch();
                     offer(b);
                   },
                   [&](const AddBody& b) {
                     touch();
                     add(b);
                   },
                   [&](const RemoveBody& b) {
                     touch();
                     remove(b);
                   },
                   [&](const DeleteBody& b) { erase(b); },
                   [&](const RestoreBody&) { restore(); },
                   [&](const TextInsertBody& b) {
                     touch();
                     insert_text(b);
                   },
                   [&](const TextRemoveBody& b) {
                     touch();
                     remove_text(b);
                   },
                   [&](const BoundBody& b) { bound(b); },
                   [&](const RedactBody& b) { redact(b); },
                   [&](const VoidBody&) { document_.voids.insert(op_.id); },
                   [&](const CarryBody& b) { carry(b); },
                   [&](const UnknownBody&) { keep_opaque(); },
               },
               body);
  }

 private:
  // The entity itself, or the card around a child. The document's own root exists without being created.
  Entity& root_entity() {
    Entity& entity = document_.entities[op_.target];
    if (op_.target == document_.id.raw && !entity.is_created())
      entity.type = document_.kind == DocumentKind::kBoard ? EntityType::kBoard : EntityType::kWorkspace;
    return entity;
  }
  Entity& entity() { return op_.child.is_nil() ? root_entity() : root_entity().children[op_.child]; }

  void touch() {
    changes_.touch(op_.target);
    root_entity().touched.raise(op_.id.replica, op_.id.counter);
    if (!op_.child.is_nil()) entity().touched.raise(op_.id.replica, op_.id.counter);
  }

  RegisterValue register_value(const Value& value, bool is_offer) const {
    RegisterValue entry{op_.id, stamp_, op_.author, value, is_offer, is_redacted_};
    if (is_redacted_) entry.value = std::monostate{};
    return entry;
  }

  // Drops what this operation replaces; remembers what has not arrived yet.
  template <typename Values>
  void replace_in(Values& values, std::vector<OpId>& early) {
    for (const OpId& replaced : op_.replaced) {
      auto it =
          std::find_if(values.begin(), values.end(), [&](const auto& value) { return value.op == replaced; });
      if (it != values.end())
        values.erase(it);
      else if (!document_.has_seen(replaced))
        insert_sorted(early, replaced);
    }
  }

  void put(std::vector<RegisterValue>& values, std::vector<OpId>& early, RegisterValue value) {
    if (erase_sorted(early, value.op)) return;
    values.insert(std::upper_bound(values.begin(), values.end(), value, wins), std::move(value));
  }

  void set(Entity& target, const FieldValue& field, bool is_offer) {
    Register& reg = target.registers[{field.field, field.key}];
    replace_in(reg.values, reg.replaced_early);
    put(reg.values, reg.replaced_early, register_value(field.value, is_offer));
    changes_.touch(op_.target, field.field);
  }

  void create(const CreateBody& body) {
    bool is_a_child = is_child(body.type);
    Entity& target = is_a_child ? root_entity().children[op_.id] : root_entity();
    bool is_root = !is_a_child && op_.target == document_.id.raw;
    if (is_root) {
      // Nothing can turn the document's root into something else.
    } else if (target.created_by.is_nil() || op_.id < target.created_by) {
      target.type = body.type;
      target.created_by = op_.id;
      target.created_at = stamp_;
      target.creator = op_.author;
    }
    target.touched.raise(op_.id.replica, op_.id.counter);
    root_entity().touched.raise(op_.id.replica, op_.id.counter);
    changes_.touch(op_.target);
    for (const FieldValue& field : body.fields) {
      const FieldSpec* spec = find_field(body.type, field.field);
      const auto* text = std::get_if<std::string>(&field.value);
      if (spec && spec->merge == Merge::kText && text) {
        if (!text->empty()) target.text.insert(op_.id, {{}, Side::kAfter, *text});
        if (is_redacted_) target.text.redact(op_.id);
        changes_.touch(op_.target, field.field);
      } else if (const auto* id = std::get_if<Id128>(&field.value);
                 spec && spec->merge == Merge::kSet && id) {
        put_add(target.sets[field.field], *id);
        changes_.touch(op_.target, field.field);
      } else {
        set(target, field, false);
      }
    }
  }

  void offer(const OfferBody& body) {
    Entity& target = entity();
    const FieldSpec* spec = find_field(target.type, body.field.field);
    bool is_text = body.field.field == Field::kDescription || (spec && spec->merge == Merge::kText);
    if (!is_text) return set(target, body.field, true);
    replace_in(target.text_offers, target.text_offers_replaced_early);
    // An offer without a value only closes the ones it replaces: the shown text was kept.
    if (kind_of(body.field.value) != ValueKind::kNull)
      put(target.text_offers, target.text_offers_replaced_early, register_value(body.field.value, true));
    changes_.touch(op_.target, body.field.field);
  }

  void put_add(AddWinsSet& set, const Id128& element) {
    if (!erase_sorted(set.removed_early, op_.id)) insert_sorted(set.adds[element], op_.id);
  }

  void add(const AddBody& body) {
    put_add(entity().sets[body.field], body.element);
    changes_.touch(op_.target, body.field);
  }

  void remove(const RemoveBody& body) {
    AddWinsSet& set = entity().sets[body.field];
    auto adds = set.adds.find(body.element);
    for (const OpId& replaced : op_.replaced) {
      bool is_there = adds != set.adds.end() && erase_sorted(adds->second, replaced);
      if (!is_there && !document_.has_seen(replaced)) insert_sorted(set.removed_early, replaced);
    }
    if (adds != set.adds.end() && adds->second.empty()) set.adds.erase(adds);
    changes_.touch(op_.target, body.field);
  }

  void erase(const DeleteBody& body) {
    Entity& target = entity();
    // To its card, the deletion of a comment is an edit like any other.
    if (!op_.child.is_nil()) root_entity().touched.raise(op_.id.replica, op_.id.counter);
    replace_in(target.deletions, target.restored_early);
    changes_.touch(op_.target);
    if (erase_sorted(target.restored_early, op_.id)) return;
    Deletion deletion{op_.id, stamp_, op_.author, body.seen};
    auto at = std::lower_bound(target.deletions.begin(), target.deletions.end(), deletion,
                               [](const Deletion& a, const Deletion& b) { return a.op < b.op; });
    target.deletions.insert(at, std::move(deletion));
  }

  void restore() {
    touch();
    Entity& target = entity();
    replace_in(target.deletions, target.restored_early);
  }

  void insert_text(const TextInsertBody& body) {
    TextInsert insert = body.insert;
    entity().text.insert(op_.id, insert);
    if (is_redacted_) entity().text.redact(op_.id);
    // Choosing an offered text closes it: the splices that do so name the offer.
    replace_in(entity().text_offers, entity().text_offers_replaced_early);
    changes_.touch(op_.target, Field::kDescription);
  }

  void remove_text(const TextRemoveBody& body) {
    for (const CharRange& range : body.ranges) entity().text.remove(range);
    replace_in(entity().text_offers, entity().text_offers_replaced_early);
    changes_.touch(op_.target, Field::kDescription);
  }

  void bound(const BoundBody& body) {
    auto [it, is_new] = document_.bounds.try_emplace(body.op, body.stamp);
    if (!is_new) it->second = std::min(it->second, body.stamp);
    const Hlc cap = it->second;
    for_each_value(body.op, [&](RegisterValue& value) { value.stamp = std::min(value.stamp, cap); });
    for_each_entity([&](Entity& e) {
      if (e.created_by == body.op) e.created_at = std::min(e.created_at, cap);
      for (Deletion& deletion : e.deletions)
        if (deletion.op == body.op) deletion.stamp = std::min(deletion.stamp, cap);
    });
    changes_.touch(op_.target);
  }

  void redact(const RedactBody& body) {
    document_.redactions.insert(body.op);
    for_each_value(body.op, [](RegisterValue& value) {
      value.value = std::monostate{};
      value.is_redacted = true;
    });
    for_each_entity([&](Entity& e) { e.text.redact(body.op); });
    document_.opaque.erase(body.op);
    changes_.touch(op_.target);
  }

  // A bound or a redaction targets the entity of the operation it is about.
  template <typename Visit>
  void for_each_entity(Visit visit) {
    auto it = document_.entities.find(op_.target);
    if (it == document_.entities.end()) return;
    visit(it->second);
    for (auto& [id, child] : it->second.children) visit(child);
  }

  template <typename Visit>
  void for_each_value(const OpId& op, Visit visit) {
    for_each_entity([&](Entity& e) {
      for (auto& [key, reg] : e.registers) {
        for (RegisterValue& value : reg.values)
          if (value.op == op) visit(value);
        std::sort(reg.values.begin(), reg.values.end(), wins);
      }
      for (RegisterValue& value : e.text_offers)
        if (value.op == op) visit(value);
      std::sort(e.text_offers.begin(), e.text_offers.end(), wins);
    });
  }

  void carry(const CarryBody& body) {
    for (const Op& inner : body.ops) {
      if (document_.has_seen(inner.id)) continue;
      auto inner_body = decode_body(inner.kind, inner.body);
      if (!inner_body.ok()) continue;
      Folding(document_, inner, changes_).run(*inner_body);
      document_.carried.insert(inner.id);
    }
    changes_.touch(op_.target);
  }

  void keep_opaque() {
    if (is_redacted_) return;
    Writer out;
    write_op(out, op_);
    document_.opaque.emplace(op_.id, out.take());
  }

  Document& document_;
  const Op& op_;
  Changes& changes_;
  Hlc stamp_;
  bool is_redacted_ = false;
};

}  // namespace

Applied apply(Document& document, const Op& op, const OpBody& body, Changes& changes) {
  uint64_t known = document.version.of(op.id.replica);
  if (op.id.counter <= known) return Applied::kKnown;
  if (op.id.counter != known + 1) return Applied::kEarly;
  Folding(document, op, changes).run(body);
  document.version.raise(op.id.replica, op.id.counter);
  return Applied::kNew;
}

}  // namespace kalends
