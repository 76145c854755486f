// SPDX-License-Identifier: Apache-2.0
// Push channels: made before they are needed, renewed with an overlap, stopped when their link ends; and
// their doorbell.
#include <algorithm>

#include "worker/crypto/hash.h"
#include "worker/engine/co_try.h"
#include "worker/engine/doorbell.h"
#include "worker/engine/link_engine.h"
#include "worker/engine/link_state.h"
#include "worker/engine/link_sync.h"
#include "worker/engine/tuning.h"

namespace kalends {

bool LinkEngine::ring(std::string_view channel_id, std::string_view token) {
  auto ring = read_ring(channel_id, token);
  if (!ring) return false;
  auto it = links_.find({ring->workspace, ring->link});
  if (it == links_.end()) return false;
  {
    auto txn = ports_.store.begin();
    if (!txn.ok()) return true;  // busy: the poll will see it
    auto row = (*txn)->channel(ring->workspace, ring->channel);
    bool is_ours = row.ok() && *row && (*row)->first == ring->link &&
                   equal_in_constant_time((*row)->second.token_hash, sha256(as_bytes(token)));
    if (!is_ours) return false;
  }
  it->second->is_pull_wanted = true;
  it->second->is_polled = false;
  it->second->rung_channel = ring->channel;
  it->second->unrung_since_ms = 0;
  kick(*it->second);
  return true;
}

Task<Status> LinkEngine::ensure_channel(Key key) {
  Link* link = links_.at(key).get();
  int64_t now_ms = ports_.clock.now_ms();
  int64_t life_ms = options_.channel_life_seconds * 1000;
  int64_t renew_before = std::min(tuning::kChannelRenewBeforeMs, life_ms / 4);
  if (link->is_deaf(now_ms) && link->channel_retry_ms <= now_ms) {
    link->must_renew_channel = true;
    link->channel_retry_ms = now_ms + tuning::kDeafRenewMs;
    ++counters_.deaf_channels;
    ports_.log.warning("channel_deaf", {{"link", key.second}});
  }
  if (options_.webhook_url.empty() ||
      (!link->must_renew_channel &&
       (link->channel_until_ms - renew_before > now_ms || link->channel_retry_ms > now_ms)))
    co_return Status{};
  {
    LinkSync sync(*this, *link);
    KALENDS_CO_TRY_VOID(sync.hold_lease());
  }
  std::vector<ChannelRow> old;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY(old, txn->channels(key.first, key.second));
  }
  for (const ChannelRow& row : old) {
    bool is_good =
        !link->must_renew_channel && !row.resource.empty() && row.expires_ms - renew_before > now_ms;
    if (is_good) {
      link->channel_until_ms = row.expires_ms;
      co_return Status{};
    }
  }
  link->must_renew_channel = false;
  // The row comes first: Google's first message may overtake its answer.
  ChannelRow row;
  row.channel = new_id<ChannelId>(ports_.entropy);
  std::string token = channel_token(key.first, key.second, ports_.entropy.bytes(24));
  row.token_hash = sha256(as_bytes(token));
  row.expires_ms = now_ms + life_ms;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY_VOID(txn->put_channel(link->lease, row));
    KALENDS_CO_TRY_VOID(txn->commit());
  }
  std::string calendar = link->calendar_id;
  ChannelRequest request{to_hex(row.channel), options_.webhook_url, token, options_.channel_life_seconds};
  auto watching = google_.call(
      {key.first, link->row.account, 1, {}},
      [calendar, request](const GoogleApi& api) { return events_watch_request(api, calendar, request); });
  GoogleAnswer answer = co_await watching;
  link = links_.at(key).get();
  if (!answer.verdict.ok()) {
    ports_.log.warning("watch_failed", {{"link", key.second}});
    if (!answer.is_unknown) {
      KALENDS_CO_TRY(auto txn, ports_.store.begin());
      KALENDS_CO_TRY_VOID(txn->delete_channel(link->lease, row.channel));
      KALENDS_CO_TRY_VOID(txn->commit());
    }
    // A calendar that cannot be watched is polled.
    link->channel_retry_ms = now_ms + options_.poll_ms * 2;
    co_return Status{};
  }
  KALENDS_CO_TRY(GoogleChannel channel, parse_channel(answer.body));
  row.resource = to_bytes(channel.resource_id);
  if (channel.expires_ms > 0) row.expires_ms = channel.expires_ms;
  {
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY_VOID(txn->put_channel(link->lease, row));
    KALENDS_CO_TRY_VOID(txn->commit());
  }
  link->channel_until_ms = row.expires_ms;
  // Google's first message says that the way to us is open; it may have come already.
  if (link->rung_channel != row.channel && link->unrung_since_ms == 0)
    link->unrung_since_ms = ports_.clock.now_ms();
  link->is_pull_wanted = true;  // what happened before the channel was there
  // The old ones overlap until the new one is known to be there.
  for (const ChannelRow& before : old) {
    if (!before.resource.empty()) {
      std::string id = to_hex(before.channel), resource(as_text(before.resource));
      auto stopping = google_.call(
          {key.first, link->row.account, 1, {}},
          [id, resource](const GoogleApi& api) { return channel_stop_request(api, id, resource); });
      GoogleAnswer stopped = co_await stopping;
      if (stopped.is_unknown) continue;
    } else if (before.expires_ms > now_ms) {
      continue;  // its watch may have happened: kept until it has expired
    }
    KALENDS_CO_TRY(auto txn, ports_.store.begin());
    KALENDS_CO_TRY_VOID(txn->delete_channel(link->lease, before.channel));
    KALENDS_CO_TRY_VOID(txn->commit());
  }
  co_return Status{};
}

Task<void> LinkEngine::stop_channels(Key key) {
  std::vector<ChannelRow> channels;
  AccountId account = links_.at(key)->row.account;
  {
    auto txn = ports_.store.begin();
    if (!txn.ok()) co_return;
    auto rows = (*txn)->channels(key.first, key.second);
    if (rows.ok()) channels = *rows;
  }
  for (const ChannelRow& row : channels) {
    if (row.resource.empty()) continue;
    std::string id = to_hex(row.channel), resource(as_text(row.resource));
    auto stopping = google_.call({key.first, account, 1, {}, 1}, [id, resource](const GoogleApi& api) {
      return channel_stop_request(api, id, resource);
    });
    GoogleAnswer ignored = co_await stopping;  // unknown to Google: stopped already
  }
  links_.at(key)->channel_until_ms = 0;
}

}  // namespace kalends
