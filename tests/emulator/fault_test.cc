// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "tests/emulator/model_support.h"

namespace kalends::emulator {
namespace {

void add_fault(TestModel& test, const Json& description) {
  Fault fault;
  std::string problem;
  REQUIRE(Faults::parse(description, fault, problem));
  test.model.faults().add(fault);
}

TEST_CASE("an error before the write leaves nothing behind") {
  TestModel test;
  add_fault(test, {{"kind", "error_before"}, {"status", 503}, {"match", {{"method", "events.insert"}}}});
  Answer failed = test.insert("abcde12345");
  CHECK(failed.status == 503);
  CHECK(failed.reason() == "backendError");
  CHECK(test.ask("GET", test.events("/abcde12345")).status == 404);
  CHECK(test.insert("abcde12345").status == 200);
}

TEST_CASE("an error after the write hides a success") {
  TestModel test;
  add_fault(test, {{"kind", "error_after_commit"}, {"status", 500}});
  CHECK(test.insert("abcde12345").status == 500);
  CHECK(test.insert("abcde12345").status == 409);
}

TEST_CASE("answers are dropped, held and cut as asked, and only for what matches") {
  TestModel test;
  add_fault(test, {{"kind", "drop_after_commit"}, {"match", {{"event_id", "abcde12345"}}}});
  CHECK(test.insert("other12345").delivery == Delivery::kSend);
  CHECK(test.insert("abcde12345").delivery == Delivery::kDrop);
  add_fault(test, {{"kind", "hold_after_commit"}, {"match", {{"method", "events.patch"}}}});
  CHECK(test.ask("GET", test.events()).delivery == Delivery::kSend);
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"summary", "x"}}).delivery == Delivery::kHold);
  add_fault(test, {{"kind", "truncate"}});
  CHECK(test.ask("GET", test.events()).delivery == Delivery::kTruncate);
}

TEST_CASE("a background change makes the etag of the last answer stale") {
  TestModel test;
  add_fault(test, {{"kind", "bump_etag_after_write"}, {"ms", 100}});
  Answer made = test.insert("abcde12345");
  test.pass(100);
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"summary", "x"}}, {{"if-match", made.etag}}).status ==
        412);
}

TEST_CASE("a list can lie once and come in small pages") {
  TestModel test;
  test.insert("abcde12345");
  test.insert("fghij12345");
  add_fault(test, {{"kind", "empty_list"}});
  CHECK(test.ask("GET", test.events()).body["items"].empty());
  CHECK(test.ask("GET", test.events()).body["items"].size() == 2);
  add_fault(test, {{"kind", "page_size"}, {"n", 1}});
  CHECK(test.ask("GET", test.events()).body["items"].size() == 1);
}

TEST_CASE("a person over the use limit may change but not create, until released") {
  TestModel test;
  test.insert("abcde12345");
  add_fault(test, {{"kind", "quota_exceeded_user"}, {"user", "ann@example.org"}});
  Answer refused = test.insert("fghij12345");
  CHECK(refused.status == 403);
  CHECK(refused.reason() == "quotaExceeded");
  CHECK(test.insert("klmno12345").status == 403);
  CHECK(test.ask("PATCH", test.events("/abcde12345"), {{"summary", "x"}}).status == 200);
  test.model.faults().clear();
  CHECK(test.insert("fghij12345").status == 200);
}

TEST_CASE("an unknown kind of fault is refused") {
  Fault fault;
  std::string problem;
  CHECK_FALSE(Faults::parse({{"kind", "earthquake"}}, fault, problem));
  CHECK_FALSE(problem.empty());
}

TEST_CASE("the same seed and the same calls give the same bytes") {
  auto run = [](uint64_t seed) {
    TestModel test(seed);
    Json body = TestModel::event("x");
    body.erase("id");
    std::string text = test.ask("POST", test.events(), body).body.dump();
    return text + test.ask("GET", test.events()).body.dump();
  };
  CHECK(run(7) == run(7));
  CHECK(run(7) != run(8));
}

}  // namespace
}  // namespace kalends::emulator
