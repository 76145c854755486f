// SPDX-License-Identifier: Apache-2.0
// The few calls that a page makes thousands of times, without CBOR: edit, merge, read a card. Numbers are u32 in
// little-endian order, texts stand behind one another in UTF-8; ids are named by the numbers of the document's table.
// Everything else goes through the facade. docs/protocol.md describes the messages.
#pragma once

#include <vector>

#include "core/api/facade.h"
#include "core/base/buffer.h"
#include "core/replica/conflicts.h"

namespace kalends {

class FastCalls {
 public:
  explicit FastCalls(Facade& facade) : facade_(facade) {}

  // Room for messages: up to `numbers` u32, and behind those up to `text_bytes` bytes.
  uint8_t* room(uint32_t numbers, uint32_t text_bytes);
  // Each gives the size of the answer in u32, 0 for an error; `answer` is good until the next call.
  //   edit     in: now (low, high), flags (1: keep crossed dates), commands …
  //            out: bytes of operations, changes, created; for each change: entity, type, live, fields (two words);
  //                 for each command: replica, counter; then the operations
  //   merge    in: the chunk as text. out: as edit, with "news" and "held back" for created
  //   card     out: see write_card
  uint32_t edit(uint32_t handle, uint32_t numbers, uint32_t text_bytes);
  uint32_t merge(uint32_t handle, uint32_t text_bytes, uint32_t now_low, uint32_t now_high);
  uint32_t card(uint32_t handle, uint32_t entity);
  // Every live card, one after the other, in the order of lists and places: entity, size, card.
  uint32_t cards(uint32_t handle);
  // Number of an id (16 bytes in the room); 0: there is no such document.
  uint32_t ref(uint32_t handle);
  // The id of a number, or of a replica's number; nullptr: there is none. The answer of the last call stays.
  const uint8_t* id(uint32_t handle, uint32_t ref);
  const uint8_t* replica(uint32_t handle, uint32_t number);

  const uint8_t* answer() const { return reinterpret_cast<const uint8_t*>(out_.data()); }
  const Error& error() const { return error_; }

 private:
  uint32_t fail(Error error);
  uint32_t finish();
  void write_changes(const Document& document, const Changes& changes);
  void write_card(const Document& document, const Entity& card);
  void put(uint32_t number) { out_.push(number); }
  void put_op(const OpRef& op);
  void put_ms(int64_t ms);
  void write_conflicts(const Document& document, const std::vector<Conflict>& conflicts);
  void write_value(const Interner& names, const Value& value);
  void put_text(std::string_view text);
  void put_sequence(const Entity& entity);
  void write_children(const Document& document, const EntityRecord& card);

  Facade& facade_;
  std::vector<uint32_t> room_;
  uint32_t room_numbers_ = 0;
  Buffer<uint32_t> out_;
  Buffer<char> texts_;
  std::vector<uint32_t> places_;                // by IdRef: where write_changes put an entity
  std::vector<uint32_t> children_[4];           // of the card that is being written: slots, by kind
  Error error_;
  std::vector<Command> commands_;
  Changes changes_;
  MergeResult merged_;
};

}  // namespace kalends
