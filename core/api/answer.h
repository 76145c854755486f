// SPDX-License-Identifier: Apache-2.0
// The envelope of every answer: {"ok": value} or {"error": {code, message, retry_after_ms}}, as bytes.
#pragma once

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/wire/cbor.h"

namespace kalends {

Bytes answer_of(Result<Cbor> result);
Bytes error_answer(const Error& error);

// The beginning of a name that somebody sent, for messages: text whatever it was, and no character cut in half.
std::string_view shown_name(std::string_view name);

}  // namespace kalends
