// SPDX-License-Identifier: Apache-2.0
#include "worker/base/url.h"

#include <catch2/catch.hpp>

namespace kalends {
namespace {

TEST_CASE("An address is split into scheme, host, port and target") {
  Url url = parse_url("https://WWW.Example.com/calendar/v3?x=1").value();
  CHECK(url == Url{"https", "www.example.com", 443, "/calendar/v3?x=1"});
  CHECK(url.origin() == "https://www.example.com");
  CHECK(url.path() == "/calendar/v3");
  CHECK(parse_url("http://[::1]:8080").value() == Url{"http", "::1", 8080, "/"});
  CHECK(parse_url("http://[::1]:8080").value().origin() == "http://[::1]:8080");
  CHECK(parse_url("http://localhost?a").value().target == "/?a");
}

TEST_CASE("An address with a trap in it is refused") {
  auto text = GENERATE("", "localhost", "ftp://a/", "javascript:alert(1)", "https://", "https:///x",
                       "https://a b/", "https://user@host/", "https://host:0/", "https://host:65536/",
                       "https://host:/", "https://h/#f", "https://h\\@evil/", "https://h/\r\nX: y",
                       "https://[::1", "https://[::1]x/", "https://[evil]/", "https://host:80x/");
  CAPTURE(text);
  CHECK_FALSE(parse_url(text).ok());
}

TEST_CASE("Only addresses of this machine count as loopback") {
  CHECK(is_loopback_host("localhost"));
  CHECK(is_loopback_host("127.0.0.1"));
  CHECK(is_loopback_host("127.255.3.9"));
  CHECK(is_loopback_host("::1"));
  auto host = GENERATE("", "127.0.0.1.evil.example", "localhost.evil.example", "128.0.0.1", "127.0.0",
                       "127.0.0.1.", "127.0.0.256", "127.0.0.01", "0.0.0.0", "10.0.0.1", "::", "evil");
  CAPTURE(host);
  CHECK_FALSE(is_loopback_host(host));
}

TEST_CASE("Forms survive encoding and decoding, and broken escapes are refused") {
  FormFields fields{{"scope", "openid https://a/b"}, {"empty", ""}, {"ü&=", "+%"}};
  CHECK(form_encode(fields) == "scope=openid%20https%3A%2F%2Fa%2Fb&empty=&%C3%BC%26%3D=%2B%25");
  CHECK(form_decode(form_encode(fields)).value() == fields);
  CHECK(*find_field(form_decode("a=b+c&&d").value(), "a") == "b c");
  CHECK_FALSE(form_decode("a=%4"));
  CHECK_FALSE(form_decode("a=%zz"));
  CHECK_FALSE(form_decode("a=%00"));
  CHECK_FALSE(form_decode("a&b&c", 2));
}

}  // namespace
}  // namespace kalends
