// SPDX-License-Identifier: Apache-2.0
// The slow, obvious judge of a run. It shares nothing with the engine: it reads what Google's stand-in holds,
// which operations were stored and what boards show, keeps what people did in the calendar, and says what is
// wrong. Codes are those of the invariants in docs/simulator.md.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/calendar/link_policy.h"
#include "core/model/document.h"
#include "core/oplog/op.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/sim_google.h"
#include "tests/sim/sim_store.h"

namespace kalends::sim {

struct Violation {
  std::string code;
  std::string what;
};

class Oracle final : public StoreWitness, public GoogleWitness {
 public:
  Oracle(Scheduler& scheduler, const LinkPolicy& policy, bool has_inbox)
      : scheduler_(scheduler), policy_(policy), has_inbox_(has_inbox) {}

  // A board and its calendar are in step from here on.
  void link(DocumentId board, std::string calendar) { boards_[calendar] = board; }
  std::function<void()> on_commit = [] {};  // of operations

  // What a person did in the page. `event` is the whole event afterwards.
  void person_made(const std::string& calendar, const Json& event, bool is_left_alone);
  void person_changed(const std::string& calendar, const std::string& event, const std::string& field,
                      const Json& value);
  void person_deleted(const std::string& calendar, const std::string& event, const Json& before);

  // A person has given the permission (again).
  void granted() { dead_grant_ms_.clear(); }

  // Of what was acknowledged to a browser.
  void acknowledged(DocumentId board, ReplicaId replica, uint64_t counter);

  // At rest: boards and calendars agree, nothing is twice, nothing is lost, nothing came back.
  void check_board(const Document& board, const emulator::Calendar& calendar);
  void check_acknowledged();
  // No stamp from the future orders anything.
  void check_stamps(const Document& board);
  size_t operations() const { return operations_; }

  void on_ops(const std::vector<CommittedOp>& ops) override;
  void on_lease(const LinkLease& lease) override;
  void on_fenced_write(const LinkLease& lease) override;
  void on_api_write(const ApiWrite& write) override;
  void on_api_call(Owner worker, const emulator::Request& request, int status) override;
  void on_violation(const std::string& what) override { fail("contract", what); }

  void fail(const std::string& code, const std::string& what);
  const std::optional<Violation>& violation() const { return violation_; }

 private:
  using EventKey = std::pair<std::string, std::string>;
  struct Deleted {
    std::optional<Id128> card;  // of an event that was ours
    int64_t written_ms = 0;     // when we last wrote to it
    int64_t at_ms = 0;
  };
  struct BoardLog {
    std::vector<Bytes> ops;
    std::set<std::string> dates;               // every date that was ever written, as text
    std::map<Id128, int64_t> person_edits_ms;  // when a person's last edit of a card was stored
    std::set<Id128> deleted, restored;
    std::vector<OpId> from_the_future;
    std::map<ReplicaId, uint64_t> stored;
  };

  void take_op(BoardLog& log, const Op& op);
  bool knows_text(const BoardLog& log, const std::string& text) const;
  bool knows_dates(const BoardLog& log, const Json& event) const;
  void check_overwritten(const ApiWrite& write, const std::string& field);

  Scheduler& scheduler_;
  LinkPolicy policy_;
  bool has_inbox_;
  std::map<std::string, DocumentId> boards_;  // by calendar
  std::map<DocumentId, BoardLog> logs_;
  std::map<std::pair<DocumentId, ReplicaId>, uint64_t> acknowledged_;
  std::map<EventKey, std::map<std::string, Json>>
      persons_;  // what a person put there and nobody has changed since
  std::map<EventKey, Deleted> deleted_;
  std::map<EventKey, int64_t> written_ms_;
  std::set<EventKey> left_alone_, made_by_people_;
  std::map<LinkId, uint64_t> epochs_;
  std::map<Owner, int64_t> dead_grant_ms_;
  size_t operations_ = 0;
  std::optional<Violation> violation_;
};

}  // namespace kalends::sim
