// SPDX-License-Identifier: Apache-2.0
#include "worker/http/security_headers.h"

#include <string>

namespace kalends {

void add_security_headers(HttpResponse& response, bool is_public_https) {
  auto add = [&](std::string_view name, std::string_view value) {
    if (response.headers.find(name) == nullptr) response.headers.add(std::string(name), std::string(value));
  };
  add("Content-Security-Policy",
      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
  add("X-Content-Type-Options", "nosniff");
  add("X-Frame-Options", "DENY");
  add("Referrer-Policy", "no-referrer");
  add("Cross-Origin-Opener-Policy", "same-origin");
  add("Cross-Origin-Resource-Policy", "same-origin");
  add("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
  add("Cache-Control", "no-store");
  if (is_public_https) add("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
}

}  // namespace kalends
