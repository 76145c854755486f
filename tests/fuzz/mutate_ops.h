// SPDX-License-Identifier: Apache-2.0
// Mutations of operations rather than of bytes: almost every changed byte of a chunk is refused, for one list of
// operations has one chunk.
#pragma once

#include <algorithm>
#include <map>
#include <set>

#include "core/base/prng.h"
#include "core/oplog/chunk.h"
#include "core/oplog/op.h"
#include "core/oplog/record.h"
#include "core/replica/replica.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace kalends::fuzz {

// What encode_chunk can take.
inline void keep_encodable(std::vector<Op>& ops) {
  Interner names;
  std::erase_if(ops, [&](const Op& op) {
    return op.id.counter == 0 || op.transaction == 0 || op.transaction > op.id.counter ||
           op.stamp.raw >> 16 > static_cast<uint64_t>(kHlcMsMax) || !record_of(names, op).ok();
  });
}

// One id, one content: an id that stands for two things is nobody's honest work, and which of them counts depends on
// what comes first.
inline bool is_consistent(const std::vector<const std::vector<Op>*>& lists) {
  std::map<OpId, Op> seen;
  auto note = [&](const Op& op) { return seen.emplace(op.id, op).first->second == op; };
  for (const auto* list : lists)
    for (const Op& op : *list) {
      if (!note(op)) return false;
      auto body = decode_body(op.kind, op.body);
      if (const auto* carry = body.ok() ? std::get_if<CarryBody>(&*body) : nullptr)
        if (!std::all_of(carry->ops.begin(), carry->ops.end(), note)) return false;
    }
  return true;
}

class Mutation {
 public:
  Mutation(std::vector<Op>& ops, Prng& random) : ops_(ops), random_(random) {}

  void run() {
    for (uint64_t i = 1 + random_.below(4); i > 0 && !ops_.empty(); --i) one();
    keep_encodable(ops_);
  }

 private:
  Op& some() { return ops_[random_.below(ops_.size())]; }
  uint64_t next_counter(const ReplicaId& replica) const {
    uint64_t last = 0;
    for (const Op& op : ops_)
      if (op.id.replica == replica) last = std::max(last, op.id.counter);
    return last + 1;
  }
  Id128 some_id() {
    Id128 id;
    id.bytes[15] = static_cast<uint8_t>(1 + random_.below(4));
    return random_.chance(1, 4) ? id : some().target;
  }
  OpId some_op() {
    OpId id = some().id;
    if (random_.chance(1, 6)) id.counter += random_.below(5);
    return id;
  }

  void one() {
    Op& op = some();
    switch (random_.below(14)) {
      case 0:
        ops_.erase(ops_.begin() + (&op - ops_.data()));
        return;
      case 1: {  // once more, later
        Op again = op;
        again.id.counter = again.transaction = next_counter(op.id.replica);
        ops_.push_back(std::move(again));
        return;
      }
      case 2: {  // by somebody else, at the same time
        Op again = op;
        again.id.replica.raw = some_id();
        again.id.counter = again.transaction = next_counter(again.id.replica);
        if (random_.chance(1, 2)) again.replaced = some().replaced;
        ops_.push_back(std::move(again));
        return;
      }
      case 3:
        std::swap(op, some());
        return;
      case 4:
        op.stamp = random_.chance(1, 2) ? some().stamp : Hlc{op.stamp.raw + random_.below(1 << 20) - (1 << 19)};
        return;
      case 5:
        op.target = some_id();
        return;
      case 6:
        op.child = random_.chance(1, 3) ? OpId{} : random_.chance(1, 2) ? some().child : some_op();
        return;
      case 7: {
        std::set<OpId> replaced(op.replaced.begin(), op.replaced.end());
        if (!replaced.empty() && random_.chance(1, 2))
          replaced.erase(replaced.begin());
        else
          replaced.insert(some_op());
        op.replaced.assign(replaced.begin(), replaced.end());
        return;
      }
      case 8:
        op.author.raw = some_id();
        op.cause = static_cast<Cause>(1 + random_.below(kCauseMax));
        op.transaction = 1 + random_.below(op.id.counter);
        return;
      case 9: {
        const Op& other = some();
        op.kind = other.kind;
        op.body = other.body;
        return;
      }
      case 10:
        if (op.kind != static_cast<uint16_t>(OpKind::kCarry)) op = void_of(op, ErrorCode::kForbidden);
        return;
      case 11: {
        CarryBody body;
        for (uint64_t i = 1 + random_.below(3); i > 0; --i)
          if (const Op& other = some(); other.kind != static_cast<uint16_t>(OpKind::kCarry)) body.ops.push_back(other);
        op.kind = static_cast<uint16_t>(OpKind::kCarry);
        op.body = encode_body(body);
        return;
      }
      default:
        return change_body(op);
    }
  }

  FieldValue some_field() {
    const Op& other = some();
    auto body = decode_body(other.kind, other.body);
    if (body.ok()) {
      if (const auto* set = std::get_if<SetBody>(&*body)) return set->field;
      if (const auto* offer = std::get_if<OfferBody>(&*body)) return offer->field;
      if (const auto* create = std::get_if<CreateBody>(&*body); create && !create->fields.empty())
        return create->fields[random_.below(create->fields.size())];
    }
    return {static_cast<Field>(1 + random_.below(25)), {}, {}};
  }

  void change_body(Op& op) {
    auto decoded = decode_body(op.kind, op.body);
    if (!decoded.ok() || std::holds_alternative<UnknownBody>(*decoded) || random_.chance(1, 8)) {
      Bytes body = op.body;
      size_t size = body.size();
      body.resize(size + 16);
      body.resize(LLVMFuzzerMutate(body.data(), size, body.size()));
      if (random_.chance(1, 4)) op.kind = static_cast<uint16_t>(1 + random_.below(15));
      op.body = std::move(body);
      return;
    }
    if (random_.chance(1, 6)) {
      OpBody other = random_.chance(1, 2) ? OpBody(RedactBody{some_op()}) : OpBody(BoundBody{some_op(), some().stamp});
      op.kind = static_cast<uint16_t>(kind_of(other));
      op.body = encode_body(other);
      return;
    }
    OpBody body = *decoded;
    if (auto* create = std::get_if<CreateBody>(&body)) {
      if (random_.chance(1, 2)) create->fields.push_back(some_field());
      if (random_.chance(1, 4)) create->type = static_cast<EntityType>(1 + random_.below(14));
      if (!create->fields.empty() && random_.chance(1, 4)) create->fields.erase(create->fields.begin());
    } else if (auto* set = std::get_if<SetBody>(&body)) {
      set->field = some_field();
      if (random_.chance(1, 4)) set->field.key = some_id();
      if (random_.chance(1, 4)) body = OfferBody{set->field};
    } else if (auto* offer = std::get_if<OfferBody>(&body)) {
      offer->field = some_field();
    } else if (auto* add = std::get_if<AddBody>(&body)) {
      add->element = some_id();
      if (random_.chance(1, 3)) add->field = random_.chance(1, 2) ? Field::kLabels : Field::kAssignees;
    } else if (auto* remove = std::get_if<RemoveBody>(&body)) {
      remove->element = some_id();
    } else if (auto* erase = std::get_if<DeleteBody>(&body)) {
      OpId seen = some_op();
      erase->seen.raise(seen.replica, seen.counter);
    } else if (auto* insert = std::get_if<TextInsertBody>(&body)) {
      insert->insert.parent = {some_op(), static_cast<uint32_t>(random_.below(4))};
      insert->insert.side = random_.chance(1, 2) ? Side::kBefore : Side::kAfter;
      if (random_.chance(1, 6)) insert->insert.parent = {}, insert->insert.side = Side::kAfter;
    } else if (auto* ranges = std::get_if<TextRemoveBody>(&body)) {
      CharRange range{some_op(), static_cast<uint32_t>(random_.below(5)), static_cast<uint32_t>(1 + random_.below(5))};
      if (random_.chance(1, 2)) ranges->ranges.push_back(range);
      else ranges->ranges[0] = range;
    } else if (auto* bound = std::get_if<BoundBody>(&body)) {
      bound->op = some_op();
      bound->stamp = some().stamp;
    } else if (auto* redact = std::get_if<RedactBody>(&body)) {
      redact->op = some_op();
    }
    op.kind = static_cast<uint16_t>(kind_of(body));
    op.body = encode_body(body);
  }

  std::vector<Op>& ops_;
  Prng& random_;
};

// Mutates the operations of a chunk, or its bytes where it is none.
inline size_t mutate_chunk(uint8_t* data, size_t size, size_t max_size, Prng& random) {
  auto ops = decode_chunk({data, size});
  if (!ops.ok() || ops->empty() || random.chance(1, 4)) return LLVMFuzzerMutate(data, size, max_size);
  Mutation(*ops, random).run();
  Bytes bytes = encode_chunk(*ops);
  if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

}  // namespace kalends::fuzz
