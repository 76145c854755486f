// SPDX-License-Identifier: Apache-2.0
// Plans as messages. What each step says is tested where it is read (tests/package/preview.test.mjs), that
// they are the plans of reconcile() in tests/differential.
#include "core/api/preview.h"

#include <catch2/catch.hpp>

#include "core/api/when.h"

namespace kalends::test {
namespace {

Cbor day(int32_t days) { return view_when(When::all_day({days})); }

Cbor request(std::string_view title) {
  Cbor agreed = Cbor::map({{"title", "Call"}, {"start", day(20000)}, {"end", day(20001)}});
  Cbor event = Cbor::map({{"title", title}, {"start", day(20000)}, {"end", day(20001)}, {"seen_ms", 5}});
  return Cbor::map({{"call", "preview"},
                    {"card", Cbor::map({{"title", "Call Ben"}, {"due", day(20000)}})},
                    {"event", event},
                    {"shadow", Cbor::map({{"ours", agreed}, {"theirs", agreed}})},
                    {"policy", Cbor::map({{"fields", Cbor::map({{"title", "prefer_event"}})}})},
                    {"now_ms", 9}});
}

Cbor answer_to(const Cbor& message) {
  auto answer = decode_cbor(preview(encode_cbor(message)));
  REQUIRE(answer.ok());
  return *answer;
}

}  // namespace

TEST_CASE("a plan is answered in steps, for people and for programs") {
  Cbor plan = answer_to(request("Call Cleo"))["ok"];
  REQUIRE(plan["steps"].items().size() == 1);
  const Cbor& step = plan["steps"].items()[0];
  CHECK(step["do"].as_text() == "edit_card");
  CHECK(step["set"]["title"].as_text() == "Call Cleo");
  CHECK(step["keeps_loser"].as_bool());
  CHECK(step["text"].as_text() == "The card takes the calendar's title; what it had stays open.");
  CHECK(plan["agrees"].as_bool());
}

TEST_CASE("the same question has the same answer, and nothing is kept in between") {
  Bytes question = encode_cbor(request("Call Cleo"));
  Bytes first = preview(question);
  preview(encode_cbor(request("Call Dan")));
  preview({});
  CHECK(preview(question) == first);
}

TEST_CASE("another call is refused") {
  CHECK(answer_to(Cbor::map({{"call", "open"}}))["error"]["code"].as_text() == "invalid");
}

TEST_CASE("every prefix and every changed byte of a request for a plan is answered") {
  Bytes question = encode_cbor(request("Call Cleo"));
  auto is_answered = [](const Bytes& bytes) {
    auto answer = decode_cbor(preview(bytes));
    return answer.ok() && (answer->find("ok") || answer->find("error"));
  };
  bool are_all_answered = true;
  for (size_t size = 0; size < question.size(); ++size)
    are_all_answered &= is_answered({question.begin(), question.begin() + static_cast<ptrdiff_t>(size)});
  for (size_t at = 0; at < question.size(); ++at)
    for (int change : {1, 2, 0x20, 0x80, 0xFF}) {
      Bytes changed = question;
      changed[at] = static_cast<uint8_t>(changed[at] ^ change);
      are_all_answered &= is_answered(changed);
    }
  CHECK(are_all_answered);
}

}  // namespace kalends::test
