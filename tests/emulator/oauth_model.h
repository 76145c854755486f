// SPDX-License-Identifier: Apache-2.0
// Google's OAuth 2.0 and OpenID Connect for web servers, without I/O: code flow with PKCE, a consent page
// with a box per scope, refresh, revocation, token info, user info, keys.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/emulator/message.h"
#include "tests/emulator/prng.h"
#include "tests/emulator/token_signer.h"
#include "tests/emulator/world.h"

namespace kalends::emulator {

struct OAuthOptions {
  std::string base_url;                    // without a slash at the end
  std::vector<std::string> redirect_uris;  // empty: any loopback address
  uint64_t seed = 1;
};

class OAuthModel {
 public:
  OAuthModel(OAuthOptions options, World& world);

  // True for the paths that belong here.
  static bool owns_path(const std::string& path);
  Response handle(const Request& request);

  // Who an "Authorization" header or access_token parameter stands for; nullopt: nobody, or no longer.
  std::optional<Caller> caller_of(const Request& request) const;

  // Faults. An empty mail means everybody.
  void expire_access_tokens(const std::string& mail);
  void revoke_person(const std::string& mail);
  void rotate_keys() { signer_.rotate(); }

  // Switches: access_token_life_s, testing_mode (refresh tokens die after 7 days), short_issuer.
  Json switches() const;
  bool set_switch(const std::string& name, const Json& value);

  const std::string& client_id() const { return client_id_; }
  const std::string& client_secret() const { return client_secret_; }

 private:
  using Scopes = std::set<std::string>;  // full names

  struct Grant {
    Scopes scopes;
    bool has_refresh_token = false;
  };
  struct Code {
    std::string mail, redirect_uri, challenge, challenge_method, nonce;
    Scopes scopes;
    bool gives_refresh_token = false;
    int64_t made_ms = 0;
    std::string used_by_token;  // the access token it was exchanged for: a second use kills it
  };
  struct AccessToken {
    std::string mail;
    Scopes scopes;
    int64_t expires_ms = 0;
    std::string refresh_token;
  };
  struct RefreshToken {
    std::string mail;
    Scopes scopes;
    int64_t made_ms = 0, used_ms = 0;
  };

  Response authorise(const Request& request);
  Response decide(const Query& query, const std::string& mail, const Scopes& granted);
  Response consent_page(const Query& query, const Scopes& asked, const std::string& mail) const;
  Response token(const Request& request);
  Response exchange_code(const Query& form);
  Response refresh(const Query& form);
  Response revoke(const Request& request);
  Response token_info(const Request& request);
  Response user_info(const Request& request);
  Response discovery_document() const;
  Json issue(const std::string& mail, const Scopes& scopes, const std::string& refresh_token,
             const std::string& nonce);
  bool is_allowed_redirect(const std::string& uri) const;

  OAuthOptions options_;
  World& world_;
  Prng prng_;
  TokenSigner signer_;
  std::string client_id_, client_secret_;
  int64_t access_token_life_s_ = 3599;
  bool is_testing_mode_ = false;
  bool has_short_issuer_ = false;
  std::map<std::string, Grant> grants_;  // by mail
  std::map<std::string, Code> codes_;
  std::map<std::string, AccessToken> access_tokens_;
  std::map<std::string, RefreshToken> refresh_tokens_;
};

}  // namespace kalends::emulator
