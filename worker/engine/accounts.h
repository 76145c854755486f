// SPDX-License-Identifier: Apache-2.0
// Connected Google accounts: the OAuth conversation, sealed tokens, and an access token for whoever needs to
// call.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "worker/engine/ports.h"
#include "worker/google/id_token.h"
#include "worker/google/oauth.h"

namespace kalends {

enum class AccountState : uint8_t {
  kConnected = 0,
  kBroken = 1,  // Google no longer accepts the grant: the person must connect again
};

struct AccountView {
  AccountId account;
  MemberId member;
  std::string email;
  AccountState state = AccountState::kConnected;
  ScopeSet scopes;
  bool can_make_calendar() const { return scopes.count(google_scope::kAppCreated) > 0; }
  bool can_pick_calendar() const {
    return scopes.count(google_scope::kCalendarListReadonly) > 0 && scopes.count(google_scope::kEvents) > 0;
  }
};

struct AccountsOptions {
  OauthClient client;
  std::string certs_url;
  bool has_client = false;  // no client id: nothing can be connected
};

class Accounts {
 public:
  Accounts(const Ports& ports, AccountsOptions options) : ports_(ports), options_(std::move(options)) {}

  struct ConnectRequest {
    MemberId member;
    std::string login_hint;
    bool wants_to_pick = false;  // also the scopes for choosing an existing calendar
    std::string return_to;       // path of our own page to come back to
  };
  // The address to open. The answer comes back to `finish`.
  Result<std::string> connect_url(WorkspaceId workspace, const ConnectRequest& request);

  struct Connected {
    WorkspaceId workspace;
    AccountId account;
    std::string return_to;
  };
  // The callback's query. Every refusal says what to do; nothing is stored then.
  Task<Result<Connected>> finish(FormFields query);

  Result<std::vector<AccountView>> list(WorkspaceId workspace);
  Result<AccountView> view(WorkspaceId workspace, AccountId account);
  // Revokes at Google (as far as Google answers) and forgets the account. The caller has ended its links
  // before.
  Task<Status> disconnect(WorkspaceId workspace, AccountId account);

  // A token that is good for another minute at least. `stale`: the one that Google has just refused.
  // kUnauthenticated: connect again.
  Task<Result<std::string>> access_token(WorkspaceId workspace, AccountId account, std::string stale);

 private:
  struct Secrets {
    std::string refresh_token, access_token, email;
    int64_t access_until_ms = 0;
    ScopeSet scopes;
  };
  using Key = std::pair<WorkspaceId, AccountId>;

  Result<Secrets> open_secrets(WorkspaceId workspace, const AccountRow& row) const;
  Result<Bytes> seal_secrets(WorkspaceId workspace, AccountId account, const Secrets& secrets);
  Task<Result<std::string>> refresh(WorkspaceId workspace, AccountId account);
  Task<Result<IdTokenClaims>> verify(std::string id_token, std::string nonce);

  Ports ports_;
  AccountsOptions options_;
  GoogleKeys keys_;
  // One refresh at a time for each account; the others wait for its answer.
  std::map<Key, std::vector<std::function<void(Result<std::string>)>>> refreshing_;
};

}  // namespace kalends
