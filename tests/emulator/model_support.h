// SPDX-License-Identifier: Apache-2.0
// A model at a fixed time with one caller who may do everything, and short ways to ask it.
#pragma once

#include <string>

#include "tests/emulator/calendar_model.h"

namespace kalends::emulator {

inline constexpr int64_t kTestNowMs = 1'795'500'000'000;  // 2026-11-24T06:00:00Z

struct Answer {
  int status = 0;
  Json body;
  std::string etag;
  Delivery delivery = Delivery::kSend;
  std::string reason() const {
    return body.is_object() && body.contains("error")
               ? body["error"]["errors"][0]["reason"].get<std::string>()
               : "";
  }
};

struct TestModel {
  explicit TestModel(uint64_t seed = 1) : model(seed) {
    model.advance_to(kTestNowMs);
    model.world().add_person("ann@example.org");
    model.world().add_person("bob@example.org");
    calendar = ask("POST", "calendars", {{"summary", "Board"}, {"timeZone", "Europe/Zurich"}}).body["id"];
  }

  // path is below /calendar/v3/ and may carry a query.
  Answer ask(const std::string& method, const std::string& path, const Json& body = Json(),
             const Headers& headers = {}) {
    Request request;
    request.method = method;
    split_target("/calendar/v3/" + path, request.path, request.query);
    request.headers = headers;
    if (!body.is_null()) {
      request.headers["content-type"] = "application/json";
      request.body = body.dump();
    }
    Response response = model.handle(request, caller);
    Answer answer{response.status, Json(), "", response.delivery};
    if (!response.body.empty()) answer.body = Json::parse(response.body);
    if (response.headers.count("etag")) answer.etag = response.headers["etag"];
    return answer;
  }

  std::string events(const std::string& rest = "") const {
    return "calendars/" + percent_encode(calendar) + "/events" + rest;
  }

  Answer insert(const std::string& id, const std::string& summary = "Write the docs") {
    return ask("POST", events(), event(id, summary));
  }

  static Json event(const std::string& id, const std::string& summary = "Write the docs") {
    return {{"id", id},
            {"summary", summary},
            {"start", {{"dateTime", "2026-12-01T10:00:00+01:00"}}},
            {"end", {{"dateTime", "2026-12-01T11:00:00+01:00"}}}};
  }

  void pass(int64_t ms) { model.advance_to(model.world().now_ms + ms); }

  CalendarModel model;
  Caller caller{"ann@example.org", "client", {"calendar"}};
  std::string calendar;
};

}  // namespace kalends::emulator
