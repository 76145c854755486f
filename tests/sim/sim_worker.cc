// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/sim_worker.h"

namespace kalends::sim {

void SimLog::write(LogLevel level, LogCode event, std::initializer_list<LogField> fields) {
  if (!scheduler_.is_loud || level == LogLevel::kDebug) return;
  std::string line = "worker: " + std::string(event.text);
  for (const LogField& field : fields) {
    line += " " + std::string(field.name) + "=";
    if (const auto* number = std::get_if<int64_t>(&field.value)) line += std::to_string(*number);
    if (const auto* fact = std::get_if<bool>(&field.value)) line += *fact ? "true" : "false";
    if (const auto* code = std::get_if<std::string_view>(&field.value)) line += *code;
    if (const auto* id = std::get_if<Id128>(&field.value)) line += to_hex(*id).substr(0, 8);
    if (const auto* text = std::get_if<std::string>(&field.value)) line += *text;
  }
  scheduler_.say(line);
}

std::function<void()> SimWorker::SimEffects::when_awake(std::function<void()> act) {
  return [this, act = std::move(act)] {
    int64_t left = worker_.paused_until_ms_ - worker_.place_.scheduler.now_ms();
    if (left > 0)
      worker_.place_.scheduler.after(left, owner_, when_awake(act));
    else
      act();
  };
}

void SimWorker::SimEffects::fetch(HttpRequest request, std::function<void(HttpOutcome)> done) {
  if (worker_.is_doomed()) return;
  worker_.place_.google.send(owner_, std::move(request), [this, done = std::move(done)](HttpOutcome outcome) {
    auto held = std::make_shared<HttpOutcome>(std::move(outcome));
    when_awake([held, done] { done(std::move(*held)); })();
  });
}

void SimWorker::SimEffects::sleep(int64_t ms, std::function<void()> done) {
  if (worker_.is_doomed()) return;
  worker_.place_.scheduler.after(ms, owner_, when_awake(std::move(done)));
}

namespace {

const Bytes& master_key() {
  static const Bytes key(32, 0x5a);
  return key;
}

EngineOptions engine_options(const SimWorker::Options& options, Owner owner) {
  EngineOptions engine;
  engine.holder.raw.bytes[0] = static_cast<uint8_t>(options.number + 1);
  for (size_t i = 0; i < 8; ++i) engine.holder.raw.bytes[i + 8] = static_cast<uint8_t>(owner >> 8 * i);
  // Alone on its store a worker takes over its own leases at once, as in the product.
  if (!options.is_store_shared) engine.holder.raw.bytes = {1};
  engine.google_api_url = SimGoogle::kBaseUrl;
  if (options.has_push) engine.webhook_url = SimGoogle::kWebhookUrl;
  engine.poll_ms = options.poll_ms;
  engine.quota.user_per_minute = options.quota_per_minute;
  return engine;
}

OauthClient oauth_client(SimGoogle& google) {
  std::string base = SimGoogle::kBaseUrl;
  return {google.stand_in().oauth().client_id(),
          google.stand_in().oauth().client_secret(),
          base + "/o/oauth2/v2/auth",
          base + "/token",
          base + "/revoke",
          "http://127.0.0.1:9/v1/google/callback",
          20'000};
}

}  // namespace

SimWorker::Process::Process(SimWorker& owner_worker, Owner process_owner, uint64_t seed)
    : worker(owner_worker),
      owner(process_owner),
      entropy(seed),
      store(worker.place_.disk, worker.place_.faults, worker.place_.witness, [&w = worker] { w.doom(); }),
      effects(worker, owner),
      log(worker.place_.scheduler),
      secrets(master_key(), entropy),
      hub(ports(), worker.options_.open_boards, worker.options_.is_store_shared),
      accounts(ports(), AccountsOptions{oauth_client(worker.place_.google),
                                        std::string(SimGoogle::kBaseUrl) + "/oauth2/v3/certs", true}),
      links(ports(), hub, accounts, engine_options(worker.options_, owner)) {}

bool SimWorker::start() {
  Owner owner = place_.scheduler.new_owner();
  process_ = std::make_unique<Process>(*this, owner, ++starts_ * 1000 + options_.number);
  if (process_->links.start().ok() && !is_doomed()) return true;
  end();
  return false;
}

uint64_t SimWorker::open_session(LiveSession::Authenticate authenticate, LiveSession::Send send) {
  uint64_t id = ++process_->last_session;
  process_->sessions[id] =
      std::make_unique<LiveSession>(process_->hub, std::move(authenticate), std::move(send));
  return id;
}

LiveSession* SimWorker::session(uint64_t id) {
  if (!process_) return nullptr;
  auto it = process_->sessions.find(id);
  return it == process_->sessions.end() ? nullptr : it->second.get();
}

void SimWorker::end() {
  if (!process_) return;
  place_.scheduler.end(process_->owner);
  process_->store.set_doomed();
  process_->sessions.clear();
  process_->links.stop();
  process_->tasks.drop_all();
  process_.reset();
}

}  // namespace kalends::sim
