// SPDX-License-Identifier: Apache-2.0
// Header fields that every answer carries, errors included.
#pragma once

#include <string_view>

#include "worker/ports/http.h"

namespace kalends {

// For the page: its own scripts and WebAssembly, connections to its own server, nothing else, and no frames.
inline constexpr std::string_view kPageContentPolicy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src "
    "'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

// Adds what the answer has not set itself; answers are not stored anywhere unless they say so.
void add_security_headers(HttpResponse& response, bool is_public_https);

}  // namespace kalends
