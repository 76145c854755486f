// SPDX-License-Identifier: Apache-2.0
// Generated histories of one document: two to five replicas whose clocks disagree by hours, every kind of
// command, deliveries in part. What is looked at is what the public interface shows, never how it is kept.
#pragma once

#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/api/view.h"
#include "core/base/prng.h"
#include "core/replica/replica.h"
#include "tests/core/reference_model.h"

namespace kalends::test {

// KALENDS_PROPERTY_SCALE multiplies the number of generated cases.
int property_scale();

// One thing that happens; the details come from `seed`, so that a history shrinks by leaving steps out.
struct Step {
  uint32_t who = 0;
  uint32_t what = 0;
  uint32_t seed = 0;
};
std::ostream& operator<<(std::ostream& out, const Step& step);
std::vector<Step> some_steps(Prng& random, size_t count);

// What a replica shows, for comparison.
struct Sight {
  Digest hash;
  Bytes snapshot;
  Cbor view;       // of the board or the workspace
  Cbor conflicts;  // of every entity, by id
};
Sight sight_of(const Replica& replica, const std::vector<Id128>& entities);
std::vector<Id128> entities_in(const std::vector<Op>& ops);

class History {
 public:
  History(uint64_t seed, size_t people, DocumentKind kind = DocumentKind::kBoard);

  void run(const std::vector<Step>& steps);
  void settle();  // everybody has everything
  std::vector<Op> all_ops() const;
  size_t size() const { return people_.size(); }
  Replica& replica(size_t i) { return people_[i].replica; }
  const ReplicaOptions& options(size_t i) const { return people_[i].replica.options(); }
  // A copy of the document that has nothing yet.
  Replica fresh(const std::string& name = "fresh") const;
  Replica opened(const std::string& name, ByteView snapshot, const std::vector<Op>& ops) const;

  // Stamps that did not rise although the replica knew of later ones within the limit; "" when none.
  const std::string& stamp_fault() const { return stamp_fault_; }
  size_t edits() const { return edits_; }
  size_t refused() const { return refused_; }
  // How often each kind of operation was made.
  const std::map<uint16_t, size_t>& kinds() const { return kinds_; }

 private:
  struct Somebody {
    Replica replica;
    MemberId member;
    int64_t skew_ms;
    uint64_t given = 0;  // own operations up to here are with somebody else
    Hlc known;           // greatest stamp made, or taken up within the limit
  };
  struct Child {
    Id128 card;
    OpId id;
    EntityType type;
  };

  void pull(size_t to, size_t from, bool is_whole, Prng& random);
  void edit(size_t who, uint32_t what, Prng& random);
  void note(size_t who, const EditResult& result, int64_t now_ms);
  std::vector<Command> some_commands(size_t who, uint32_t what, Prng& random);
  Id128 some(const std::vector<Id128>& ids, Prng& random) const;
  const Child* some_child(EntityType type, Prng& random) const;
  When some_when(Prng& random) const;
  FieldValue some_value(EntityType type, Prng& random) const;
  Placement some_placement(const std::vector<Id128>& among, Prng& random) const;

  DocumentId document_;
  DocumentKind kind_;
  int64_t now_ms_ = 1'700'000'000'000;
  std::deque<Somebody> people_;
  std::vector<Id128> lists_, cards_, custom_fields_, others_;
  std::vector<Child> children_;
  std::vector<Op> foreign_;  // of a card on another board
  Id128 foreign_card_;
  std::string stamp_fault_;
  size_t edits_ = 0, refused_ = 0;
  std::map<uint16_t, size_t> kinds_;
};

// Mixes the operations, keeping each replica's own in sequence.
std::vector<Op> mixed(const std::vector<Op>& ops, Prng& random);

// Oracles: each returns what is wrong, or "". Each has a canary in canary_test.cc.
std::string unequal(const Sight& a, const Sight& b);
std::string against_model(const Replica& replica, DocumentKind kind, const std::vector<Op>& ops);
std::string against_model(const Cbor& view, const Cbor& conflicts, DocumentId document, DocumentKind kind,
                          const std::vector<Op>& ops);
// Every value that no operation replaced is shown or open: by the operations and the views alone.
std::string lost_loser(const std::vector<Op>& ops, const Cbor& board, const Cbor& conflicts);
// Names like A1 … An, B1 … Bn: each letter's in one piece, numbers in sequence (or backwards).
std::string interleaved(const std::vector<std::string>& order);
std::string stamps_not_rising(const std::vector<Op>& own);
// An edit's stamp is after all that its replica knew within the limit, and not before the clock on the wall.
std::string stamp_too_early(const Op& op, Hlc known, int64_t now_ms);
// Operations come back whole from a chunk, in the same bytes; changed bytes are refused or mean what they
// say.
using Encode = std::function<Bytes(const std::vector<Op>&)>;
using Decode = std::function<Result<std::vector<Op>>(ByteView)>;
std::string chunk_fault(const std::vector<Op>& ops, const Encode& encode, const Decode& decode);
std::string canonical_fault(const Bytes& bytes, const Encode& encode, const Decode& decode);
// A message that a person can follow: what to do, in a sentence.
std::string vague(const Error& error);

}  // namespace kalends::test
