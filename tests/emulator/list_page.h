// SPDX-License-Identifier: Apache-2.0
// What every list has in common: pages, sync tokens, their checks and their refusals.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/call.h"
#include "tests/emulator/sync_token.h"

namespace kalends::emulator {

struct ListSpec {
  std::string collection;  // "events:CALENDAR"…
  std::string query_hash;  // of the parameters that must stay equal between runs
  std::string page_hash;   // of all parameters of one run
  std::vector<std::string> forbidden_with_sync;
  uint64_t change = 0;  // of the collection now
  uint64_t epoch = 0;
  int default_page_size = 250;
  int page_size_max = 2500;
};

struct ListRun {
  std::optional<SyncToken> since;
  std::optional<PageToken> page;
  uint64_t snapshot = 0;  // the run shows the collection up to this change
  int page_size = 0;
};

// Reads and checks syncToken and pageToken. Throws 400 invalid for what we did not make or another query's
// token, 410 for one that died.
ListRun begin_list(const Call& call, const ListSpec& spec);

// One item and its place in the run's order.
struct ListItem {
  std::string key;
  Json body;
};

// Cuts the page out of all items of the run (sorted by key here) and adds items and nextPageToken or
// nextSyncToken to call.result. `sync` is the token to give on the last page; nullopt: this query gives none.
void finish_list(Call& call, const ListSpec& spec, const ListRun& run, std::vector<ListItem> items,
                 std::optional<SyncToken> sync);

std::string hash_parameters(const Call& call, const std::vector<std::string>& names);
// Every query parameter but those that only steer paging and rendering.
std::string hash_all_parameters(const Call& call);

// Numbers as text that sorts like them.
std::string sortable(int64_t number);

}  // namespace kalends::emulator
