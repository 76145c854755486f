// SPDX-License-Identifier: Apache-2.0
// The two pages a person sees while connecting an account.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/emulator/message.h"

namespace kalends::emulator {

struct ConsentView {
  Query query;  // of the authorisation request; carried on in hidden fields
  std::string chosen_mail;
  std::vector<std::pair<std::string, std::string>> people;  // mail, name
  std::vector<std::string> scopes;                          // beyond signing in
  bool has_boxes = true;  // one scope alone, without signing in, has no box: continuing grants it
};

std::string render_consent_page(const ConsentView& view);
std::string render_error_page(const std::string& error, const std::string& description);
std::string escape_html(const std::string& text);

}  // namespace kalends::emulator
