// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim_google.h"

#include <algorithm>

#include "tests/emulator/api_error.h"
#include "tests/emulator/event_store.h"

namespace kalends::sim {
namespace {

emulator::Request to_emulator(const HttpRequest& request) {
  emulator::Request out;
  out.method = request.method;
  std::string_view url = request.url;
  size_t scheme = url.find("://");
  size_t path = scheme == std::string_view::npos ? 0 : url.find('/', scheme + 3);
  emulator::split_target(path == std::string_view::npos ? "/" : url.substr(path), out.path, out.query);
  for (const auto& [name, value] : request.headers.fields()) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
    out.headers[lower] = value;
  }
  out.body = request.body;
  return out;
}

HttpResponse to_worker(const emulator::Response& response) {
  HttpResponse out;
  out.status = response.status;
  for (const auto& [name, value] : response.headers) out.headers.add(name, value);
  out.body = response.body;
  return out;
}

bool is_calendar_call(const emulator::Request& request) {
  return request.path.rfind("/calendar/v3/", 0) == 0;
}
bool is_listing(const emulator::Request& request) {
  return request.method == "GET" && request.path.size() > 7 &&
         request.path.compare(request.path.size() - 7, 7, "/events") == 0;
}

// calendar and event of /calendar/v3/calendars/C/events[/E]
struct Place {
  std::string calendar, event;
};
std::optional<Place> place_of(const emulator::Request& request) {
  constexpr std::string_view kHead = "/calendar/v3/calendars/";
  if (request.path.rfind(kHead, 0) != 0) return std::nullopt;
  std::string rest = request.path.substr(kHead.size());
  size_t slash = rest.find("/events");
  if (slash == std::string::npos || rest.find("/watch") != std::string::npos) return std::nullopt;
  Place place{emulator::percent_decode(rest.substr(0, slash), false), ""};
  std::string tail = rest.substr(slash + 7);
  if (tail.size() > 1) place.event = emulator::percent_decode(tail.substr(1), false);
  if (place.event.empty() && request.method == "POST") {
    Json body = Json::parse(request.body, nullptr, false);
    if (body.is_object()) place.event = body.value("id", "");
  }
  return place;
}

}  // namespace

SimGoogle::SimGoogle(Scheduler& scheduler, Faults& faults, GoogleWitness& witness, uint64_t seed,
                     std::vector<std::string> people)
    : scheduler_(scheduler),
      faults_(faults),
      witness_(witness),
      google_({kBaseUrl, seed, std::move(people), {}}) {
  google_.advance_to(scheduler.now_ms());
}

Json SimGoogle::control(const std::string& method, const std::string& path, const Json& body) {
  google_.advance_to(scheduler_.now_ms());
  emulator::Request request;
  request.method = method;
  emulator::split_target(path, request.path, request.query);
  if (!body.is_null()) {
    request.headers["content-type"] = "application/json";
    request.body = body.dump();
  }
  emulator::Response response = google_.handle(request);
  look_for_notices();
  return response.status == 200 ? Json::parse(response.body, nullptr, false) : Json();
}

emulator::Response SimGoogle::direct(const std::string& method, const std::string& url) {
  google_.advance_to(scheduler_.now_ms());
  HttpRequest request;
  request.method = method;
  request.url = url;
  return google_.handle(to_emulator(request));
}

void SimGoogle::revoke(const std::string& mail) {
  revoked_.insert(mail);
  google_.oauth().revoke_person(mail);
}

// Refusals that the model would give for reasons of its own are given here, so that the dice stay in one
// place.
std::optional<emulator::Response> SimGoogle::refuse(const emulator::Request& request) {
  bool is_write = request.method != "GET";
  if (!is_calendar_call(request)) {
    if (request.path == "/token" && faults_.happens(FaultClass::kTokenServerDown))
      return emulator::backend_error(503).response();
    return std::nullopt;
  }
  if (faults_.happens(FaultClass::kServerError))
    return emulator::backend_error(faults_.prng().chance(1, 2) ? 500 : 503).response();
  if (faults_.happens(FaultClass::kRateLimited)) {
    bool is_user = faults_.prng().chance(1, 2);
    int status = faults_.prng().chance(1, 2) ? 403 : 429;
    return (is_user ? emulator::user_rate_limit(status) : emulator::project_rate_limit(status)).response();
  }
  if (faults_.happens(FaultClass::kRetryAfter)) {
    emulator::ApiError error = emulator::user_rate_limit(429);
    error.retry_after = 1 + static_cast<int>(faults_.prng().below(90));
    return error.response();
  }
  bool is_creation = is_write && request.method == "POST" && place_of(request).has_value();
  if (is_creation && faults_.happens(FaultClass::kUsageLimits))
    usage_limit_until_ms_ =
        scheduler_.now_ms() + 3'600'000 * (1 + static_cast<int64_t>(faults_.prng().below(3)));
  if (is_creation && scheduler_.now_ms() < usage_limit_until_ms_)
    return emulator::usage_limits_exceeded().response();
  return std::nullopt;
}

emulator::Response SimGoogle::carry_out(Owner worker, const emulator::Request& request) {
  google_.advance_to(scheduler_.now_ms());
  ++calls_;
  auto place = is_calendar_call(request) && request.method != "GET" ? place_of(request) : std::nullopt;
  auto event_now = [&]() -> Json {
    if (!place || place->event.empty()) return Json();
    emulator::Calendar* calendar = world().find_calendar(place->calendar);
    auto found = calendar ? calendar->events.find(place->event) : decltype(calendar->events.end())();
    if (!calendar || found == calendar->events.end()) return Json();
    Json body = found->second.body;
    body["status"] = found->second.is_cancelled ? "cancelled" : body.value("status", "confirmed");
    return body;
  };
  ApiWrite write;
  write.before = event_now();
  size_t violations = world().stats.contract_violations.size();
  emulator::Response response = google_.handle(request);
  if (world().stats.contract_violations.size() != violations)
    witness_.on_violation("a request breaks Google's contract: " +
                          world().stats.contract_violations.back().dump());
  if (scheduler_.is_loud && request.method == "GET") {
    Json body = Json::parse(response.body, nullptr, false);
    std::string listed;
    if (body.is_object() && body.contains("items"))
      for (const Json& item : body["items"])
        listed += " " + item.value("id", "").substr(0, 6) + ":" + item.value("summary", "-");
    scheduler_.say("google: GET " +
                   (place_of(request) ? place_of(request)->calendar.substr(0, 6) + "/" +
                                            place_of(request)->event.substr(0, 6)
                                      : request.path) +
                   " " + std::to_string(response.status) + " for " + std::to_string(worker) +
                   (request.query_value("syncToken") ? " new" : "") + listed.substr(0, 120));
  }
  witness_.on_api_call(worker, request, response.status);
  if (place && response.status < 300) {
    write.after = event_now();
    write.method = request.method;
    write.calendar = place->calendar;
    write.event_id = place->event;
    write.request = &request;
    witness_.on_api_write(write);
  }
  look_for_notices();
  return response;
}

// Listings that say less than there is.
void SimGoogle::spoil_listing(emulator::Request& request, emulator::Response& response) {
  if (response.status != 200) return;
  bool is_full = !request.query_value("syncToken") && !request.query_value("pageToken");
  if (!is_full) return;
  bool is_empty = faults_.happens(FaultClass::kEmptyListing),
       is_cut = faults_.happens(FaultClass::kCutListing);
  if (!is_empty && !is_cut) return;
  Json body = Json::parse(response.body);
  Json& items = body["items"];
  if (is_empty)
    items = Json::array();
  else
    while (items.size() > 1 && faults_.prng().chance(9, 10)) items.erase(items.size() - 1);
  if (body.contains("nextPageToken")) {
    // The rest is missing, and a token is there all the same: what is lost is not told by later listings.
    body.erase("nextPageToken");
    emulator::Request last = request;
    std::erase_if(last.query, [](const auto& pair) { return pair.first == "maxResults"; });
    emulator::Response whole = google_.handle(last);
    Json token = Json::parse(whole.body, nullptr, false);
    if (token.contains("nextSyncToken")) body["nextSyncToken"] = token["nextSyncToken"];
  }
  if (body.contains("nextSyncToken")) response.body = body.dump();
}

void SimGoogle::send(Owner worker, HttpRequest request, std::function<void(HttpOutcome)> done) {
  Prng& dice = faults_.prng();
  int64_t there_ms = 5 + static_cast<int64_t>(dice.below(60)),
          back_ms = 5 + static_cast<int64_t>(dice.below(120));
  int64_t timeout_ms = request.timeout_ms;
  auto lost = [](bool is_certain) {
    return HttpOutcome{Error{ErrorCode::kUnavailable, "no answer came", 0}, is_certain};
  };
  if (auto it = not_before_ms_.find(worker); it != not_before_ms_.end() &&
                                             is_calendar_call(to_emulator(request)) &&
                                             scheduler_.now_ms() < it->second)
    witness_.on_violation("a call before Retry-After is over");
  if (faults_.happens(FaultClass::kRequestLost)) {
    bool is_certain = dice.chance(1, 2);
    scheduler_.after(is_certain ? there_ms : timeout_ms, worker,
                     [done, lost, is_certain] { done(lost(is_certain)); });
    return;
  }
  if (faults_.happens(FaultClass::kAnswerSlow))
    back_ms += static_cast<int64_t>(dice.below(static_cast<uint64_t>(timeout_ms) * 2));
  scheduler_.after(there_ms, kWorld, [=, this, request = to_emulator(request)]() mutable {
    Prng& prng = faults_.prng();
    bool is_listing_call = is_calendar_call(request) && is_listing(request);
    if (is_listing_call && faults_.happens(FaultClass::kSmallPages)) {
      std::erase_if(request.query, [](const auto& pair) { return pair.first == "maxResults"; });
      request.query.emplace_back("maxResults", std::to_string(1 + prng.below(7)));
    }
    emulator::Response response;
    if (auto refusal = refuse(request)) {
      response = *refusal;
    } else {
      response = carry_out(worker, request);
      if (faults_.happens(FaultClass::kRequestRepeated)) response = carry_out(worker, request);
      if (is_calendar_call(request) && request.method != "GET") {
        if (response.status < 300 && !response.event_id.empty() && faults_.happens(FaultClass::kEventTouched))
          world().bumps.push_back({world().now_ms + 50 + static_cast<int64_t>(prng.below(20'000)),
                                   response.calendar, response.event_id}),
              look_for_notices();
        if (response.status < 300 && faults_.happens(FaultClass::kServerErrorAfter))
          response = emulator::backend_error(503).response();
      }
      if (is_listing_call) spoil_listing(request, response);
    }
    if (faults_.happens(FaultClass::kCrashInCall)) crash_in_call_(worker);
    if (faults_.happens(FaultClass::kAnswerLost)) {
      scheduler_.after(timeout_ms, worker, [done, lost] { done(lost(false)); });
      return;
    }
    HttpResponse answer = to_worker(response);
    if (!answer.body.empty() && answer.status < 300) {
      if (faults_.happens(FaultClass::kAnswerCut)) answer.body.resize(prng.below(answer.body.size()));
      if (faults_.happens(FaultClass::kAnswerSpoilt)) answer.body = "<html>502 Bad Gateway</html>";
    }
    if (there_ms + back_ms >= timeout_ms) {
      scheduler_.after(timeout_ms - there_ms, worker, [done, lost] { done(lost(false)); });
      return;
    }
    scheduler_.after(back_ms, worker, [this, worker, done, answer = std::move(answer)]() mutable {
      // From here on the worker knows.
      if (std::string_view advice = answer.headers.get("retry-after"); !advice.empty())
        not_before_ms_[worker] = scheduler_.now_ms() + std::stoll(std::string(advice)) * 1000;
      done({std::move(answer), false});
    });
  });
}

void SimGoogle::look_for_notices() {
  auto next = google_.model().next_notice_ms();
  if (!next || *next >= pump_due_ms_) return;
  pump_due_ms_ = *next;
  scheduler_.after(*next - scheduler_.now_ms(), kWorld, [this, due = *next] {
    if (due != pump_due_ms_) return;
    pump_due_ms_ = INT64_MAX;
    google_.advance_to(scheduler_.now_ms());
    for (emulator::PushNotice& notice : google_.model().take_due_notices()) {
      if (faults_.happens(FaultClass::kNoticeLost)) continue;
      int64_t wait_ms = 10 + static_cast<int64_t>(faults_.prng().below(500));
      if (faults_.happens(FaultClass::kNoticeLate))
        wait_ms += static_cast<int64_t>(faults_.prng().below(7'200'000));
      if (faults_.happens(FaultClass::kNoticeRepeated))
        scheduler_.after(wait_ms * 2, kWorld, [this, notice] { deliver(notice); });
      scheduler_.after(wait_ms, kWorld, [this, notice] { deliver(notice); });
    }
    look_for_notices();
  });
}

void SimGoogle::deliver(emulator::PushNotice notice) {
  auto header = [&](const char* name) {
    auto it = notice.headers.find(name);
    return it == notice.headers.end() ? std::string() : it->second;
  };
  google_.advance_to(scheduler_.now_ms());
  google_.model().notice_answered(notice, ring_(header("x-goog-channel-id"), header("x-goog-channel-token")));
  look_for_notices();
}

}  // namespace kalends::sim
