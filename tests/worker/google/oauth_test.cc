// SPDX-License-Identifier: Apache-2.0
#include "worker/google/oauth.h"

#include <catch2/catch.hpp>

namespace kalends {
namespace {

OauthClient client() {
  return {"id-1",
          "secret-1",
          "https://accounts.google.com/o/oauth2/v2/auth",
          "https://oauth2.googleapis.com/token",
          "https://oauth2.googleapis.com/revoke",
          "http://127.0.0.1:8787/oauth/google/callback",
          1'000};
}

HttpResponse answer(int status, std::string body) { return {status, {}, std::move(body)}; }

TEST_CASE("The PKCE challenge is the published one") {
  // RFC 7636, appendix B.
  CHECK(pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") ==
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST_CASE("The authorisation address asks for offline access with PKCE and carries state and nonce") {
  AuthorizationRequest request{{"openid", "https://a/b"}, "st", "no", "ch", "me@x.y", false};
  CHECK(authorization_url(client(), request) ==
        "https://accounts.google.com/o/oauth2/v2/"
        "auth?client_id=id-1&redirect_uri=http%3A%2F%2F127.0.0.1%3A8787%2F"
        "oauth%2Fgoogle%2Fcallback&response_type=code&scope=openid%20https%3A%2F%2Fa%2Fb&access_type=offline&"
        "include_granted_scopes=true&state=st&nonce=no&code_challenge=ch&code_challenge_method=S256&prompt="
        "consent&"
        "login_hint=me%40x.y");
  request.has_consent = true;
  request.login_hint.clear();
  OauthClient with_query = client();
  with_query.auth_url += "?test_consent=all";
  std::string url = authorization_url(with_query, request);
  CHECK(url.find("auth?test_consent=all&client_id=") != std::string::npos);
  CHECK(url.find("prompt") == std::string::npos);
  CHECK(url.find("login_hint") == std::string::npos);
}

TEST_CASE("Token requests are forms with what each grant needs, and the secret stays out of the address") {
  HttpRequest code = code_exchange_request(client(), "c/1", "v");
  CHECK(code.method == "POST");
  CHECK(code.url == "https://oauth2.googleapis.com/token");
  CHECK(code.body ==
        "grant_type=authorization_code&code=c%2F1&code_verifier=v&redirect_uri=http%3A%2F%2F127.0.0.1%3A8787%"
        "2Foauth%2F"
        "google%2Fcallback&client_id=id-1&client_secret=secret-1");
  CHECK(refresh_request(client(), "r").body ==
        "grant_type=refresh_token&refresh_token=r&client_id=id-1&client_secret=secret-1");
  CHECK(revoke_request(client(), "r").body == "token=r");
  CHECK(revoke_request(client(), "r").url == "https://oauth2.googleapis.com/revoke");
}

TEST_CASE("A callback gives its code and state, a refusal says so, anything else is invalid") {
  auto good = parse_callback({{"state", "s"}, {"code", "c"}, {"scope", "x"}, {"authuser", "0"}}).value();
  CHECK(good.code == "c");
  CHECK(good.state == "s");
  FormFields denied{{"error", "access_denied"}, {"state", "s"}};
  CHECK(parse_callback(denied).error().code == ErrorCode::kForbidden);
  CHECK(state_of_callback(denied) == "s");
  CHECK(parse_callback({{"error", "server_error"}}).error().code == ErrorCode::kInvalid);
  CHECK(parse_callback({{"code", "c"}}).error().code == ErrorCode::kInvalid);
  CHECK(parse_callback({{"code", "c\n"}, {"state", "s"}}).error().code == ErrorCode::kInvalid);
}

TEST_CASE("A token answer tells what was granted in truth") {
  auto tokens =
      parse_token_response(answer(200, R"({"access_token":"a","expires_in":3599,"token_type":"Bearer",
    "refresh_token":"r","id_token":"i.i.i","scope":"openid email https://www.googleapis.com/auth/calendar.app.created"})"))
          .value();
  CHECK(tokens.access_token == "a");
  CHECK(tokens.refresh_token == "r");
  CHECK(tokens.id_token == "i.i.i");
  CHECK(tokens.life_seconds == 3599);
  CHECK(tokens.scopes.size() == 3);
  CHECK(tokens.scopes.contains(google_scope::kEmail));
  CHECK(tokens.scopes.contains(google_scope::kAppCreated));
  CHECK_FALSE(tokens.scopes.contains(google_scope::kEvents));
  auto refreshed = parse_token_response(answer(200, R"({"access_token":"a","expires_in":3599})")).value();
  CHECK_FALSE(refreshed.refresh_token);
}

TEST_CASE("Each refusal of the token service leads to the move that helps") {
  auto code = [](int status, const char* error) {
    return parse_token_response(answer(status, std::string(R"({"error":")") + error + "\"}")).error().code;
  };
  CHECK(code(400, "invalid_grant") == ErrorCode::kUnauthenticated);
  CHECK(code(401, "invalid_client") == ErrorCode::kForbidden);
  CHECK(code(400, "redirect_uri_mismatch") == ErrorCode::kForbidden);
  CHECK(code(400, "invalid_request") == ErrorCode::kInvalid);
  CHECK(code(429, "") == ErrorCode::kRateLimited);
  CHECK(code(503, "") == ErrorCode::kUnavailable);
  CHECK(parse_token_response(answer(200, "{}")).error().code == ErrorCode::kCorrupt);
  CHECK(parse_token_response(answer(200, R"({"access_token":"a b"})")).error().code == ErrorCode::kCorrupt);
  CHECK(parse_token_response(answer(400, "<html>")).error().code == ErrorCode::kInvalid);
}

}  // namespace
}  // namespace kalends
