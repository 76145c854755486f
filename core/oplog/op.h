// SPDX-License-Identifier: Apache-2.0
// An operation: one immutable, idempotent fact about one entity of one document. The envelope says who, when,
// why and which operations it replaces, so that concurrency is known and never guessed; the body says what.
// Bytes of an operation never change; bodies of unknown kinds are kept as they are.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/model/document.h"
#include "core/model/op_id.h"
#include "core/model/schema.h"
#include "core/model/text_ops.h"
#include "core/model/value.h"
#include "core/time/hlc.h"

namespace kalends {

// Do not renumber: the numbers are in stored operations.
enum class OpKind : uint16_t {
  kCreate = 1,
  kSet = 2,
  kAdd = 3,
  kRemove = 4,
  kDelete = 5,
  kRestore = 6,
  kTextInsert = 7,
  kTextRemove = 8,
  kOffer = 9,    // a value that is kept as an open loser
  kBound = 10,   // the hub caps the stamp of an operation for ordering
  kRedact = 11,  // content of an operation is erased; its identity stays
  kVoid = 12,    // stands where a refused operation was
  kCarry = 13,   // operations of a card that came from another board
  kRun = 0,       // in snapshots only: what is left of a text insertion
};

// Why an operation was made. Do not renumber.
enum class Cause : uint8_t { kPerson = 1, kApi = 2, kImport = 3, kBridge = 4, kHub = 5, kUndo = 6 };
inline constexpr uint32_t kCauseMax = 6;

struct Op {
  OpId id;
  Hlc stamp;
  MemberId author;
  uint64_t transaction = 0;  // counter of the transaction's first operation
  Cause cause = Cause::kPerson;
  Id128 target;                // the entity; the document's id for its root
  OpId child;                  // the thing inside the entity; nil for the entity itself
  std::vector<OpId> replaced;  // sorted
  uint16_t kind = 0;           // an OpKind, or a number that a newer version knows
  Bytes body;
  friend bool operator==(const Op&, const Op&) = default;
};

// Bodies.
struct FieldValue {
  Field field;
  Id128 key;
  Value value;
  friend bool operator==(const FieldValue&, const FieldValue&) = default;
};
struct CreateBody {
  EntityType type;
  std::vector<FieldValue> fields;
};  // a child's id is the op's own
struct SetBody {
  FieldValue field;
};
struct OfferBody {
  FieldValue field;
};  // field kDescription or kText of an item: a whole text
struct AddBody {
  Field field;
  Id128 element;
};
struct RemoveBody {
  Field field;
  Id128 element;
};  // `replaced`: the adds it had seen
struct DeleteBody {
  Version seen;
};
struct RestoreBody {};  // `replaced`: the deletions it undoes
struct TextInsertBody {
  TextInsert insert;
};
struct TextRemoveBody {
  std::vector<CharRange> ranges;
};
struct BoundBody {
  OpId op;
  Hlc stamp;
};
struct RedactBody {
  OpId op;
};
struct VoidBody {
  ErrorCode reason;
};
struct CarryBody {
  std::vector<Op> ops;
};
struct UnknownBody {};  // a kind, a field or a value that this version does not know

// Copied, moved and destroyed out of line, as Value is.
struct OpBody : std::variant<CreateBody, SetBody, AddBody, RemoveBody, DeleteBody, RestoreBody, TextInsertBody,
                             TextRemoveBody, OfferBody, BoundBody, RedactBody, VoidBody, CarryBody, UnknownBody> {
  using variant::variant;
  OpBody(const OpBody&);
  OpBody(OpBody&&) noexcept;
  OpBody& operator=(const OpBody&);
  OpBody& operator=(OpBody&&) noexcept;
  ~OpBody();
};

Bytes encode_body(const OpBody& body);
OpKind kind_of(const OpBody& body);  // Requires: not UnknownBody.
// UnknownBody for kinds of newer versions; an error for a known kind whose body is malformed.
Result<OpBody> decode_body(uint16_t kind, ByteView body);

// One operation by itself: what `opaque` holds and what content hashes cover.
void write_op(Writer& out, const Op& op);
Op read_op(Reader& in);  // fails the reader on malformed envelopes

// A chunk: operations as they are stored and sent. Ids of 128 bits are written once, in a table.
Bytes encode_chunk(const std::vector<Op>& ops);
Result<std::vector<Op>> decode_chunk(ByteView bytes);

Bytes encode_version(const Version& version);
Result<Version> decode_version(ByteView bytes);

// Bounds that no honest replica reaches.
inline constexpr size_t kReplacedMax = 4096;
inline constexpr size_t kCreateFieldsMax = 4096;  // of one creation
inline constexpr size_t kOpBytesMax = 1 << 20;
inline constexpr size_t kChunkOpsMax = 1 << 20;
// Code points of one text: what many people add at once still merges.
inline constexpr uint32_t kTextLengthBound = 16 * kTextLengthMax;

}  // namespace kalends
