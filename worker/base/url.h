// SPDX-License-Identifier: Apache-2.0
// The part of RFC 3986 that the worker needs: absolute http(s) addresses, percent-encoding, forms, loopback.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace kalends {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case, an IPv6 address without its brackets
  uint16_t port = 0;   // the scheme's own where the text has none
  std::string target;  // path and query, at least "/"; never a fragment

  // scheme://host[:port], the port only where it is not the scheme's own.
  std::string origin() const;
  std::string_view path() const;

  friend bool operator==(const Url&, const Url&) = default;
};

// kInvalid with the reason: another scheme, user names, fragments, control characters, bad ports.
Result<Url> parse_url(std::string_view text);

// "localhost", 127.0.0.0/8 and ::1: traffic that never leaves the machine.
bool is_loopback_host(std::string_view host);

// Keeps letters, digits and -._~ only.
std::string percent_encode(std::string_view text);
// nullopt: a broken escape or an encoded NUL.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

using FormFields = std::vector<std::pair<std::string, std::string>>;
// application/x-www-form-urlencoded, in the order given.
std::string form_encode(const FormFields& fields);
// nullopt: a broken escape, or more than `max_fields`.
std::optional<FormFields> form_decode(std::string_view text, size_t max_fields = 256);
// The first value of a name.
const std::string* find_field(const FormFields& fields, std::string_view name);

}  // namespace kalends
