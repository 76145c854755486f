// SPDX-License-Identifier: Apache-2.0
#include "worker/google/oauth.h"

#include <algorithm>

#include "worker/base/encoding.h"
#include "worker/base/sha256.h"
#include "worker/google/json.h"

namespace kalends {
namespace {

// Google reserves 256 bytes for codes, 2048 for access and 512 for refresh tokens; id tokens are about as
// large.
constexpr size_t kTokenSizeMax = 16 * 1024;

HttpRequest form_request(const OauthClient& client, const std::string& url, const FormFields& fields) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  request.headers.add("Accept", "application/json");
  request.body = form_encode(fields);
  request.timeout_ms = client.timeout_ms;
  request.max_body_bytes = 256 * 1024;
  return request;
}

Error token_error(const HttpResponse& response) {
  if (response.status == 429) return {ErrorCode::kRateLimited, "Google's token service asks to slow down", 0};
  if (response.status >= 500) return {ErrorCode::kUnavailable, "Google's token service is not available", 0};
  auto body = parse_json(response.body, 64 * 1024);
  std::string error = body.ok() ? json_text_or_empty(*body, "error") : "";
  if (error == "invalid_grant") {
    return {ErrorCode::kUnauthenticated, "the access to Google has ended; connect the account again", 0};
  }
  if (error == "invalid_client" || error == "unauthorized_client" || error == "deleted_client" ||
      error == "org_internal" || error == "admin_policy_enforced") {
    return {ErrorCode::kForbidden,
            "Google refuses this application (" + error +
                "); check KALENDS_GOOGLE_CLIENT_ID and KALENDS_GOOGLE_CLIENT_SECRET",
            0};
  }
  if (error == "redirect_uri_mismatch") {
    return {ErrorCode::kForbidden,
            "Google does not know the callback address; add <KALENDS_PUBLIC_URL>/oauth/google/callback to "
            "the OAuth "
            "client",
            0};
  }
  return invalid("Google's token service refused the request with status " + std::to_string(response.status));
}

bool is_token_text(std::string_view text) {
  return !text.empty() && text.size() <= kTokenSizeMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::string pkce_challenge(std::string_view verifier) {
  KALENDS_CHECK(verifier.size() >= 43 && verifier.size() <= 128);
  return base64url_encode(sha256(as_bytes(verifier)));
}

std::string authorization_url(const OauthClient& client, const AuthorizationRequest& request) {
  std::string scope;
  for (const std::string& one : request.scopes) scope += (scope.empty() ? "" : " ") + one;
  FormFields fields{{"client_id", client.client_id},
                    {"redirect_uri", client.redirect_uri},
                    {"response_type", "code"},
                    {"scope", scope},
                    {"access_type", "offline"},
                    {"include_granted_scopes", "true"},
                    {"state", request.state},
                    {"nonce", request.nonce},
                    {"code_challenge", request.code_challenge},
                    {"code_challenge_method", "S256"}};
  // A refresh token comes on first consent only, unless consent is asked for again.
  if (!request.has_consent) fields.emplace_back("prompt", "consent");
  if (!request.login_hint.empty()) fields.emplace_back("login_hint", request.login_hint);
  bool has_query = client.auth_url.find('?') != std::string::npos;
  return client.auth_url + (has_query ? "&" : "?") + form_encode(fields);
}

std::string state_of_callback(const FormFields& query) {
  const std::string* state = find_field(query, "state");
  return state != nullptr && state->size() <= kTokenSizeMax ? *state : "";
}

Result<AuthorizationAnswer> parse_callback(const FormFields& query) {
  if (const std::string* error = find_field(query, "error")) {
    if (*error == "access_denied")
      return Error{ErrorCode::kForbidden, "the access was not granted at Google", 0};
    return invalid("Google ended the request to connect with an error");
  }
  const std::string* code = find_field(query, "code");
  std::string state = state_of_callback(query);
  if (code == nullptr || !is_token_text(*code) || state.empty()) {
    return invalid("the address of the callback lacks its code or state");
  }
  return AuthorizationAnswer{*code, std::move(state)};
}

HttpRequest code_exchange_request(const OauthClient& client, std::string_view code,
                                  std::string_view verifier) {
  return form_request(client, client.token_url,
                      {{"grant_type", "authorization_code"},
                       {"code", std::string(code)},
                       {"code_verifier", std::string(verifier)},
                       {"redirect_uri", client.redirect_uri},
                       {"client_id", client.client_id},
                       {"client_secret", client.client_secret}});
}

HttpRequest refresh_request(const OauthClient& client, std::string_view refresh_token) {
  return form_request(client, client.token_url,
                      {{"grant_type", "refresh_token"},
                       {"refresh_token", std::string(refresh_token)},
                       {"client_id", client.client_id},
                       {"client_secret", client.client_secret}});
}

HttpRequest revoke_request(const OauthClient& client, std::string_view token) {
  return form_request(client, client.revoke_url, {{"token", std::string(token)}});
}

Result<TokenAnswer> parse_token_response(const HttpResponse& response) {
  if (response.status != 200) return token_error(response);
  KALENDS_TRY(Json body, parse_json(response.body, 256 * 1024));
  TokenAnswer answer;
  answer.access_token = json_text_or_empty(body, "access_token");
  answer.refresh_token = json_text(body, "refresh_token");
  answer.id_token = json_text(body, "id_token");
  answer.life_seconds = std::clamp<int64_t>(json_integer(body, "expires_in").value_or(0), 0, 86'400);
  answer.scopes = scopes_from_text(json_text_or_empty(body, "scope"));
  bool is_readable = is_token_text(answer.access_token) &&
                     (!answer.refresh_token || is_token_text(*answer.refresh_token)) &&
                     (!answer.id_token || is_token_text(*answer.id_token));
  if (!is_readable) return corrupt("Google's token answer holds no usable token");
  return answer;
}

ScopeSet scopes_from_text(std::string_view text) {
  ScopeSet scopes;
  while (!text.empty() && scopes.size() < 256) {
    size_t end = std::min(text.find(' '), text.size());
    std::string scope(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (scope == "email" || scope == "profile") scope = "https://www.googleapis.com/auth/userinfo." + scope;
    if (!scope.empty()) scopes.insert(std::move(scope));
  }
  return scopes;
}

}  // namespace kalends
