// SPDX-License-Identifier: Apache-2.0
// A board's cards as a table (RFC 4180, UTF-8, CRLF, a header row): for a spreadsheet, not for coming back.
#pragma once

#include <string>
#include <string_view>

#include "worker/porting/board_rows.h"

namespace kalends {

struct CsvOptions {
  Names labels;
  Names members;  // those without a name are shown by their id
};

// One row per card that is not deleted, archived ones too, in the order of the board. Lists in a cell are
// separated by
// "; ". The last columns are the board's custom fields.
std::string export_csv(const Replica& board, const CsvOptions& options);

// One cell, quoted where needed. A text that a spreadsheet would take for a formula gets an apostrophe in
// front, so that a title such as =HYPERLINK(…) stays a title.
std::string csv_cell(std::string_view text);

}  // namespace kalends
