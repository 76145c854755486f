// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "tests/emulator/model_support.h"

namespace kalends::emulator {
namespace {

Json channel(const std::string& id, const std::string& address = "http://127.0.0.1:9/hook") {
  return {{"id", id}, {"type", "web_hook"}, {"address", address}, {"token", "secret"}};
}

TEST_CASE("a channel says sync first and exists after each change, with growing numbers") {
  TestModel test;
  Answer made = test.ask("POST", test.events("/watch"), channel("one"));
  CHECK(made.status == 200);
  CHECK(made.body["expiration"] == std::to_string(kTestNowMs + 7 * 24 * 3600 * 1000LL));
  auto first = test.model.take_due_notices();
  REQUIRE(first.size() == 1);
  CHECK(first[0].headers.at("x-goog-resource-state") == "sync");
  CHECK(first[0].headers.at("x-goog-message-number") == "1");
  CHECK(first[0].headers.at("x-goog-channel-token") == "secret");
  CHECK(first[0].headers.at("x-goog-resource-id") == made.body["resourceId"]);
  test.insert("abcde12345");
  auto second = test.model.take_due_notices();
  REQUIRE(second.size() == 1);
  CHECK(second[0].headers.at("x-goog-resource-state") == "exists");
  CHECK(std::stoll(second[0].headers.at("x-goog-message-number")) > 1);
}

TEST_CASE("a burst of writes gives one notice, and a person's edit rings too") {
  TestModel test;
  test.ask("POST", test.events("/watch"), channel("one"));
  test.model.take_due_notices();
  test.insert("abcde12345");
  test.insert("fghij12345");
  CHECK(test.model.take_due_notices().size() == 1);
}

TEST_CASE("two channels on one calendar share the resource id and both ring") {
  TestModel test;
  Answer one = test.ask("POST", test.events("/watch"), channel("one"));
  Answer two = test.ask("POST", test.events("/watch"), channel("two"));
  CHECK(one.body["resourceId"] == two.body["resourceId"]);
  test.model.take_due_notices();
  test.insert("abcde12345");
  CHECK(test.model.take_due_notices().size() == 2);
}

TEST_CASE("a channel id is used once, and only https or a loopback address is taken") {
  TestModel test;
  test.ask("POST", test.events("/watch"), channel("one"));
  CHECK(test.ask("POST", test.events("/watch"), channel("one")).reason() == "channelIdNotUnique");
  CHECK(test.ask("POST", test.events("/watch"), channel("two", "http://example.org/hook")).reason() ==
        "push.webhookUrlNotHttps");
  CHECK(test.ask("POST", test.events("/watch"), channel("two", "http://127.0.0.1.example.org/hook")).status ==
        400);
  CHECK(test.ask("POST", test.events("/watch"), channel("two", "https://example.org/hook")).status == 200);
  test.model.world().switches.allow_http_webhooks = false;
  CHECK(test.ask("POST", test.events("/watch"), channel("three")).status == 400);
}

TEST_CASE("a stopped or expired channel is silent") {
  TestModel test;
  Answer made = test.ask("POST", test.events("/watch"), channel("one"));
  Json short_lived = channel("two");
  short_lived["params"] = {{"ttl", "60"}};
  CHECK(test.ask("POST", test.events("/watch"), short_lived).body["expiration"] ==
        std::to_string(kTestNowMs + 60'000));
  test.model.take_due_notices();
  Json stop = {{"id", "one"}, {"resourceId", made.body["resourceId"]}};
  CHECK(test.ask("POST", "channels/stop", stop).status == 204);
  CHECK(test.ask("POST", "channels/stop", stop).status == 404);
  test.pass(60'001);
  test.insert("abcde12345");
  CHECK(test.model.take_due_notices().empty());
}

TEST_CASE("only answers that promise a later success are tried again") {
  TestModel test;
  test.ask("POST", test.events("/watch"), channel("one"));
  PushNotice notice = test.model.take_due_notices()[0];
  test.model.notice_answered(notice, 404);
  test.model.notice_answered(notice, 200);
  CHECK_FALSE(test.model.next_notice_ms());
  test.model.notice_answered(notice, 503);
  REQUIRE(test.model.next_notice_ms());
  CHECK(*test.model.next_notice_ms() == kTestNowMs + 1000);
  test.pass(1000);
  CHECK(test.model.take_due_notices().size() == 1);
}

TEST_CASE("notices can be dropped, doubled and late") {
  TestModel test;
  test.ask("POST", test.events("/watch"), channel("one"));
  test.model.take_due_notices();
  test.model.world().dropped_pushes = 1;
  test.insert("abcde12345");
  CHECK(test.model.take_due_notices().empty());
  test.model.world().duplicate_pushes = 1;
  test.insert("abcde12346");
  CHECK(test.model.take_due_notices().size() == 2);
  test.model.world().delayed_pushes = 1;
  test.model.world().push_delay_ms = 500;
  test.insert("abcde12347");
  CHECK(test.model.take_due_notices().empty());
  test.pass(500);
  CHECK(test.model.take_due_notices().size() == 1);
}

}  // namespace
}  // namespace kalends::emulator
