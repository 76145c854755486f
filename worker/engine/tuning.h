// SPDX-License-Identifier: Apache-2.0
// The engine's numbers, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kalends::tuning {

// A document's snapshot is renewed after so many operations: opening replays at most this many (about 2 ms).
inline constexpr uint64_t kSnapshotEveryOps = 1000;
// A client that lacks more than this gets the snapshot instead of the operations.
inline constexpr uint64_t kTailOpsMax = 5000;
inline constexpr size_t kOpsPerMessage = 2000;
// Dirty pairs looked at in one go, so that other links get their turn.
inline constexpr size_t kPairsPerRound = 200;
// Writes of one link under way at once. Google throttles quick writes to one calendar, and their order must
// hold for one event only; a few at once hide the round trip.
inline constexpr size_t kWritesAtOnce = 4;
// Rounds of "precondition failed, fetch, plan again" for one pair before it waits for the next poll.
inline constexpr int kConflictRoundsMax = 3;
// A card that moved from board to board is followed so far.
inline constexpr int kMovesFollowed = 8;
inline constexpr int64_t kLeaseMs = 60'000;
// A pair whose write was refused as invalid is tried again when the card changes, not before.
inline constexpr int64_t kChannelRenewBeforeMs = 24 * 3600 * 1000;
inline constexpr int64_t kFullListingMs = 24 * 3600 * 1000;
// How long no event is created after Google said that its use limits are reached (they last hours).
inline constexpr int64_t kCreationPauseMs = 3600 * 1000;
// A lost notice costs at most this many polls' time; a thousand idle links cost a fifth.
inline constexpr int64_t kPollsSavedByPush = 5;
// A notice takes seconds. One that is missing for longer never comes: the channel is deaf.
inline constexpr int64_t kRingPatienceMs = 60'000;
// A deaf channel is replaced, and the new one has so long to show that it is better.
inline constexpr int64_t kDeafRenewMs = 10 * 60 * 1000;
inline constexpr int64_t kOauthFlowMs = 10 * 60 * 1000;
// Access tokens are refreshed a minute before their end, so that none dies on the way.
inline constexpr int64_t kTokenSlackMs = 60'000;
// Deletions within this time count together for the guard: somebody who deletes events one by one is as fast.
inline constexpr int64_t kDeletionWindowMs = 10 * 60 * 1000;
// How many of the events that an implausible listing lacks are asked for before it is believed or not.
inline constexpr size_t kListingSample = 5;
// Lists of deletions that a person was shown, remembered until one of them is approved.
inline constexpr size_t kShownKept = 8;
// A dry run keeps what it has read in memory, about a kilobyte an event.
inline constexpr size_t kPreviewEventsMax = 100'000;
// Of a card's history under one link, as an explanation shows it.
inline constexpr size_t kHistoryShown = 50;
// What is kept of a link's runs, to tell people and to undo them. An entry takes about half a kilobyte: 10 MB
// at most, and a first sync of several thousand cards is among it as a whole.
inline constexpr size_t kRunsKept = 500;
inline constexpr int64_t kRunsKeptMs = int64_t{90} * 24 * 3600 * 1000;
inline constexpr size_t kEntriesKept = 20'000;
// Counting the entries of a full ledger takes a millisecond or two: not after every run.
inline constexpr uint64_t kForgetEveryRuns = 10;

}  // namespace kalends::tuning
