// SPDX-License-Identifier: Apache-2.0
// What every Store must do. A new implementation adds its factory to STORES below and nothing else.
#include "worker/ports/store.h"

#include <catch2/catch.hpp>

#include "tests/worker/temporary_folder.h"
#include "worker/store/store.h"

namespace kalends {
namespace {

// The store's own clock: whoever asks for a lease has none to show.
struct SetClock final : Clock {
  int64_t now = 100;
  int64_t now_ms() const override { return now; }
  int64_t monotonic_ms() const override { return now; }
};

struct MemoryFactory {
  std::unique_ptr<Store> make(const Clock& clock) {
    return SqliteStore::open({":memory:", 5'000, &clock}).value();
  }
};

struct FileFactory {
  TemporaryFolder folder;
  std::unique_ptr<Store> make(const Clock& clock) {
    return SqliteStore::open({folder.path() + "/kalends.db", 5'000, &clock}).value();
  }
};

#define STORES MemoryFactory, FileFactory

template <typename TypedId>
TypedId id(uint8_t number) {
  TypedId made;
  made.raw.bytes[15] = number;
  return made;
}

const auto kHome = id<WorkspaceId>(1);
const auto kElsewhere = id<WorkspaceId>(2);
const auto kBoard = id<DocumentId>(10);
const auto kLink = id<LinkId>(20);
const auto kCard = id<CardId>(30);
const Bytes kHash(32, 9);

template <typename Factory>
struct StoreFixture {
  Factory factory;
  SetClock clock;
  std::unique_ptr<Store> store = factory.make(clock);
  std::unique_ptr<Txn> txn_;

  StoreFixture() {
    begin();
    REQUIRE(txn_->ensure_workspace(kHome, 1).ok());
    REQUIRE(txn_->ensure_workspace(kElsewhere, 1).ok());
  }
  void begin() {
    txn_.reset();
    txn_ = store->begin().value();
  }
  void commit_and_begin() {
    REQUIRE(txn_->commit().ok());
    begin();
  }
  LinkRow link_row(uint8_t number) {
    LinkRow link;
    link.link = id<LinkId>(number);
    link.board = kBoard;
    link.account = id<AccountId>(40);
    link.calendar_hash = Bytes{number};
    link.sealed_calendar = Bytes{1};
    link.settings = Bytes{2};
    link.created_ms = 5;
    return link;
  }
  LinkLease leased_link() {
    REQUIRE(txn_->create_link(kHome, link_row(20)).ok());
    return txn_->acquire_lease(kHome, kLink, {id<ReplicaId>(50), 100}).value();
  }
};

#define STORE_TEST(name) TEMPLATE_TEST_CASE_METHOD(StoreFixture, name, "", STORES)
#define FIXTURE StoreFixture<TestType>

STORE_TEST("A committed transaction is there for the next one and a dropped one never happened") {
  auto& txn = FIXTURE::txn_;
  REQUIRE(txn->set_meta("kept", Bytes{1}).ok());
  FIXTURE::commit_and_begin();
  REQUIRE(txn->set_meta("dropped", Bytes{2}).ok());
  REQUIRE(txn->set_meta("kept", Bytes{3}).ok());
  FIXTURE::begin();
  CHECK(txn->meta("kept").value() == Bytes{1});
  CHECK_FALSE(txn->meta("dropped").value().has_value());
  CHECK(txn->workspaces().value() == std::vector<WorkspaceId>{kHome, kElsewhere});
}

STORE_TEST("Operations get rising numbers and the same operation again keeps its first one") {
  auto& txn = FIXTURE::txn_;
  REQUIRE(txn->create_document(kHome, kBoard, 1, 7).ok());
  auto replica = id<ReplicaId>(60);
  auto first = txn->append_op(kHome, kBoard, {replica, 1, Bytes{1}}, 8).value();
  auto second = txn->append_op(kHome, kBoard, {replica, 2, Bytes{2}}, 9).value();
  auto again = txn->append_op(kHome, kBoard, {replica, 1, Bytes{1}}, 10).value();
  CHECK(first.seq == 1);
  CHECK(first.is_new);
  CHECK(second.seq == 2);
  CHECK(again.seq == 1);
  CHECK_FALSE(again.is_new);
  FIXTURE::commit_and_begin();
  CHECK(txn->ops_after(kHome, kBoard, 0, 10).value() ==
        std::vector<OpRow>{{1, replica, 1, Bytes{1}}, {2, replica, 2, Bytes{2}}});
  CHECK(txn->ops_after(kHome, kBoard, 1, 10).value().size() == 1);
  CHECK(txn->op_of(kHome, kBoard, replica, 2).value() == OpRow{second.seq, replica, 2, Bytes{2}});
  CHECK_FALSE(txn->op_of(kHome, kBoard, replica, 3).value().has_value());
  CHECK_FALSE(txn->op_of(id<WorkspaceId>(99), kBoard, replica, 2).value().has_value());
  CHECK(txn->ops_after(kHome, kBoard, 0, 1).value().size() == 1);
  CHECK(txn->document_head(kHome, kBoard).value()->next_seq == 3);
  CHECK(txn->document_head(kHome, kBoard).value()->updated_ms == 9);
}

STORE_TEST("One number of a replica with two contents is refused: the replica id was copied") {
  auto& txn = FIXTURE::txn_;
  REQUIRE(txn->create_document(kHome, kBoard, 1, 7).ok());
  REQUIRE(txn->append_op(kHome, kBoard, {id<ReplicaId>(60), 1, Bytes{1}}, 8).ok());
  CHECK(txn->append_op(kHome, kBoard, {id<ReplicaId>(60), 1, Bytes{2}}, 8).error().code ==
        ErrorCode::kConflict);
  CHECK(txn->ops_after(kHome, kBoard, 0, 10).value().size() == 1);
}

STORE_TEST("An operation for a document that is not there is refused") {
  auto& txn = FIXTURE::txn_;
  CHECK(txn->append_op(kHome, kBoard, {id<ReplicaId>(60), 1, Bytes{1}}, 8).error().code ==
        ErrorCode::kNotFound);
  REQUIRE(txn->create_document(kHome, kBoard, 1, 7).ok());
  CHECK(txn->create_document(kHome, kBoard, 1, 7).error().code == ErrorCode::kConflict);
}

STORE_TEST("A snapshot moves forward only, and the floor never passes it") {
  auto& txn = FIXTURE::txn_;
  REQUIRE(txn->create_document(kHome, kBoard, 1, 7).ok());
  for (uint64_t counter = 1; counter <= 4; ++counter) {
    REQUIRE(txn->append_op(kHome, kBoard, {id<ReplicaId>(60), counter, Bytes{1}}, 8).ok());
  }
  CHECK(txn->save_snapshot(kHome, kBoard, {Bytes{5}, 5, kHash}, 9).error().code == ErrorCode::kInvalid);
  REQUIRE(txn->save_snapshot(kHome, kBoard, {Bytes{3}, 3, kHash}, 9).ok());
  CHECK(txn->save_snapshot(kHome, kBoard, {Bytes{2}, 2, kHash}, 9).error().code == ErrorCode::kConflict);
  CHECK(txn->raise_floor(kHome, kBoard, 4).error().code == ErrorCode::kInvalid);
  REQUIRE(txn->raise_floor(kHome, kBoard, 3).ok());
  REQUIRE(txn->raise_floor(kHome, kBoard, 2).ok());
  auto document = txn->document(kHome, kBoard).value().value();
  CHECK(document.snapshot == Bytes{3});
  CHECK(document.head.snapshot_seq == 3);
  CHECK(document.head.floor_seq == 3);
  CHECK(document.head.state_hash == kHash);
  auto tail = txn->ops_after(kHome, kBoard, document.head.snapshot_seq, 10).value();
  REQUIRE(tail.size() == 1);
  CHECK(tail[0].seq == 4);
}

STORE_TEST("A redaction replaces an operation's bytes and keeps its number; a restore raises the epochs") {
  auto& txn = FIXTURE::txn_;
  REQUIRE(txn->create_document(kHome, kBoard, 1, 7).ok());
  REQUIRE(txn->append_op(kHome, kBoard, {id<ReplicaId>(60), 1, Bytes{1}}, 8).ok());
  REQUIRE(txn->replace_op(kHome, kBoard, 1, Bytes{0}).ok());
  CHECK(txn->ops_after(kHome, kBoard, 0, 1).value()[0].op == Bytes{0});
  CHECK(txn->replace_op(kHome, kBoard, 2, Bytes{0}).error().code == ErrorCode::kNotFound);
  REQUIRE(txn->raise_epochs(kHome).ok());
  CHECK(txn->document_head(kHome, kBoard).value()->epoch == 2);
  REQUIRE(txn->delete_document(kHome, kBoard).ok());
  CHECK(txn->ops_after(kHome, kBoard, 0, 1).value().empty());
  CHECK(txn->delete_document(kHome, kBoard).error().code == ErrorCode::kNotFound);
}

STORE_TEST("Nothing of one workspace shows in another") {
  auto& txn = FIXTURE::txn_;
  LinkLease lease = FIXTURE::leased_link();
  REQUIRE(txn->create_document(kHome, kBoard, 1, 7).ok());
  REQUIRE(txn->append_op(kHome, kBoard, {id<ReplicaId>(60), 1, Bytes{1}}, 8).ok());
  REQUIRE(txn->put_token(kHome, {kHash, id<MemberId>(1), 1, {}, 1, std::nullopt}).ok());
  REQUIRE(txn->put_account(kHome, {id<AccountId>(40), id<MemberId>(1), kHash, Bytes{1}, 1, 1}).ok());
  REQUIRE(txn->put_oauth_flow(kHome, {kHash, id<MemberId>(1), Bytes{1}, 100}).ok());
  REQUIRE(txn->put_cursor(lease, {Bytes{1}, false, 1}).ok());
  REQUIRE(txn->put_pair(lease, {kCard, 1, Bytes{7}, {}, {}, {}, true, 1}).ok());
  REQUIRE(txn->put_attempt(lease, {kCard, 1, 1, kHash, 1}).ok());
  REQUIRE(txn->put_channel(lease, {id<ChannelId>(70), {}, kHash, 1, 1}).ok());
  REQUIRE(txn->start_run(lease, 1).ok());
  REQUIRE(txn->append_entry(lease, {1, 0, kCard, 1, 0, true, 1, Bytes{1}}).ok());

  CHECK_FALSE(txn->document(kElsewhere, kBoard).value());
  CHECK(txn->documents(kElsewhere).value().empty());
  CHECK(txn->ops_after(kElsewhere, kBoard, 0, 9).value().empty());
  CHECK_FALSE(txn->token(kElsewhere, kHash).value());
  CHECK(txn->tokens(kElsewhere).value().empty());
  CHECK(txn->revoke_token(kElsewhere, kHash, 9).error().code == ErrorCode::kNotFound);
  CHECK_FALSE(txn->account(kElsewhere, id<AccountId>(40)).value());
  CHECK_FALSE(txn->account_of(kElsewhere, id<MemberId>(1), kHash).value());
  CHECK(txn->accounts(kElsewhere).value().empty());
  CHECK(txn->delete_account(kElsewhere, id<AccountId>(40)).error().code == ErrorCode::kNotFound);
  CHECK_FALSE(txn->take_oauth_flow(kElsewhere, kHash, 1).value());
  CHECK_FALSE(txn->link(kElsewhere, kLink).value());
  CHECK(txn->links(kElsewhere).value().empty());
  CHECK(txn->links_of_board(kElsewhere, kBoard).value().empty());
  CHECK(txn->acquire_lease(kElsewhere, kLink, {id<ReplicaId>(50), 1}).error().code ==
        ErrorCode::kNotFound);
  CHECK(txn->delete_link({kElsewhere, kLink, lease.epoch}).error().code == ErrorCode::kNotFound);
  CHECK_FALSE(txn->cursor(kElsewhere, kLink).value());
  CHECK_FALSE(txn->pair(kElsewhere, kLink, kCard).value());
  CHECK_FALSE(txn->pair_by_event(kElsewhere, kLink, Bytes{7}).value());
  CHECK(txn->pairs(kElsewhere, kLink, CardId{}, 9).value().empty());
  CHECK(txn->dirty_pairs(kElsewhere, kLink, 9).value().empty());
  CHECK(txn->count_pairs(kElsewhere, kLink).value() == 0);
  CHECK(txn->mark_pair_dirty(kElsewhere, kLink, kCard, 1).error().code == ErrorCode::kConflict);
  CHECK(txn->attempts(kElsewhere, kLink).value().empty());
  CHECK(txn->channels(kElsewhere, kLink).value().empty());
  CHECK_FALSE(txn->channel(kElsewhere, id<ChannelId>(70)).value());
  CHECK(txn->runs(kElsewhere, kLink, 9).value().empty());
  CHECK_FALSE(txn->run(kElsewhere, kLink, 1).value());
  CHECK(txn->last_run(kElsewhere, kLink).value() == 0);
  CHECK_FALSE(txn->unanswered_entry(kElsewhere, kLink, kCard).value());
  CHECK(txn->entries(kElsewhere, kLink, 1, 0, 9).value().empty());
  CHECK(txn->entries_of_card(kElsewhere, kLink, kCard, 9).value().empty());
  CHECK(txn->deleting_entries_since(kElsewhere, kLink, 0).value().empty());
  CHECK(txn->take_oauth_flow(kHome, kHash, 1).value().has_value());
}

STORE_TEST("A revoked token is still found, with the time it was first revoked") {
  auto& txn = FIXTURE::txn_;
  TokenRow token{kHash, id<MemberId>(1), 2, Bytes{5}, 10, std::nullopt};
  REQUIRE(txn->put_token(kHome, token).ok());
  CHECK(txn->put_token(kHome, token).error().code == ErrorCode::kConflict);
  CHECK(txn->token(kHome, kHash).value() == token);
  REQUIRE(txn->revoke_token(kHome, kHash, 20).ok());
  REQUIRE(txn->revoke_token(kHome, kHash, 30).ok());
  CHECK(txn->token(kHome, kHash).value()->revoked_ms == 20);
  CHECK(txn->tokens(kHome).value().size() == 1);
}

STORE_TEST("A member's profile can be replaced and keeps the time of its first coming") {
  auto& txn = FIXTURE::txn_;
  REQUIRE(txn->put_member(kHome, {id<MemberId>(2), Bytes{2}, 10}).ok());
  REQUIRE(txn->put_member(kHome, {id<MemberId>(1), Bytes{1}, 11}).ok());
  REQUIRE(txn->put_member(kHome, {id<MemberId>(2), Bytes{}, 12}).ok());
  CHECK(txn->members(kHome).value() ==
        std::vector<MemberRow>{{id<MemberId>(1), Bytes{1}, 11}, {id<MemberId>(2), Bytes{}, 10}});
  CHECK(txn->members(kElsewhere).value().empty());
}

STORE_TEST("One member connects one Google account once") {
  auto& txn = FIXTURE::txn_;
  AccountRow account{id<AccountId>(40), id<MemberId>(1), kHash, Bytes{1}, 1, 1};
  REQUIRE(txn->put_account(kHome, account).ok());
  account.sealed = Bytes{2};
  REQUIRE(txn->put_account(kHome, account).ok());
  CHECK(txn->account_of(kHome, id<MemberId>(1), kHash).value() == account);
  account.account = id<AccountId>(41);
  CHECK(txn->put_account(kHome, account).error().code == ErrorCode::kConflict);
  account.member = id<MemberId>(2);
  CHECK(txn->put_account(kHome, account).ok());
  REQUIRE(txn->delete_account(kHome, id<AccountId>(40)).ok());
  CHECK(txn->accounts(kHome).value() == std::vector<AccountRow>{account});
}

STORE_TEST("An authorisation flow is taken once and not after its time") {
  auto& txn = FIXTURE::txn_;
  OauthFlowRow flow{kHash, id<MemberId>(1), Bytes{1}, 100};
  REQUIRE(txn->put_oauth_flow(kHome, flow).ok());
  CHECK(txn->take_oauth_flow(kHome, kHash, 99).value() == flow);
  CHECK_FALSE(txn->take_oauth_flow(kHome, kHash, 99).value());
  REQUIRE(txn->put_oauth_flow(kHome, flow).ok());
  CHECK_FALSE(txn->take_oauth_flow(kHome, kHash, 100).value());
  REQUIRE(txn->put_oauth_flow(kHome, flow).ok());
  REQUIRE(txn->forget_old_oauth_flows(kHome, 100).ok());
  CHECK_FALSE(txn->take_oauth_flow(kHome, kHash, 1).value());
}

STORE_TEST("A calendar belongs to one link") {
  auto& txn = FIXTURE::txn_;
  LinkRow link = FIXTURE::link_row(20);
  REQUIRE(txn->create_link(kHome, link).ok());
  CHECK(txn->link(kHome, kLink).value() == link);
  link.link = id<LinkId>(21);
  CHECK(txn->create_link(kHome, link).error().code == ErrorCode::kConflict);
  link.calendar_hash = Bytes{99};
  REQUIRE(txn->create_link(kHome, link).ok());
  CHECK(txn->links(kHome).value().size() == 2);
  CHECK(txn->links_of_board(kHome, kBoard).value().size() == 2);
  CHECK(txn->links_of_board(kHome, id<DocumentId>(11)).value().empty());
}

STORE_TEST("A lease goes to one worker at a time, and each holder gets a higher epoch") {
  auto& txn = FIXTURE::txn_;
  REQUIRE(txn->create_link(kHome, FIXTURE::link_row(20)).ok());
  auto first = txn->acquire_lease(kHome, kLink, {id<ReplicaId>(50), 100}).value();
  CHECK(first.epoch == 1);
  auto at = [&](int64_t now_ms) {
    FIXTURE::clock.now = now_ms;
    FIXTURE::commit_and_begin();
  };
  at(150);
  auto refused = txn->acquire_lease(kHome, kLink, {id<ReplicaId>(51), 100});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kConflict);
  CHECK(refused.error().retry_after_ms == 50);
  REQUIRE(txn->renew_lease(first, 150).ok());
  at(250);
  CHECK_FALSE(txn->acquire_lease(kHome, kLink, {id<ReplicaId>(51), 150}).ok());
  at(300);
  auto second = txn->acquire_lease(kHome, kLink, {id<ReplicaId>(51), 100}).value();
  CHECK(second.epoch == 2);
  CHECK(txn->renew_lease(first, 200).error().code == ErrorCode::kConflict);
  REQUIRE(txn->release_lease(second).ok());
  CHECK(txn->renew_lease(second, 200).error().code == ErrorCode::kConflict);
  CHECK(txn->acquire_lease(kHome, kLink, {id<ReplicaId>(50), 99}).value().epoch == 4);
}

STORE_TEST("Ended leases are anybody's, and write no more, whatever time was left") {
  auto& txn = FIXTURE::txn_;
  LinkLease lease = FIXTURE::leased_link();
  REQUIRE(txn->end_leases(kElsewhere).ok());
  REQUIRE(txn->renew_lease(lease, 100).ok());
  REQUIRE(txn->end_leases(kHome).ok());
  CHECK(txn->renew_lease(lease, 100).error().code == ErrorCode::kConflict);
  CHECK(txn->acquire_lease(kHome, kLink, {id<ReplicaId>(51), 100}).value().epoch == lease.epoch + 2);
}

STORE_TEST("Every write for a link under a stale lease is refused and changes nothing") {
  auto& txn = FIXTURE::txn_;
  LinkLease stale = FIXTURE::leased_link();
  LinkLease fresh = txn->acquire_lease(kHome, kLink, {id<ReplicaId>(50), 100}).value();
  REQUIRE(txn->put_pair(fresh, {kCard, 1, std::nullopt, {}, {}, {}, false, 1}).ok());
  REQUIRE(txn->put_channel(fresh, {id<ChannelId>(70), {}, kHash, 1, 1}).ok());
  REQUIRE(txn->put_attempt(fresh, {kCard, 1, 1, kHash, 1}).ok());
  auto run = txn->start_run(fresh, 1).value();
  for (LinkLease lease : {stale, LinkLease{kHome, kLink, 0}, LinkLease{kHome, kLink, 99}}) {
    CHECK(txn->update_link(lease, FIXTURE::link_row(20)).error().code == ErrorCode::kConflict);
    CHECK(txn->delete_link(lease).error().code == ErrorCode::kConflict);
    CHECK(txn->release_lease(lease).error().code == ErrorCode::kConflict);
    CHECK(txn->put_cursor(lease, {Bytes{1}, false, 1}).error().code == ErrorCode::kConflict);
    CHECK(txn->put_pair(lease, {kCard, 2, std::nullopt, {}, {}, {}, true, 2}).error().code ==
          ErrorCode::kConflict);
    CHECK(txn->delete_pair(lease, kCard).error().code == ErrorCode::kConflict);
    CHECK(txn->put_attempt(lease, {kCard, 2, 1, kHash, 1}).error().code == ErrorCode::kConflict);
    CHECK(txn->delete_attempts(lease, kCard).error().code == ErrorCode::kConflict);
    CHECK(txn->put_channel(lease, {id<ChannelId>(71), {}, kHash, 1, 1}).error().code == ErrorCode::kConflict);
    CHECK(txn->delete_channel(lease, id<ChannelId>(70)).error().code == ErrorCode::kConflict);
    CHECK(txn->start_run(lease, 1).error().code == ErrorCode::kConflict);
    CHECK(txn->finish_run(lease, run, 2, Bytes{1}).error().code == ErrorCode::kConflict);
    CHECK(txn->keep_newest_runs(lease, 0).error().code == ErrorCode::kConflict);
    CHECK(txn->forget_runs(lease, {1, 0, 1}).error().code == ErrorCode::kConflict);
    CHECK(txn->append_entry(lease, {run, 0, kCard, 1, 1, false, 1, {}}).error().code == ErrorCode::kConflict);
    CHECK(txn->update_entry(lease, {run, 1, kCard, 1, 1, false, 1, {}}).error().code == ErrorCode::kConflict);
  }
  CHECK(txn->pair(kHome, kLink, kCard).value()->generation == 1);
  CHECK_FALSE(txn->cursor(kHome, kLink).value());
  CHECK(txn->attempts(kHome, kLink).value().size() == 1);
  CHECK(txn->channels(kHome, kLink).value().size() == 1);
  CHECK_FALSE(txn->runs(kHome, kLink, 9).value().at(0).finished_ms);
}

STORE_TEST("A pair is found by its card and by its event, and an event belongs to one card") {
  auto& txn = FIXTURE::txn_;
  LinkLease lease = FIXTURE::leased_link();
  PairRow pair{kCard, 3, Bytes{7}, Bytes{1}, Bytes{2}, Bytes{3}, false, 10};
  REQUIRE(txn->put_pair(lease, pair).ok());
  CHECK(txn->pair(kHome, kLink, kCard).value() == pair);
  CHECK(txn->pair_by_event(kHome, kLink, Bytes{7}).value() == pair);
  PairRow other = pair;
  other.card = id<CardId>(31);
  CHECK(txn->put_pair(lease, other).error().code == ErrorCode::kConflict);
  other.event_key.reset();
  REQUIRE(txn->put_pair(lease, other).ok());
  CHECK(txn->pairs(kHome, kLink, CardId{}, 9).value() == std::vector<PairRow>{pair, other});
  CHECK(txn->pairs(kHome, kLink, kCard, 9).value() == std::vector<PairRow>{other});
  CHECK(txn->pairs(kHome, kLink, CardId{}, 1).value() == std::vector<PairRow>{pair});
  REQUIRE(txn->delete_pair(lease, kCard).ok());
  CHECK_FALSE(txn->pair_by_event(kHome, kLink, Bytes{7}).value());
  CHECK(txn->delete_pair(lease, kCard).error().code == ErrorCode::kNotFound);
}

STORE_TEST("Dirty pairs come longest waiting first and marking again keeps the place") {
  auto& txn = FIXTURE::txn_;
  LinkLease lease = FIXTURE::leased_link();
  REQUIRE(txn->put_pair(lease, {kCard, 1, Bytes{7}, Bytes{1}, {}, {}, false, 1}).ok());
  REQUIRE(txn->mark_pair_dirty(kHome, kLink, id<CardId>(31), 10).ok());
  REQUIRE(txn->mark_pair_dirty(kHome, kLink, kCard, 20).ok());
  REQUIRE(txn->mark_pair_dirty(kHome, kLink, id<CardId>(31), 30).ok());
  CHECK(txn->dirty_pairs(kHome, kLink, 9).value() == std::vector<CardId>{id<CardId>(31), kCard});
  CHECK(txn->dirty_pairs(kHome, kLink, 1).value().size() == 1);
  CHECK(txn->count_dirty_pairs(kHome, kLink).value() == 2);
  CHECK(txn->count_pairs(kHome, kLink).value() == 2);
  auto marked = txn->pair(kHome, kLink, kCard).value().value();
  CHECK(marked.shadow == Bytes{1});
  CHECK(marked.event_key == Bytes{7});
  CHECK(txn->pair(kHome, kLink, id<CardId>(31)).value()->generation == 0);
  CHECK(txn->mark_pair_dirty(kHome, id<LinkId>(99), kCard, 1).error().code == ErrorCode::kConflict);
}

STORE_TEST("Attempts stay until their card's are removed") {
  auto& txn = FIXTURE::txn_;
  LinkLease lease = FIXTURE::leased_link();
  AttemptRow insert{kCard, 1, 1, kHash, 5};
  AttemptRow patch{kCard, 1, 2, kHash, 6};
  AttemptRow other{id<CardId>(31), 1, 1, kHash, 7};
  for (const auto& attempt : {insert, patch, other}) REQUIRE(txn->put_attempt(lease, attempt).ok());
  patch.started_ms = 8;
  REQUIRE(txn->put_attempt(lease, patch).ok());
  CHECK(txn->attempts(kHome, kLink).value() == std::vector<AttemptRow>{insert, patch, other});
  CHECK(txn->attempts_of_card(kHome, kLink, kCard).value() == std::vector<AttemptRow>{insert, patch});
  REQUIRE(txn->delete_attempts(lease, kCard).ok());
  REQUIRE(txn->delete_attempts(lease, kCard).ok());
  CHECK(txn->attempts(kHome, kLink).value() == std::vector<AttemptRow>{other});
}

STORE_TEST(
    "Entries are numbered within their run, one of a card's may be without an answer, and go with their "
    "run") {
  auto& txn = FIXTURE::txn_;
  LinkLease lease = FIXTURE::leased_link();
  CHECK(txn->append_entry(lease, {1, 0, kCard, 1, 1, false, 1, {}}).error().code == ErrorCode::kNotFound);
  REQUIRE(txn->start_run(lease, 10).value() == 1);
  EntryRow asked{1, 0, kCard, 2, 0, false, 11, Bytes{7}};
  CHECK(txn->append_entry(lease, asked).value() == 1);
  asked.entry = 1;
  CHECK(txn->unanswered_entry(kHome, kLink, kCard).value() == asked);
  CHECK(txn->append_entry(lease, asked).error().code == ErrorCode::kConflict);
  asked.outcome = 1;
  asked.content = Bytes{8};
  asked.deletes = true;
  REQUIRE(txn->update_entry(lease, asked).ok());
  CHECK_FALSE(txn->unanswered_entry(kHome, kLink, kCard).value());
  CHECK(txn->append_entry(lease, {1, 0, id<CardId>(31), 3, 1, false, 12, {}}).value() == 2);
  REQUIRE(txn->start_run(lease, 20).value() == 2);
  EntryRow later{2, 1, kCard, 3, 2, false, 21, {}};
  CHECK(txn->append_entry(lease, later).value() == 1);

  CHECK(txn->entries(kHome, kLink, 1, 0, 1).value() == std::vector<EntryRow>{asked});
  CHECK(txn->entries(kHome, kLink, 1, 1, 9).value().at(0).card == id<CardId>(31));
  CHECK(txn->entries_of_card(kHome, kLink, kCard, 9).value() == std::vector<EntryRow>{later, asked});
  CHECK(txn->deleting_entries_since(kHome, kLink, 11).value() == std::vector<EntryRow>{asked});
  CHECK(txn->deleting_entries_since(kHome, kLink, 12).value().empty());
  CHECK(txn->last_run(kHome, kLink).value() == 2);
  CHECK(txn->run(kHome, kLink, 2).value()->started_ms == 20);

  asked.entry = 9;
  CHECK(txn->update_entry(lease, asked).error().code == ErrorCode::kNotFound);
  REQUIRE(txn->keep_newest_runs(lease, 1).ok());
  CHECK(txn->entries(kHome, kLink, 1, 0, 9).value().empty());
  CHECK(txn->entries_of_card(kHome, kLink, kCard, 9).value() == std::vector<EntryRow>{later});
}

STORE_TEST("Old runs are forgotten by number, by age and by how much they did; the newest stays") {
  auto& txn = FIXTURE::txn_;
  LinkLease lease = FIXTURE::leased_link();
  for (int64_t run = 1; run <= 5; ++run) {
    REQUIRE(txn->start_run(lease, run * 10).ok());
    for (int i = 0; i < 2; ++i)
      REQUIRE(txn->append_entry(lease, {static_cast<uint64_t>(run), 0, kCard, 1, 1, false, run, {}}).ok());
  }
  auto left = [&] { return txn->runs(kHome, kLink, 9).value().size(); };
  REQUIRE(txn->forget_runs(lease, {9, 0, 99}).ok());
  CHECK(left() == 5);
  REQUIRE(txn->forget_runs(lease, {4, 0, 99}).ok());
  CHECK(left() == 4);
  REQUIRE(txn->forget_runs(lease, {9, 30, 99}).ok());
  CHECK(left() == 3);
  REQUIRE(txn->forget_runs(lease, {9, 0, 5}).ok());
  CHECK(left() == 2);
  REQUIRE(txn->forget_runs(lease, {0, 999, 0}).ok());
  CHECK(left() == 1);
  CHECK(txn->entries(kHome, kLink, 5, 0, 9).value().size() == 2);
}

STORE_TEST("A channel leads to its link, runs are numbered, and all go with the link") {
  auto& txn = FIXTURE::txn_;
  LinkLease lease = FIXTURE::leased_link();
  ChannelRow channel{id<ChannelId>(70), {}, kHash, 100, 1};
  REQUIRE(txn->put_channel(lease, channel).ok());
  channel.resource = Bytes{4};
  REQUIRE(txn->put_channel(lease, channel).ok());
  auto found = txn->channel(kHome, id<ChannelId>(70)).value().value();
  CHECK(found.first == kLink);
  CHECK(found.second == channel);
  REQUIRE(txn->put_cursor(lease, {Bytes{1}, true, 3}).ok());
  REQUIRE(txn->put_cursor(lease, {Bytes{2}, false, 4}).ok());
  CHECK(txn->cursor(kHome, kLink).value() == CursorRow{Bytes{2}, false, 4});
  REQUIRE(txn->put_pair(lease, {kCard, 1, Bytes{7}, {}, {}, {}, true, 1}).ok());
  REQUIRE(txn->put_attempt(lease, {kCard, 1, 1, kHash, 5}).ok());

  CHECK(txn->start_run(lease, 10).value() == 1);
  REQUIRE(txn->finish_run(lease, 1, 11, Bytes{9}).ok());
  CHECK(txn->start_run(lease, 12).value() == 2);
  CHECK(txn->finish_run(lease, 3, 13, Bytes{9}).error().code == ErrorCode::kNotFound);
  CHECK(txn->runs(kHome, kLink, 9).value() ==
        std::vector<RunRow>{{2, 12, std::nullopt, {}}, {1, 10, 11, Bytes{9}}});
  REQUIRE(txn->keep_newest_runs(lease, 1).ok());
  CHECK(txn->runs(kHome, kLink, 9).value().size() == 1);
  CHECK(txn->start_run(lease, 14).value() == 3);

  REQUIRE(txn->delete_link(lease).ok());
  CHECK_FALSE(txn->channel(kHome, id<ChannelId>(70)).value());
  CHECK_FALSE(txn->cursor(kHome, kLink).value());
  CHECK_FALSE(txn->pair(kHome, kLink, kCard).value());
  CHECK(txn->attempts(kHome, kLink).value().empty());
  CHECK(txn->runs(kHome, kLink, 9).value().empty());
}

}  // namespace
}  // namespace kalends
