// SPDX-License-Identifier: Apache-2.0
// The core as bytes in, bytes out: what core.wasm, the differential test and the simulator call. A request is
// a CBOR map with "call"; the answer is {"ok": value} or {"error": {code, message, retry_after_ms}}.
// docs/protocol.md lists the calls.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "core/base/bytes.h"
#include "core/replica/session.h"

namespace kalends {

class Facade {
 public:
  Bytes call(ByteView request);

 private:
  struct Open {
    explicit Open(Replica opened) : replica(std::move(opened)) {}
    Replica replica;
    MemberId author;
    std::unique_ptr<Session> session;
    bool is_read_only = false;
  };

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

  std::map<int64_t, Open> open_;
  int64_t next_handle_ = 1;
};

}  // namespace kalends
