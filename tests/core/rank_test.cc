// SPDX-License-Identifier: Apache-2.0
#include "core/model/rank.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/hash.h"
#include "core/base/prng.h"

namespace kalends::test {
namespace {

ReplicaId replica(std::string_view name) { return ReplicaId{derive_id(as_bytes(name))}; }

// A list that several replicas insert into at random places.
std::vector<std::string> random_list(Prng& random, const std::vector<ReplicaId>& makers, size_t count) {
  std::vector<std::string> ranks;
  for (size_t i = 0; i < count; ++i) {
    // At the end, at the beginning, and at random places, as people do.
    size_t at = random.chance(1, 3) ? ranks.size() : random.chance(1, 3) ? 0 : random.below(ranks.size() + 1);
    std::string left = at > 0 ? ranks[at - 1] : "";
    std::string right = at < ranks.size() ? ranks[at] : "";
    std::string rank = rank_between(left, right, makers[random.below(makers.size())]);
    RC_ASSERT(!rank.empty());
    RC_ASSERT(left < rank);
    RC_ASSERT((right.empty() || rank < right));
    ranks.insert(ranks.begin() + static_cast<std::ptrdiff_t>(at), rank);
  }
  return ranks;
}

}  // namespace

TEST_CASE("there is always a rank between two others") {
  CHECK(rc::check("rank_between", [](uint64_t seed) {
    Prng random(seed);
    random_list(random, {replica("a"), replica("b"), replica("c")}, 300);
  }));
}

TEST_CASE("ranks stay short when cards are added one after another, at either end") {
  std::string bottom, top;
  RankRun run;
  for (int i = 0; i < 10000; ++i) {
    bottom = rank_between(bottom, "", replica("a"), &run);
    top = rank_between("", top.empty() ? bottom : top, replica("a"));
  }
  CHECK(bottom.size() <= 9);
  CHECK(top.size() <= 7);
  std::string rank;
  for (int i = 0; i < 10000; ++i) rank = rank_between(rank, "", replica(i % 2 == 0 ? "a" : "b"));
  CHECK(rank.size() <= 14);
}

TEST_CASE("runs that two people insert at one place do not interleave, whichever way they grow") {
  CHECK(rc::check("blocks", [](uint64_t seed) {
    Prng random(seed);
    // The place may be in a stretch of one of the two, of somebody else, or at an end.
    std::vector<std::string> list =
        random_list(random, {replica("a"), replica("b"), replica("c")}, random.below(7));
    size_t at = random.below(list.size() + 1);
    std::vector<std::pair<std::string, int>> all;
    for (int who = 0; who < 2; ++who) {
      std::string left = at > 0 ? list[at - 1] : "";
      std::string right = at < list.size() ? list[at] : "";
      bool grows_up = random.chance(1, 2);
      RankRun run;
      for (uint64_t n = 1 + random.below(20); n > 0; --n) {
        std::string rank = rank_between(left, right, replica(who == 0 ? "a" : "b"), &run);
        all.emplace_back(rank, who);
        (grows_up ? right : left) = rank;
      }
    }
    std::sort(all.begin(), all.end());
    int changes = 0;
    for (size_t i = 1; i < all.size(); ++i) changes += all[i].second != all[i - 1].second;
    RC_ASSERT(changes <= 1);
  }));
}

TEST_CASE("ranks that no honest copy makes get an answer that stands behind the left") {
  CHECK(rc::check("any bytes", [](uint64_t seed) {
    Prng random(seed);
    auto any = [&] {
      std::string rank;
      for (uint64_t n = random.below(20); n > 0; --n)
        rank += static_cast<char>(random.chance(1, 3) ? 0xFF : random.chance(1, 3) ? 0 : random.below(256));
      return rank;
    };
    std::string left = any(), right = any();
    if (!right.empty() && right < left) std::swap(left, right);
    RC_ASSERT(rank_between(left, right, replica("a")) > left);
  }));
}

}  // namespace kalends::test
