// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/faults.h"

#include <algorithm>
#include <set>

namespace kalends::emulator {

Json Fault::to_json() const {
  Json match = Json::object();
  if (!method.empty()) match["method"] = method;
  if (!calendar.empty()) match["calendar"] = calendar;
  if (!user.empty()) match["user"] = user;
  if (!event_id.empty()) match["event_id"] = event_id;
  return {{"id", id},         {"kind", kind}, {"match", match}, {"count", count},
          {"status", status}, {"ms", ms},     {"n", n}};
}

bool Faults::parse(const Json& description, Fault& fault, std::string& problem) {
  static const std::set<std::string> kKinds = {
      "error_before", "error_after_commit",  "drop_after_commit",  "hold_after_commit",     "slow",
      "truncate",     "empty_list",          "expire_sync_tokens", "expire_access_tokens",  "revoke_user",
      "drop_push",    "duplicate_push",      "delay_push",         "bump_etag_after_write", "page_size",
      "empty_pages",  "quota_exceeded_user", "rotate_keys"};
  if (!description.is_object()) {
    problem = "a fault is an object";
    return false;
  }
  try {
    fault.kind = description.value("kind", "");
    if (!kKinds.count(fault.kind)) {
      problem = "unknown kind of fault: " + fault.kind;
      return false;
    }
    Json match = description.value("match", Json::object());
    fault.method = match.value("method", "");
    fault.calendar = match.value("calendar", "");
    fault.user = match.value("user", description.value("user", ""));
    fault.event_id = match.value("event_id", "");
    // A state lasts until it is taken away; a mishap happens once unless told otherwise.
    bool is_state =
        fault.kind == "quota_exceeded_user" || fault.kind == "page_size" || fault.kind == "empty_pages";
    fault.count = description.value("count", is_state || description.contains("probability") ? -1 : 1);
    fault.per_million = static_cast<uint64_t>(description.value("probability", 1.0) * 1'000'000);
    fault.status = description.value("status", 503);
    fault.reason = description.value("reason", "");
    fault.message = description.value("message", "");
    if (description.contains("retry_after")) fault.retry_after = description["retry_after"].get<int>();
    fault.ms = description.value("ms", int64_t{0});
    fault.n = description.value("n", 1);
  } catch (const Json::exception& wrong_type) {
    problem = wrong_type.what();
    return false;
  }
  return true;
}

void Faults::add(Fault fault) {
  fault.id = ++last_id_;
  faults_.push_back(std::move(fault));
}

std::optional<Fault> Faults::take(const std::string& kind, const FaultScene& scene, Prng& prng) {
  for (Fault& fault : faults_) {
    bool fits = fault.kind == kind && fault.count != 0 &&
                (fault.method.empty() || fault.method == scene.method) &&
                (fault.calendar.empty() || fault.calendar == scene.calendar) &&
                (fault.user.empty() || fault.user == scene.user) &&
                (fault.event_id.empty() || fault.event_id == scene.event_id);
    if (!fits || !prng.chance(fault.per_million)) continue;
    if (fault.count > 0) --fault.count;
    Fault taken = fault;
    std::erase_if(faults_, [](const Fault& one) { return one.count == 0; });
    return taken;
  }
  return std::nullopt;
}

}  // namespace kalends::emulator
