// SPDX-License-Identifier: Apache-2.0
// Three texts: what both came from and what each became. The merge when their changes do not overlap, else
// nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kalends {

std::optional<std::string> merge_text(std::string_view base, std::string_view ours, std::string_view theirs);

}  // namespace kalends
