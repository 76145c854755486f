// SPDX-License-Identifier: Apache-2.0
// Writes requests for plans with their answers: kalends-plans SEED STRIDE RANDOM > FILE. The requests are
// every STRIDE-th situation of tests/core/reconcile_world.h, whose answers must be the plans of reconcile()
// itself, and RANDOM situations with everything in them at once, wrong requests among them. Same format as
// kalends-trace.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/api/answer.h"
#include "core/api/preview.h"
#include "core/api/when.h"
#include "core/base/prng.h"
#include "core/calendar/policy_names.h"
#include "tests/core/reconcile_world.h"

namespace kalends {
namespace {

void write(const Bytes& bytes) {
  uint8_t size[4];
  for (int i = 0; i < 4; ++i) size[i] = static_cast<uint8_t>(bytes.size() >> 8 * i);
  std::fwrite(size, 1, 4, stdout);
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
}

Cbor view_ids(const std::vector<Id128>& ids) {
  Cbor list = Cbor::array();
  for (const Id128& id : ids) list.push(to_hex(id));
  return list;
}

Cbor view_facet(const EventFacet& facet) {
  Cbor map = Cbor::map({{"title", facet.title},
                        {"done", facet.is_done},
                        {"description", facet.description},
                        {"location", facet.location},
                        {"colour", facet.colour}});
  if (!(facet.start == facet.end)) {
    map.set("start", view_when(facet.start));
    map.set("end", view_when(facet.end));
  }
  return map;
}

Cbor view_card(const CardContent& card) {
  const CardStamps& stamps = card.changed_ms;
  return Cbor::map({{"title", card.title},
                    {"description", card.description},
                    {"location", card.location},
                    {"colour", card.colour},
                    {"done", card.is_done},
                    {"list", card.list ? Cbor(to_hex(*card.list)) : Cbor()},
                    {"start", card.dates.start ? view_when(*card.dates.start) : Cbor()},
                    {"due", card.dates.due ? view_when(*card.dates.due) : Cbor()},
                    {"labels", view_ids(card.labels)},
                    {"assignees", view_ids(card.assignees)},
                    {"archived", card.is_archived},
                    {"deleted", card.is_deleted},
                    {"changed_ms", Cbor::map({{"title", stamps.title},
                                              {"done", stamps.done},
                                              {"position", stamps.position},
                                              {"start", stamps.start},
                                              {"due", stamps.due},
                                              {"location", stamps.location},
                                              {"colour", stamps.colour}})}});
}

template <typename Enum, size_t size>
Cbor name_of(const std::string_view (&names)[size], Enum value) {
  return names[static_cast<size_t>(value)];
}

Cbor view_policy(const LinkPolicy& policy) {
  auto id = [](const Id128& value) { return value.is_nil() ? Cbor() : Cbor(to_hex(value)); };
  Cbor fields = Cbor::map();
  for (FacetField field : kFacetFields)
    fields.set(std::string(facet_field_name(field)),
               name_of(kFieldPolicyNames, policy.fields[static_cast<size_t>(field)]));
  return Cbor::map({{"which", name_of(kWhichNames, policy.which)},
                    {"which_id", id(policy.which_id)},
                    {"done", name_of(kDoneNames, policy.done)},
                    {"done_list", id(policy.done_list)},
                    {"done_mark", name_of(kDoneMarkNames, policy.done_mark)},
                    {"duration_minutes", policy.duration_minutes},
                    {"details", name_of(kDetailsNames, policy.details)},
                    {"time_zone", policy.time_zone},
                    {"inbox_list", id(policy.inbox_list)},
                    {"on_event_deleted", name_of(kOnEventDeletedNames, policy.on_event_deleted)},
                    {"fields", std::move(fields)}});
}

Cbor view_request(const PreviewRequest& request) {
  static constexpr std::string_view kPresences[] = {"live", "gone", "unmanaged"};
  Cbor map = Cbor::map({{"call", "preview"}, {"policy", view_policy(request.policy)}});
  if (request.card) map.set("card", view_card(*request.card));
  if (request.event) {
    Cbor event = view_facet(request.event->facet);
    event.set("presence", name_of(kPresences, request.event->presence));
    event.set("seen_ms", request.event->seen_ms);
    map.set("event", std::move(event));
  }
  if (request.shadow)
    map.set("shadow", Cbor::map({{"ours", view_facet(request.shadow->ours)},
                                 {"theirs", view_facet(request.shadow->theirs)}}));
  return map;
}

// The situation of a walked world, as a reader of the board would say it.
PreviewRequest request_of(const test::World& world) {
  PreviewRequest request;
  request.policy = world.policy;
  request.event = world.observation;
  request.shadow = world.shadow;
  if (world.card == test::CardState::kAbsent) return request;
  CardContent& card = request.card.emplace();
  card.is_deleted = world.card == test::CardState::kDeleted;
  card.is_archived = world.card == test::CardState::kArchived;
  card.title = world.content.title;
  card.description = world.content.description;
  card.location = world.content.location;
  card.colour = world.content.colour;
  card.is_done = world.content.is_done;
  int64_t ms = world.changed_ms;
  card.changed_ms = {ms, ms, ms, ms, ms, ms, ms};
  if (world.card == test::CardState::kUndated) return request;
  card.dates.start = world.content.start;
  card.dates.due = When::all_day({world.content.end.date.days - 1});
  return request;
}

// False: the plan of the message is not that of reconcile().
bool record_world(const test::World& world) {
  PreviewRequest request = request_of(world);
  Bytes bytes = encode_cbor(view_request(request));
  Bytes answer = preview(bytes);
  write(bytes);
  write(answer);
  Situation situation = world.situation();
  // Nobody knows when a text was edited last.
  situation.card.changed_ms[static_cast<size_t>(FacetField::kDescription)] = 0;
  return answer == answer_of(view_plan(reconcile(situation, world.policy), request));
}

class RandomRequests {
 public:
  explicit RandomRequests(uint64_t seed) : random_(seed) {}

  Bytes next() {
    PreviewRequest request = situation();
    Cbor message = view_request(request);
    if (random_.chance(1, 20)) spoil(message);
    Bytes bytes = encode_cbor(message);
    if (random_.chance(1, 40))
      bytes[random_.below(bytes.size())] ^= static_cast<uint8_t>(1 + random_.below(255));
    return bytes;
  }

 private:
  std::string text() {
    static const char* const kTexts[] = {"",        "Größe",   "日本 one two", "🦊 fox",
                                         "ONE two", "one TWO", "✓ done"};
    std::string text = kTexts[random_.below(7)];
    if (random_.chance(1, 50)) text += std::string(random_.below(5000), 'x');
    return text;
  }
  Id128 id() {
    Id128 id;
    id.bytes[15] = static_cast<uint8_t>(1 + random_.below(3));
    return id;
  }
  std::vector<Id128> ids() {
    std::vector<Id128> ids;
    for (uint64_t i = random_.below(3); i > 0; --i) ids.push_back(id());
    return ids;
  }
  When day() { return When::all_day({static_cast<int32_t>(20700 + random_.below(4))}); }
  When time() {
    static const char* const kZones[] = {"", "UTC", "Europe/Berlin"};
    return When::timed({int64_t{20700} * 86400 + static_cast<int64_t>(random_.below(8)) * 1800},
                       kZones[random_.below(3)], random_.chance(1, 8) ? Fold::kSecond : Fold::kFirst);
  }
  std::optional<When> date() {
    if (random_.chance(1, 3)) return std::nullopt;
    return random_.chance(1, 2) ? day() : time();
  }
  std::string colour() {
    static const char* const kColours[] = {"", "sage", "graphite"};
    return kColours[random_.below(3)];
  }
  template <typename Enum>
  Enum one_of(uint64_t count) {
    return static_cast<Enum>(random_.below(count));
  }
  int64_t ms() { return static_cast<int64_t>(random_.below(4)); }

  EventFacet facet() {
    EventFacet facet{text(), random_.chance(1, 3), day(), {}, text(), text(), colour()};
    facet.end = When::all_day({facet.start.date.days + 1 + static_cast<int32_t>(random_.below(2))});
    if (random_.chance(1, 2)) {
      facet.start = time();
      facet.end = facet.start;
      facet.end.wall.seconds += 3600;
    }
    return facet;
  }
  // Near enough to be an edit of one or two fields.
  EventFacet edited(EventFacet facet) {
    EventFacet other = this->facet();
    for (uint64_t i = random_.below(3); i > 0; --i) copy_field(facet, other, one_of<FacetField>(6));
    return facet;
  }

  PreviewRequest situation() {
    PreviewRequest request;
    LinkPolicy& policy = request.policy;
    policy.which = random_.chance(2, 3) ? WhichCards::kAllDated : one_of<WhichCards>(3);
    policy.which_id = id();
    policy.done = one_of<DoneMeans>(2);
    policy.done_list = id();
    policy.done_mark = one_of<DoneMark>(4);
    policy.duration_minutes = 60;
    policy.details = random_.chance(2, 3) ? Details::kFull : one_of<Details>(3);
    if (random_.chance(1, 2)) policy.inbox_list = id();
    policy.on_event_deleted = one_of<OnEventDeleted>(3);
    for (FieldPolicy& field : policy.fields) field = one_of<FieldPolicy>(3);
    if (random_.chance(5, 6)) {
      CardContent& card = request.card.emplace();
      card.is_deleted = random_.chance(1, 8);
      card.is_archived = random_.chance(1, 8);
      card.title = text();
      card.description = text();
      card.location = text();
      card.colour = colour();
      card.is_done = random_.chance(1, 3);
      if (random_.chance(5, 6)) card.list = id();
      card.dates = {date(), date()};
      card.labels = ids();
      card.assignees = ids();
      card.changed_ms = {ms(), ms(), ms(), ms(), ms(), ms(), ms()};
    }
    EventFacet base = request.card && random_.chance(3, 4) ? facet_of(*request.card, policy) : facet();
    if (base.start == base.end) base = facet();
    if (random_.chance(4, 5))
      request.event = Observation{one_of<EventPresence>(3), "", "", edited(base), ms()};
    if (random_.chance(1, 2) && request.event) request.event->presence = EventPresence::kLive;
    if (random_.chance(3, 4)) {
      EventFacet agreed = edited(base);
      request.shadow = Shadow{agreed, random_.chance(1, 4) ? edited(agreed) : agreed};
    }
    return request;
  }

  void spoil(Cbor& message) {
    switch (random_.below(5)) {
      case 0:
        return message.set("caed", Cbor());
      case 1:
        message = Cbor::map({{"call", "preview"}, {"event", Cbor::map({{"presence", "live"}})}});
        return;
      case 2:
        message = Cbor::map({{"call", "preview"}, {"policy", Cbor::map({{"details", text()}})}});
        return;
      case 3:
        message = Cbor::map({{"call", text()}});
        return;
      default:
        message = Cbor(text());
    }
  }

  Prng random_;
};

}  // namespace
}  // namespace kalends

int main(int argc, char** argv) {
  using namespace kalends;
  if (argc != 4) {
    std::fprintf(stderr, "usage: kalends-plans SEED STRIDE RANDOM > FILE\n");
    return 2;
  }
  uint64_t seed = std::strtoull(argv[1], nullptr, 10);
  uint64_t stride = std::strtoull(argv[2], nullptr, 10);
  uint64_t count = std::strtoull(argv[3], nullptr, 10);
  write({});
  uint64_t at = seed;
  uint64_t wrong = 0;
  test::for_each_start([&](const test::World& world) {
    if (at++ % stride == 0 && !record_world(world)) ++wrong;
  });
  if (wrong > 0) {
    std::fprintf(stderr, "%llu plans are not those of reconcile()\n", static_cast<unsigned long long>(wrong));
    return 1;
  }
  RandomRequests requests(seed);
  for (uint64_t i = 0; i < count; ++i) {
    Bytes request = requests.next();
    write(request);
    write(preview(request));
  }
  return 0;
}
