// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/accounts.h"

#include "worker/base/encoding.h"
#include "worker/crypto/hash.h"
#include "worker/engine/co_try.h"
#include "worker/engine/tuning.h"
#include "worker/google/json.h"

namespace kalends {
namespace {

SecretPlace account_place(WorkspaceId workspace, const AccountId& account) {
  return {workspace, "accounts", account.raw.bytes, "sealed", 1};
}

SecretPlace flow_place(WorkspaceId workspace, ByteView state_hash) {
  return {workspace, "oauth_flows", state_hash, "sealed", 1};
}

std::string join(const ScopeSet& scopes) {
  std::string text;
  for (const std::string& scope : scopes) text += (text.empty() ? "" : " ") + scope;
  return text;
}

Error not_connected() {
  return {ErrorCode::kUnauthenticated, "Google no longer accepts this connection: connect the account again.",
          0};
}

}  // namespace

Result<std::string> Accounts::connect_url(WorkspaceId workspace, const ConnectRequest& request) {
  if (!options_.has_client)
    return invalid(
        "No Google client is configured: set KALENDS_GOOGLE_CLIENT_ID and KALENDS_GOOGLE_CLIENT_SECRET "
        "(README, \"The real Google\").");
  // The state carries the workspace, since the callback brings nothing else.
  std::string state = to_hex(workspace) + "." + base64url_encode(ports_.entropy.bytes(24));
  std::string verifier = base64url_encode(ports_.entropy.bytes(48));
  std::string nonce = base64url_encode(ports_.entropy.bytes(18));
  int64_t now_ms = ports_.clock.now_ms();
  OauthFlowRow flow;
  flow.state_hash = sha256(as_bytes(state));
  flow.member = request.member;
  flow.expires_ms = now_ms + tuning::kOauthFlowMs;
  Json facts = {{"verifier", verifier}, {"nonce", nonce}, {"return_to", request.return_to}};
  KALENDS_TRY(flow.sealed,
              ports_.secrets.seal(as_bytes(json_dump(facts)), flow_place(workspace, flow.state_hash)));
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY_VOID(txn->ensure_workspace(workspace, now_ms));
  KALENDS_TRY_VOID(txn->forget_old_oauth_flows(workspace, now_ms));
  KALENDS_TRY_VOID(txn->put_oauth_flow(workspace, flow));
  KALENDS_TRY_VOID(txn->commit());

  AuthorizationRequest ask;
  ask.scopes = {std::string(google_scope::kOpenid), std::string(google_scope::kEmail),
                std::string(google_scope::kAppCreated)};
  if (request.wants_to_pick) {
    ask.scopes.emplace_back(google_scope::kCalendarListReadonly);
    ask.scopes.emplace_back(google_scope::kEvents);
  }
  ask.state = state;
  ask.nonce = nonce;
  ask.code_challenge = pkce_challenge(verifier);
  ask.login_hint = request.login_hint;
  return authorization_url(options_.client, ask);
}

Task<Result<Accounts::Connected>> Accounts::finish(FormFields query) {
  std::string state = state_of_callback(query);
  auto workspace_id = state.size() > 33 && state[32] == '.'
                          ? id_from_hex(std::string_view(state).substr(0, 32))
                          : std::nullopt;
  Error unknown{ErrorCode::kForbidden,
                "This sign-in was not started here, was used before, or took too long: begin again.", 0};
  if (!workspace_id) co_return unknown;
  WorkspaceId workspace{*workspace_id};
  Bytes state_hash = sha256(as_bytes(state));
  std::optional<OauthFlowRow> flow;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(flow, txn->take_oauth_flow(workspace, state_hash, ports_.clock.now_ms()));
    KALENDS_CO_TRY_VOID(txn->commit());
  }
  if (!flow) co_return unknown;
  KALENDS_CO_TRY(Bytes plain, ports_.secrets.open(flow->sealed, flow_place(workspace, state_hash)));
  KALENDS_CO_TRY(Json facts, parse_json(as_text(plain)));
  KALENDS_CO_TRY(AuthorizationAnswer answer, parse_callback(query));

  auto exchanging = ports_.effects.fetched(
      code_exchange_request(options_.client, answer.code, json_text_or_empty(facts, "verifier")));
  HttpOutcome outcome = co_await exchanging;
  KALENDS_CO_TRY(HttpResponse response, std::move(outcome.response));
  KALENDS_CO_TRY(TokenAnswer tokens, parse_token_response(response));
  if (!tokens.id_token)
    co_return Error{ErrorCode::kUnavailable, "Google did not say who signed in: begin again.", 0};
  auto verifying = verify(*tokens.id_token, json_text_or_empty(facts, "nonce"));
  KALENDS_CO_TRY(IdTokenClaims claims, co_await verifying);

  int64_t now_ms = ports_.clock.now_ms();
  Bytes subject_hash = ports_.secrets.keyed_hash("google subject", as_bytes(claims.subject));
  KALENDS_CO_TRY(auto txn, ports_.store.begin());
  KALENDS_CO_TRY(std::optional<AccountRow> known, txn->account_of(workspace, flow->member, subject_hash));
  AccountRow row;
  Secrets secrets;
  if (known) {
    row = *known;
    auto opened = open_secrets(workspace, row);
    if (opened.ok()) secrets = *opened;
  } else {
    row.account = new_id<AccountId>(ports_.entropy);
    row.member = flow->member;
    row.subject_hash = subject_hash;
  }
  if (tokens.refresh_token) secrets.refresh_token = *tokens.refresh_token;
  if (secrets.refresh_token.empty())
    co_return Error{ErrorCode::kUnauthenticated,
                    "Google gave no lasting permission: remove Kalends at myaccount.google.com/permissions, "
                    "then connect again.",
                    0};
  secrets.access_token = tokens.access_token;
  secrets.access_until_ms = now_ms + tokens.life_seconds * 1000;
  secrets.scopes = tokens.scopes;
  secrets.email = claims.email;
  KALENDS_CO_TRY(row.sealed, seal_secrets(workspace, row.account, secrets));
  row.state = static_cast<int64_t>(AccountState::kConnected);
  row.updated_ms = now_ms;
  KALENDS_CO_TRY_VOID(txn->put_account(workspace, row));
  KALENDS_CO_TRY_VOID(txn->commit());
  ports_.log.info("account_connected", {{"workspace", workspace},
                                        {"account", row.account},
                                        {"scopes", static_cast<int64_t>(secrets.scopes.size())}});
  co_return Connected{workspace, row.account, json_text_or_empty(facts, "return_to")};
}

Task<Result<IdTokenClaims>> Accounts::verify(std::string id_token, std::string nonce) {
  IdTokenExpectation expectation{options_.client.client_id, nonce, ports_.clock.now_ms()};
  if (!keys_.empty()) {
    auto claims = verify_id_token(id_token, keys_, expectation);
    if (claims.ok() || claims.error().code != ErrorCode::kNotFound) co_return claims;
  }
  HttpRequest request;
  request.url = options_.certs_url;
  request.timeout_ms = options_.client.timeout_ms;
  auto fetching = ports_.effects.fetched(std::move(request));
  HttpOutcome outcome = co_await fetching;
  KALENDS_CO_TRY(HttpResponse response, std::move(outcome.response));
  KALENDS_CO_TRY(keys_, parse_google_keys(response.body));
  auto claims = verify_id_token(id_token, keys_, expectation);
  if (!claims.ok() && claims.error().code == ErrorCode::kNotFound)
    co_return Error{ErrorCode::kUnauthenticated,
                    "Google's sign-in answer is signed by an unknown key: begin again.", 0};
  co_return claims;
}

Result<Accounts::Secrets> Accounts::open_secrets(WorkspaceId workspace, const AccountRow& row) const {
  KALENDS_TRY(Bytes plain, ports_.secrets.open(row.sealed, account_place(workspace, row.account)));
  KALENDS_TRY(Json json, parse_json(as_text(plain)));
  Secrets secrets;
  secrets.refresh_token = json_text_or_empty(json, "refresh_token");
  secrets.access_token = json_text_or_empty(json, "access_token");
  secrets.email = json_text_or_empty(json, "email");
  secrets.access_until_ms = json_integer(json, "access_until_ms").value_or(0);
  secrets.scopes = scopes_from_text(json_text_or_empty(json, "scopes"));
  wipe(plain);
  return secrets;
}

Result<Bytes> Accounts::seal_secrets(WorkspaceId workspace, AccountId account, const Secrets& secrets) {
  Json json = {{"refresh_token", secrets.refresh_token},
               {"access_token", secrets.access_token},
               {"email", secrets.email},
               {"access_until_ms", secrets.access_until_ms},
               {"scopes", join(secrets.scopes)}};
  return ports_.secrets.seal(as_bytes(json_dump(json)), account_place(workspace, account));
}

Result<std::vector<AccountView>> Accounts::list(WorkspaceId workspace) {
  KALENDS_TRY(auto txn, ports_.store.begin());
  KALENDS_TRY(std::vector<AccountRow> rows, txn->accounts(workspace));
  std::vector<AccountView> views;
  for (const AccountRow& row : rows) {
    KALENDS_TRY(Secrets secrets, open_secrets(workspace, row));
    views.push_back(
        {row.account, row.member, secrets.email, static_cast<AccountState>(row.state), secrets.scopes});
  }
  return views;
}

Result<AccountView> Accounts::view(WorkspaceId workspace, AccountId account) {
  KALENDS_TRY(std::vector<AccountView> views, list(workspace));
  for (AccountView& view : views)
    if (view.account == account) return std::move(view);
  return not_found("There is no such connected account.");
}

Task<Result<std::string>> Accounts::access_token(WorkspaceId workspace, AccountId account,
                                                 std::string stale) {
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(std::optional<AccountRow> row, txn->account(workspace, account));
    if (!row) co_return not_found("There is no such connected account.");
    if (static_cast<AccountState>(row->state) == AccountState::kBroken) co_return not_connected();
    KALENDS_CO_TRY(Secrets secrets, open_secrets(workspace, *row));
    bool is_fresh = secrets.access_until_ms > ports_.clock.now_ms() + tuning::kTokenSlackMs;
    if (!secrets.access_token.empty() && is_fresh && secrets.access_token != stale)
      co_return secrets.access_token;
  }
  Key key{workspace, account};
  if (auto it = refreshing_.find(key); it != refreshing_.end()) {
    Callback<Result<std::string>> waiting([&](auto done) { it->second.push_back(std::move(done)); });
    co_return co_await waiting;
  }
  refreshing_[key];
  auto refreshing = refresh(workspace, account);
  Result<std::string> token = co_await refreshing;
  auto waiters = std::move(refreshing_[key]);
  refreshing_.erase(key);
  for (auto& waiter : waiters) waiter(token);
  co_return token;
}

Task<Result<std::string>> Accounts::refresh(WorkspaceId workspace, AccountId account) {
  std::string refresh_token;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(std::optional<AccountRow> row, txn->account(workspace, account));
    if (!row) co_return not_found("There is no such connected account.");
    KALENDS_CO_TRY(Secrets secrets, open_secrets(workspace, *row));
    refresh_token = secrets.refresh_token;
  }
  auto fetching = ports_.effects.fetched(refresh_request(options_.client, refresh_token));
  HttpOutcome outcome = co_await fetching;
  if (!outcome.response.ok()) co_return outcome.response.error();
  auto tokens = parse_token_response(*outcome.response);

  // Read again: a new consent may have come meanwhile.
  KALENDS_CO_TRY(auto txn, ports_.store.begin());
  KALENDS_CO_TRY(std::optional<AccountRow> row, txn->account(workspace, account));
  if (!row) co_return not_found("There is no such connected account.");
  KALENDS_CO_TRY(Secrets secrets, open_secrets(workspace, *row));
  if (secrets.refresh_token != refresh_token && !secrets.access_token.empty()) co_return secrets.access_token;
  if (!tokens.ok()) {
    if (tokens.error().code != ErrorCode::kUnauthenticated) co_return tokens.error();
    row->state = static_cast<int64_t>(AccountState::kBroken);
    row->updated_ms = ports_.clock.now_ms();
    KALENDS_CO_TRY_VOID(txn->put_account(workspace, *row));
    KALENDS_CO_TRY_VOID(txn->commit());
    ports_.log.warning("account_broken", {{"workspace", workspace}, {"account", account}});
    co_return not_connected();
  }
  secrets.access_token = tokens->access_token;
  secrets.access_until_ms = ports_.clock.now_ms() + tokens->life_seconds * 1000;
  if (tokens->refresh_token) secrets.refresh_token = *tokens->refresh_token;
  if (!tokens->scopes.empty()) secrets.scopes = tokens->scopes;
  KALENDS_CO_TRY(row->sealed, seal_secrets(workspace, account, secrets));
  row->updated_ms = ports_.clock.now_ms();
  KALENDS_CO_TRY_VOID(txn->put_account(workspace, *row));
  KALENDS_CO_TRY_VOID(txn->commit());
  co_return secrets.access_token;
}

Task<Status> Accounts::disconnect(WorkspaceId workspace, AccountId account) {
  std::string token;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(std::optional<AccountRow> row, txn->account(workspace, account));
    if (!row) co_return not_found("There is no such connected account.");
    auto secrets = open_secrets(workspace, *row);
    if (secrets.ok()) token = secrets->refresh_token;
  }
  Status revoked;
  if (!token.empty()) {
    auto fetching = ports_.effects.fetched(revoke_request(options_.client, token));
    HttpOutcome outcome = co_await fetching;
    // 400 means that the grant was dead already.
    bool is_done =
        outcome.response.ok() && (outcome.response->status == 200 || outcome.response->status == 400);
    if (!is_done)
      revoked = Error{ErrorCode::kUnavailable,
                      "Google could not be reached to revoke the permission: try again, or remove Kalends at "
                      "myaccount.google.com/permissions.",
                      0};
  }
  if (!revoked.ok()) co_return revoked;
  KALENDS_CO_TRY(auto txn, ports_.store.begin());
  KALENDS_CO_TRY_VOID(txn->delete_account(workspace, account));
  KALENDS_CO_TRY_VOID(txn->commit());
  ports_.log.info("account_disconnected", {{"workspace", workspace}, {"account", account}});
  co_return Status{};
}

}  // namespace kalends
