// SPDX-License-Identifier: Apache-2.0
#include "worker/base/url.h"

#include <algorithm>
#include <charconv>

namespace kalends {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

uint16_t own_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

bool is_host_text(std::string_view host, bool is_bracketed) {
  if (host.empty() || host.size() > 253) return false;
  return std::all_of(host.begin(), host.end(), [&](char c) {
    if (is_bracketed) return hex_digit(c) >= 0 || c == ':' || c == '.';
    return is_unreserved(c) && c != '~';
  });
}

// Four decimal numbers below 256 and nothing else, so that "127.0.0.1.evil.example" is not taken for
// loopback.
bool is_loopback_ipv4(std::string_view host) {
  int parts = 0;
  size_t at = 0;
  while (at <= host.size() && parts < 4) {
    size_t dot = std::min(host.find('.', at), host.size());
    std::string_view part = host.substr(at, dot - at);
    int value = -1;
    auto [end, problem] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (problem != std::errc() || end != part.data() + part.size() || value < 0 || value > 255) return false;
    if (part.size() > 1 && part[0] == '0') return false;
    if (parts == 0 && value != 127) return false;
    ++parts;
    at = dot + 1;
    if (dot == host.size()) break;
  }
  return parts == 4 && at == host.size() + 1;
}

}  // namespace

std::string Url::origin() const {
  std::string text = scheme + "://";
  text += host.find(':') != std::string::npos ? "[" + host + "]" : host;
  if (port != own_port(scheme)) text += ":" + std::to_string(port);
  return text;
}

std::string_view Url::path() const { return std::string_view(target).substr(0, target.find('?')); }

Result<Url> parse_url(std::string_view text) {
  if (text.size() > 8192) return invalid("the address is longer than 8192 characters");
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == 0x7f || c == '\\'; })) {
    return invalid("the address holds a space, a control character or a backslash");
  }
  Url url;
  size_t colon = text.find("://");
  if (colon == std::string_view::npos)
    return invalid("the address must begin with https:// (or http:// on loopback)");
  url.scheme = std::string(text.substr(0, colon));
  for (char& c : url.scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (url.scheme != "https" && url.scheme != "http")
    return invalid("the address must begin with https:// or http://");

  std::string_view rest = text.substr(colon + 3);
  size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  std::string_view target = rest.substr(authority_end);
  if (authority.find('@') != std::string_view::npos) return invalid("the address must not carry a user name");
  if (target.find('#') != std::string_view::npos)
    return invalid("the address must not carry a fragment (#...)");

  std::string_view port_text;
  bool is_bracketed = !authority.empty() && authority[0] == '[';
  if (is_bracketed) {
    size_t close = authority.find(']');
    if (close == std::string_view::npos) return invalid("the address has a [ without its ]");
    url.host = std::string(authority.substr(1, close - 1));
    std::string_view after = authority.substr(close + 1);
    if (!after.empty() && after[0] != ':') return invalid("the address has text after the ]");
    port_text = after.empty() ? after : after.substr(1);
    if (!after.empty() && port_text.empty()) return invalid("the address has an empty port");
  } else {
    size_t port_colon = authority.find(':');
    url.host = std::string(authority.substr(0, port_colon));
    if (port_colon != std::string_view::npos) {
      port_text = authority.substr(port_colon + 1);
      if (port_text.empty()) return invalid("the address has an empty port");
    }
  }
  for (char& c : url.host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (!is_host_text(url.host, is_bracketed)) return invalid("the address has no usable host name");

  url.port = own_port(url.scheme);
  if (!port_text.empty()) {
    auto [end, problem] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), url.port);
    if (problem != std::errc() || end != port_text.data() + port_text.size() || url.port == 0) {
      return invalid("the address has a port that is not a number from 1 to 65535");
    }
  }
  url.target = target.empty() ? "/" : std::string(target);
  if (url.target[0] == '?') url.target.insert(0, "/");
  return url;
}

bool is_loopback_host(std::string_view host) {
  return host == "localhost" || host == "::1" || is_loopback_ipv4(host);
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      auto byte = static_cast<uint8_t>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      int high = hex_digit(text[i + 1]);
      int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
      out.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    }
  }
  return out;
}

std::string form_encode(const FormFields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out.push_back('&');
    out += percent_encode(name) + "=" + percent_encode(value);
  }
  return out;
}

std::optional<FormFields> form_decode(std::string_view text, size_t max_fields) {
  FormFields fields;
  while (!text.empty()) {
    size_t end = std::min(text.find('&'), text.size());
    std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    if (fields.size() == max_fields) return std::nullopt;
    size_t equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                  : percent_decode(pair.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    fields.emplace_back(std::move(*name), std::move(*value));
  }
  return fields;
}

const std::string* find_field(const FormFields& fields, std::string_view name) {
  for (const auto& field : fields) {
    if (field.first == name) return &field.second;
  }
  return nullptr;
}

}  // namespace kalends
