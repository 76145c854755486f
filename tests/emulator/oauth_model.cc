// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/oauth_model.h"

#include <algorithm>

#include "tests/emulator/api_error.h"
#include "tests/emulator/consent_page.h"
#include "tests/emulator/zone_time.h"

namespace kalends::emulator {
namespace {

constexpr std::string_view kScopePrefix = "https://www.googleapis.com/auth/";
constexpr int64_t kCodeLifeMs = 10 * kMinuteMs;
constexpr int64_t kIdleLifeMs = 183 * kDayMs;  // an unused refresh token dies after six months
constexpr int64_t kTestingLifeMs = 7 * kDayMs;
constexpr size_t kRefreshTokensMax = 100;  // per person and client; the oldest goes

std::string field(const Query& query, const std::string& name) {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return "";
}

std::set<std::string> words(const std::string& text) {
  std::set<std::string> result;
  std::string word;
  for (char c : text + " ") {
    if (c != ' ' && c != ',') {
      word.push_back(c);
    } else if (!word.empty()) {
      result.insert(word);
      word.clear();
    }
  }
  return result;
}

// "email" and "profile" come back under their long names.
std::string full_scope(const std::string& scope) {
  if (scope == "email") return std::string(kScopePrefix) + "userinfo.email";
  if (scope == "profile") return std::string(kScopePrefix) + "userinfo.profile";
  return scope;
}

bool is_sign_in_scope(const std::string& scope) {
  return scope == "openid" || scope == full_scope("email") || scope == full_scope("profile");
}

bool is_known_scope(const std::string& scope) {
  if (is_sign_in_scope(scope) || scope == "https://mail.google.com/") return true;
  if (scope.rfind(kScopePrefix, 0) != 0) return false;
  std::string name = scope.substr(kScopePrefix.size());
  static const std::set<std::string> kCalendar = {"calendar",
                                                  "calendar.acls",
                                                  "calendar.acls.readonly",
                                                  "calendar.app.created",
                                                  "calendar.calendarlist",
                                                  "calendar.calendarlist.readonly",
                                                  "calendar.calendars",
                                                  "calendar.calendars.readonly",
                                                  "calendar.events",
                                                  "calendar.events.freebusy",
                                                  "calendar.events.owned",
                                                  "calendar.events.owned.readonly",
                                                  "calendar.events.public.readonly",
                                                  "calendar.events.readonly",
                                                  "calendar.freebusy",
                                                  "calendar.readonly",
                                                  "calendar.settings.readonly"};
  return kCalendar.count(name) > 0 || name.rfind("gmail.", 0) == 0;
}

std::string joined(const std::set<std::string>& scopes) {
  std::string text;
  for (const std::string& scope : scopes) text += (text.empty() ? "" : " ") + scope;
  return text;
}

Response json_answer(int status, const Json& body) {
  Response response;
  response.status = status;
  response.headers = {{"content-type", "application/json; charset=utf-8"}, {"cache-control", "no-store"}};
  response.body = body.dump(2, ' ', false, Json::error_handler_t::replace);
  return response;
}

Response oauth_error(int status, const std::string& error, const std::string& description) {
  return json_answer(status, {{"error", error}, {"error_description", description}});
}

Response html_answer(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers = {{"content-type", "text/html; charset=utf-8"}, {"cache-control", "no-store"}};
  response.body = std::move(body);
  return response;
}

Response error_page(const std::string& error, const std::string& description) {
  return html_answer(400, render_error_page(error, description));
}

Response redirect(const std::string& uri, const Query& parameters) {
  std::string target = uri;
  char separator = uri.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : parameters) {
    target += separator + name + "=" + percent_encode(value);
    separator = '&';
  }
  Response response;
  response.status = 302;
  response.headers = {{"location", target}, {"cache-control", "no-store"}};
  return response;
}

bool is_unreserved(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
  });
}

std::string base64_decode(const std::string& text) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned buffer = 0;
  int bits = 0;
  for (char c : text) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
    size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) break;
    buffer = (buffer << 6) | static_cast<unsigned>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>((buffer >> bits) & 255));
      buffer &= (1u << bits) - 1;
    }
  }
  return bytes;
}

}  // namespace

OAuthModel::OAuthModel(OAuthOptions options, World& world)
    : options_(std::move(options)), world_(world), prng_(fingerprint("oauth") ^ options_.seed) {
  std::string digits = "0123456789", letters = "0123456789abcdefghijklmnopqrstuvwxyz";
  client_id_ = "4" + prng_.text(11, digits) + "-" + prng_.text(32, letters) + ".apps.googleusercontent.com";
  client_secret_ = "GOCSPX-" + prng_.text(28, kUrlSafe);
}

bool OAuthModel::owns_path(const std::string& path) {
  static const std::set<std::string> kPaths = {"/o/oauth2/v2/auth",
                                               "/token",
                                               "/revoke",
                                               "/tokeninfo",
                                               "/v1/userinfo",
                                               "/oauth2/v3/certs",
                                               "/.well-known/openid-configuration",
                                               "/oauth2/v2/userinfo",
                                               "/oauth2/v2/tokeninfo"};
  return kPaths.count(path) > 0;
}

Response OAuthModel::handle(const Request& request) {
  const std::string& path = request.path;
  if (path == "/o/oauth2/v2/auth") return authorise(request);
  if (path == "/token")
    return request.method == "POST" ? token(request) : oauth_error(404, "invalid_request", "Not found");
  if (path == "/revoke") return revoke(request);
  if (path == "/tokeninfo" || path == "/oauth2/v2/tokeninfo") return token_info(request);
  if (path == "/v1/userinfo" || path == "/oauth2/v2/userinfo") return user_info(request);
  if (path == "/oauth2/v3/certs") {
    Response keys = json_answer(200, signer_.published_keys());
    keys.headers["cache-control"] = "public, max-age=19800, must-revalidate";
    return keys;
  }
  return discovery_document();
}

bool OAuthModel::is_allowed_redirect(const std::string& uri) const {
  if (!options_.redirect_uris.empty()) {
    return std::find(options_.redirect_uris.begin(), options_.redirect_uris.end(), uri) !=
           options_.redirect_uris.end();
  }
  for (const char* start :
       {"http://127.0.0.1", "http://localhost", "http://[::1]", "https://127.0.0.1", "https://localhost"}) {
    size_t length = std::string_view(start).size();
    if (uri.compare(0, length, start) != 0) continue;
    if (uri.size() == length || uri[length] == ':' || uri[length] == '/')
      return uri.find('#') == std::string::npos;
  }
  return false;
}

Response OAuthModel::authorise(const Request& request) {
  bool is_form = request.method == "POST";
  Query query = is_form ? parse_query(request.body) : request.query;
  std::string uri = field(query, "redirect_uri");
  if (field(query, "client_id") != client_id_)
    return error_page("invalid_client", "The OAuth client was not found.");
  if (uri.empty()) return error_page("invalid_request", "Missing required parameter: redirect_uri");
  if (!is_allowed_redirect(uri)) {
    return error_page("redirect_uri_mismatch",
                      "The redirect URI in the request, " + uri +
                          ", does not match the ones authorized for the OAuth client.");
  }
  if (field(query, "response_type") != "code") return error_page("invalid_request", "Invalid response_type.");
  Scopes asked;
  for (const std::string& scope : words(field(query, "scope"))) asked.insert(full_scope(scope));
  if (asked.empty()) return error_page("invalid_request", "Missing required parameter: scope");
  for (const std::string& scope : asked) {
    if (!is_known_scope(scope))
      return error_page("invalid_scope", "Some requested scopes were invalid: " + scope);
  }
  std::string challenge = field(query, "code_challenge"),
              challenge_method = field(query, "code_challenge_method");
  bool is_wrong_challenge =
      !challenge.empty() && (challenge.size() < 43 || challenge.size() > 128 || !is_unreserved(challenge));
  if (is_wrong_challenge ||
      (!challenge_method.empty() && challenge_method != "S256" && challenge_method != "plain")) {
    return error_page("invalid_request", "Invalid code_challenge.");
  }
  Query refusal = {{"error", "access_denied"}, {"state", field(query, "state")}};
  auto is_new = [&](const std::string& mail) {
    const Scopes& had = grants_[mail].scopes;
    return !std::includes(had.begin(), had.end(), asked.begin(), asked.end());
  };

  std::string mail = field(query, is_form ? "user" : "login_hint");
  for (const auto& [known, person] : world_.people) {
    if (person.sub == mail) mail = known;
  }
  bool is_known = world_.people.count(mail) > 0;
  if (is_form) {
    if (field(query, "decision") != "allow") return redirect(uri, refusal);
    if (!is_known) return error_page("invalid_request", "No such account.");
    Scopes granted;
    for (const auto& [name, value] : query) {
      if (name == "grant" && asked.count(value)) granted.insert(value);
    }
    for (const std::string& scope : asked) {
      if (is_sign_in_scope(scope) || grants_[mail].scopes.count(scope)) granted.insert(scope);
    }
    return granted.empty() ? redirect(uri, refusal) : decide(query, mail, granted);
  }
  std::string test_consent = field(query, "test_consent");
  if (!test_consent.empty()) {
    if (mail.empty() && world_.people.size() == 1) {
      mail = world_.people.begin()->first;
      is_known = true;
    }
    if (!is_known)
      return error_page("invalid_request", "test_consent needs a login_hint with a known account.");
    if (test_consent == "deny") return redirect(uri, refusal);
    Scopes granted, wanted;
    for (const std::string& scope : words(test_consent)) wanted.insert(full_scope(scope));
    for (const std::string& scope : asked) {
      std::string name = scope.rfind(kScopePrefix, 0) == 0 ? scope.substr(kScopePrefix.size()) : scope;
      bool is_wanted = test_consent == "all" || wanted.count(scope) || wanted.count(name);
      if (is_sign_in_scope(scope) || is_wanted) granted.insert(scope);
    }
    return granted.empty() ? redirect(uri, refusal) : decide(query, mail, granted);
  }
  Scopes prompts = words(field(query, "prompt"));
  if (prompts.count("none")) {
    if (is_known && !is_new(mail)) return decide(query, mail, asked);
    return redirect(
        uri, {{"error", is_known ? "consent_required" : "login_required"}, {"state", field(query, "state")}});
  }
  bool is_settled =
      is_known && !prompts.count("consent") && !prompts.count("select_account") && !is_new(mail);
  if (is_settled) return decide(query, mail, asked);
  return consent_page(query, asked, is_known ? mail : "");
}

Response OAuthModel::decide(const Query& query, const std::string& mail, const Scopes& granted) {
  Grant& grant = grants_[mail];
  Scopes scopes = granted;
  if (field(query, "include_granted_scopes") == "true")
    scopes.insert(grant.scopes.begin(), grant.scopes.end());
  Code code;
  code.mail = mail;
  code.scopes = scopes;
  code.redirect_uri = field(query, "redirect_uri");
  code.challenge = field(query, "code_challenge");
  code.challenge_method = field(query, "code_challenge_method");
  code.nonce = field(query, "nonce");
  code.made_ms = world_.now_ms;
  bool is_offline = field(query, "access_type") == "offline";
  code.gives_refresh_token =
      is_offline && (!grant.has_refresh_token || words(field(query, "prompt")).count("consent"));
  grant.scopes.insert(granted.begin(), granted.end());
  std::string text = "4/0A" + prng_.text(70, kUrlSafe);
  codes_[text] = code;
  Query answer;
  if (!field(query, "state").empty()) answer.emplace_back("state", field(query, "state"));
  answer.emplace_back("code", text);
  answer.emplace_back("scope", joined(scopes));
  answer.emplace_back("authuser", "0");
  answer.emplace_back("prompt", field(query, "prompt").empty() ? "none" : field(query, "prompt"));
  return redirect(code.redirect_uri, answer);
}

Response OAuthModel::consent_page(const Query& query, const Scopes& asked, const std::string& mail) const {
  ConsentView view;
  view.query = query;
  view.chosen_mail = mail;
  for (const auto& [known, person] : world_.people) view.people.push_back({known, person.name});
  for (const std::string& scope : asked) {
    if (!is_sign_in_scope(scope)) view.scopes.push_back(scope);
  }
  view.has_boxes = asked.size() > 1;
  return html_answer(200, render_consent_page(view));
}

Json OAuthModel::issue(const std::string& mail, const Scopes& scopes, const std::string& refresh_token,
                       const std::string& nonce) {
  std::string text = "ya29." + prng_.text(120, kUrlSafe);
  access_tokens_[text] = {mail, scopes, world_.now_ms + access_token_life_s_ * 1000, refresh_token};
  Json answer = {{"access_token", text},
                 {"expires_in", access_token_life_s_},
                 {"scope", joined(scopes)},
                 {"token_type", "Bearer"}};
  if (scopes.count("openid")) {
    const Person& person = world_.people.at(mail);
    Json claims = {{"iss", has_short_issuer_ ? "accounts.google.com" : "https://accounts.google.com"},
                   {"azp", client_id_},
                   {"aud", client_id_},
                   {"sub", person.sub},
                   {"at_hash", base64_url(sha256(text).substr(0, 16))},
                   {"iat", world_.now_ms / 1000},
                   {"exp", world_.now_ms / 1000 + 3600}};
    if (!nonce.empty()) claims["nonce"] = nonce;
    if (scopes.count(full_scope("email"))) {
      claims["email"] = mail;
      claims["email_verified"] = true;
    }
    if (scopes.count(full_scope("profile"))) {
      claims["name"] = person.name;
      claims["given_name"] = person.name.substr(0, person.name.find(' '));
      claims["picture"] = "https://lh3.googleusercontent.com/a/" + person.sub;
    }
    answer["id_token"] = signer_.sign(claims);
  }
  return answer;
}

Response OAuthModel::token(const Request& request) {
  const std::string* type = request.header("content-type");
  if (type == nullptr || type->find("application/x-www-form-urlencoded") == std::string::npos) {
    return oauth_error(400, "invalid_request", "A form is expected.");
  }
  Query form = parse_query(request.body);
  std::string id = field(form, "client_id"), secret = field(form, "client_secret");
  if (const std::string* header = request.header("authorization");
      header != nullptr && header->rfind("Basic ", 0) == 0) {
    std::string pair = base64_decode(header->substr(6));
    id = percent_decode(pair.substr(0, pair.find(':')), false);
    secret =
        pair.find(':') == std::string::npos ? "" : percent_decode(pair.substr(pair.find(':') + 1), false);
  }
  if (id != client_id_) return oauth_error(401, "invalid_client", "The OAuth client was not found.");
  if (secret != client_secret_)
    return oauth_error(401, "invalid_client", "The provided client secret is invalid.");
  std::string grant_type = field(form, "grant_type");
  if (grant_type == "authorization_code") return exchange_code(form);
  if (grant_type == "refresh_token") return refresh(form);
  return oauth_error(400, "unsupported_grant_type", "Invalid grant_type: " + grant_type);
}

Response OAuthModel::exchange_code(const Query& form) {
  auto found = codes_.find(field(form, "code"));
  if (found == codes_.end()) return oauth_error(400, "invalid_grant", "Malformed auth code.");
  Code& code = found->second;
  if (!code.used_by_token.empty()) {
    // Somebody has the code who should not: what it gave is taken back.
    access_tokens_.erase(code.used_by_token);
    return oauth_error(400, "invalid_grant", "Bad Request");
  }
  if (world_.now_ms - code.made_ms > kCodeLifeMs) return oauth_error(400, "invalid_grant", "Bad Request");
  if (field(form, "redirect_uri") != code.redirect_uri)
    return oauth_error(400, "redirect_uri_mismatch", "Bad Request");
  std::string verifier = field(form, "code_verifier");
  if (!code.challenge.empty()) {
    if (verifier.empty()) return oauth_error(400, "invalid_grant", "Missing code verifier.");
    bool is_formed = verifier.size() >= 43 && verifier.size() <= 128 && is_unreserved(verifier);
    std::string made = code.challenge_method == "S256" ? base64_url(sha256(verifier)) : verifier;
    if (!is_formed || made != code.challenge)
      return oauth_error(400, "invalid_grant", "Invalid code verifier.");
  } else if (!verifier.empty()) {
    return oauth_error(400, "invalid_grant", "code_verifier or verifier is not needed.");
  }
  std::string refresh_token;
  if (code.gives_refresh_token) {
    refresh_token = "1//0" + prng_.text(97, kUrlSafe);
    refresh_tokens_[refresh_token] = {code.mail, code.scopes, world_.now_ms, world_.now_ms};
    grants_[code.mail].has_refresh_token = true;
    std::vector<std::pair<int64_t, std::string>> theirs;
    for (const auto& [text, one] : refresh_tokens_) {
      if (one.mail == code.mail) theirs.emplace_back(one.made_ms, text);
    }
    std::sort(theirs.begin(), theirs.end());
    for (size_t i = 0; i + kRefreshTokensMax < theirs.size(); ++i) {
      if (theirs[i].second != refresh_token) refresh_tokens_.erase(theirs[i].second);
    }
  }
  Json answer = issue(code.mail, code.scopes, refresh_token, code.nonce);
  if (!refresh_token.empty()) answer["refresh_token"] = refresh_token;
  code.used_by_token = answer["access_token"];
  return json_answer(200, answer);
}

Response OAuthModel::refresh(const Query& form) {
  auto found = refresh_tokens_.find(field(form, "refresh_token"));
  const char* dead = "Token has been expired or revoked.";
  if (found == refresh_tokens_.end()) return oauth_error(400, "invalid_grant", dead);
  RefreshToken& token = found->second;
  bool is_idle = world_.now_ms - token.used_ms > kIdleLifeMs;
  bool asks_more_than_identity = std::any_of(token.scopes.begin(), token.scopes.end(),
                                             [](const std::string& one) { return !is_sign_in_scope(one); });
  bool is_over =
      is_testing_mode_ && asks_more_than_identity && world_.now_ms - token.made_ms > kTestingLifeMs;
  if (is_idle || is_over) {
    refresh_tokens_.erase(found);
    return oauth_error(400, "invalid_grant", dead);
  }
  token.used_ms = world_.now_ms;
  return json_answer(200, issue(token.mail, token.scopes, found->first, ""));
}

void OAuthModel::revoke_person(const std::string& mail) {
  auto is_theirs = [&](const auto& entry) { return mail.empty() || entry.second.mail == mail; };
  std::erase_if(access_tokens_, is_theirs);
  std::erase_if(refresh_tokens_, is_theirs);
  std::erase_if(codes_, is_theirs);
  std::erase_if(grants_, [&](const auto& entry) { return mail.empty() || entry.first == mail; });
  for (auto& [key, channel] : world_.channels) {
    if ((mail.empty() || channel.mail == mail) && channel.client_id == client_id_) {
      channel.expires_ms = std::min(channel.expires_ms, world_.now_ms);
    }
  }
}

void OAuthModel::expire_access_tokens(const std::string& mail) {
  for (auto& [text, token] : access_tokens_) {
    if (mail.empty() || token.mail == mail) token.expires_ms = world_.now_ms;
  }
}

Response OAuthModel::revoke(const Request& request) {
  std::string text = field(parse_query(request.body), "token");
  if (text.empty()) text = request.query_value("token").value_or("");
  std::string mail;
  if (auto found = access_tokens_.find(text); found != access_tokens_.end()) mail = found->second.mail;
  if (auto found = refresh_tokens_.find(text); found != refresh_tokens_.end()) mail = found->second.mail;
  if (mail.empty()) return oauth_error(400, "invalid_token", "Token expired or revoked");
  revoke_person(mail);
  return json_answer(200, Json::object());
}

std::optional<Caller> OAuthModel::caller_of(const Request& request) const {
  std::string text;
  if (const std::string* header = request.header("authorization")) {
    if (header->rfind("Bearer ", 0) != 0) return std::nullopt;
    text = header->substr(7);
  } else {
    text = request.query_value("access_token").value_or(request.query_value("oauth_token").value_or(""));
  }
  auto found = access_tokens_.find(text);
  if (found == access_tokens_.end() || found->second.expires_ms <= world_.now_ms) return std::nullopt;
  Caller caller{found->second.mail, client_id_, {}};
  for (const std::string& scope : found->second.scopes) {
    caller.scopes.insert(scope.rfind(kScopePrefix, 0) == 0 ? scope.substr(kScopePrefix.size()) : scope);
  }
  return caller;
}

Response OAuthModel::token_info(const Request& request) {
  Query form = parse_query(request.body);
  std::string text = request.query_value("access_token").value_or(field(form, "access_token"));
  if (const std::string* header = request.header("authorization"); text.empty() && header != nullptr) {
    text = header->rfind("Bearer ", 0) == 0 ? header->substr(7) : "";
  }
  auto found = access_tokens_.find(text);
  if (found == access_tokens_.end() || found->second.expires_ms <= world_.now_ms) {
    return oauth_error(400, "invalid_token", "Invalid Value");
  }
  const AccessToken& token = found->second;
  Json answer = {{"azp", client_id_},
                 {"aud", client_id_},
                 {"sub", world_.people.at(token.mail).sub},
                 {"scope", joined(token.scopes)},
                 {"exp", std::to_string(token.expires_ms / 1000)},
                 {"expires_in", std::to_string((token.expires_ms - world_.now_ms) / 1000)},
                 {"access_type", token.refresh_token.empty() ? "online" : "offline"}};
  if (token.scopes.count(full_scope("email"))) {
    answer["email"] = token.mail;
    answer["email_verified"] = "true";
  }
  return json_answer(200, answer);
}

Response OAuthModel::user_info(const Request& request) {
  auto caller = caller_of(request);
  if (!caller) return oauth_error(401, "invalid_request", "Invalid Credentials");
  const Person& person = world_.people.at(caller->mail);
  Json answer = {{"sub", person.sub}};
  if (caller->scopes.count("userinfo.email")) {
    answer["email"] = person.mail;
    answer["email_verified"] = true;
  }
  if (caller->scopes.count("userinfo.profile")) {
    answer["name"] = person.name;
    answer["given_name"] = person.name.substr(0, person.name.find(' '));
    answer["picture"] = "https://lh3.googleusercontent.com/a/" + person.sub;
  }
  return json_answer(200, answer);
}

Response OAuthModel::discovery_document() const {
  const std::string& base = options_.base_url;
  return json_answer(
      200, {{"issuer", "https://accounts.google.com"},
            {"authorization_endpoint", base + "/o/oauth2/v2/auth"},
            {"token_endpoint", base + "/token"},
            {"userinfo_endpoint", base + "/v1/userinfo"},
            {"revocation_endpoint", base + "/revoke"},
            {"jwks_uri", base + "/oauth2/v3/certs"},
            {"response_types_supported", {"code"}},
            {"subject_types_supported", {"public"}},
            {"id_token_signing_alg_values_supported", {"RS256"}},
            {"scopes_supported", {"openid", "email", "profile"}},
            {"token_endpoint_auth_methods_supported", {"client_secret_post", "client_secret_basic"}},
            {"claims_supported",
             {"aud", "email", "email_verified", "exp", "given_name", "iat", "iss", "name", "picture", "sub"}},
            {"code_challenge_methods_supported", {"plain", "S256"}},
            {"grant_types_supported", {"authorization_code", "refresh_token"}}});
}

Json OAuthModel::switches() const {
  return {{"access_token_life_s", access_token_life_s_},
          {"testing_mode", is_testing_mode_},
          {"short_issuer", has_short_issuer_}};
}

bool OAuthModel::set_switch(const std::string& name, const Json& value) {
  if (name == "access_token_life_s" && value.is_number_integer()) {
    access_token_life_s_ = value;
  } else if (name == "testing_mode" && value.is_boolean()) {
    is_testing_mode_ = value;
  } else if (name == "short_issuer" && value.is_boolean()) {
    has_short_issuer_ = value;
  } else {
    return false;
  }
  return true;
}

}  // namespace kalends::emulator
