// SPDX-License-Identifier: Apache-2.0
// GET /openapi.json: the API's description, embedded at build time.
#pragma once

#include <string_view>

#include "worker/http/router.h"

namespace kalends {

std::string_view openapi_text();
void add_openapi_route(Router& router);

}  // namespace kalends
