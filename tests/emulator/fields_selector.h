// SPDX-License-Identifier: Apache-2.0
// Partial responses: fields=items(id,etag),nextPageToken with a/b, a(b,c) and *.
#pragma once

#include <optional>
#include <string>

#include "tests/emulator/message.h"

namespace kalends::emulator {

// The selected part of `whole`; nullopt when the selector cannot be parsed. Unknown names select nothing.
std::optional<Json> select_fields(const Json& whole, const std::string& selector);

}  // namespace kalends::emulator
