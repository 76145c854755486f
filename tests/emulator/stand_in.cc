// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/stand_in.h"

#include "tests/emulator/api_error.h"
#include "tests/emulator/batch.h"
#include "tests/emulator/embedded.h"

namespace kalends::emulator {
namespace {

constexpr const char* kDefaultPerson = "ada.demo@gmail.com";

Response page_file(const std::string& name, const std::string& type) {
  Response response;
  auto content = embedded_file(name);
  response.status = content ? 200 : 404;
  response.headers = {{"content-type", type}, {"cache-control", "no-store"}};
  response.body = std::string(content.value_or(""));
  return response;
}

}  // namespace

StandIn::StandIn(StandInOptions options)
    : model_(options.seed), oauth_({options.base_url, options.redirect_uris, options.seed}, model_.world()) {
  if (options.people.empty()) options.people.push_back(kDefaultPerson);
  for (const std::string& mail : options.people) model_.world().add_person(mail);
}

void StandIn::advance_to(int64_t real_now_ms) { model_.advance_to(real_now_ms + offset_ms_); }

Response StandIn::handle(const Request& request) {
  const std::string& path = request.path;
  if (path.rfind("/calendar/v3/", 0) == 0) return model_.handle(request, oauth_.caller_of(request));
  if (path == "/batch/calendar/v3" && request.method == "POST") {
    return run_batch(request, model_.world().prng,
                     [&](const Request& part) { return model_.handle(part, oauth_.caller_of(part)); });
  }
  if (OAuthModel::owns_path(path)) return oauth_.handle(request);
  if (path.rfind("/control/", 0) == 0) return handle_control(request);
  if (request.method == "GET" || request.method == "HEAD") {
    if (path == "/") return page_file("index.html", "text/html; charset=utf-8");
    if (path == "/page.css") return page_file("page.css", "text/css; charset=utf-8");
    if (path == "/page.js") return page_file("page.js", "text/javascript; charset=utf-8");
    if (path == "/favicon.ico") {
      Response empty;
      empty.status = 204;
      return empty;
    }
  }
  return not_found_error().response();
}

uint64_t StandIn::hold(Response response) {
  HeldAnswer answer;
  answer.id = ++last_held_;
  answer.response = std::move(response);
  answer.committed_at = model_.world().now_ms;
  held_[answer.id] = std::move(answer);
  return last_held_;
}

HeldAnswer* StandIn::held(uint64_t id) {
  auto found = held_.find(id);
  return found == held_.end() ? nullptr : &found->second;
}

}  // namespace kalends::emulator
