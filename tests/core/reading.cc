// SPDX-License-Identifier: Apache-2.0
#include "tests/core/reading.h"

#include <algorithm>
#include <set>

#include "core/api/view.h"
#include "core/api/when.h"
#include "core/base/hash.h"
#include "core/wire/codec.h"

namespace kalends::test {
namespace {

Json json_of(const Cbor& cbor) {
  Bytes bytes = encode_cbor(cbor);
  return Json::from_cbor(bytes);
}

Json json_of(const Version& version) {
  Json map = Json::object();
  for (const auto& [replica, counter] : version.entries()) map[to_hex(replica)] = counter;
  return map;
}

Json json_of(const EventFacet& facet) {
  return {{"title", facet.title},
          {"done", facet.is_done},
          {"start", json_of(view_when(facet.start))},
          {"end", json_of(view_when(facet.end))},
          {"description", facet.description},
          {"location", facet.location},
          {"colour", facet.colour}};
}

void add_state(Json& reading, const Replica& replica) {
  reading["version"] = json_of(replica.version());
  reading["floor"] = json_of(replica.floor());
  auto ops = replica.ops_since(replica.floor());
  if (ops.ok() && !ops->empty())
    reading["operations"] = {{"number", ops->size()}, {"sha256", digest_of_ops(*ops)}};
  else
    reading["operations"] = nullptr;
  reading["hash"] = to_hex(replica.hash());
}

bool is_empty(const Json& value) {
  return value.is_null() || value == false || value == "" || ((value.is_array() || value.is_object()) && value.empty());
}

}  // namespace

std::string digest_of_ops(std::vector<Op> ops) {
  std::sort(ops.begin(), ops.end(), [](const Op& a, const Op& b) { return a.id < b.id; });
  Writer out;
  for (const Op& op : ops) write_op(out, op);
  return to_hex(digest_of(out.view()));
}

Json reading_of(const Replica& replica) {
  const Document& document = replica.document();
  bool is_board = document.kind == DocumentKind::kBoard;
  Json reading;
  reading["view"] = json_of(is_board ? view_board(replica) : view_workspace(replica));
  reading["conflicts"] = json_of(view_all_conflicts(document));
  std::set<std::string> ids;
  for (const Entity& entity : document.all()) ids.insert(to_hex(entity.id()));
  Json history = Json::object();
  Json blame = Json::object();
  for (const std::string& id : ids) {
    history[id] = json_of(view_history(replica, *id_from_hex(id)));
    blame[id] = json_of(view_blame(replica, *id_from_hex(id)));
  }
  reading["history"] = std::move(history);
  reading["blame"] = std::move(blame);
  add_state(reading, replica);
  return reading;
}

Json brief_reading_of(const Replica& replica) {
  Json reading;
  Json titles = Json::object();
  for (const Entity& list : replica.ordered(EntityType::kList))
    for (const Entity& card : replica.cards(list.id())) titles[list.text_value(Field::kTitle)].push_back(card.text_value(Field::kTitle));
  reading["titles"] = std::move(titles);
  add_state(reading, replica);
  return reading;
}

// Enumerators are read as their numbers, which stay what they are.
Json reading_of(const Observation& observation) {
  return {{"presence", static_cast<int>(observation.presence)},
          {"event_id", observation.event_id},
          {"etag", observation.etag},
          {"facet", json_of(observation.facet)},
          {"seen_ms", observation.seen_ms}};
}

Json reading_of(const Shadow& shadow) { return {{"ours", json_of(shadow.ours)}, {"theirs", json_of(shadow.theirs)}}; }

Json reading_of(const LinkPolicy& policy) {
  Json fields = Json::array();
  for (FieldPolicy field : policy.fields) fields.push_back(static_cast<int>(field));
  return {{"which", static_cast<int>(policy.which)},
          {"which_id", to_hex(policy.which_id)},
          {"done", static_cast<int>(policy.done)},
          {"done_list", to_hex(policy.done_list)},
          {"done_mark", static_cast<int>(policy.done_mark)},
          {"duration_minutes", policy.duration_minutes},
          {"details", static_cast<int>(policy.details)},
          {"time_zone", policy.time_zone},
          {"inbox_list", to_hex(policy.inbox_list)},
          {"on_event_deleted", static_cast<int>(policy.on_event_deleted)},
          {"fields", fields}};
}

std::string difference_from(const Json& expected, const Json& reading, const std::string& path) {
  auto differs = [&] { return path + ": " + expected.dump().substr(0, 200) + " against " + reading.dump().substr(0, 200); };
  if (expected.is_object() && reading.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      if (!reading.contains(key)) return path + "/" + key + " is missing";
      if (auto found = difference_from(value, reading[key], path + "/" + key); !found.empty()) return found;
    }
    for (const auto& [key, value] : reading.items())
      if (!expected.contains(key) && !is_empty(value)) return path + "/" + key + " is not expected";
    return "";
  }
  if (expected.is_array() && reading.is_array()) {
    if (expected.size() != reading.size()) return differs();
    for (size_t i = 0; i < expected.size(); ++i)
      if (auto found = difference_from(expected[i], reading[i], path + "/" + std::to_string(i)); !found.empty())
        return found;
    return "";
  }
  return expected == reading ? "" : differs();
}

}  // namespace kalends::test
