// SPDX-License-Identifier: Apache-2.0
// Two copies of a board: both name a card anew without knowing of each other, and meet.
#include <iostream>
#include <string>

#include "core/base/hash.h"
#include "core/replica/conflicts.h"
#include "core/replica/replica.h"

using namespace kalends;

// Ids come from the caller: here from names, so that every run is the same; else from entropy.
static Id128 id(std::string_view name) { return derive_id(as_bytes(name)); }

static Replica copy_of_board(std::string_view owner) {
  return Replica({DocumentId{id("board")}, DocumentKind::kBoard, ReplicaId{id(owner)}});
}
static void edit(Replica& replica, int64_t now_ms, const Command& command) {
  auto edited = replica.edit({MemberId{id("member")}, Cause::kPerson, now_ms}, {command});
  if (!edited.ok()) std::cerr << edited.error().message << "\n";
}
static void pull(Replica& target, const Replica& source) {
  MergeResult merged;
  auto chunk = source.chunk_since(target.version());
  if (!chunk.ok() || !target.merge_chunk(*chunk, 4000, merged).ok()) std::cerr << "The copies cannot meet.\n";
}

int main() {
  Replica ann = copy_of_board("ann"), ben = copy_of_board("ben");
  edit(ann, 1000, CreateCommand{EntityType::kList, id("next"), {{Field::kTitle, {}, "Next"}}, {}, {}});
  edit(ann, 1001,
       CreateCommand{EntityType::kCard, id("card"), {{Field::kTitle, {}, "Call"}}, id("next"), {}});
  pull(ben, ann);
  edit(ann, 2000, SetCommand{{id("card"), {}}, {Field::kTitle, {}, "Call Anna"}});
  edit(ben, 3000, SetCommand{{id("card"), {}}, {Field::kTitle, {}, "Call Ben"}});
  pull(ann, ben);
  pull(ben, ann);
  Entity card = ann.document().find(id("card"));
  std::cout << card.text_value(Field::kTitle) << ", " << conflicts_of(card).size() << " conflict, "
            << (ann.hash() == ben.hash() ? "the copies are equal" : "the copies differ") << "\n";
}
