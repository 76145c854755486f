// SPDX-License-Identifier: Apache-2.0
#include "worker/google/json.h"

#include <charconv>

namespace kalends {
namespace {

// The parser itself recurses or holds a stack: depth is counted before it sees the text.
bool is_deeper_than(std::string_view text, size_t depth_max) {
  size_t depth = 0;
  bool is_in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (is_in_string) {
      if (c == '\\') ++i;
      if (c == '"') is_in_string = false;
    } else if (c == '"') {
      is_in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > depth_max) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text, size_t size_max) {
  if (text.size() > size_max)
    return corrupt("a JSON text is larger than " + std::to_string(size_max) + " bytes");
  if (is_deeper_than(text, kJsonDepthMax)) return corrupt("a JSON text is nested too deep");
  Json value = Json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) return corrupt("a text is not JSON");
  return value;
}

const Json& json_member(const Json& object, std::string_view name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  auto found = object.find(std::string(name));
  return found == object.end() ? kNull : *found;
}

std::optional<std::string> json_text(const Json& object, std::string_view name) {
  const Json& member = json_member(object, name);
  if (!member.is_string()) return std::nullopt;
  return member.get<std::string>();
}

std::string json_text_or_empty(const Json& object, std::string_view name) {
  return json_text(object, name).value_or("");
}

std::optional<int64_t> json_integer(const Json& object, std::string_view name) {
  const Json& member = json_member(object, name);
  if (member.is_number_unsigned()) {
    auto value = member.get<uint64_t>();
    if (value > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<int64_t>(value);
  }
  if (member.is_number_integer()) return member.get<int64_t>();
  if (!member.is_string()) return std::nullopt;
  const auto& text = member.get_ref<const std::string&>();
  int64_t value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool json_is_true(const Json& object, std::string_view name) {
  const Json& member = json_member(object, name);
  return member == Json(true) || member == Json("true");
}

std::string json_dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kalends
