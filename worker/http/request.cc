// SPDX-License-Identifier: Apache-2.0
#include "worker/http/request.h"

#include <atomic>

#include "worker/http/problem.h"

namespace kalends {

std::string_view InboundRequest::bearer_token() const {
  std::string_view value = headers.get("Authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (value.size() <= kScheme.size() || !equals_ignoring_case(value.substr(0, kScheme.size()), kScheme))
    return {};
  return value.substr(kScheme.size());
}

struct Respond::State {
  explicit State(std::function<void(HttpResponse)> function) : deliver(std::move(function)) {}
  ~State() {
    if (!is_answered.exchange(true)) deliver(internal_problem());
  }
  std::function<void(HttpResponse)> deliver;
  std::atomic<bool> is_answered = false;
};

Respond::Respond(std::function<void(HttpResponse)> deliver)
    : state_(std::make_shared<State>(std::move(deliver))) {}

void Respond::operator()(HttpResponse response) const {
  if (!state_->is_answered.exchange(true)) state_->deliver(std::move(response));
}

HttpResponse text_response(int status, std::string content_type, std::string body) {
  return {status, {{"Content-Type", std::move(content_type)}}, std::move(body)};
}

}  // namespace kalends
