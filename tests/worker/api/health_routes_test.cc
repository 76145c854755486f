// SPDX-License-Identifier: Apache-2.0
// What an operator asks.
#include <regex>
#include <set>

#include "tests/worker/api/api_world.h"
#include "tests/worker/store/fault_disk.h"

namespace kalends::test {

TEST_CASE("a server with a store that works is alive and ready") {
  ApiWorld world;
  CHECK(world.call_as("", "GET", "/healthz", "").status == 200);
  Answer ready = world.call_as("", "GET", "/readyz", "");
  CHECK(ready.status == 200);
  CHECK(ready.json == Json({{"ready", true}, {"reasons", Json::array()}}));
}

TEST_CASE("a full disk refuses edits with a time to come back, answers reads, and heals by itself") {
  FaultDisk disk;
  SqliteOptions options;
  options.vfs = disk.name();
  options.heal_gap_ms = 0;
  ApiWorld world(8, options);
  std::string board = world.make_board();
  std::string list = world.make_list(board, "To do");
  std::string card = world.make_card(board, list, "Before");
  std::string path = "/v1/boards/" + board + "/cards/" + card;
  disk.space = 0;
  Answer refused = world.call("PATCH", path, {{"title", "While full"}});
  CHECK(refused.status == 503);
  CHECK(refused.code() == "unavailable");
  CHECK(refused.json["detail"].get<std::string>().find("disk is full") != std::string::npos);
  CHECK(refused.response.headers.get("Retry-After") == "5");
  Answer read = world.call("GET", path);
  CHECK(read.status == 200);
  CHECK(read.json["title"] == "Before");
  Answer ready = world.call_as("", "GET", "/readyz", "");
  CHECK(ready.status == 503);
  CHECK(ready.json["reasons"].dump().find("make room") != std::string::npos);
  CHECK(world.call_as("", "GET", "/metrics", "").response.body.find("kalends_ready 0") != std::string::npos);
  CHECK(world.call_as("", "GET", "/healthz", "").status == 200);

  disk.space.reset();
  CHECK(world.call("PATCH", path, {{"title", "After"}}).status == 200);
  CHECK(world.call_as("", "GET", "/readyz", "").status == 200);
  CHECK(world.call("GET", path).json["title"] == "After");
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
