// SPDX-License-Identifier: Apache-2.0
// What the engine holds of one link while it runs. Everything here can be derived again from the store.
#pragma once

#include <deque>
#include <set>

#include "worker/engine/link_engine.h"
#include "worker/engine/restored.h"
#include "worker/engine/tuning.h"

namespace kalends {

// One deletion of a plan: of the card's event, or of the card's date (by policy the whole card is archived).
struct PlannedDeletion {
  CardId card;
  bool is_of_event = false;
  friend auto operator<=>(const PlannedDeletion&, const PlannedDeletion&) = default;
};

struct LinkEngine::Link {
  WorkspaceId workspace;
  LinkRow row;
  LinkPolicy policy;
  std::string calendar_id;
  std::string calendar_summary;
  std::string calendar_zone;  // as the last listing said
  LinkLease lease;
  int64_t lease_until_ms = 0;  // by the monotonic clock
  uint64_t leases_lost = 0;    // times that another worker had the link in between
  bool is_running = false;
  bool is_elsewhere = false;  // another worker had it at the last look: what it knows is in the store
  bool is_wanted = false;  // look again when the present look is over
  bool is_pull_wanted = true;
  bool is_removed = false;
  int readers = 0;                     // dry runs under way
  std::set<PlannedDeletion> approved;  // what a person has looked at and let go
  int64_t approved_ms = 0;             // deletions before it count no more
  // Deletions that a person was shown, by the name that the approval will say.
  std::deque<std::pair<std::string, std::set<PlannedDeletion>>> shown;
  bool is_listing_trusted = false;   // a person has let the next listing count although it lacks much
  bool is_listing_plausible = true;  // and did not lack most of what was known
  bool is_listing_complete = true;   // the last whole listing had a proper end
  std::optional<GuardReport> guard;
  std::optional<LinkError> error;
  uint64_t unmanaged = 0;
  int failures = 0;
  int64_t wake_due_ms = 0;  // of the timer, by the monotonic clock; 0: none is set
  uint64_t timer = 0;  // of the last scheduled poll: older timers are void
  int64_t channel_until_ms = 0;
  bool must_renew_channel = false;        // the permission was renewed: old channels may be dead
  std::set<CardId> refused;               // whose events Google does not take
  int64_t creations_paused_until_ms = 0;  // Google's use limits: no new events before; monotonic
  int64_t full_listing_ms = 0;            // when the calendar was last read whole
  bool has_dirty = false;                 // set inside a transaction, read after its commit
  int64_t channel_retry_ms = 0;           // Google refused a channel: none is asked for before
  // Since when a ring is missing, 0 for none: the first one of a new channel, or one for news that a poll
  // found.
  int64_t unrung_since_ms = 0;
  ChannelId rung_channel;  // the last that rang
  bool is_polled = false;  // the next pull is by the timer, nobody has rung
  size_t news = 0;         // events that the present pull saw changed

  // Of its health.
  int64_t watched_since_ms = 0;             // taken up, or let go on by a person
  int64_t interval_ms = 0;                  // between two looks, as the last poll was planned
  std::map<CardId, int64_t> waiting_since;  // pairs that waited at every tick since
  std::map<CardId, std::string> doubted;    // whose event a probe saw changed; the etag that we knew
  int64_t probed_ms = 0;
  bool is_probing = false;

  LinkId id() const { return row.link; }
  DocumentKey board() const { return {workspace, row.board}; }
  // From a backup, and its first run since is not over.
  bool is_restored() const { return !row.last_error.empty(); }
  bool waits_for_approval() const { return as_text(row.last_error) == kRestoredMark; }
  bool is_deaf(int64_t now_ms) const {
    return unrung_since_ms > 0 && now_ms - unrung_since_ms > tuning::kRingPatienceMs;
  }
  LinkState state() const { return static_cast<LinkState>(row.state); }
};

// A link's calendar as it is stored, sealed.
struct StoredCalendar {
  std::string id;
  std::string summary;
};
Result<Bytes> seal_calendar(SecretBox& secrets, WorkspaceId workspace, LinkId link,
                            const StoredCalendar& calendar);
Result<StoredCalendar> open_calendar(SecretBox& secrets, WorkspaceId workspace, const LinkRow& row);

}  // namespace kalends
