// SPDX-License-Identifier: Apache-2.0
// Between the card's half of a plan and its write, people go on editing.
#include <catch2/catch.hpp>

#include "core/reconcile/absorb.h"

namespace kalends::test {
namespace {

EventFacet facet(const std::string& title, int32_t day) {
  EventFacet result;
  result.title = title;
  result.start = When::all_day({day});
  result.end = When::all_day({day + 1});
  return result;
}

}  // namespace

TEST_CASE("a second edit of the event is no conflict when the write of another field was lost in between") {
  LinkPolicy policy;
  Situation situation;
  situation.card.exists = true;
  situation.shadow = Shadow{facet("old", 1), facet("old", 1)};
  // A person retitled the event, the card was moved to another day: the title comes to the card, the day is sent.
  situation.card.wanted = situation.card.facet = facet("old", 2);
  situation.event = Observation{};
  situation.event->facet = facet("first edit", 1);
  Plan plan = reconcile(situation, policy);
  REQUIRE(plan.write == RemoteWrite::kPatch);
  REQUIRE(plan.change == CardChange::kEdit);

  // The card's half is stored, the write fails, and the person retitles again.
  situation.shadow = taken_up(*situation.shadow, plan, situation.event->facet);
  situation.card.wanted = situation.card.facet = facet("first edit", 2);
  situation.event->facet = facet("second edit", 1);
  Plan next = reconcile(situation, policy);
  CHECK(next.target.title == "second edit");
  CHECK_FALSE(next.fields.has(FacetField::kTitle));
}

}  // namespace kalends::test
