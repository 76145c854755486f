// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/admission.h"

#include <algorithm>

namespace kalends {
namespace {

Status check_field(EntityType type, const FieldValue& field) {
  const FieldSpec* spec = find_field(type, field.field);
  if (!spec)
    return Error{ErrorCode::kUnsupportedVersion, "The hub does not know this field yet: update the hub.", 0};
  if (spec->is_hub_only)
    return Error{ErrorCode::kForbidden, "Only the hub moves a card to another board.", 0};
  if (spec->merge == Merge::kText) {
    const auto* text = std::get_if<std::string>(&field.value);
    return !text || text->size() <= kTextBytesMax ? Status{}
                                                  : Status{invalid("The text is too long for one edit.")};
  }
  if (spec->merge == Merge::kSet) return {};
  return check_value(*spec, field.value);
}

bool depends_on_void(const Document& document, const Op& op, const OpBody& body) {
  auto is_void = [&](const OpId& id) { return document.voids.count(id) > 0; };
  if (std::any_of(op.replaced.begin(), op.replaced.end(), is_void) || is_void(op.child)) return true;
  if (const auto* insert = std::get_if<TextInsertBody>(&body)) return is_void(insert->insert.parent.op);
  if (const auto* remove = std::get_if<TextRemoveBody>(&body))
    return std::any_of(remove->ranges.begin(), remove->ranges.end(),
                       [&](const CharRange& range) { return is_void(range.op); });
  return false;
}

}  // namespace

Status admit(const AdmissionContext& context, const Op& op, const OpBody& body) {
  if (op.author != context.member)
    return Error{ErrorCode::kForbidden, "The author of an edit is the member who is signed in.", 0};
  if (!context.may_write)
    return Error{ErrorCode::kForbidden, "You may read this board, not change it. Ask an owner for the right.",
                 0};
  if (op.cause != Cause::kPerson)
    return Error{ErrorCode::kForbidden, "Edits from a client are a person's.", 0};
  if (std::holds_alternative<UnknownBody>(body))
    return Error{ErrorCode::kUnsupportedVersion,
                 "The hub does not know this kind of edit yet: update the hub.", 0};
  if (std::holds_alternative<BoundBody>(body) || std::holds_alternative<CarryBody>(body) ||
      std::holds_alternative<RedactBody>(body))
    return Error{ErrorCode::kForbidden, "Only the hub makes edits of this kind.", 0};
  if (std::holds_alternative<VoidBody>(body)) return {};
  if (depends_on_void(context.document, op, body))
    return Error{ErrorCode::kCancelled, "It builds on an edit that was refused.", 0};

  Entity entity = context.document.find(op.target);
  if (const auto* create = std::get_if<CreateBody>(&body)) {
    if (document_kind(create->type) != context.document.kind)
      return invalid("This document does not hold such things.");
    if (is_child(create->type) && (!entity || !entity->is_created()))
      return not_found("The card is not on this board.");
    if (!is_child(create->type) && entity && entity->is_created())
      return Error{ErrorCode::kConflict, "There is already something with this id.", 0};
    for (const FieldValue& field : create->fields) KALENDS_TRY_VOID(check_field(create->type, field));
    return {};
  }
  bool is_root = op.target == context.document.id.raw;
  if (!is_root && (!entity || !entity->is_created())) return not_found("The card is not on this board.");
  EntityType type =
      is_root ? (context.document.kind == DocumentKind::kBoard ? EntityType::kBoard : EntityType::kWorkspace)
              : entity->type();
  if (!op.child.is_nil()) {
    Entity child = context.document.find(op.target, op.child);
    if (!child || !child->is_created()) return not_found("What was edited is not on this card.");
    type = child->type();
    entity = child;
  }
  // Half of what copies merge: what they have not pushed yet still fits on top.
  const auto* insert = std::get_if<TextInsertBody>(&body);
  const TextSequence* text = insert && entity ? entity->sequence() : nullptr;
  if (text && text->length() + insert->insert.text.size() > kTextLengthBound / 2)
    return invalid("The text is as long as a text gets: make another card for the rest.");
  if (const auto* set = std::get_if<SetBody>(&body)) return check_field(type, set->field);
  if (const auto* offer = std::get_if<OfferBody>(&body)) return check_field(type, offer->field);
  return {};
}

}  // namespace kalends
