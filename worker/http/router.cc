// SPDX-License-Identifier: Apache-2.0
#include "worker/http/router.h"

#include "core/base/check.h"
#include "worker/base/url.h"
#include "worker/http/problem.h"

namespace kalends {
namespace {

constexpr size_t kSegmentsMax = 32;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty() && segments.size() <= kSegmentsMax) {
    path.remove_prefix(1);  // the slash
    size_t end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool is_name(const std::string& segment) { return segment.size() > 2 && segment.front() == '{'; }

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (is_name(pattern[i]) ? path[i].empty() : pattern[i] != path[i]) return false;
  }
  return true;
}

// Literal before name, from the left.
bool is_narrower(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (is_name(a[i]) != is_name(b[i])) return is_name(b[i]);
  }
  return false;
}

}  // namespace

void Router::add(std::string method, std::string_view pattern, RouteHandler handler) {
  KALENDS_CHECK(!pattern.empty() && pattern[0] == '/');
  listed_.push_back({method, std::string(pattern)});
  for (Route& route : routes_) {
    if (route.pattern != pattern) continue;
    KALENDS_CHECK(route.by_method.emplace(std::move(method), std::move(handler)).second);
    return;
  }
  Route route{std::string(pattern), split(pattern), {}};
  route.by_method.emplace(std::move(method), std::move(handler));
  routes_.push_back(std::move(route));
}

bool Router::route(InboundRequest& request, const Respond& respond) const {
  const std::vector<std::string> path = split(request.path);
  const Route* best = nullptr;
  for (const Route& route : routes_) {
    if (fits(route.segments, path) && (best == nullptr || is_narrower(route.segments, best->segments)))
      best = &route;
  }
  if (best == nullptr) return false;

  auto handler = best->by_method.find(request.method);
  if (handler == best->by_method.end() && request.method == "HEAD") handler = best->by_method.find("GET");
  if (handler == best->by_method.end()) {
    std::string allow;
    for (const auto& [method, unused] : best->by_method) allow += (allow.empty() ? "" : ", ") + method;
    HttpResponse response{204, {}, ""};
    if (request.method != "OPTIONS") {
      response = problem_response(405, "Method not allowed", invalid("this address answers to " + allow));
    }
    response.headers.set("Allow", allow);
    respond(std::move(response));
    return true;
  }

  PathParameters parameters;
  for (size_t i = 0; i < path.size(); ++i) {
    if (!is_name(best->segments[i])) continue;
    auto value = percent_decode(path[i]);
    if (!value) {
      respond(problem_response(invalid("the address holds a broken percent-encoding")));
      return true;
    }
    parameters.emplace(best->segments[i].substr(1, best->segments[i].size() - 2), std::move(*value));
  }
  handler->second(std::move(request), std::move(parameters), respond);
  return true;
}

std::vector<Router::Listed> Router::list() const { return listed_; }

}  // namespace kalends
