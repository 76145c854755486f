// SPDX-License-Identifier: Apache-2.0
// The core as bytes in, bytes out: what core.wasm, the differential test and the simulator call. A request is
// a CBOR map with "call"; the answer is {"ok": value} or {"error": {code, message, retry_after_ms}}.
// docs/protocol.md lists the calls.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "core/api/answer.h"
#include "core/base/bytes.h"
#include "core/replica/session.h"

namespace kalends {

class Facade {
 public:
  Bytes call(ByteView request);

  struct Open {
    explicit Open(Replica opened) : replica(std::move(opened)) {}
    Replica replica;
    MemberId author;
    std::unique_ptr<Session> session;
    bool is_read_only = false;
  };
  // Bytes for the next `open` that says "taken": they are given away, not copied.
  void take(std::unique_ptr<uint8_t[]> bytes, size_t size) {
    taken_ = std::move(bytes);
    taken_size_ = size;
  }
  // nullptr when there is none.
  Open* find(uint32_t handle) {
    auto it = open_.find(handle);
    return it == open_.end() ? nullptr : &it->second;
  }

 private:

  Result<Cbor> dispatch(const Cbor& request);
  Result<Cbor> ask(Open& open, const std::string& call, const Cbor& request);
  Result<Cbor> open(const Cbor& request);
  Result<Cbor> open_at(const Replica& replica, const Cbor& request);
  Cbor keep(Open opened);
  Result<Cbor> take_back(Open& open, const Cbor& request, bool is_undo);
  static Cbor view_edited(Open& open, const Edited& edited, const Changes& changes);
  Result<Cbor> edit(Open& open, const Cbor& request);
  Result<Cbor> merge(Open& open, const Cbor& request);
  Result<Cbor> retract(Open& open, const Cbor& request);
  Result<Cbor> session_start(Open& open, const Cbor& request);
  Result<Cbor> session_receive(Open& open, const Cbor& request);

  std::unique_ptr<uint8_t[]> taken_;
  size_t taken_size_ = 0;
  std::map<int64_t, Open> open_;
  int64_t next_handle_ = 1;
};

}  // namespace kalends
