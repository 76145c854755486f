// SPDX-License-Identifier: Apache-2.0
// An operation as an open document keeps it: ids as small numbers, everything of variable length in the document's
// memory. Op (op.h) is the form that callers see; chunk.h is the form that leaves the document.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/model/document.h"
#include "core/oplog/op.h"

namespace kalends {

struct RecordText {
  CharRef parent;
  Side side;
  uint32_t size;
  const char* text;
  std::string_view view() const { return {text, size}; }
};

// What is left of a text insertion: `text` holds what is visible, in text order.
struct RecordRun {
  RecordText text;
  uint32_t length;  // code points, removed ones included
  uint32_t removed_count;
  const RefRange* removed;
};

struct RecordBound {
  OpRef op;
  Hlc stamp;
};

struct Record {
  OpRef id;
  Hlc stamp;
  OpRef child;
  IdRef target = 0;
  IdRef author = 0;
  uint32_t back = 0;  // counter minus the counter of the transaction's first operation
  uint16_t kind = 0;  // an OpKind, or a number that a newer version knows
  Cause cause = Cause::kPerson;
  uint8_t detail = 0;       // kCreate: the EntityType; kVoid: the ErrorCode
  bool is_opaque = false;   // a kind, field or value of a newer version: `raw` is the body
  uint32_t replaced_count = 0;
  uint32_t count = 0;  // of what follows
  const OpRef* replaced = nullptr;  // in the order of ids
  union {
    const StoredField* fields = nullptr;  // kCreate, kSet, kOffer, kAdd, kRemove
    const RecordText* text;               // kTextInsert
    const RecordRun* run;                 // kRun
    const RefRange* ranges;               // kTextRemove
    const OpRef* ops;                     // kDelete: what it had seen; kRedact: one
    const RecordBound* bound;
    const Record* carried;  // kCarry
    const uint8_t* raw;
  };

  OpKind op_kind() const { return static_cast<OpKind>(kind); }
  bool is(OpKind other) const { return kind == static_cast<uint16_t>(other) && !is_opaque; }
  std::span<const OpRef> replaced_ops() const { return {replaced, replaced_count}; }
  std::span<const StoredField> field_values() const { return {fields, count}; }
};

// Errors: kInvalid when the body is malformed or a counter is beyond 32 bits.
Result<Record> record_of(Interner& names, const Op& op);
Op op_of(const Interner& names, const Record& record);

// The greatest counter that this version takes.
inline constexpr uint64_t kCounterMax = UINT32_MAX - 1;

}  // namespace kalends
