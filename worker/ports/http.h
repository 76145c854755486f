// SPDX-License-Identifier: Apache-2.0
// Outbound HTTP as values. One call is one request: no redirect is followed and nothing is retried behind the
// caller's back, because only the caller knows whether a second try is safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace kalends {

// Header fields in their order; names compare without regard to case.
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  // Replaces every field of this name.
  void set(std::string_view name, std::string value);
  // The first value, or nullptr.
  const std::string* find(std::string_view name) const;
  // The first value, or an empty text.
  std::string_view get(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

  friend bool operator==(const HttpHeaders&, const HttpHeaders&) = default;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

bool equals_ignoring_case(std::string_view a, std::string_view b);

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // absolute, already percent-encoded
  HttpHeaders headers;
  std::string body;
  int64_t timeout_ms = 20'000;               // from the call to the last byte of the answer
  size_t max_body_bytes = 16 * 1024 * 1024;  // of the answer, after decompression
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;
};

// Any status is a response; an error means that there was none.
struct HttpOutcome {
  Result<HttpResponse> response;
  // Only with an error. True: the server cannot have seen the request (refused by us, no connection, no
  // handshake), so that repeating it is safe. False: it may have been carried out.
  bool certainly_not_sent = false;
};

class Http {
 public:
  virtual ~Http() = default;
  // Blocks until the answer or the time-out. May be called from any thread.
  virtual HttpOutcome send(const HttpRequest& request) = 0;
};

}  // namespace kalends
