// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/calendar_model.h"

#include <algorithm>

#include "tests/emulator/fields_selector.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

constexpr std::string_view kBasePath = "/calendar/v3/";
constexpr size_t kRequestsKept = 500;
constexpr size_t kViolationsKept = 200;
constexpr int kPushAttemptsMax = 6;

bool is_channel_method(const std::string& name) {
  return name == "channels.stop" || (name.size() > 6 && name.compare(name.size() - 6, 6, ".watch") == 0);
}

bool is_creation(const std::string& name) {
  return name == "events.insert" || name == "events.import" || name == "events.quickAdd" ||
         name == "calendars.insert";
}

Response json_response(const Call& call, const Request& request) {
  Response response;
  if (!call.etag.empty()) response.headers["etag"] = call.etag;
  response.headers["cache-control"] = "private, max-age=0, must-revalidate, no-transform";
  if (call.result.is_null()) {
    response.status = 204;
    return response;
  }
  const std::string* known = request.header("if-none-match");
  if (request.method == "GET" && known != nullptr && *known == call.etag) {
    response.status = 304;
    return response;
  }
  std::string fields = call.text("fields");
  Json shown = call.result;
  if (!fields.empty()) shown = select_fields(call.result, fields).value_or(call.result);
  int indent = call.text("prettyPrint") == "false" ? -1 : 1;
  response.headers["content-type"] = "application/json; charset=UTF-8";
  response.body = shown.dump(indent, ' ', false, Json::error_handler_t::replace);
  if (indent > 0) response.body += "\n";
  return response;
}

}  // namespace

bool is_reading_method(const MethodSpec& method) {
  return method.http_method == "GET" || method.name == "freebusy.query";
}

CalendarModel::CalendarModel(uint64_t seed) : world_(seed) {
  add_event_methods(methods_);
  add_event_list_methods(methods_);
  add_calendar_methods(methods_);
  add_calendar_list_methods(methods_);
  add_acl_methods(methods_);
  add_small_methods(methods_);
  add_channel_methods(methods_);
}

Response CalendarModel::handle(const Request& original, const std::optional<Caller>& caller) {
  Request request = original;
  if (const std::string* verb = request.header("x-http-method-override");
      verb != nullptr && request.method == "POST") {
    request.method = *verb;
  }
  Response response;
  std::string name = "unknown", calendar_id;
  try {
    if (request.path.rfind(kBasePath, 0) != 0) throw not_found_error();
    auto route = Discovery::built_in().route(request.method, request.path.substr(kBasePath.size()));
    if (!route) {
      note_violation(request, "unknown", "no method has this path: " + request.method + " " + request.path);
      throw not_found_error();
    }
    name = route->method->name;
    world_.stats.api_calls[name] += 1;
    if (is_reading_method(*route->method)) {
      world_.stats.reads += 1;
    } else if (!is_channel_method(name)) {
      world_.stats.writes += 1;
    }
    if (!caller) throw invalid_credentials();
    Call call{world_, request, *caller, *route->method, route->path_values, Json()};
    call.calendar_id = route->path_values.count("calendarId") ? route->path_values["calendarId"] : "";
    if (call.calendar_id == "primary") call.calendar_id = caller->mail;
    response = call_method(call, request);
    calendar_id = call.calendar_id;
    response.event_id = call.event_id;
  } catch (const ApiError& error) {
    response = error.response();
    if (error.reason == "userRateLimitExceeded" || error.reason == "rateLimitExceeded")
      world_.stats.quota_exceeded += 1;
  } catch (const Json::exception&) {
    // A value of another type than the method expects, past what the contract check sees.
    response = bad_request("badRequest", "Bad Request").response();
  }
  response.api_method = name;
  response.calendar = calendar_id;
  note_request(request, name, caller, calendar_id, response);
  return response;
}

Response CalendarModel::call_method(Call& call, const Request& request) {
  check_contract(call, request);
  bool has_scope = std::any_of(call.caller.scopes.begin(), call.caller.scopes.end(),
                               [&](const std::string& scope) { return call.method.scopes.count(scope) > 0; });
  if (!has_scope) throw insufficient_scopes();
  world_.add_person(call.caller.mail);
  std::string event_id = call.path_values.count("eventId") ? call.path_values["eventId"]
                         : call.body.is_object()           ? call.body.value("id", "")
                                                           : "";
  FaultScene scene{call.method.name, call.calendar_id, call.caller.mail, event_id};
  charge_quota(call, request);
  fail_before(call, scene);
  methods_.at(call.method.name)(call);
  Response response = json_response(call, request);
  fail_after(call, scene, response);
  return response;
}

void CalendarModel::check_contract(Call& call, const Request& request) {
  std::vector<std::string> breaches = Discovery::built_in().check_query(call.method, request.query);
  if (!request.body.empty()) {
    const std::string* type = request.header("content-type");
    if (type == nullptr || type->find("json") == std::string::npos) {
      throw bad_request("parseError", "This API does not support parsing form-encoded input.");
    }
    call.body = Json::parse(request.body, nullptr, false);
    if (call.body.is_discarded()) throw bad_request("parseError", "Parse Error");
  } else if (!call.method.request_schema.empty()) {
    call.body = Json::object();
  }
  std::vector<std::string> in_body = Discovery::built_in().check_body(call.method, call.body);
  breaches.insert(breaches.end(), in_body.begin(), in_body.end());
  std::string fields = call.text("fields");
  if (!fields.empty() && !select_fields(Json::object(), fields)) {
    throw bad_parameter("invalidParameter", "Invalid field selection " + fields, "fields");
  }
  if (breaches.empty()) return;
  for (const std::string& breach : breaches) note_violation(request, call.method.name, breach);
  throw bad_request("badRequest", breaches.front());
}

void CalendarModel::charge_quota(const Call& call, const Request& request) {
  Quota::Use use{call.caller.client_id, call.text("quotaUser"), "", 1};
  if (use.user.empty()) {
    const std::string* header = request.header("x-goog-quota-user");
    use.user = header != nullptr ? *header : call.caller.mail;
  }
  if (!is_reading_method(call.method)) use.calendar = call.calendar_id;
  if (request.method == "PATCH") use.units = world_.switches.patch_cost;
  switch (quota_.charge(use, world_.switches, world_.now_ms)) {
    case Quota::Verdict::kFine:
      return;
    case Quota::Verdict::kUserExceeded:
      throw user_rate_limit(world_.switches.quota_status);
    case Quota::Verdict::kProjectExceeded:
    case Quota::Verdict::kCalendarBurst:
      throw project_rate_limit(world_.switches.quota_status);
  }
}

void CalendarModel::fail_before(Call& call, const FaultScene& scene) {
  if (faults_.take("expire_sync_tokens", scene, world_.prng)) {
    if (Calendar* calendar = world_.find_calendar(scene.calendar)) world_.expire_sync_tokens(*calendar);
  }
  if (is_creation(scene.method) && faults_.take("quota_exceeded_user", scene, world_.prng)) {
    throw usage_limits_exceeded();
  }
  if (auto fault = faults_.take("error_before", scene, world_.prng)) {
    ApiError error = backend_error(fault->status);
    if (!fault->reason.empty()) error.reason = fault->reason;
    if (!fault->message.empty()) error.message = fault->message;
    if (error.reason == "userRateLimitExceeded" || error.reason == "rateLimitExceeded" ||
        error.reason == "quotaExceeded") {
      error.domain = "usageLimits";
    }
    error.retry_after = fault->retry_after;
    throw error;
  }
  bool is_list = scene.method == "events.list";
  if (is_list && faults_.take("empty_list", scene, world_.prng)) call.forced_empty = true;
  if (is_list && faults_.take("empty_pages", scene, world_.prng)) call.forced_empty_pages = true;
  if (is_list) {
    if (auto fault = faults_.take("page_size", scene, world_.prng)) call.forced_page_size = fault->n;
  }
}

void CalendarModel::fail_after(Call& call, const FaultScene& before, Response& response) {
  FaultScene scene = before;
  if (scene.event_id.empty()) scene.event_id = call.event_id;
  if (auto fault = faults_.take("slow", scene, world_.prng)) response.delay_ms = fault->ms;
  if (faults_.take("truncate", scene, world_.prng)) response.delivery = Delivery::kTruncate;
  if (!call.has_committed) return;
  if (auto fault = faults_.take("bump_etag_after_write", scene, world_.prng)) {
    int64_t delay = fault->ms > 0 ? fault->ms : 50 + static_cast<int64_t>(world_.prng.below(2950));
    if (!call.event_id.empty())
      world_.bumps.push_back({world_.now_ms + delay, call.calendar_id, call.event_id});
  }
  if (faults_.take("hold_after_commit", scene, world_.prng)) {
    response.delivery = Delivery::kHold;
  } else if (faults_.take("drop_after_commit", scene, world_.prng)) {
    response.delivery = Delivery::kDrop;
  } else if (auto fault = faults_.take("error_after_commit", scene, world_.prng)) {
    int64_t delay = response.delay_ms;
    response = backend_error(fault->status).response();
    response.delay_ms = delay;
  }
}

std::vector<PushNotice> CalendarModel::take_due_notices() {
  std::vector<PushNotice> due;
  auto split = std::stable_partition(world_.notices.begin(), world_.notices.end(),
                                     [&](const PushNotice& notice) { return notice.due_ms > world_.now_ms; });
  for (auto it = split; it != world_.notices.end(); ++it) {
    // A channel that was stopped or has expired says nothing more.
    const Channel& channel = world_.channels.at(it->channel_key);
    if (channel.expires_ms > world_.now_ms) due.push_back(std::move(*it));
  }
  world_.notices.erase(split, world_.notices.end());
  world_.stats.pushes += due.size();
  return due;
}

std::optional<int64_t> CalendarModel::next_notice_ms() const {
  std::optional<int64_t> next;
  for (const PushNotice& notice : world_.notices)
    next = std::min(next.value_or(notice.due_ms), notice.due_ms);
  for (const BackgroundBump& bump : world_.bumps) next = std::min(next.value_or(bump.due_ms), bump.due_ms);
  return next;
}

void CalendarModel::notice_answered(const PushNotice& notice, int status) {
  bool is_retried = status == 500 || status == 502 || status == 503 || status == 504;
  if (!is_retried || notice.attempt + 1 >= kPushAttemptsMax) return;
  PushNotice again = notice;
  again.attempt += 1;
  again.due_ms = world_.now_ms + (world_.switches.push_retry_ms << notice.attempt);
  world_.notices.push_back(std::move(again));
}

void CalendarModel::note_violation(const Request& request, const std::string& method,
                                   const std::string& problem) {
  auto& violations = world_.stats.contract_violations;
  violations.push_back({{"at_ms", world_.now_ms},
                        {"method", method},
                        {"http_method", request.method},
                        {"path", request.path},
                        {"problem", problem}});
  if (violations.size() > kViolationsKept) violations.pop_front();
}

void CalendarModel::note_request(const Request& request, const std::string& method,
                                 const std::optional<Caller>& caller, const std::string& calendar,
                                 const Response& response) {
  Json query = Json::object();
  for (const auto& [name, value] : request.query) {
    if (name != "access_token" && name != "oauth_token") query[name] = value;
  }
  Json note = {{"at_ms", world_.now_ms},
               {"method", method},
               {"http_method", request.method},
               {"path", request.path},
               {"query", query},
               {"calendar", calendar},
               {"status", response.status},
               {"event_id", response.event_id},
               {"user", caller ? caller->mail : ""}};
  if (response.status >= 400) {
    Json body = Json::parse(response.body, nullptr, false);
    if (body.is_object() && body.contains("error")) note["reason"] = body["error"]["errors"][0]["reason"];
  }
  auto& requests = world_.stats.last_requests;
  requests.push_back(std::move(note));
  if (requests.size() > kRequestsKept) requests.pop_front();
}

}  // namespace kalends::emulator
