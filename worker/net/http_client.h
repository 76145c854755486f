// SPDX-License-Identifier: Apache-2.0
// Http over cpp-httplib and OpenSSL. Certificates are always verified; plain http goes to loopback only;
// redirects are answers like others; connections are kept and reused, one request at a time on each.
#pragma once

#include <memory>
#include <string>

#include "worker/ports/http.h"

namespace kalends {

struct HttpClientOptions {
  std::string user_agent =
      "Kalends/" KALENDS_VERSION " (gzip)";  // Google compresses only for agents that say gzip
  std::string ca_file;                       // instead of the system's authorities; empty: the system's
  size_t idle_per_origin = 8;                // connections kept open
  int64_t idle_ms_max = 30'000;  // servers close theirs sooner or later: an old one is not worth the try
};

class HttpClient final : public Http {
 public:
  explicit HttpClient(HttpClientOptions options = {});
  // Requires: no send is running.
  ~HttpClient() override;

  // Name resolution is the system's and outside the time-out. Errors: kInvalid (the address, plain http
  // beyond loopback), kCorrupt (the answer is longer than allowed), kUnavailable (everything that may pass).
  HttpOutcome send(const HttpRequest& request) override;

 private:
  class Pool;
  class Watchdog;
  HttpClientOptions options_;
  std::unique_ptr<Pool> pool_;
  std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace kalends
