// SPDX-License-Identifier: Apache-2.0
// What an operator asks.
#include <regex>
#include <set>

#include "tests/worker/api/api_world.h"

namespace kalends::test {

TEST_CASE("a server with a store that works is alive and ready") {
  ApiWorld world;
  CHECK(world.call_as("", "GET", "/healthz", "").status == 200);
  Answer ready = world.call_as("", "GET", "/readyz", "");
  CHECK(ready.status == 200);
  CHECK(ready.json == Json({{"ready", true}, {"reasons", Json::array()}}));
}

TEST_CASE("the health of links is for signed-in callers") {
  ApiWorld world;
  CHECK(world.call_as("", "GET", "/v1/health", "").status == 401);
  Answer health = world.call("GET", "/v1/health");
  CHECK(health.json == Json({{"healthy", true}, {"links", Json::array()}}));
}

TEST_CASE("metrics are lines that Prometheus reads, with few labels, and name nobody") {
  ApiWorld world;
  std::string board = world.make_board("Secret plans");
  std::string text = world.call_as("", "GET", "/metrics", "").response.body;
  std::regex line("# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\\{[a-z]+=\"[A-Za-z0-9_.]+\"\\})? [0-9.]+");
  std::set<std::string> families;
  size_t begin = 0, samples = 0;
  while (begin < text.size()) {
    size_t end = text.find('\n', begin);
    REQUIRE(end != std::string::npos);
    std::string one = text.substr(begin, end - begin);
    INFO(one);
    CHECK(std::regex_match(one, line));
    if (one.rfind("# TYPE ", 0) == 0) CHECK(families.insert(one.substr(7, one.find(' ', 7) - 7)).second);
    if (one[0] != '#') ++samples;
    begin = end + 1;
  }
  CHECK(families.size() >= 20);
  CHECK(samples < 100);
  for (const std::string& secret :
       {std::string("Secret"), board, to_hex(world.workspace), to_hex(world.owner)})
    CHECK(text.find(secret) == std::string::npos);
}

}  // namespace kalends::test
