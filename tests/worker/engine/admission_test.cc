// SPDX-License-Identifier: Apache-2.0
// What the hub refuses by content alone.
#include "worker/engine/admission.h"

#include <catch2/catch.hpp>

#include "core/replica/replica.h"

namespace kalends::test {
namespace {

Id128 id_of(const std::string& name) { return derive_id(as_bytes(name)); }

}  // namespace

TEST_CASE("the hub takes no more text than every copy can merge") {
  MemberId member{id_of("anna")};
  Id128 card = id_of("card");
  Replica anna({DocumentId{id_of("board")}, DocumentKind::kBoard, ReplicaId{id_of("anna")}});
  REQUIRE(anna.edit({member, Cause::kPerson, 1000},
                    {CreateCommand{EntityType::kList, id_of("list"), {}, {}, {}},
                     CreateCommand{EntityType::kCard, card, {}, id_of("list"), {}}})
              .ok());
  auto insertion = [&](uint64_t counter) {
    Op op;
    op.id = {ReplicaId{id_of("mallory")}, counter};
    op.transaction = counter;
    op.author = member;
    op.target = card;
    TextInsertBody body{{{}, Side::kAfter, std::string(kTextBytesMax, 'x')}};
    op.kind = static_cast<uint16_t>(OpKind::kTextInsert);
    op.body = encode_body(body);
    return std::pair(op, OpBody{body});
  };
  uint64_t counter = 0;
  Status verdict;
  while (verdict.ok() && counter < 100) {
    auto [op, body] = insertion(++counter);
    verdict = admit({anna.document(), member, true}, op, body);
    if (verdict.ok()) REQUIRE(anna.merge({op}, 1000).ok());
  }
  REQUIRE_FALSE(verdict.ok());
  CHECK(verdict.error().code == ErrorCode::kInvalid);
  CHECK(counter == 1 + kTextLengthBound / 2 / kTextBytesMax);
}

}  // namespace kalends::test
