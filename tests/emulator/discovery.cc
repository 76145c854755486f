// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/discovery.h"

#include <algorithm>
#include <charconv>

#include "tests/emulator/embedded.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (start <= path.size()) {
    size_t end = std::min(path.find('/', start), path.size());
    parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

bool is_placeholder(const std::string& part) { return part.size() > 2 && part.front() == '{'; }

std::optional<int64_t> parse_integer(const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Empty: fine; else what is wrong with the text for this parameter.
std::string check_parameter_text(const Json& parameter, const std::string& text) {
  std::string type = parameter.value("type", "string");
  if (type == "boolean" && text != "true" && text != "false") return "is not true or false";
  if (type == "integer") {
    auto number = parse_integer(text);
    if (!number) return "is not a whole number";
    if (parameter.contains("minimum") && *number < std::stoll(parameter["minimum"].get<std::string>())) {
      return "is below the minimum";
    }
    if (parameter.contains("maximum") && *number > std::stoll(parameter["maximum"].get<std::string>())) {
      return "is above the maximum";
    }
  }
  if (parameter.value("format", "") == "date-time") {
    auto time = parse_date_time(text);
    if (!time || !time->offset_ms) return "is not an RFC 3339 time with an offset";
  }
  if (parameter.contains("enum")) {
    const Json& allowed = parameter["enum"];
    if (std::find(allowed.begin(), allowed.end(), text) == allowed.end())
      return "is not one of the allowed values";
  }
  return "";
}

}  // namespace

Discovery::Discovery(const std::string& text) : document_(Json::parse(text)) {
  for (const auto& [name, entry] : document_["methods"].items()) {
    MethodSpec method;
    method.name = name;
    method.http_method = entry["httpMethod"];
    method.path_parts = split_path(entry["path"]);
    method.parameters = entry["parameters"];
    method.request_schema = entry.value("request", "");
    for (const Json& scope : entry["scopes"]) method.scopes.insert(scope.get<std::string>());
    methods_.push_back(std::move(method));
  }
}

const Discovery& Discovery::built_in() {
  static const Discovery discovery{std::string(embedded_file("calendar-v3.json").value_or(""))};
  return discovery;
}

std::optional<Route> Discovery::route(const std::string& http_method, const std::string& path) const {
  std::vector<std::string> parts = split_path(path);
  std::optional<Route> best;
  size_t best_literals = 0;
  for (const MethodSpec& method : methods_) {
    if (method.http_method != http_method || method.path_parts.size() != parts.size()) continue;
    Route route{&method, {}};
    size_t literals = 0;
    bool fits = true;
    for (size_t i = 0; i < parts.size() && fits; ++i) {
      const std::string& pattern = method.path_parts[i];
      if (is_placeholder(pattern)) {
        route.path_values[pattern.substr(1, pattern.size() - 2)] = percent_decode(parts[i], false);
        fits = !parts[i].empty();
      } else {
        fits = pattern == parts[i];
        ++literals;
      }
    }
    // "events/import" is also "events/{eventId}": the more literal one is meant.
    if (fits && (!best || literals > best_literals)) {
      best = std::move(route);
      best_literals = literals;
    }
  }
  return best;
}

std::vector<std::string> Discovery::check_query(const MethodSpec& method, const Query& query) const {
  std::vector<std::string> breaches;
  std::set<std::string> seen;
  for (const auto& [name, text] : query) {
    const Json* parameter = nullptr;
    if (method.parameters.contains(name) && method.parameters[name].value("location", "") == "query") {
      parameter = &method.parameters[name];
    } else if (document_["parameters"].contains(name)) {
      parameter = &document_["parameters"][name];
    } else if (name == "access_token") {
      continue;
    }
    if (parameter == nullptr) {
      breaches.push_back("query parameter '" + name + "' is unknown to " + method.name);
      continue;
    }
    if (!seen.insert(name).second && !parameter->value("repeated", false)) {
      breaches.push_back("query parameter '" + name + "' is repeated");
    }
    if (std::string wrong = check_parameter_text(*parameter, text); !wrong.empty()) {
      breaches.push_back("query parameter '" + name + "' " + wrong);
    }
    if (name == "quotaUser" && text.size() > 40)
      breaches.push_back("query parameter 'quotaUser' is too long");
  }
  for (const auto& [name, parameter] : method.parameters.items()) {
    bool is_needed = parameter.value("location", "") == "query" && parameter.value("required", false);
    if (is_needed && !seen.count(name)) breaches.push_back("query parameter '" + name + "' is missing");
  }
  return breaches;
}

std::vector<std::string> Discovery::check_body(const MethodSpec& method, const Json& body) const {
  std::vector<std::string> breaches;
  if (method.request_schema.empty()) {
    if (!body.is_null() && !(body.is_object() && body.empty()))
      breaches.push_back(method.name + " takes no body");
    return breaches;
  }
  if (!body.is_object()) {
    breaches.push_back("the body is not a JSON object");
    return breaches;
  }
  check_value({{"$ref", method.request_schema}}, body, "", breaches);
  return breaches;
}

void Discovery::check_value(const Json& schema, const Json& value, const std::string& place,
                            std::vector<std::string>& breaches) const {
  if (value.is_null()) return;
  if (schema.contains("$ref")) {
    check_value(document_["schemas"][schema["$ref"].get<std::string>()], value, place, breaches);
    return;
  }
  std::string type = schema.value("type", "any");
  std::string name = place.empty() ? "body" : place;
  if (type == "object") {
    if (!value.is_object()) {
      breaches.push_back(name + " is not an object");
      return;
    }
    for (const auto& [key, child] : value.items()) {
      std::string child_place = place.empty() ? key : place + "." + key;
      if (schema.contains("properties") && schema["properties"].contains(key)) {
        check_value(schema["properties"][key], child, child_place, breaches);
      } else if (schema.contains("additionalProperties")) {
        check_value(schema["additionalProperties"], child, child_place, breaches);
      } else {
        breaches.push_back("body property '" + child_place + "' is unknown");
      }
    }
  } else if (type == "array") {
    if (!value.is_array()) {
      breaches.push_back(name + " is not an array");
      return;
    }
    for (const Json& item : value) check_value(schema["items"], item, name + "[]", breaches);
  } else if (type == "string") {
    bool is_wide_number = schema.value("format", "") == "int64" && value.is_number_integer();
    if (!value.is_string() && !is_wide_number) breaches.push_back(name + " is not a string");
  } else if (type == "boolean") {
    if (!value.is_boolean()) breaches.push_back(name + " is not true or false");
  } else if (type == "integer") {
    if (!value.is_number_integer()) breaches.push_back(name + " is not a whole number");
  }
}

}  // namespace kalends::emulator
