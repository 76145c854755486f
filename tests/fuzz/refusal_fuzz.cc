// SPDX-License-Identifier: Apache-2.0
// An answer of Google's: a line with its status, a line with Retry-After, and a body. Whatever it holds, one
// move follows, a wait is at most a day, and the reason is a word that may stand in a log.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "core/base/check.h"
#include "worker/google/errors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  auto line = [&] {
    size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return text;
  };
  HttpResponse response;
  std::string_view status = line();
  std::from_chars(status.data(), status.data() + status.size(), response.status);
  response.headers.add("retry-after", std::string(line()));
  response.body = std::string(rest);

  for (bool has_sync_token : {false, true}) {
    GoogleVerdict verdict = judge_response(response, {has_sync_token});
    KALENDS_CHECK(static_cast<size_t>(verdict.move) < kGoogleMoves &&
                  google_move_name(verdict.move) != "unknown");
    KALENDS_CHECK(verdict.ok() == (response.status >= 200 && response.status < 300));
    KALENDS_CHECK(verdict.move != GoogleMove::kFullSyncRequired || has_sync_token || response.status == 410);
    KALENDS_CHECK(verdict.retry_after_ms >= 0 && verdict.retry_after_ms <= 86'400'000);
    KALENDS_CHECK(std::all_of(verdict.reason.begin(), verdict.reason.end(),
                              [](char c) { return c > ' ' && c <= 'z'; }));
    if (!verdict.ok()) KALENDS_CHECK(error_code_name(to_error(verdict).code) != "unknown");
  }
  return 0;
}
