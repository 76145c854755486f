// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/health_watch.h"

#include <algorithm>

#include "worker/google/json.h"

namespace kalends {
namespace {

constexpr std::string_view kToldKey = "alerts_told";

std::string problems_of(const LinkHealth& health) {
  std::string text;
  for (HealthProblem problem : health.problems)
    text += (text.empty() ? "" : ",") + std::string(health_problem_name(problem));
  return text;
}

Json alert_json(const LinkView& view, const std::string& server, int64_t now_ms) {
  Json problems = Json::array();
  for (HealthProblem problem : view.health.problems) {
    HealthAdvice advice = advice_for(problem);
    problems.push_back({{"code", health_problem_name(problem)},
                        {"message", advice.message},
                        {"what_to_do", advice.what_to_do}});
  }
  return {{"source", "kalends"},
          {"server", server},
          {"link", to_hex(view.link)},
          {"health", health_state_name(view.health.state)},
          {"problems", problems},
          {"at_ms", now_ms},
          {"last_verified_ms", view.last_verified_ms},
          {"lag_ms", view.health.lag_ms},
          {"queue", view.dirty}};
}

}  // namespace

HealthWatch::HealthWatch(const Ports& ports, LinkEngine& links, HealthWatchOptions options)
    : ports_(ports), links_(links), options_(std::move(options)), alive_(std::make_shared<bool>(true)) {}

HealthWatch::~HealthWatch() { stop(); }

void HealthWatch::stop() { alive_.reset(); }

Status HealthWatch::start() {
  {
    KALENDS_TRY(auto txn, ports_.store.begin());
    KALENDS_TRY(std::optional<Bytes> stored, txn->meta(kToldKey));
    auto told = parse_json(stored ? as_text(*stored) : std::string_view("{}"));
    if (told.ok() && told->is_object())
      for (const auto& [name, problems] : told->items()) {
        auto workspace = id_from_hex(std::string_view(name).substr(0, 32));
        auto link = name.size() == 65 ? id_from_hex(std::string_view(name).substr(33)) : std::nullopt;
        if (workspace && link && problems.is_string())
          told_[{WorkspaceId{*workspace}, LinkId{*link}}].problems = problems.get<std::string>();
      }
  }
  tick_later();
  return {};
}

void HealthWatch::tick_later() {
  std::weak_ptr<bool> alive = alive_;
  ports_.effects.sleep(options_.tick_ms, [this, alive] {
    if (alive.expired()) return;
    tick();
    tick_later();
  });
}

void HealthWatch::tick() {
  auto views = links_.watch();
  if (!views.ok()) {
    ports_.log.warning("health_unknown", {{"code", views.error().code}});
    return;
  }
  std::map<Key, Told> still_there;
  for (const auto& [workspace, view] : *views) {
    Key key{workspace, view.link};
    if (auto known = told_.find(key); known != told_.end()) still_there[key] = known->second;
  }
  told_ = std::move(still_there);
  for (const auto& [workspace, view] : *views) {
    Key key{workspace, view.link};
    Told& told = told_[key];
    // A link that has just begun says nothing yet.
    if (options_.alert_url.empty() || view.health.state == HealthState::kStarting) continue;
    std::string problems = problems_of(view.health);
    bool is_news = problems != told.problems || told.is_uncertain;
    if (is_news && !told.is_sending && ports_.clock.now_ms() >= told.next_try_ms) tell(key, view, problems);
  }
  links_.probe_some();
}

void HealthWatch::tell(const Key& key, const LinkView& view, const std::string& problems) {
  Told& told = told_[key];
  told.is_sending = told.is_uncertain = true;
  HttpRequest request;
  request.method = "POST";
  request.url = options_.alert_url;
  request.headers.set("Content-Type", "application/json");
  request.body = json_dump(alert_json(view, options_.server_url, ports_.clock.now_ms()));
  request.timeout_ms = options_.timeout_ms;
  std::weak_ptr<bool> alive = alive_;
  ports_.effects.fetch(std::move(request), [this, alive, key, problems](HttpOutcome outcome) {
    if (alive.expired()) return;
    auto it = told_.find(key);
    if (it == told_.end()) return;
    Told& known = it->second;
    known.is_sending = false;
    bool is_taken = outcome.response.ok() && outcome.response->status / 100 == 2;
    if (!is_taken) {
      ++alerts_.failed;
      int64_t wait = options_.backoff_ms_min;
      for (int i = 0; i < known.failures && wait < options_.backoff_ms_max; ++i) wait *= 2;
      ++known.failures;
      known.next_try_ms = ports_.clock.now_ms() + std::min(wait, options_.backoff_ms_max);
      if (!outcome.response.ok() && outcome.certainly_not_sent) known.is_uncertain = false;
      ports_.log.warning("alert_not_taken", {{"link", key.second}, {"failures", known.failures}});
      return;
    }
    ++alerts_.taken;
    known.problems = problems;
    known.is_uncertain = false;
    known.failures = 0;
    known.next_try_ms = 0;
    if (Status stored = remember(); !stored.ok())
      ports_.log.warning("alert_not_remembered", {{"code", stored.error().code}});
  });
}

Status HealthWatch::remember() {
  Json told = Json::object();
  for (const auto& [key, known] : told_)
    if (!known.problems.empty()) told[to_hex(key.first) + "." + to_hex(key.second)] = known.problems;
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY_VOID(txn->set_meta(kToldKey, to_bytes(json_dump(told))));
  return txn->commit();
}

}  // namespace kalends
