// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "tests/core/board_fixture.h"

namespace kalends::test {
namespace {

Command checklist_on(std::string_view card, std::string title) {
  return AddChildCommand{
      named_id(card), EntityType::kChecklist, {{Field::kTitle, {}, std::move(title)}}, {}, {}};
}
Command item_of(std::string_view card, std::string text, size_t command) {
  return AddChildCommand{named_id(card), EntityType::kItem, {{Field::kText, {}, std::move(text)}}, {}, {},
                         command};
}

}  // namespace

TEST_CASE("one list of commands makes a card, its checklists and their items in order") {
  Person anna("anna");
  EditResult made = anna.edit({create_list("L"), create_card("X", "L"), checklist_on("X", "first"),
                               checklist_on("X", "second"), item_of("X", "a", 2), item_of("X", "b", 3),
                               item_of("X", "c", 2)});

  auto child = [&](size_t command) {
    return anna.replica.document().find(named_id("X"), made.created[command]);
  };
  auto text = [&](size_t command) { return child(command).text(); };
  auto parent = [&](size_t command) { return child(command).position()->parent; };
  CHECK(text(4) == "a");
  CHECK(parent(4) == made.created[2]);
  CHECK(parent(5) == made.created[3]);
  CHECK(parent(6) == made.created[2]);
  auto rank = [&](size_t command) { return child(command).position()->rank; };
  CHECK(rank(4) < rank(6));
}

TEST_CASE(
    "an item whose checklist would be made by a later, another or no command is refused with nothing done") {
  Person anna("anna");
  anna.edit({create_list("L"), create_card("X", "L"), create_card("Y", "L")});
  Digest before = anna.replica.hash();

  CHECK(anna.refused({item_of("X", "a", 1), checklist_on("X", "late")}).code == ErrorCode::kInvalid);
  CHECK(anna.refused({item_of("X", "a", 0)}).code == ErrorCode::kInvalid);
  CHECK(anna.refused({checklist_on("Y", "elsewhere"), item_of("X", "a", 0)}).code == ErrorCode::kNotFound);
  CHECK(anna.refused({create_list("M"), item_of("X", "a", 0)}).code == ErrorCode::kNotFound);
  CHECK(anna.replica.hash() == before);
}

TEST_CASE(
    "a checklist is named by its id or by the command that makes it, never by both, and by items alone") {
  Person anna("anna");
  anna.edit({create_list("L"), create_card("X", "L")});
  OpId checklist = anna.edit({checklist_on("X", "there")}).created[0];

  CHECK(anna.refused({checklist_on("X", "new"),
                      AddChildCommand{named_id("X"), EntityType::kItem, {}, checklist, {}, size_t{0}}})
            .code == ErrorCode::kInvalid);
  CHECK(anna.refused({AddChildCommand{named_id("X"), EntityType::kComment, {}, checklist, {}}}).code ==
        ErrorCode::kInvalid);
}

}  // namespace kalends::test
