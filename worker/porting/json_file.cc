// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/json_file.h"

#include <algorithm>
#include <cmath>

namespace kalends {
namespace {

const Json& shared_null() {
  static const Json null;
  return null;
}

std::string place_of(std::string_view text, size_t offset) {
  std::string_view before = text.substr(0, std::min(offset, text.size()));
  auto line = std::count(before.begin(), before.end(), '\n') + 1;
  size_t line_start = before.rfind('\n');
  size_t column = before.size() - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// Where the nesting goes too deep. Counted before the parser, which keeps a stack of its own, sees the text.
std::optional<size_t> too_deep_at(std::string_view text) {
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
      if (++depth > kJsonDepthMax) return i;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return std::nullopt;
}

// Builds nothing: it only learns where the text stops being JSON.
struct ErrorFinder : Json::json_sax_t {
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    offset = position == 0 ? 0 : position - 1;
    return false;
  }
  size_t offset = 0;
};

Error not_json(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return invalid("The file is empty.");
  ErrorFinder finder;
  Json::sax_parse(text.begin(), text.end(), &finder);
  bool is_cut = finder.offset >= text.size();
  return invalid("The file is not JSON at " + place_of(text, finder.offset) +
                 (is_cut ? ": it ends in the middle, as if it was cut off. Export it again."
                         : ": this cannot stand here. Export the file again, and do not edit it by hand."));
}

std::string escaped(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

}  // namespace

Result<Json> read_json_file(std::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max)
    return invalid("The file is larger than " + std::to_string(bytes_max / (1024 * 1024)) +
                   " MB: that is no board.");
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);  // some editors put a byte order mark there
  if (auto at = too_deep_at(text))
    return invalid("The file is nested too deep at " + place_of(text, *at) + ": more than " +
                   std::to_string(kJsonDepthMax) + " levels.");
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return not_json(text);
  if (!json.is_object()) return invalid("The file must hold one JSON object.");
  return json;
}

JsonNode JsonNode::member(std::string_view name) const {
  std::string place = at + "/" + escaped(name);
  if (!json->is_object()) return {&shared_null(), std::move(place)};
  auto found = json->find(std::string(name));
  return {found == json->end() ? &shared_null() : &*found, std::move(place)};
}

void JsonFileReader::refuse(const std::string& at, std::string_view reason) {
  if (!status_.ok()) return;
  status_ = invalid("The file cannot be used: at " + (at.empty() ? std::string("its top") : at) + ": " +
                    std::string(reason));
}

JsonNode JsonFileReader::typed(const JsonNode& object, std::string_view name, bool (*fits)(const Json&),
                               std::string_view what) {
  JsonNode found = object.member(name);
  if (!ok()) return {&shared_null(), {}};
  if (found.is_absent() || fits(*found.json)) return found;
  refuse(found.at, "this must be " + std::string(what) + ".");
  return {&shared_null(), {}};
}

std::optional<std::string> JsonFileReader::maybe_text(const JsonNode& object, std::string_view name) {
  JsonNode found = typed(
      object, name, [](const Json& json) { return json.is_string(); }, "a text");
  if (found.is_absent()) return std::nullopt;
  return found.json->get<std::string>();
}

std::string JsonFileReader::text(const JsonNode& object, std::string_view name) {
  auto found = maybe_text(object, name);
  if (!found) refuse(object.at + "/" + escaped(name), "this is missing.");
  return std::move(found).value_or("");
}

std::optional<double> JsonFileReader::maybe_number(const JsonNode& object, std::string_view name) {
  JsonNode found = typed(
      object, name, [](const Json& json) { return json.is_number(); }, "a number");
  if (found.is_absent()) return std::nullopt;
  return found.json->get<double>();
}

bool JsonFileReader::flag(const JsonNode& object, std::string_view name) {
  JsonNode found = typed(
      object, name, [](const Json& json) { return json.is_boolean(); }, "true or false");
  return !found.is_absent() && found.json->get<bool>();
}

std::vector<JsonNode> JsonFileReader::objects(const JsonNode& object, std::string_view name) {
  JsonNode found = typed(
      object, name, [](const Json& json) { return json.is_array(); }, "a list");
  std::vector<JsonNode> rows;
  if (found.is_absent()) return rows;
  rows.reserve(found.json->size());
  for (const Json& row : *found.json) {
    rows.push_back({&row, found.at + "/" + std::to_string(rows.size())});
    if (!row.is_object()) refuse(rows.back().at, "this must be an object.");
  }
  if (!ok()) rows.clear();
  return rows;
}

std::vector<std::string> JsonFileReader::texts(const JsonNode& object, std::string_view name) {
  JsonNode found = typed(
      object, name, [](const Json& json) { return json.is_array(); }, "a list");
  std::vector<std::string> rows;
  if (found.is_absent()) return rows;
  for (const Json& row : *found.json) {
    if (!row.is_string()) {
      refuse(found.at + "/" + std::to_string(rows.size()), "this must be a text.");
      return {};
    }
    rows.push_back(row.get<std::string>());
  }
  return rows;
}

}  // namespace kalends
