// SPDX-License-Identifier: Apache-2.0
#include "worker/app/json_log.h"

#include <catch2/catch.hpp>
#include <sstream>

namespace kalends {
namespace {

TEST_CASE("A log line is one JSON object with the event and its fields") {
  LinkId link;
  link.raw.bytes[0] = 0xab;
  CHECK(
      json_log_line(1'790'000'000'007, LogLevel::kWarning, "link.failed",
                    {{"link", link},
                     {"code", ErrorCode::kRateLimited},
                     {"count", 3},
                     {"push", true},
                     {"path", LogSetting("a\"\n")}}) ==
      R"({"time":"2026-09-21T14:13:20.007Z","level":"warning","event":"link.failed",)"
      R"("link":"ab000000000000000000000000000000","code":"rate_limited","count":3,"push":true,"path":"a\"\n"})");
}

TEST_CASE("The log leaves out what is below its level") {
  std::ostringstream out;
  JsonLog log(LogLevel::kWarning, out);
  log.info("quiet");
  log.error("loud");
  CHECK(out.str().find("quiet") == std::string::npos);
  CHECK(out.str().find("\"event\":\"loud\"") != std::string::npos);
  CHECK(out.str().back() == '\n');
}

}  // namespace
}  // namespace kalends
