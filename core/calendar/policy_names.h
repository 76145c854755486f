// SPDX-License-Identifier: Apache-2.0
// What the settings of a link are called in messages, each list in the order of its enumerators.
#pragma once

#include <string_view>

namespace kalends {

inline constexpr std::string_view kWhichNames[] = {"all", "label", "assignee"};
inline constexpr std::string_view kDoneNames[] = {"flag", "list"};
inline constexpr std::string_view kDoneMarkNames[] = {"title", "colour", "both", "none"};
inline constexpr std::string_view kDetailsNames[] = {"full", "title", "busy"};
inline constexpr std::string_view kOnEventDeletedNames[] = {"unschedule", "archive", "put_back"};
inline constexpr std::string_view kFieldPolicyNames[] = {"prefer_card", "prefer_event", "later_wins"};

inline constexpr int kDurationMinutesMax = 7 * 24 * 60;

}  // namespace kalends
