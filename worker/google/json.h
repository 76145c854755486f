// SPDX-License-Identifier: Apache-2.0
// Reading JSON that others made: bounded, without exceptions, and forgiving about what we do not know. A
// field that is missing, null or of another type than expected reads as absent.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace kalends {

using Json = nlohmann::json;

// Google's answers nest about eight deep; a page of 2,500 events stays below 16 MB.
inline constexpr size_t kJsonDepthMax = 32;
inline constexpr size_t kJsonSizeMax = 32 * 1024 * 1024;

// kCorrupt: not JSON, too deep, too large. An object or array at the top is not checked for.
Result<Json> parse_json(std::string_view text, size_t size_max = kJsonSizeMax);

// The member, or a shared null where `object` is no object or has no such member.
const Json& json_member(const Json& object, std::string_view name);
std::optional<std::string> json_text(const Json& object, std::string_view name);
std::string json_text_or_empty(const Json& object, std::string_view name);
// Integers come as numbers or, for 64-bit ones, as text.
std::optional<int64_t> json_integer(const Json& object, std::string_view name);
// true, or the text "true".
bool json_is_true(const Json& object, std::string_view name);
// Compact, with members in the order of their names, invalid UTF-8 replaced.
std::string json_dump(const Json& value);

}  // namespace kalends
