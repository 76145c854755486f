// SPDX-License-Identifier: Apache-2.0
// One API call on its way through the model: what was asked, who asks, and what is being answered.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tests/emulator/api_error.h"
#include "tests/emulator/discovery.h"
#include "tests/emulator/event_rules.h"
#include "tests/emulator/world.h"

namespace kalends::emulator {

struct Call {
  World& world;
  const Request& request;
  const Caller& caller;
  const MethodSpec& method;
  std::map<std::string, std::string> path_values;
  Json body;

  // The answer. A null `result` means 204 without a body.
  Json result = {};
  std::string etag = {};         // also an ETag header
  std::string event_id = {};     // of the event written, for faults and held answers
  std::string calendar_id = {};  // resolved
  bool has_committed = false;

  // Faults that change a list on its way out.
  bool forced_empty = false;        // no items, as if the calendar were empty
  bool forced_empty_pages = false;  // empty pages between the others
  int forced_page_size = 0;         // 0: no

  bool flag(const std::string& name, bool otherwise = false) const;
  std::string text(const std::string& name) const;
  std::optional<int64_t> time(const std::string& name) const;
  int number(const std::string& name, int otherwise) const;
  std::vector<std::string> all(const std::string& name) const;

  // The calendar in the path ("primary" resolved). Throws notFound without any access, and 403 when the
  // caller's role or the token's scopes reach it less than `role`.
  Calendar& calendar(int role);
  // The lesser of the caller's role and what the token's scopes allow.
  int effective_role(const Calendar& calendar) const;
  Person& person() { return world.add_person(caller.mail); }

  WriteOptions write_options() const;
  Viewer viewer(const Calendar& calendar) const;

  // Throws 412 unless If-Match is absent, "*" or names this etag.
  void check_if_match(const std::string& current_etag) const;
};

using MethodFunction = std::function<void(Call&)>;

// All methods by name, gathered from the files below.
void add_event_methods(std::map<std::string, MethodFunction>& methods);
void add_event_list_methods(std::map<std::string, MethodFunction>& methods);
void add_calendar_methods(std::map<std::string, MethodFunction>& methods);
void add_calendar_list_methods(std::map<std::string, MethodFunction>& methods);
void add_acl_methods(std::map<std::string, MethodFunction>& methods);
void add_small_methods(std::map<std::string, MethodFunction>& methods);
void add_channel_methods(std::map<std::string, MethodFunction>& methods);

}  // namespace kalends::emulator
