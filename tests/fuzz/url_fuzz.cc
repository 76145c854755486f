// SPDX-License-Identifier: Apache-2.0
// Addresses, escapes, forms and texts of bytes: what is read is written and read again as the same.
#include <cstddef>
#include <cstdint>

#include "core/base/check.h"
#include "worker/base/encoding.h"
#include "worker/base/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto url = parse_url(text); url.ok()) {
    KALENDS_CHECK(url->port != 0 && !url->host.empty() && url->path().starts_with('/'));
    auto again = parse_url(url->origin() + url->target);
    KALENDS_CHECK(again.ok() && *again == *url);
    (void)is_loopback_host(url->host);
  }
  if (auto decoded = percent_decode(text)) {
    KALENDS_CHECK(decoded->size() <= size);
    if (text.find('\0') == text.npos) KALENDS_CHECK(percent_decode(percent_encode(*decoded)) == *decoded);
  }
  if (auto fields = form_decode(text); fields && text.find('\0') == text.npos)
    KALENDS_CHECK(form_decode(form_encode(*fields)) == *fields);
  // One spelling for each value: what is taken is what would be written.
  if (auto bytes = base64url_decode(text)) KALENDS_CHECK(base64url_encode(*bytes) == text);
  if (auto bytes = base32hex_decode(text)) KALENDS_CHECK(base32hex_encode(*bytes) == text);
  if (auto bytes = hex_decode(text)) KALENDS_CHECK(hex_encode(*bytes) == text);
  return 0;
}
