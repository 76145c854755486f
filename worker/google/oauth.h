// SPDX-License-Identifier: Apache-2.0
// Google's OAuth 2.0, authorisation code with PKCE. Pure: addresses, requests and readings of answers.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "worker/base/url.h"
#include "worker/ports/http.h"

namespace kalends {

namespace google_scope {
inline constexpr std::string_view kOpenid = "openid";
inline constexpr std::string_view kEmail = "https://www.googleapis.com/auth/userinfo.email";
// Enough for the main job with a calendar that Kalends makes.
inline constexpr std::string_view kAppCreated = "https://www.googleapis.com/auth/calendar.app.created";
// Only for picking a calendar that exists.
inline constexpr std::string_view kCalendarListReadonly =
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
inline constexpr std::string_view kEvents = "https://www.googleapis.com/auth/calendar.events";
}  // namespace google_scope

using ScopeSet = std::set<std::string, std::less<>>;

struct OauthClient {
  std::string client_id;
  std::string client_secret;
  std::string auth_url;
  std::string token_url;
  std::string revoke_url;
  std::string redirect_uri;  // from the settings, never from a Host header
  int64_t timeout_ms = 20'000;
};

struct AuthorizationRequest {
  std::vector<std::string> scopes;
  std::string state;
  std::string nonce;
  std::string code_challenge;
  std::string login_hint;    // an address or a subject; may be empty
  bool has_consent = false;  // true: consent was given before and a refresh token is stored; do not ask again
};

// S256 of a verifier. Requires: 43 to 128 unreserved characters (RFC 7636).
std::string pkce_challenge(std::string_view verifier);

std::string authorization_url(const OauthClient& client, const AuthorizationRequest& request);

struct AuthorizationAnswer {
  std::string code;
  std::string state;
};
// The query of the callback. kForbidden: the person said no. kInvalid: not an answer of Google's.
// `state` is read even from refusals by state_of_callback.
Result<AuthorizationAnswer> parse_callback(const FormFields& query);
std::string state_of_callback(const FormFields& query);

HttpRequest code_exchange_request(const OauthClient& client, std::string_view code,
                                  std::string_view verifier);
HttpRequest refresh_request(const OauthClient& client, std::string_view refresh_token);
// With an access or a refresh token; ends all grants of this person to the project. 400 means dead already.
HttpRequest revoke_request(const OauthClient& client, std::string_view token);

struct TokenAnswer {
  std::string access_token;
  std::optional<std::string> refresh_token;  // on first consent only
  std::optional<std::string> id_token;
  int64_t life_seconds = 0;
  ScopeSet scopes;  // what was granted in truth, which may be less than what was asked for
};
// kUnauthenticated: the grant is dead (invalid_grant): connect again. kForbidden: the client's own settings
// are wrong (invalid_client, …): a matter for the operator. kRateLimited, kUnavailable: later. kInvalid,
// kCorrupt: as they say.
Result<TokenAnswer> parse_token_response(const HttpResponse& response);

// Short names ("email", "profile") become the addresses in which Google answers.
ScopeSet scopes_from_text(std::string_view text);

}  // namespace kalends
