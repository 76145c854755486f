// SPDX-License-Identifier: Apache-2.0
#include "core/model/document.h"

#include <algorithm>

namespace kalends {
namespace {

const Value kNullValue;

}  // namespace

bool wins(const RegisterValue& a, const RegisterValue& b) {
  if (a.is_offer != b.is_offer) return b.is_offer;
  if (a.stamp != b.stamp) return a.stamp > b.stamp;
  return a.op > b.op;
}

bool Entity::is_deleted() const {
  return std::any_of(deletions.begin(), deletions.end(),
                     [&](const Deletion& deletion) { return deletion.seen.covers(touched); });
}

const RegisterValue* Entity::winner(Field field, Id128 key) const {
  auto it = registers.find({field, key});
  return it == registers.end() || it->second.values.empty() ? nullptr : &it->second.values.front();
}

const Value& Entity::value(Field field, Id128 key) const {
  const RegisterValue* value = winner(field, key);
  return value ? value->value : kNullValue;
}

std::string Entity::text_value(Field field) const {
  const auto* shown = std::get_if<std::string>(&value(field));
  return shown ? *shown : std::string();
}

bool Entity::bool_value(Field field) const {
  const auto* flag = std::get_if<bool>(&value(field));
  return flag && *flag;
}

std::vector<Id128> Entity::elements(Field field) const {
  std::vector<Id128> elements;
  if (auto it = sets.find(field); it != sets.end())
    for (const auto& [element, adds] : it->second.adds) elements.push_back(element);
  return elements;
}

const Entity* Document::find(Id128 entity, const OpId& child) const {
  auto it = entities.find(entity);
  if (it == entities.end()) return nullptr;
  if (child.is_nil()) return &it->second;
  auto inner = it->second.children.find(child);
  return inner == it->second.children.end() ? nullptr : &inner->second;
}

bool lives_here(const Document& document, const Entity& entity) {
  const auto* home = std::get_if<Id128>(&entity.value(Field::kHome));
  return !home || *home == document.id.raw;
}

Digest state_hash(const Document& document) {
  Writer out;
  encode_document(out, document);
  return digest_of(out.view());
}

void insert_sorted(std::vector<OpId>& ids, const OpId& id) {
  auto it = std::lower_bound(ids.begin(), ids.end(), id);
  if (it == ids.end() || *it != id) ids.insert(it, id);
}

bool erase_sorted(std::vector<OpId>& ids, const OpId& id) {
  auto it = std::lower_bound(ids.begin(), ids.end(), id);
  if (it == ids.end() || *it != id) return false;
  ids.erase(it);
  return true;
}

}  // namespace kalends
