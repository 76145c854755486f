// SPDX-License-Identifier: Apache-2.0
// What comes in and what goes out. Answers are the HttpResponse of worker/ports/http.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "worker/ports/http.h"

namespace kalends {

struct InboundRequest {
  std::string method;
  std::string path;   // still percent-encoded, begins with "/"
  std::string query;  // without its "?"
  HttpHeaders headers;
  std::string body;
  std::string peer;  // the other end's IP address; of the proxy, where there is one

  // The token of "Authorization: Bearer …", or an empty text.
  std::string_view bearer_token() const;
};

// The one answer to a request. May be copied and called from any thread; the first call counts, later ones do
// nothing. When the last copy goes uncalled, the answer is a 500: no client is left waiting.
class Respond {
 public:
  explicit Respond(std::function<void(HttpResponse)> deliver);
  void operator()(HttpResponse response) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

HttpResponse text_response(int status, std::string content_type, std::string body);

}  // namespace kalends
