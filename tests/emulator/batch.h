// SPDX-License-Identifier: Apache-2.0
// multipart/mixed batches: many calls in one request, run in any order, answered in theirs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/message.h"
#include "tests/emulator/prng.h"

namespace kalends::emulator {

inline constexpr size_t kBatchCallsMax = 1000;

// Runs every part through `handle`. Headers of the outer request hold for the parts unless they bring their
// own.
Response run_batch(const Request& outer, Prng& prng, const std::function<Response(const Request&)>& handle);

}  // namespace kalends::emulator
