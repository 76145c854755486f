// SPDX-License-Identifier: Apache-2.0
#include "worker/google/quota.h"

#include <catch2/catch.hpp>
#include <vector>

namespace kalends {
namespace {

AccountId account(uint8_t number) {
  AccountId id;
  id.raw.bytes[0] = number;
  return id;
}

TEST_CASE("Calls pass at once until the user's minute is full, then the wait is told and true") {
  QuotaGate gate({3, 100});
  CHECK(gate.take({account(1)}, 1'000) == 0);
  CHECK(gate.take({account(1)}, 1'000) == 0);
  CHECK(gate.take({account(1)}, 5'000) == 0);
  int64_t wait = gate.take({account(1)}, 6'000);
  CHECK(wait > 0);
  CHECK(gate.take({account(1)}, 6'000 + wait - 1) > 0);
  CHECK(gate.take({account(1)}, 6'000 + wait) == 0);
  CHECK(gate.take({account(2)}, 6'000) == 0);
}

TEST_CASE("No sliding minute ever sees more than the quota, and nearly all of it is used") {
  QuotaGate gate({600, 10'000});
  std::vector<int64_t> granted;
  int64_t now = 0;
  while (now < 300'000) {
    int64_t wait = gate.take({account(1)}, now);
    if (wait == 0) granted.push_back(now);
    now += wait == 0 ? 37 : wait;
  }
  size_t first = 0;
  size_t most = 0;
  for (size_t last = 0; last < granted.size(); ++last) {
    while (granted[last] - granted[first] >= 60'000) ++first;
    most = std::max(most, last - first + 1);
  }
  CHECK(most <= 600);
  CHECK(granted.size() >= 2'900);
}

TEST_CASE("The project's minute holds all users together") {
  QuotaGate gate({10, 15});
  int passed = 0;
  for (uint8_t user = 1; user <= 4; ++user) {
    for (int i = 0; i < 10; ++i) passed += gate.take({account(user)}, 1'000) == 0;
  }
  CHECK(passed == 15);
}

TEST_CASE("Dear calls count more, bulk work leaves room for people, and a huge call is not stuck for ever") {
  QuotaGate gate({10, 1'000});
  CHECK(gate.take({account(1), 3}, 0) == 0);
  CHECK(gate.take({account(1), 3, 5}, 0) > 0);
  CHECK(gate.take({account(1), 3}, 0) == 0);
  CHECK(gate.take({account(1), 3}, 0) == 0);
  CHECK(gate.take({account(1), 3}, 0) > 0);
  CHECK(gate.take({account(2), 99}, 0) == 0);
}

TEST_CASE("After a refusal the account waits, the others do not, and idle accounts are forgotten") {
  QuotaGate gate({10, 100});
  gate.hold(account(1), 5'000);
  CHECK(gate.take({account(1)}, 1'000) == 4'000);
  CHECK(gate.take({account(2)}, 1'000) == 0);
  CHECK(gate.take({account(1)}, 5'000) == 0);
  CHECK(gate.tracked(5'000) == 2);
  CHECK(gate.tracked(200'000) == 0);
}

}  // namespace
}  // namespace kalends
