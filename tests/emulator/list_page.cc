// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/list_page.h"

#include <algorithm>

#include "tests/emulator/zone_time.h"

namespace kalends::emulator {

std::string sortable(int64_t number) {
  // Shifted so that instants before 1970 sort first.
  uint64_t shifted = static_cast<uint64_t>(number) + (uint64_t{1} << 62);
  std::string text = std::to_string(shifted);
  return std::string(20 - text.size(), '0') + text;
}

std::string hash_parameters(const Call& call, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    std::vector<std::string> values = call.all(name);
    std::sort(values.begin(), values.end());
    for (const std::string& value : values) text += name + "=" + value + "&";
  }
  return std::to_string(fingerprint(text));
}

std::string hash_all_parameters(const Call& call) {
  static const std::set<std::string> kFree = {"pageToken",   "maxResults",  "fields", "prettyPrint",
                                              "alt",         "quotaUser",   "key",    "userIp",
                                              "oauth_token", "access_token"};
  std::vector<std::string> names;
  for (const auto& [name, value] : call.request.query) {
    if (!kFree.count(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return hash_parameters(call, names);
}

ListRun begin_list(const Call& call, const ListSpec& spec) {
  ListRun run;
  const World& world = call.world;
  std::string sync_text = call.text("syncToken"), page_text = call.text("pageToken");
  if (!sync_text.empty()) {
    for (const std::string& name : spec.forbidden_with_sync) {
      if (!call.all(name).empty()) {
        throw bad_parameter("badRequest", "The parameter '" + name + "' cannot be combined with syncToken.",
                            name);
      }
    }
    auto token = read_sync_token(sync_text, world.token_key);
    bool is_ours = token && token->mail == call.caller.mail && token->collection == spec.collection &&
                   token->query_hash == spec.query_hash && token->change <= spec.change;
    if (!is_ours) throw bad_parameter("invalid", "Invalid sync token value.", "syncToken");
    bool is_dead =
        token->epoch != spec.epoch || world.now_ms - token->made_ms > world.switches.sync_token_life_ms;
    if (is_dead) throw full_sync_required();
    run.since = token;
  }
  run.snapshot = spec.change;
  if (!page_text.empty()) {
    auto page = read_page_token(page_text, world.token_key);
    bool is_ours = page && page->collection == call.caller.mail + " " + spec.collection &&
                   page->query_hash == spec.page_hash;
    if (!is_ours) throw bad_parameter("invalid", "Invalid page token value.", "pageToken");
    run.page = page;
    run.snapshot = page->snapshot;
  }
  run.page_size = std::min(call.number("maxResults", spec.default_page_size), spec.page_size_max);
  run.page_size = std::min(run.page_size, world.switches.page_size_max);
  if (call.forced_page_size > 0) run.page_size = std::min(run.page_size, call.forced_page_size);
  return run;
}

void finish_list(Call& call, const ListSpec& spec, const ListRun& run, std::vector<ListItem> items,
                 std::optional<SyncToken> sync) {
  call.world.stats.list_pages += 1;
  std::sort(items.begin(), items.end(), [](const ListItem& a, const ListItem& b) { return a.key < b.key; });
  if (call.forced_empty) items.clear();
  auto first = items.begin();
  if (run.page) {
    first = std::upper_bound(items.begin(), items.end(), run.page->after,
                             [](const std::string& key, const ListItem& item) { return key < item.key; });
  }
  Json shown = Json::array();
  PageToken next{call.caller.mail + " " + spec.collection, spec.page_hash, run.page ? run.page->after : "",
                 run.snapshot, false};
  bool wants_empty_page = (call.world.switches.empty_pages || call.forced_empty_pages) &&
                          !(run.page && run.page->was_empty) && !call.forced_empty;
  bool has_more = wants_empty_page;
  if (wants_empty_page) {
    next.was_empty = true;
  } else {
    for (; first != items.end() && shown.size() < static_cast<size_t>(run.page_size); ++first) {
      next.after = first->key;
      shown.push_back(std::move(first->body));
    }
    has_more = first != items.end();
  }
  call.result["items"] = std::move(shown);
  if (has_more) {
    call.result["nextPageToken"] = write_token(next, call.world.token_key);
  } else if (sync) {
    sync->mail = call.caller.mail;
    sync->collection = spec.collection;
    sync->query_hash = spec.query_hash;
    sync->change = run.snapshot;
    sync->epoch = spec.epoch;
    sync->made_ms = call.world.now_ms;
    call.result["nextSyncToken"] = write_token(*sync, call.world.token_key);
  }
}

}  // namespace kalends::emulator
