// SPDX-License-Identifier: Apache-2.0
// Google's two classic colour tables, by id "1", "2", …
#pragma once

namespace kalends::emulator {

inline constexpr const char* kEventColors[] = {"#a4bdfc", "#7ae7bf", "#dbadff", "#ff887c",
                                               "#fbd75b", "#ffb878", "#46d6db", "#e1e1e1",
                                               "#5484ed", "#51b749", "#dc2127"};
inline constexpr const char* kCalendarColors[] = {
    "#ac725e", "#d06b64", "#f83a22", "#fa573c", "#ff7537", "#ffad46", "#42d692", "#16a765",
    "#7bd148", "#b3dc6c", "#fbe983", "#fad165", "#92e1c0", "#9fe1e7", "#9fc6e7", "#4986e7",
    "#9a9cff", "#b99aff", "#c2c2c2", "#cabdbf", "#cca6ac", "#f691b2", "#cd74e6", "#a47ae2"};
inline constexpr const char* kColorForeground = "#1d1d1d";
inline constexpr const char* kCalendarForeground = "#000000";

}  // namespace kalends::emulator
