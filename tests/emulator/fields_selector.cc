// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/fields_selector.h"

#include <map>
#include <memory>

namespace kalends::emulator {
namespace {

constexpr int kDepthMax = 20;

// A node without children selects everything below it.
struct Selection {
  std::map<std::string, Selection> children;
};

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  bool parse(Selection& into) { return parse_list(into, 0) && position_ == text_.size(); }

 private:
  bool parse_list(Selection& into, int depth) {
    if (depth > kDepthMax) return false;
    while (true) {
      if (!parse_path(into, depth)) return false;
      if (position_ >= text_.size() || text_[position_] != ',') return true;
      ++position_;
    }
  }

  bool parse_path(Selection& into, int depth) {
    if (depth > kDepthMax) return false;
    size_t start = position_;
    while (position_ < text_.size() &&
           std::string_view("/(),").find(text_[position_]) == std::string_view::npos) {
      ++position_;
    }
    if (position_ == start) return false;
    Selection& child = into.children[text_.substr(start, position_ - start)];
    if (position_ >= text_.size()) return true;
    if (text_[position_] == '/') {
      ++position_;
      return parse_path(child, depth + 1);
    }
    if (text_[position_] == '(') {
      ++position_;
      if (!parse_list(child, depth + 1)) return false;
      if (position_ >= text_.size() || text_[position_] != ')') return false;
      ++position_;
    }
    return true;
  }

  const std::string& text_;
  size_t position_ = 0;
};

Json pick(const Json& value, const Selection& selection) {
  if (selection.children.empty()) return value;
  if (value.is_array()) {
    Json result = Json::array();
    for (const Json& item : value) result.push_back(pick(item, selection));
    return result;
  }
  if (!value.is_object()) return value;
  Json result = Json::object();
  for (const auto& [key, child] : value.items()) {
    auto exact = selection.children.find(key);
    auto any = selection.children.find("*");
    if (exact != selection.children.end()) {
      result[key] = pick(child, exact->second);
    } else if (any != selection.children.end()) {
      result[key] = pick(child, any->second);
    }
  }
  return result;
}

}  // namespace

std::optional<Json> select_fields(const Json& whole, const std::string& selector) {
  Selection selection;
  if (!Parser(selector).parse(selection)) return std::nullopt;
  return pick(whole, selection);
}

}  // namespace kalends::emulator
