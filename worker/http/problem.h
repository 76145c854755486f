// SPDX-License-Identifier: Apache-2.0
// Errors as RFC 9457 problem+json: type, title, status, detail, code.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "worker/ports/http.h"

namespace kalends {

// kUnauthenticated brings WWW-Authenticate, a wait brings Retry-After. What is broken inside (kCorrupt) is
// not told.
HttpResponse problem_response(const Error& error);
// With a status of its own where the code alone does not say enough (405, 413, 431).
HttpResponse problem_response(int status, std::string_view title, const Error& error);
// 500, for a bug of ours.
HttpResponse internal_problem();
int http_status_of(ErrorCode code);

}  // namespace kalends
