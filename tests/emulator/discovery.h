// SPDX-License-Identifier: Apache-2.0
// The contract: Calendar v3's methods, parameters, scopes and body properties, from the reduced discovery
// document that is built into the program. Every API request is checked against it, so a client that sends
// what Google does not know fails in a test instead of in production.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/emulator/message.h"

namespace kalends::emulator {

struct MethodSpec {
  std::string name;         // "events.insert"
  std::string http_method;  // "POST"
  std::vector<std::string> path_parts;
  Json parameters;
  std::string request_schema;  // empty: no body
  std::set<std::string> scopes;
};

struct Route {
  const MethodSpec* method = nullptr;
  std::map<std::string, std::string> path_values;
};

class Discovery {
 public:
  // Requires: the text of a document made by reduce_discovery.py.
  explicit Discovery(const std::string& text);
  // The document built into the program.
  static const Discovery& built_in();

  // Finds the method of a path below /calendar/v3/ (percent-encoded).
  std::optional<Route> route(const std::string& http_method, const std::string& path) const;

  // One line per breach of the contract; empty: the request is fine.
  std::vector<std::string> check_query(const MethodSpec& method, const Query& query) const;
  std::vector<std::string> check_body(const MethodSpec& method, const Json& body) const;

 private:
  void check_value(const Json& schema, const Json& value, const std::string& place,
                   std::vector<std::string>& breaches) const;

  Json document_;
  std::vector<MethodSpec> methods_;
};

}  // namespace kalends::emulator
