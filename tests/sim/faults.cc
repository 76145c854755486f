// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/faults.h"

namespace kalends::sim {

std::string_view fault_name(FaultClass fault) {
  static constexpr std::string_view kNames[] = {
      "request_lost",        "answer_lost",        "answer_cut",    "answer_spoilt",
      "request_repeated",    "answer_slow",        "server_error",  "server_error_after",
      "rate_limited",        "retry_after",        "usage_limits",  "sync_token_gone",
      "access_token_gone",   "token_server_down",  "grant_revoked", "empty_listing",
      "cut_listing",         "small_pages",        "event_touched", "notice_lost",
      "notice_repeated",     "notice_late",        "notice_forged", "crash",
      "crash_before_commit", "crash_after_commit", "crash_in_call", "store_busy",
      "store_full",          "worker_paused",      "clock_jump",    "socket_cut",
      "frame_late",          "browser_killed"};
  static_assert(std::size(kNames) == kFaultClasses);
  return kNames[static_cast<size_t>(fault)];
}

}  // namespace kalends::sim
