// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/run_ledger.h"

#include "tests/worker/engine/sync_world.h"
#include "worker/engine/left_alone.h"

namespace kalends::test {
namespace {

struct LedgerWorld : SyncWorld {
  LinkId link_id() const { return LinkId{*id_from_hex(link)}; }
  std::vector<RunRow> runs() {
    auto txn = worker->store->begin();
    return (*txn)->runs(workspace, link_id(), 1000).value();
  }
  std::vector<EntryRow> entries(uint64_t run) {
    auto txn = worker->store->begin();
    return (*txn)->entries(workspace, link_id(), run, 0, 10'000).value();
  }
  std::vector<EntryRow> all_entries() {
    std::vector<EntryRow> all;
    for (const RunRow& run : runs())
      for (EntryRow& entry : entries(run.run)) all.push_back(std::move(entry));
    return all;
  }
  std::vector<EntryRow> last_entries() { return entries(runs().front().run); }
};

EntryContent content_of_row(const EntryRow& row) { return decode_entry(row.content).value(); }
EntryKind kind_of_row(const EntryRow& row) { return static_cast<EntryKind>(row.kind); }
EntryOutcome outcome_of(const EntryRow& row) { return static_cast<EntryOutcome>(row.outcome); }

TEST_CASE(
    "An entry's content comes back from its bytes, and a spoilt byte is never taken for another entry") {
  EntryContent content;
  content.actor = Actor::kMember;
  content.member = MemberId{Id128{{7}}};
  content.title = "Title";
  content.fields.add(FacetField::kTitle);
  content.reasons = {"one", "two"};
  content.before = EventFacet{};
  content.before->start = content.before->end = When::all_day({5});
  content.agreed = Shadow{*content.before, *content.before};
  content.card = content.before;
  content.etag = "\"7\"";
  content.changes = {{Field::kTitle, Value{std::string("a")}, Value{std::string("b")}, true},
                     {Field::kPosition, Value{Position{Id128{{3}}, {}, "m"}}, Value{}, false}};
  content.is_deletion_undone = content.may_have_arrived = true;
  Bytes bytes = encode_entry(content);
  CHECK(decode_entry(bytes).value() == content);
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(decode_entry(ByteView(bytes).first(size)).ok());
  bytes[0] = 99;
  CHECK(decode_entry(bytes).error().code == ErrorCode::kUnsupportedVersion);
}

std::string hex_of(const Bytes& bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}
Bytes bytes_of(const std::string& hex) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

// Bytes that were written once are read for ever: a new layout takes a new version, and this one stays.
TEST_CASE("An entry and a pair left alone that version 1 wrote are read as they were") {
  EntryContent content;
  content.actor = Actor::kMember;
  content.member = MemberId{*id_from_hex("0102030405060708090a0b0c0d0e0f10")};
  content.title = "Call";
  content.fields.add(FacetField::kTitle);
  content.reasons = {"because"};
  content.before =
      EventFacet{"Call", true, When::all_day({20'000}), When::all_day({20'001}), "d", "l", "basil"};
  content.after = content.before;
  content.after->title = "Ring";
  content.etag = "\"7\"";
  content.agreed = Shadow{*content.before, *content.before};
  content.card = content.before;
  content.changes = {{Field::kDue, Value{When::all_day({20'000})}, Value{}, true}};
  const std::string kEntry =
      "01010102030405060708090a0b0c0d0e0f100443616c6c01010762656361757365010443616c6c01"
      "0500c0b8020500c2b8020164016c05626173696c010452696e67010500c0b8020500c2b802016401"
      "6c05626173696c03223722010443616c6c010500c0b8020500c2b8020164016c05626173696c0443"
      "616c6c010500c0b8020500c2b8020164016c05626173696c010443616c6c010500c0b8020500c2b8"
      "020164016c05626173696c01040500c0b8020001000000";
  CHECK(hex_of(encode_entry(content)) == kEntry);
  CHECK(decode_entry(bytes_of(kEntry)).value() == content);
  PairRow row;
  const std::string kLeft = "01010443616c6c010500c0b8020500c2b8020164016c05626173696c";
  row.left_alone = bytes_of(kLeft);
  CHECK(left_alone_of(row) == LeftAlone{LeftAlone::Stays::kEvent, *content.before});
  CHECK(hex_of(encode_left_alone({LeftAlone::Stays::kEvent, *content.before})) == kLeft);
}

TEST_CASE_METHOD(LedgerWorld,
                 "A first sync is one run with an entry for each event, and rest writes nothing") {
  link_board(3);
  REQUIRE(events().size() == 3);
  REQUIRE(runs().size() == 1);
  CHECK(runs()[0].finished_ms);
  auto made = last_entries();
  REQUIRE(made.size() == 3);
  for (const EntryRow& entry : made) {
    CHECK(kind_of_row(entry) == EntryKind::kInsertEvent);
    CHECK(outcome_of(entry) == EntryOutcome::kDone);
    EntryContent content = content_of_row(entry);
    CHECK(content.actor == Actor::kMember);
    CHECK(content.member == owner);
    CHECK_FALSE(content.before);
    REQUIRE(content.after);
    CHECK(content.after->title == content.title);
    CHECK_FALSE(content.etag.empty());
    CHECK_FALSE(content.reasons.empty());
  }
  sync();
  effects.advance(10 * 60'000);
  CHECK(runs().size() == 1);
  CHECK(all_entries().size() == 3);
}

TEST_CASE_METHOD(LedgerWorld, "Each write tells Google its entry") {
  link_board(1);
  bool is_told = false;
  for (const HttpRequest& request : effects.requests)
    if (request.method == "POST" && request.url.find("/events") != std::string::npos)
      is_told = request.headers.get("X-Kalends-Entry") == "1.1";
  CHECK(is_told);
}

TEST_CASE_METHOD(LedgerWorld, "An edit of the card is told as a change of the event, with both values") {
  link_board(1);
  edit_card(cards[0], {{"title", "Renamed"}});
  settle();
  auto made = last_entries();
  REQUIRE(made.size() == 1);
  CHECK(kind_of_row(made[0]) == EntryKind::kPatchEvent);
  EntryContent content = content_of_row(made[0]);
  CHECK(content.before->title == "Card 0");
  CHECK(content.after->title == "Renamed");
  CHECK(content.fields.has(FacetField::kTitle));
  CHECK(content.agreed->ours.title == "Card 0");
}

TEST_CASE_METHOD(LedgerWorld,
                 "An edit of the event is told as a change of the card, by somebody in the calendar") {
  link_board(1);
  change_event(cards[0], {{"summary", "Renamed there"}});
  sync();
  auto made = last_entries();
  REQUIRE(made.size() == 1);
  CHECK(kind_of_row(made[0]) == EntryKind::kEditCard);
  EntryContent content = content_of_row(made[0]);
  CHECK(content.actor == Actor::kCalendar);
  REQUIRE(content.changes.size() == 1);
  CHECK(content.changes[0] ==
        FieldChange{Field::kTitle, Value{std::string("Card 0")}, Value{std::string("Renamed there")}, false});
}

TEST_CASE_METHOD(LedgerWorld, "Deletions on either side are told, and the guard may count them") {
  link_board(2);
  remove_event(cards[0]);
  ok("DELETE", card_path(cards[1]));
  sync();
  std::set<EntryKind> kinds;
  for (const EntryRow& entry : all_entries())
    if (entry.deletes) kinds.insert(kind_of_row(entry));
  CHECK(kinds == std::set{EntryKind::kUnscheduleCard, EntryKind::kDeleteEvent});
}

TEST_CASE_METHOD(LedgerWorld, "An event that a person made is told as a card that was created") {
  link_board(0);
  control("POST", events_path(),
          {{"summary", "Lunch"}, {"start", {{"date", "2026-12-01"}}}, {"end", {{"date", "2026-12-02"}}}});
  sync();
  auto made = last_entries();
  REQUIRE(made.size() == 1);
  CHECK(kind_of_row(made[0]) == EntryKind::kCreateCard);
  CHECK(content_of_row(made[0]).title == "Lunch");
}

TEST_CASE_METHOD(LedgerWorld, "What Google refuses stays in the ledger as refused, with what to do") {
  link_board(1);
  effects.after_fetch = [](const HttpRequest& request, HttpOutcome& outcome) {
    if (request.method == "PATCH")
      outcome = {HttpResponse{400, {}, R"({"error":{"code":400,"errors":[{"reason":"invalid"}]}})"}, false};
  };
  edit_card(cards[0], {{"title", "Refused"}});
  settle();
  auto made = last_entries();
  REQUIRE(made.size() == 1);
  CHECK(outcome_of(made[0]) == EntryOutcome::kRefused);
  CHECK(content_of_row(made[0]).reasons.back().find("change the card") != std::string::npos);
}

// Where the power goes: before Google has the write, or after it and before its answer is stored.
enum class Cut { kBefore, kAfter };

void cut_write(LedgerWorld& world, const char* method, Cut cut) {
  auto is_write = [method](const HttpRequest& request) {
    return request.method == method && request.url.find("/events") != std::string::npos;
  };
  if (cut == Cut::kBefore)
    world.effects.before_fetch = [is_write](const HttpRequest& request) { return !is_write(request); };
  else
    world.effects.after_fetch = [is_write](const HttpRequest& request, HttpOutcome& outcome) {
      if (is_write(request)) outcome = QueuedEffects::cut();
    };
}

TEST_CASE_METHOD(LedgerWorld,
                 "A kill between attempt and answer leaves one entry, and the next look completes it") {
  Cut cut = GENERATE(Cut::kBefore, Cut::kAfter);
  std::string method = GENERATE("POST", "PATCH", "DELETE");
  CAPTURE(static_cast<int>(cut), method);
  link_board(1);
  size_t before = all_entries().size();
  cut_write(*this, method.c_str(), cut);
  if (method == "POST") add_card("New", "2026-12-24");
  if (method == "PATCH") edit_card(cards[0], {{"title", "Renamed"}});
  if (method == "DELETE") edit_card(cards[0], {{"due", nullptr}});
  settle();
  REQUIRE(all_entries().size() == before + 1);
  uint64_t run = runs().front().run;
  CHECK(outcome_of(last_entries()[0]) == EntryOutcome::kUnknown);

  effects.before_fetch = nullptr;
  effects.after_fetch = nullptr;
  kill_and_restart();
  settle();
  sync();
  REQUIRE(all_entries().size() == before + 1);
  EntryRow entry = entries(run).at(0);
  CHECK(outcome_of(entry) == EntryOutcome::kDone);
  if (method != "DELETE") CHECK_FALSE(content_of_row(entry).etag.empty());
  auto writes_before = writes();
  sync();
  CHECK(writes() == writes_before);
  CHECK(all_entries().size() == before + 1);
}

TEST_CASE_METHOD(LedgerWorld, "What somebody in the calendar did at the same time is not told as ours") {
  link_board(2);
  // The same edit on both sides, and the same deletion: ours comes second.
  effects.before_fetch = [&](const HttpRequest& request) {
    if (request.method == "PATCH" && event_of(cards[0])["summary"] != "Same")
      change_event(cards[0], {{"summary", "Same"}});
    if (request.method == "DELETE" && event_of(cards[1]).is_object()) remove_event(cards[1]);
    return true;
  };
  edit_card(cards[0], {{"title", "Same"}});
  settle();
  edit_card(cards[1], {{"due", nullptr}});
  settle();
  size_t refused = 0;
  auto made = all_entries();
  for (const EntryRow& entry : made) {
    bool is_insert = kind_of_row(entry) == EntryKind::kInsertEvent;
    CHECK(outcome_of(entry) == (is_insert ? EntryOutcome::kDone : EntryOutcome::kRefused));
    CHECK_FALSE(entry.deletes);
    refused += !is_insert;
  }
  CHECK(refused == 2);
}

TEST_CASE_METHOD(LedgerWorld,
                 "A write that somebody's edit overtook is one entry, done when it goes through") {
  link_board(1);
  change_event(cards[0], {{"location", "There"}});
  edit_card(cards[0], {{"title", "Here"}});
  settle();
  CHECK(event_of(cards[0])["summary"] == "Here");
  CHECK(card(cards[0])["location"] == "There");
  size_t patches = 0;
  for (const EntryRow& entry : all_entries()) {
    CHECK(outcome_of(entry) == EntryOutcome::kDone);
    patches += kind_of_row(entry) == EntryKind::kPatchEvent;
  }
  CHECK(patches == 1);
}

}  // namespace
}  // namespace kalends::test
