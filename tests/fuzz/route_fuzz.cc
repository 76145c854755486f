// SPDX-License-Identifier: Apache-2.0
// The first line of a request, "METHOD /path?query", and its Authorization header on the second: where a pattern fits
// there is one answer, and handlers get parameters that are not empty; else the request is untouched.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/check.h"
#include "worker/base/url.h"
#include "worker/http/router.h"

namespace kalends {
namespace {

const Router& router() {
  static const Router made = [] {
    Router router;
    auto handler = [](InboundRequest request, PathParameters parameters, Respond respond) {
      for (const auto& [name, value] : parameters) KALENDS_CHECK(!name.empty() && !value.empty());
      (void)form_decode(request.query);
      respond(text_response(200, "text/plain", std::string(request.bearer_token())));
    };
    for (const char* method : {"GET", "POST"}) router.add(method, "/v1/boards", handler);
    for (const char* method : {"GET", "PATCH", "DELETE"}) router.add(method, "/v1/boards/{board}", handler);
    router.add("POST", "/v1/boards/{board}/cards/{card}/{kind}", handler);
    router.add("GET", "/v1/boards/{board}/cards/{card}/history", handler);
    router.add("GET", "/", handler);
    return router;
  }();
  return made;
}

}  // namespace
}  // namespace kalends

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string_view line = text.substr(0, text.find('\n'));
  size_t space = std::min(line.find(' '), line.size());
  std::string_view target = line.substr(std::min(space + 1, line.size()));
  if (!target.starts_with('/')) return 0;
  InboundRequest request;
  request.method = std::string(line.substr(0, space));
  request.path = std::string(target.substr(0, target.find('?')));
  request.query = std::string(target.substr(std::min(request.path.size() + 1, target.size())));
  if (line.size() < size) request.headers.add("authorization", std::string(text.substr(line.size() + 1)));
  int answers = 0;
  Respond respond([&](HttpResponse response) {
    KALENDS_CHECK(response.status >= 200 && response.status < 500);
    ++answers;
  });
  bool is_fitting = router().route(request, respond);
  KALENDS_CHECK(answers == (is_fitting ? 1 : 0));
  // Untouched where nothing fits: somebody else answers.
  respond(text_response(404, "text/plain", ""));
  KALENDS_CHECK(answers == 1);
  return 0;
}
