// SPDX-License-Identifier: Apache-2.0
// For operators: whether the process lives (healthz), whether it can work (readyz), how every link does
// (/v1/health), and figures for Prometheus (metrics), in which nobody and nothing is named.
#include <algorithm>
#include <array>

#include "worker/api/context.h"
#include "worker/engine/health_watch.h"
#include "worker/google/json.h"

namespace kalends {
namespace {

constexpr std::string_view kStates[] = {"active", "paused", "stopped", "broken"};

Json problems_json(const LinkHealth& health) {
  Json problems = Json::array();
  for (HealthProblem problem : health.problems) {
    HealthAdvice advice = advice_for(problem);
    problems.push_back({{"code", health_problem_name(problem)},
                        {"message", advice.message},
                        {"what_to_do", advice.what_to_do}});
  }
  return problems;
}

Json health_row(const LinkView& link, bool wants_push, int64_t now_ms) {
  Json error;
  if (link.last_error)
    error = {{"code", link.last_error->code},
             {"message", link.last_error->message},
             {"what_to_do", link.last_error->what_to_do}};
  bool has_channel = link.channel_until_ms > now_ms;
  return {{"link", to_hex(link.link)},
          {"board", to_hex(link.board)},
          {"health", health_state_name(link.health.state)},
          {"problems", problems_json(link.health)},
          {"last_verified_ms", link.last_verified_ms},
          {"lag_ms", link.health.lag_ms},
          {"queue", link.dirty},
          {"token", link.is_token_dead ? "dead" : "good"},
          {"push", !wants_push   ? "off"
                   : has_channel ? "on"
                                 : "lost"},
          {"channel_expires_ms", has_channel ? Json(link.channel_until_ms) : Json()},
          {"last_error", error}};
}

std::vector<std::string> reasons_against(const ApiServices& services) {
  std::vector<std::string> reasons;
  if (std::string reason = services.ports.store.read_only_reason(); !reason.empty())
    reasons.push_back(reason);
  auto txn = services.ports.store.begin();
  if (!txn.ok()) reasons.push_back("The store cannot be read: " + txn.error().message + ".");
  return reasons;
}

// The text format of Prometheus, version 0.0.4.
class MetricsText {
 public:
  void family(const char* name, const char* kind, const char* help) {
    name_ = name;
    text_ += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + kind + "\n";
  }
  void value(uint64_t number, const char* label = nullptr, std::string_view label_value = {}) {
    text_ += name_;
    if (label) text_ += std::string("{") + label + "=\"" + std::string(label_value) + "\"}";
    text_ += " " + std::to_string(number) + "\n";
  }
  void seconds(int64_t ms) { text_ += name_ + " " + std::to_string(ms / 1000) + "." + tenths(ms) + "\n"; }
  std::string take() { return std::move(text_); }

 private:
  static std::string tenths(int64_t ms) { return std::to_string(ms % 1000 / 100); }
  std::string name_;
  std::string text_;
};

std::string metrics_text(const ApiServices& services) {
  MetricsText text;
  const LinkEngine& links = services.links;
  std::array<uint64_t, 4> by_state{};
  std::array<uint64_t, kHealthStates> by_health{};
  std::array<uint64_t, kHealthProblems> by_problem{};
  uint64_t queue = 0;
  int64_t lag_ms = 0, unverified_ms = 0;
  int64_t now_ms = services.ports.clock.now_ms();
  auto views = services.links.watch();
  if (views.ok())
    for (const auto& [workspace, view] : *views) {
      ++by_state[static_cast<size_t>(view.state)];
      ++by_health[static_cast<size_t>(view.health.state)];
      for (HealthProblem problem : view.health.problems) ++by_problem[static_cast<size_t>(problem)];
      queue += view.dirty;
      lag_ms = std::max(lag_ms, view.health.lag_ms);
      if (view.state == LinkState::kActive && view.last_verified_ms > 0)
        unverified_ms = std::max(unverified_ms, now_ms - view.last_verified_ms);
    }
  text.family("kalends_build_info", "gauge", "The running version.");
  text.value(1, "version", KALENDS_VERSION);
  text.family("kalends_ready", "gauge", "1: the store takes reads and writes.");
  text.value(reasons_against(services).empty() ? 1 : 0);
  text.family("kalends_links", "gauge", "Links by state.");
  for (size_t i = 0; i < by_state.size(); ++i) text.value(by_state[i], "state", kStates[i]);
  text.family("kalends_links_by_health", "gauge", "Links by health.");
  for (size_t i = 0; i < kHealthStates; ++i)
    text.value(by_health[i], "health", health_state_name(static_cast<HealthState>(i)));
  text.family("kalends_link_problems", "gauge", "Links that have a problem, by problem.");
  for (size_t i = 0; i < kHealthProblems; ++i)
    text.value(by_problem[i], "problem", health_problem_name(static_cast<HealthProblem>(i)));
  text.family("kalends_queue_pairs", "gauge", "Cards that wait to be compared with their events.");
  text.value(queue);
  text.family("kalends_lag_seconds", "gauge", "Age of the oldest change that waits, of all links.");
  text.seconds(lag_ms);
  text.family("kalends_unverified_seconds", "gauge",
              "How long ago the active link that was verified longest ago was verified.");
  text.seconds(std::max<int64_t>(0, unverified_ms));
  const GoogleCounters& google = links.google_counters();
  text.family("kalends_google_calls_total", "counter", "Calls to Google.");
  text.value(google.calls);
  text.family("kalends_google_answers_total", "counter", "Google's answers, by what they ask for.");
  for (size_t i = 0; i < kGoogleMoves; ++i)
    text.value(google.answers[i], "code", google_move_name(static_cast<GoogleMove>(i)));
  text.family("kalends_google_unanswered_total", "counter", "Calls to Google that got no answer.");
  text.value(google.unanswered);
  text.family("kalends_quota_waits_total", "counter", "Calls that waited for the quota.");
  text.value(google.quota_waits);
  text.family("kalends_quota_wait_seconds_total", "counter", "Time that calls waited for the quota.");
  text.seconds(google.quota_wait_ms);
  const EngineCounters& engine = links.counters();
  text.family("kalends_runs_total", "counter", "Looks at links.");
  text.value(engine.runs);
  text.family("kalends_failed_runs_total", "counter", "Looks that could not be finished.");
  text.value(engine.failed_runs);
  text.family("kalends_full_listings_total", "counter", "Calendars that were read whole.");
  text.value(engine.full_listings);
  text.family("kalends_guard_stops_total", "counter", "Runs that the guard has stopped.");
  text.value(engine.guard_stops);
  text.family("kalends_deletions_stopped_total", "counter",
              "Deletions in the runs that the guard has stopped.");
  text.value(engine.deletions_stopped);
  text.family("kalends_deaf_channels_total", "counter",
              "Push channels that did not ring when they should have.");
  text.value(engine.deaf_channels);
  text.family("kalends_probes_total", "counter", "Events that were read by their id, to check listings.");
  text.value(engine.probes);
  text.family("kalends_probe_differences_total", "counter",
              "Probed events that were not as they were known.");
  text.value(engine.probe_differences);
  text.family("kalends_listings_distrusted_total", "counter",
              "Differences that no listing told: the calendar was read whole.");
  text.value(engine.listings_distrusted);
  AlertCounters alerts = services.watch ? services.watch->alerts() : AlertCounters{};
  text.family("kalends_alerts_total", "counter", "Alerts to the webhook, by outcome.");
  text.value(alerts.taken, "outcome", "taken");
  text.value(alerts.failed, "outcome", "failed");
  text.family("kalends_open_documents", "gauge", "Documents in memory.");
  text.value(services.hub.open_count());
  return text.take();
}

}  // namespace

void add_health_routes(Router& router, const ApiServices& services) {
  router.add("GET", "/healthz", [](InboundRequest, PathParameters, Respond respond) {
    respond(json_response(200, {{"ok", true}}));
  });
  router.add("GET", "/readyz", [services](InboundRequest, PathParameters, Respond respond) {
    std::vector<std::string> reasons = reasons_against(services);
    HttpResponse response =
        json_response(reasons.empty() ? 200 : 503, {{"ready", reasons.empty()}, {"reasons", reasons}});
    if (!reasons.empty()) response.headers.set("Retry-After", "5");
    respond(std::move(response));
  });
  router.add("GET", "/metrics", [services](InboundRequest, PathParameters, Respond respond) {
    respond(text_response(200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(services)));
  });
  add_route(
      router, services, "GET", "/v1/health",
      [services](const Caller& caller, const InboundRequest&, const PathParameters&) -> Result<HttpResponse> {
        KALENDS_TRY(std::vector<LinkView> links, services.links.list(caller.workspace, std::nullopt));
        Json rows = Json::array();
        bool is_healthy = true;
        for (const LinkView& link : links) {
          rows.push_back(health_row(link, services.links.wants_push(), services.ports.clock.now_ms()));
          is_healthy = is_healthy && (link.health.state == HealthState::kHealthy ||
                                      link.health.state == HealthState::kPaused);
        }
        return json_response(200, {{"healthy", is_healthy}, {"links", rows}});
      });
}

}  // namespace kalends
