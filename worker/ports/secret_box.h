// SPDX-License-Identifier: Apache-2.0
// Sealing of what must not be read from the disk, and keyed hashes for what must be found without being
// stored.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/id.h"
#include "core/base/result.h"

namespace kalends {

// Where a sealed value lives. It is bound to that place: a value copied to another row, column or workspace
// does not open there.
struct SecretPlace {
  WorkspaceId workspace;
  std::string_view table;
  ByteView row;  // the row's key without the workspace
  std::string_view column;
  uint32_t version = 1;  // of the layout of the plain bytes
};

class SecretBox {
 public:
  virtual ~SecretBox() = default;
  virtual Result<Bytes> seal(ByteView plain, const SecretPlace& place) = 0;
  // kCorrupt: not sealed by this key, for another place, or damaged; never says which.
  // kUnsupportedVersion: sealed by a newer Kalends.
  virtual Result<Bytes> open(ByteView sealed, const SecretPlace& place) const = 0;
  // 32 bytes that only the holder of the key can make; equal inputs give equal hashes within one purpose.
  virtual Bytes keyed_hash(std::string_view purpose, ByteView input) const = 0;
  // Names the key without telling it: 16 hexadecimal digits.
  virtual std::string key_id() const = 0;
};

}  // namespace kalends
