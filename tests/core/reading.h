// SPDX-License-Identifier: Apache-2.0
// All that the core says of a document, as one value: what a fixture's bytes (tests/fixtures/bytes) must read as.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/calendar/link_policy.h"
#include "core/calendar/shadow.h"
#include "core/replica/replica.h"

namespace kalends::test {

using Json = nlohmann::ordered_json;

// view, conflicts, history and blame of every entity, version, floor, the operations (their number and the SHA-256 of
// their own bytes; null where there is no history) and the hash of the state.
Json reading_of(const Replica& replica);
// Of a wide board: the titles of cards by the title of their list in place of view, conflicts, history and blame.
Json brief_reading_of(const Replica& replica);

// What the worker keeps of a pair and of a link.
Json reading_of(const Observation& observation);
Json reading_of(const Shadow& shadow);
Json reading_of(const LinkPolicy& policy);

// SHA-256 of the bytes of every operation, each by itself, by their ids: these never change, whatever a chunk looks like.
std::string digest_of_ops(std::vector<Op> ops);

// What is wrong with `reading`, or "". All that is expected must be there; what a newer version says besides must be
// empty (null, false, "", [], {}).
std::string difference_from(const Json& expected, const Json& reading, const std::string& path = "");

}  // namespace kalends::test
