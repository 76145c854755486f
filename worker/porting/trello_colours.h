// SPDX-License-Identifier: Apache-2.0
// Trello's label colours in ours.
#pragma once

#include <string>
#include <string_view>

namespace kalends {

// The nearest of the eleven names that labels, cards and events share; light and dark variants count as their
// colour. A name that Trello may come up with later stays as it is; none stays none.
std::string colour_from_trello(std::string_view colour);

}  // namespace kalends
