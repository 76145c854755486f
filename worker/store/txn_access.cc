// SPDX-License-Identifier: Apache-2.0
// Who may come in, and which Google accounts are connected.
#include "worker/store/sqlite_txn.h"

namespace kalends {
namespace {

TokenRow read_token(const SqliteQuery& row) {
  TokenRow token;
  token.token_hash = row.bytes(0);
  token.member = row.id<MemberId>(1);
  token.role = row.integer(2);
  token.label = row.bytes(3);
  token.created_ms = row.integer(4);
  if (!row.is_null(5)) token.revoked_ms = row.integer(5);
  return token;
}

MemberRow read_member(const SqliteQuery& row) { return {row.id<MemberId>(0), row.bytes(1), row.integer(2)}; }

AccountRow read_account(const SqliteQuery& row) {
  AccountRow account;
  account.account = row.id<AccountId>(0);
  account.member = row.id<MemberId>(1);
  account.subject_hash = row.bytes(2);
  account.sealed = row.bytes(3);
  account.state = row.integer(4);
  account.updated_ms = row.integer(5);
  return account;
}

}  // namespace

Status SqliteTxn::put_token(WorkspaceId workspace, const TokenRow& token) {
  return database_
      .query(
          "INSERT INTO tokens (workspace, token_hash, member, role, label, created_ms, revoked_ms) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(workspace)
      .bind(token.token_hash)
      .bind(token.member)
      .bind(token.role)
      .bind(token.label)
      .bind(token.created_ms)
      .bind(token.revoked_ms)
      .run();
}

Result<std::optional<TokenRow>> SqliteTxn::token(WorkspaceId workspace, ByteView token_hash) {
  return read_one<TokenRow>(
      std::move(database_
                    .query("SELECT token_hash, member, role, label, created_ms, revoked_ms FROM tokens "
                           "WHERE workspace = ? AND token_hash = ?")
                    .bind(workspace)
                    .bind(token_hash)),
      read_token);
}

Result<std::vector<TokenRow>> SqliteTxn::tokens(WorkspaceId workspace) {
  return read_all<TokenRow>(
      std::move(database_
                    .query("SELECT token_hash, member, role, label, created_ms, revoked_ms FROM tokens "
                           "WHERE workspace = ? ORDER BY created_ms, token_hash")
                    .bind(workspace)),
      read_token);
}

Status SqliteTxn::revoke_token(WorkspaceId workspace, ByteView token_hash, int64_t now_ms) {
  KALENDS_TRY_VOID(
      database_
          .query(
              "UPDATE tokens SET revoked_ms = coalesce(revoked_ms, ?) WHERE workspace = ? AND token_hash = ?")
          .bind(now_ms)
          .bind(workspace)
          .bind(token_hash)
          .run());
  return expect_change("token");
}

Status SqliteTxn::put_member(WorkspaceId workspace, const MemberRow& member) {
  return database_
      .query(
          "INSERT INTO members (workspace, member, profile, created_ms) VALUES (?, ?, ?, ?) "
          "ON CONFLICT (workspace, member) DO UPDATE SET profile = excluded.profile")
      .bind(workspace)
      .bind(member.member)
      .bind(member.profile)
      .bind(member.created_ms)
      .run();
}

Result<std::vector<MemberRow>> SqliteTxn::members(WorkspaceId workspace) {
  return read_all<MemberRow>(
      std::move(
          database_
              .query("SELECT member, profile, created_ms FROM members WHERE workspace = ? ORDER BY member")
              .bind(workspace)),
      read_member);
}

Status SqliteTxn::put_account(WorkspaceId workspace, const AccountRow& account) {
  return database_
      .query(
          "INSERT INTO accounts (workspace, account, member, subject_hash, sealed, state, updated_ms) "
          "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, account) DO UPDATE SET member = "
          "excluded.member, "
          "subject_hash = excluded.subject_hash, sealed = excluded.sealed, state = excluded.state, "
          "updated_ms = excluded.updated_ms")
      .bind(workspace)
      .bind(account.account)
      .bind(account.member)
      .bind(account.subject_hash)
      .bind(account.sealed)
      .bind(account.state)
      .bind(account.updated_ms)
      .run();
}

Result<std::optional<AccountRow>> SqliteTxn::account(WorkspaceId workspace, AccountId account) {
  return read_one<AccountRow>(
      std::move(database_
                    .query("SELECT account, member, subject_hash, sealed, state, updated_ms FROM accounts "
                           "WHERE workspace = ? AND account = ?")
                    .bind(workspace)
                    .bind(account)),
      read_account);
}

Result<std::optional<AccountRow>> SqliteTxn::account_of(WorkspaceId workspace, MemberId member,
                                                        ByteView subject_hash) {
  return read_one<AccountRow>(
      std::move(database_
                    .query("SELECT account, member, subject_hash, sealed, state, updated_ms FROM accounts "
                           "WHERE workspace = ? AND member = ? AND subject_hash = ?")
                    .bind(workspace)
                    .bind(member)
                    .bind(subject_hash)),
      read_account);
}

Result<std::vector<AccountRow>> SqliteTxn::accounts(WorkspaceId workspace) {
  return read_all<AccountRow>(
      std::move(database_
                    .query("SELECT account, member, subject_hash, sealed, state, updated_ms FROM accounts "
                           "WHERE workspace = ? ORDER BY account")
                    .bind(workspace)),
      read_account);
}

Status SqliteTxn::delete_account(WorkspaceId workspace, AccountId account) {
  KALENDS_TRY_VOID(database_.query("DELETE FROM accounts WHERE workspace = ? AND account = ?")
                       .bind(workspace)
                       .bind(account)
                       .run());
  return expect_change("account");
}

Status SqliteTxn::put_oauth_flow(WorkspaceId workspace, const OauthFlowRow& flow) {
  return database_
      .query(
          "INSERT INTO oauth_flows (workspace, state_hash, member, sealed, expires_ms) VALUES (?, ?, ?, ?, "
          "?)")
      .bind(workspace)
      .bind(flow.state_hash)
      .bind(flow.member)
      .bind(flow.sealed)
      .bind(flow.expires_ms)
      .run();
}

Result<std::optional<OauthFlowRow>> SqliteTxn::take_oauth_flow(WorkspaceId workspace, ByteView state_hash,
                                                               int64_t now_ms) {
  auto flow = read_one<OauthFlowRow>(
      std::move(database_
                    .query("SELECT state_hash, member, sealed, expires_ms FROM oauth_flows "
                           "WHERE workspace = ? AND state_hash = ?")
                    .bind(workspace)
                    .bind(state_hash)),
      [](const SqliteQuery& row) {
        return OauthFlowRow{row.bytes(0), row.id<MemberId>(1), row.bytes(2), row.integer(3)};
      });
  KALENDS_TRY_VOID(database_.query("DELETE FROM oauth_flows WHERE workspace = ? AND state_hash = ?")
                       .bind(workspace)
                       .bind(state_hash)
                       .run());
  bool is_too_old = flow.ok() && *flow && (*flow)->expires_ms <= now_ms;
  return is_too_old ? std::optional<OauthFlowRow>() : std::move(flow);
}

Status SqliteTxn::forget_old_oauth_flows(WorkspaceId workspace, int64_t now_ms) {
  return database_.query("DELETE FROM oauth_flows WHERE workspace = ? AND expires_ms <= ?")
      .bind(workspace)
      .bind(now_ms)
      .run();
}

}  // namespace kalends
