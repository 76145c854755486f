// SPDX-License-Identifier: Apache-2.0
#include "worker/api/openapi.h"

namespace kalends {

void add_openapi_route(Router& router) {
  router.add("GET", "/openapi.json", [](InboundRequest, PathParameters, Respond respond) {
    respond(text_response(200, "application/json", std::string(openapi_text())));
  });
}

}  // namespace kalends
