// SPDX-License-Identifier: Apache-2.0
// What came over in an import, what did not, and why. For the person who asked for it: it holds counts and
// the names of kinds of things, and the board's title.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "worker/google/json.h"

namespace kalends {

struct FidelityReport {
  struct Count {
    std::string what;
    size_t count = 0;
    friend bool operator==(const Count&, const Count&) = default;
  };
  struct Loss {
    std::string what;
    size_t count = 0;
    std::string why;
    friend bool operator==(const Loss&, const Loss&) = default;
  };

  std::string board_title;
  std::vector<Count> carried;       // in the order of the report
  std::vector<Loss> changed;        // came over in another form
  std::vector<Loss> lost;           // did not come over
  std::vector<std::string> absent;  // what such a file never holds

  void carry(std::string_view what, size_t count = 1) { add(carried, what, count); }
  void change(std::string_view what, std::string_view why, size_t count = 1) {
    add(changed, what, count).why = why;
  }
  void lose(std::string_view what, std::string_view why, size_t count = 1) {
    add(lost, what, count).why = why;
  }

  size_t carried_count(std::string_view what) const { return count_of(carried, what); }
  size_t changed_count(std::string_view what) const { return count_of(changed, what); }
  size_t lost_count(std::string_view what) const { return count_of(lost, what); }

 private:
  template <typename Row>
  static Row& add(std::vector<Row>& rows, std::string_view what, size_t count) {
    for (Row& row : rows)
      if (row.what == what) {
        row.count += count;
        return row;
      }
    Row& row = rows.emplace_back();
    row.what = what;
    row.count = count;
    return row;
  }
  template <typename Row>
  static size_t count_of(const std::vector<Row>& rows, std::string_view what) {
    for (const Row& row : rows)
      if (row.what == what) return row.count;
    return 0;
  }
};

// A page for the terminal, lines of at most about 100 columns.
std::string report_text(const FidelityReport& report);
// {"board", "carried": {what: count}, "changed": [{what, count, why}], "lost": [...], "absent": [...]}
Json report_json(const FidelityReport& report);

}  // namespace kalends
