// SPDX-License-Identifier: Apache-2.0
// Which handler answers a method and a path. Patterns are paths whose segments may be {names}:
// /v1/boards/{board}.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "worker/http/request.h"

namespace kalends {

// Decoded values of a pattern's names; never empty ones.
using PathParameters = std::map<std::string, std::string, std::less<>>;
using RouteHandler = std::function<void(InboundRequest, PathParameters, Respond)>;

class Router {
 public:
  // Requires: this method and pattern were not added before. A literal segment wins over a name.
  void add(std::string method, std::string_view pattern, RouteHandler handler);
  // Answers 405 with Allow where only the method is wrong, OPTIONS with Allow, HEAD by GET's handler, and 400
  // where a segment is no valid percent-encoding. False: no pattern fits; the request and its answer are
  // untouched.
  bool route(InboundRequest& request, const Respond& respond) const;

  struct Listed {
    std::string method;
    std::string pattern;
  };
  // All routes in the order of their adding: for tests of the API's description and of rights.
  std::vector<Listed> list() const;

 private:
  struct Route {
    std::string pattern;
    std::vector<std::string> segments;
    std::map<std::string, RouteHandler, std::less<>> by_method;
  };
  std::vector<Route> routes_;
  std::vector<Listed> listed_;
};

}  // namespace kalends
