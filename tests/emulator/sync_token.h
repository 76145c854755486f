// SPDX-License-Identifier: Apache-2.0
// Sync and page tokens: opaque to clients, self-contained for us. A token names the user, the collection, the
// query it belongs to and how far it has read; a checksum refuses whatever we did not make.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/emulator/message.h"

namespace kalends::emulator {

struct SyncToken {
  std::string mail;
  std::string collection;  // "events:CALENDAR", "calendarList", "acl:CALENDAR", "settings"
  std::string query_hash;  // of the parameters that must stay equal
  uint64_t change = 0;     // everything up to here was listed
  uint64_t epoch = 0;
  int64_t made_ms = 0;
  std::optional<int64_t> time_min, time_max;  // window of the first run
};

struct PageToken {
  std::string collection;
  std::string query_hash;
  std::string after;       // sort key of the last item shown
  uint64_t snapshot = 0;   // change number when the run began
  bool was_empty = false;  // the page before was an empty one
};

std::string write_token(const SyncToken& token, uint64_t key);
std::string write_token(const PageToken& token, uint64_t key);
std::optional<SyncToken> read_sync_token(const std::string& text, uint64_t key);
std::optional<PageToken> read_page_token(const std::string& text, uint64_t key);

}  // namespace kalends::emulator
