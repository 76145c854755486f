// SPDX-License-Identifier: Apache-2.0
// The master key: 32 random bytes in a file of mode 0600, made on the first run. Beside it, `<path>.check`
// holds a value derived from it, so that a damaged or swapped key is noticed before anything is sealed with
// it.
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "worker/ports/entropy.h"

namespace kalends {

// kCorrupt: the key does not fit its check value, has the wrong size, or is gone while the check value is
// there. kForbidden: others may read the key. kUnavailable: the disk refused. Each text says what to do.
Result<Bytes> load_or_make_key(const std::string& path, Entropy& entropy);

}  // namespace kalends
