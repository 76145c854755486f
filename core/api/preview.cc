// SPDX-License-Identifier: Apache-2.0
#include "core/api/preview.h"

#include <algorithm>
#include <initializer_list>

#include "core/api/answer.h"
#include "core/api/when.h"
#include "core/base/text.h"
#include "core/calendar/policy_names.h"
#include "core/reconcile/card_side.h"

namespace kalends {
namespace {

constexpr size_t kIdsMax = 10000;  // of one list

// A map of the request, named in errors as the caller wrote it.
class Part {
 public:
  Part(const Cbor& map, std::string_view name) : map_(map), name_(name) {}

  // A name that is not known is a slip of the caller's: nothing may depend on it silently.
  Status holds_only(std::initializer_list<std::string_view> names) const {
    if (!map_.is_map()) return invalid({"`", name_, "` is a map."});
    for (const auto& [key, value] : map_.entries())
      if (std::find(names.begin(), names.end(), key) == names.end())
        return invalid({"`", name_, "` has no `", shown_name(key), "`."});
    return {};
  }

  const Cbor& operator[](std::string_view key) const { return map_[key]; }

  // What is left out or null keeps its default.
  Status read(std::string_view key, std::string& value) const {
    const Cbor& given = map_[key];
    if (given.is_null()) return {};
    if (!given.is_text()) return takes(key, "a text");
    value = given.as_text();
    return {};
  }
  Status read(std::string_view key, bool& value) const {
    const Cbor& given = map_[key];
    if (given.is_null()) return {};
    if (!given.is_bool()) return takes(key, "true or false");
    value = given.as_bool();
    return {};
  }
  Status read(std::string_view key, int64_t& value) const {
    const Cbor& given = map_[key];
    if (given.is_null()) return {};
    if (!given.is_int()) return takes(key, "a whole number");
    value = given.as_int();
    return {};
  }
  Status read(std::string_view key, Id128& value) const {
    const Cbor& given = map_[key];
    if (given.is_null()) return {};
    auto id = id_from_hex(given.as_text());
    if (!id) return takes(key, "an id of 32 hexadecimal digits");
    value = *id;
    return {};
  }
  Status read(std::string_view key, std::vector<Id128>& value) const {
    const Cbor& given = map_[key];
    if (given.is_null()) return {};
    if (!given.is_array() || given.items().size() > kIdsMax) return takes(key, "a list of ids");
    for (const Cbor& item : given.items()) {
      auto id = id_from_hex(item.as_text());
      if (!id) return takes(key, "a list of ids");
      value.push_back(*id);
    }
    return {};
  }
  Status read(std::string_view key, std::optional<When>& value) const {
    const Cbor& given = map_[key];
    if (given.is_null()) return {};
    value = parse_when(given);
    return value ? Status{} : takes(key, kWhenForm);
  }
  template <typename Enum, size_t size>
  Status read(std::string_view key, const std::string_view (&names)[size], Enum& value) const {
    const Cbor& given = map_[key];
    if (given.is_null()) return {};
    std::string choices;
    for (size_t i = 0; i < size; ++i) {
      if (given.is_text() && given.as_text() == names[i]) {
        value = static_cast<Enum>(i);
        return {};
      }
      choices = join({choices, i == 0 ? "" : ", ", names[i]});
    }
    return takes(key, join({"one of: ", choices}));
  }

  Error takes(std::string_view key, std::string_view what) const {
    return invalid({"`", name_, ".", key, "` takes ", what, "."});
  }
  Error wrong(std::string_view what) const { return invalid({"`", name_, "` ", what, "."}); }

 private:
  const Cbor& map_;
  std::string_view name_;
};

constexpr std::string_view kPresenceNames[] = {"live", "gone", "unmanaged"};

Status parse_facet(const Part& part, bool is_whole, EventFacet& facet) {
  KALENDS_TRY_VOID(part.read("title", facet.title));
  KALENDS_TRY_VOID(part.read("done", facet.is_done));
  KALENDS_TRY_VOID(part.read("description", facet.description));
  KALENDS_TRY_VOID(part.read("location", facet.location));
  KALENDS_TRY_VOID(part.read("colour", facet.colour));
  std::optional<When> start, end;
  KALENDS_TRY_VOID(part.read("start", start));
  KALENDS_TRY_VOID(part.read("end", end));
  if (!start && !end && !is_whole) return {};
  if (!start || !end) return part.wrong("needs `start` and `end`");
  if (start->is_all_day != end->is_all_day) return part.wrong("has a day at one end and a time at the other");
  if (start->is_all_day && !(start->date < end->date))
    return part.wrong("ends before it begins: the end of whole days is the day after");
  facet.start = *start;
  facet.end = *end;
  return {};
}

Result<CardContent> parse_card(const Cbor& cbor) {
  Part part(cbor, "card");
  KALENDS_TRY_VOID(part.holds_only({"title", "description", "location", "colour", "done", "list", "start",
                                    "due", "labels", "assignees", "archived", "deleted", "changed_ms"}));
  CardContent card;
  KALENDS_TRY_VOID(part.read("title", card.title));
  KALENDS_TRY_VOID(part.read("description", card.description));
  KALENDS_TRY_VOID(part.read("location", card.location));
  KALENDS_TRY_VOID(part.read("colour", card.colour));
  KALENDS_TRY_VOID(part.read("done", card.is_done));
  KALENDS_TRY_VOID(part.read("start", card.dates.start));
  KALENDS_TRY_VOID(part.read("due", card.dates.due));
  KALENDS_TRY_VOID(part.read("labels", card.labels));
  KALENDS_TRY_VOID(part.read("assignees", card.assignees));
  KALENDS_TRY_VOID(part.read("archived", card.is_archived));
  KALENDS_TRY_VOID(part.read("deleted", card.is_deleted));
  if (!part["list"].is_null()) {
    card.list.emplace();
    KALENDS_TRY_VOID(part.read("list", *card.list));
  }
  if (!part["changed_ms"].is_null()) {
    Part stamps(part["changed_ms"], "card.changed_ms");
    CardStamps& changed = card.changed_ms;
    KALENDS_TRY_VOID(stamps.holds_only({"title", "done", "position", "start", "due", "location", "colour"}));
    KALENDS_TRY_VOID(stamps.read("title", changed.title));
    KALENDS_TRY_VOID(stamps.read("done", changed.done));
    KALENDS_TRY_VOID(stamps.read("position", changed.position));
    KALENDS_TRY_VOID(stamps.read("start", changed.start));
    KALENDS_TRY_VOID(stamps.read("due", changed.due));
    KALENDS_TRY_VOID(stamps.read("location", changed.location));
    KALENDS_TRY_VOID(stamps.read("colour", changed.colour));
  }
  return card;
}

Result<Observation> parse_event(const Cbor& cbor, int64_t now_ms) {
  Part part(cbor, "event");
  KALENDS_TRY_VOID(part.holds_only(
      {"presence", "title", "done", "start", "end", "description", "location", "colour", "seen_ms"}));
  Observation event;
  event.seen_ms = now_ms;
  KALENDS_TRY_VOID(part.read("presence", kPresenceNames, event.presence));
  KALENDS_TRY_VOID(part.read("seen_ms", event.seen_ms));
  KALENDS_TRY_VOID(parse_facet(part, event.presence == EventPresence::kLive, event.facet));
  return event;
}

Status parse_half(const Cbor& cbor, std::string_view name, EventFacet& facet) {
  Part part(cbor, name);
  KALENDS_TRY_VOID(part.holds_only({"title", "done", "start", "end", "description", "location", "colour"}));
  return parse_facet(part, true, facet);
}

Result<LinkPolicy> parse_policy(const Cbor& cbor) {
  LinkPolicy policy;
  if (cbor.is_null()) return policy;
  Part part(cbor, "policy");
  KALENDS_TRY_VOID(part.holds_only({"which", "which_id", "done", "done_list", "done_mark", "duration_minutes",
                                    "details", "time_zone", "inbox_list", "on_event_deleted", "fields"}));
  KALENDS_TRY_VOID(part.read("which", kWhichNames, policy.which));
  KALENDS_TRY_VOID(part.read("which_id", policy.which_id));
  KALENDS_TRY_VOID(part.read("done", kDoneNames, policy.done));
  KALENDS_TRY_VOID(part.read("done_list", policy.done_list));
  KALENDS_TRY_VOID(part.read("done_mark", kDoneMarkNames, policy.done_mark));
  KALENDS_TRY_VOID(part.read("duration_minutes", policy.duration_minutes));
  KALENDS_TRY_VOID(part.read("details", kDetailsNames, policy.details));
  KALENDS_TRY_VOID(part.read("time_zone", policy.time_zone));
  KALENDS_TRY_VOID(part.read("inbox_list", policy.inbox_list));
  KALENDS_TRY_VOID(part.read("on_event_deleted", kOnEventDeletedNames, policy.on_event_deleted));
  if (!part["fields"].is_null()) {
    Part fields(part["fields"], "policy.fields");
    KALENDS_TRY_VOID(fields.holds_only({"title", "done", "dates", "description", "location", "colour"}));
    for (FacetField field : kFacetFields)
      KALENDS_TRY_VOID(
          fields.read(facet_field_name(field), kFieldPolicyNames, policy.fields[static_cast<size_t>(field)]));
  }
  if (policy.duration_minutes < 1 || policy.duration_minutes > kDurationMinutesMax)
    return part.takes("duration_minutes", "1 to 10080");
  if (!is_valid_zone_name(policy.time_zone))
    return part.takes("time_zone", "an IANA name such as Europe/Berlin");
  if (policy.which != WhichCards::kAllDated && policy.which_id.is_nil())
    return part.takes("which_id", "the label or the assignee that `which` asks for");
  if (policy.done == DoneMeans::kList && policy.done_list.is_nil())
    return part.takes("done_list", "the list that means done");
  return policy;
}

Cbor view_facet(const EventFacet& facet) {
  return Cbor::map({{"title", facet.title},
                    {"done", facet.is_done},
                    {"start", view_when(facet.start)},
                    {"end", view_when(facet.end)},
                    {"description", facet.description},
                    {"location", facet.location},
                    {"colour", facet.colour}});
}

class StepWriter {
 public:
  StepWriter(const Plan& plan, const PreviewRequest& request)
      : plan_(plan), request_(request), event_(request.event ? request.event->facet : EventFacet{}) {}

  // The card's half comes first, as the worker stores it first.
  Cbor run() {
    card_steps();
    event_steps();
    if (plan_.forget) step("forget", "The card and the event are kept in step no longer.");
    return std::move(steps_);
  }

 private:
  void step(std::string_view what, std::string_view text, const Cbor& rest = Cbor::map()) {
    Cbor map = Cbor::map({{"do", what}, {"text", text}});
    for (const auto& [key, value] : rest.entries()) map.set(key, value);
    steps_.push(std::move(map));
  }

  void card_steps() {
    switch (plan_.change) {
      case CardChange::kNone:
        break;
      case CardChange::kEdit:
        for (const FieldEdit& edit : plan_.edits) edit_step(edit);
        break;
      case CardChange::kUnschedule:
        step("unschedule", "The card loses its dates; they stay in its history.",
             Cbor::map({{"set", no_dates()}}));
        break;
      case CardChange::kArchive:
        step("archive", "The card is archived.", Cbor::map({{"set", Cbor::map({{"archived", true}})}}));
        break;
      case CardChange::kCreate:
        step("create_card", "A card is made for the event.", Cbor::map({{"card", new_card()}}));
        break;
    }
    if (plan_.offer_unscheduling)
      step("offer_unscheduling", "That the card has no date stays open on it.",
           Cbor::map({{"set", no_dates()}}));
  }

  void event_steps() {
    switch (plan_.write) {
      case RemoteWrite::kNone:
        return;
      case RemoteWrite::kInsert:
        return step(
            "insert_event",
            plan_.is_next_generation ? "A new event is made; the one before was deleted."
                                     : "An event is made in the calendar.",
            Cbor::map({{"event", view_facet(plan_.target)}, {"next_generation", plan_.is_next_generation}}));
      case RemoteWrite::kPatch:
        return step("patch_event", join({"The event takes the card's ", names_of_fields(), "."}),
                    Cbor::map({{"fields", fields()}, {"event", view_facet(plan_.target)}}));
      case RemoteWrite::kDelete:
        return step("delete_event", "The event is deleted from the calendar.");
    }
  }

  void edit_step(const FieldEdit& edit) {
    // Two values of "done" have no loser worth a question.
    if (edit.is_offer && edit.field == FacetField::kDone) return;
    Cbor rest = Cbor::map({{"field", facet_field_name(edit.field)}});
    bool is_merged = edit.field == FacetField::kDescription && plan_.has_merged_description;
    values(edit.field, is_merged ? plan_.merged_description : event_.description, rest);
    std::string_view word = word_of(edit.field);
    if (edit.is_offer)
      return step("offer",
                  join({"The calendar's ", word, edit.field == FacetField::kDates ? " stay" : " stays",
                        " open on the card."}),
                  rest);
    rest.set("keeps_loser", edit.keep_loser);
    std::string text = is_merged ? join({"The card's ", word, " takes in what was changed in the calendar."})
                                 : join({"The card takes the calendar's ", word,
                                         edit.keep_loser ? "; what it had stays open." : "."});
    step("edit_card", text, rest);
  }

  // The fields of the card that carry the event's value, as `set` of an edit.
  void values(FacetField field, const std::string& description, Cbor& rest) const {
    Cbor set = Cbor::map();
    switch (field) {
      case FacetField::kTitle:
        set.set("title", event_.title);
        break;
      case FacetField::kDone:
        if (request_.policy.done == DoneMeans::kFlag)
          set.set("done", event_.is_done);
        else if (event_.is_done)
          rest.set("list", to_hex(request_.policy.done_list));
        break;
      case FacetField::kDates:
        set_dates(set);
        break;
      case FacetField::kDescription:
        set.set("description", description);
        break;
      case FacetField::kLocation:
        set.set("location", event_.location);
        break;
      case FacetField::kColour:
        set.set("colour", event_.colour);
        break;
    }
    rest.set("set", std::move(set));
  }

  void set_dates(Cbor& set) const {
    CardDates now = request_.card ? request_.card->dates : CardDates{};
    CardDates dates = card_dates(event_.start, event_.end, now, request_.policy);
    if (dates.start != now.start) set.set("start", dates.start ? view_when(*dates.start) : Cbor());
    if (dates.due != now.due) set.set("due", dates.due ? view_when(*dates.due) : Cbor());
  }

  Cbor no_dates() const {
    Cbor set = Cbor::map();
    if (request_.card && request_.card->dates.start) set.set("start", Cbor());
    if (request_.card && request_.card->dates.due) set.set("due", Cbor());
    return set;
  }

  Cbor new_card() const {
    const LinkPolicy& policy = request_.policy;
    bool is_in_done_list = event_.is_done && policy.done == DoneMeans::kList;
    Cbor card = Cbor::map(
        {{"list", to_hex(is_in_done_list ? policy.done_list : policy.inbox_list)}, {"title", event_.title}});
    set_dates(card);
    if (event_.is_done && policy.done == DoneMeans::kFlag) card.set("done", true);
    if (!event_.description.empty()) card.set("description", event_.description);
    if (!event_.location.empty()) card.set("location", event_.location);
    if (!event_.colour.empty()) card.set("colour", event_.colour);
    if (policy.which != WhichCards::kAllDated)
      card.set(policy.which == WhichCards::kWithLabel ? "labels" : "assignees",
               Cbor::array({to_hex(policy.which_id)}));
    return card;
  }

  static std::string_view word_of(FacetField field) {
    return field == FacetField::kDone ? "mark for done" : facet_field_name(field);
  }
  Cbor fields() const {
    Cbor names = Cbor::array();
    for (FacetField field : kFacetFields)
      if (plan_.fields.has(field)) names.push(facet_field_name(field));
    return names;
  }
  std::string names_of_fields() const {
    std::string text;
    for (FacetField field : kFacetFields)
      if (plan_.fields.has(field)) text = join({text, text.empty() ? "" : ", ", word_of(field)});
    return text;
  }

  const Plan& plan_;
  const PreviewRequest& request_;
  const EventFacet event_;
  Cbor steps_ = Cbor::array();
};

Result<Cbor> dispatch(ByteView bytes) {
  KALENDS_TRY(Cbor message, decode_cbor(bytes));
  if (message["call"].as_text() != "preview") return invalid("There is no such call.");
  KALENDS_TRY(PreviewRequest request, parse_preview(message));
  return view_plan(reconcile(request.situation(), request.policy), request);
}

}  // namespace

Situation PreviewRequest::situation() const {
  Situation situation;
  if (card) situation.card = card_side(*card, policy);
  situation.event = event;
  situation.shadow = shadow;
  return situation;
}

Result<PreviewRequest> parse_preview(const Cbor& request) {
  Part part(request, "preview");
  KALENDS_TRY_VOID(part.holds_only({"call", "card", "event", "shadow", "policy", "now_ms"}));
  PreviewRequest parsed;
  int64_t now_ms = 0;
  KALENDS_TRY_VOID(part.read("now_ms", now_ms));
  KALENDS_TRY(parsed.policy, parse_policy(request["policy"]));
  if (!request["card"].is_null()) {
    KALENDS_TRY(parsed.card, parse_card(request["card"]));
  }
  if (!request["event"].is_null()) {
    KALENDS_TRY(parsed.event, parse_event(request["event"], now_ms));
  }
  if (!request["shadow"].is_null()) {
    const Cbor& shadow = request["shadow"];
    KALENDS_TRY_VOID(Part(shadow, "shadow").holds_only({"ours", "theirs"}));
    parsed.shadow.emplace();
    KALENDS_TRY_VOID(parse_half(shadow["ours"], "shadow.ours", parsed.shadow->ours));
    KALENDS_TRY_VOID(parse_half(shadow["theirs"], "shadow.theirs", parsed.shadow->theirs));
  }
  return parsed;
}

Cbor view_plan(const Plan& plan, const PreviewRequest& request) {
  Cbor reasons = Cbor::array();
  for (const std::string& reason : plan.reasons) reasons.push(reason);
  return Cbor::map(
      {{"steps", StepWriter(plan, request).run()}, {"reasons", std::move(reasons)}, {"agrees", plan.agree}});
}

Bytes preview(ByteView request) { return answer_of(dispatch(request)); }

}  // namespace kalends
