// SPDX-License-Identifier: Apache-2.0
// Files built into the program by embed.cmake: the contract and the calendar page.
#pragma once

#include <optional>
#include <string_view>

namespace kalends::emulator {

// Content by bare file name; nullopt when nothing of that name was built in.
std::optional<std::string_view> embedded_file(std::string_view name);

}  // namespace kalends::emulator
