// SPDX-License-Identifier: Apache-2.0
// Dates in messages: {"date"} or {"at","zone","fold"}.
#pragma once

#include <optional>

#include "core/time/wall_time.h"
#include "core/wire/cbor.h"

namespace kalends {

// For errors: what `parse_when` takes.
inline constexpr const char* kWhenForm =
    "{\"date\":\"2026-11-24\"} or {\"at\":\"2026-11-24T10:00:00\",\"zone\":\"Europe/Berlin\"}";

Cbor view_when(const When& when);
std::optional<When> parse_when(const Cbor& cbor);

}  // namespace kalends
