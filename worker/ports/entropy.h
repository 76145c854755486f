// SPDX-License-Identifier: Apache-2.0
// Unpredictable bytes. A machine that cannot give any must not go on: implementations end the process then.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "core/base/id.h"

namespace kalends {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<uint8_t> out) = 0;

  Bytes bytes(size_t count) {
    Bytes out(count);
    fill(out);
    return out;
  }
  Id128 new_id() {
    Id128 id;
    fill(id.bytes);
    return id;
  }
};

// new_id<CardTag>-style ids: auto link = new_id<LinkId>(entropy).
template <typename TypedId>
TypedId new_id(Entropy& entropy) {
  return TypedId{entropy.new_id()};
}

}  // namespace kalends
