// SPDX-License-Identifier: Apache-2.0
#include "core/replica/command.h"

namespace kalends {

Command::Command(const Command&) = default;
Command::Command(Command&&) noexcept = default;
Command& Command::operator=(const Command&) = default;
Command& Command::operator=(Command&&) noexcept = default;
Command::~Command() = default;

}  // namespace kalends
