// SPDX-License-Identifier: Apache-2.0
// acl.list, get, insert, patch, update and delete. Every change of rights kills the calendar's sync tokens.
#include "tests/emulator/list_page.h"

namespace kalends::emulator {
namespace {

std::string rule_etag(const AclRule& rule) { return "\"" + std::to_string(rule.etag_number) + "\""; }

Json render_rule(const AclRule& rule) {
  Json scope = {{"type", rule.scope_type}};
  if (!rule.scope_value.empty()) scope["value"] = rule.scope_value;
  return {{"kind", "calendar#aclRule"},
          {"etag", rule_etag(rule)},
          {"id", rule.id},
          {"scope", scope},
          {"role", rule.role}};
}

void answer_rule(Call& call, const AclRule& rule) {
  call.result = render_rule(rule);
  call.etag = rule_etag(rule);
}

AclRule& existing_rule(Call& call, Calendar& calendar) {
  auto found = calendar.acl.find(call.path_values["ruleId"]);
  if (found == calendar.acl.end() || found->second.role == "none") throw not_found_error();
  return found->second;
}

void commit_rule(Call& call, Calendar& calendar, const AclRule& rule) {
  bool takes_owner_down =
      rule.scope_type == "user" && rule.scope_value == calendar.owner && rule.role != "owner";
  if (takes_owner_down) throw forbidden("The access of the data owner cannot be lowered.");
  call.world.commit_acl(calendar, rule);
  call.world.expire_sync_tokens(calendar);
  call.has_committed = true;
}

void list_rules(Call& call) {
  Calendar& calendar = call.calendar(kWriter);
  ListSpec spec;
  spec.collection = "acl:" + calendar.id;
  spec.query_hash = hash_parameters(call, {"showDeleted"});
  spec.page_hash = hash_all_parameters(call);
  spec.change = calendar.change;
  spec.default_page_size = 100;
  spec.page_size_max = 250;
  ListRun run = begin_list(call, spec);
  std::vector<ListItem> items;
  for (const auto& [id, rule] : calendar.acl) {
    if (run.since && rule.change <= run.since->change) continue;
    if (rule.role == "none" && !run.since && !call.flag("showDeleted")) continue;
    items.push_back({id, render_rule(rule)});
  }
  call.result["kind"] = "calendar#acl";
  call.result["etag"] = call.etag = "\"p3acl" + std::to_string(calendar.change) + "\"";
  finish_list(call, spec, run, std::move(items), SyncToken{});
}

void get_rule(Call& call) { answer_rule(call, existing_rule(call, call.calendar(kWriter))); }

void insert_rule(Call& call) {
  Calendar& calendar = call.calendar(kOwner);
  AclRule rule;
  if (call.body.contains("scope")) {
    rule.scope_type = call.body["scope"].value("type", "");
    rule.scope_value = call.body["scope"].value("value", "");
  }
  rule.role = call.body.value("role", "");
  bool is_typed = rule.scope_type == "user" || rule.scope_type == "group" || rule.scope_type == "domain";
  if (rule.scope_type == "default" ? !rule.scope_value.empty() : (!is_typed || rule.scope_value.empty())) {
    throw bad_request("invalid", "Invalid scope.");
  }
  if (role_number(rule.role) < 0) throw bad_request("invalid", "Invalid role.");
  rule.id = rule.scope_type == "default" ? "default" : rule.scope_type + ":" + rule.scope_value;
  if (calendar.acl.count(rule.id)) rule.etag_number = calendar.acl[rule.id].etag_number;
  commit_rule(call, calendar, rule);
  answer_rule(call, calendar.acl.at(rule.id));
}

void write_rule(Call& call) {
  Calendar& calendar = call.calendar(kOwner);
  AclRule rule = existing_rule(call, calendar);
  call.check_if_match(rule_etag(rule));
  if (call.body.contains("role")) rule.role = call.body["role"];
  if (role_number(rule.role) < 0) throw bad_request("invalid", "Invalid role.");
  commit_rule(call, calendar, rule);
  answer_rule(call, calendar.acl.at(rule.id));
}

void delete_rule(Call& call) {
  Calendar& calendar = call.calendar(kOwner);
  AclRule rule = existing_rule(call, calendar);
  call.check_if_match(rule_etag(rule));
  rule.role = "none";
  commit_rule(call, calendar, rule);
}

}  // namespace

void add_acl_methods(std::map<std::string, MethodFunction>& methods) {
  methods["acl.list"] = list_rules;
  methods["acl.get"] = get_rule;
  methods["acl.insert"] = insert_rule;
  methods["acl.patch"] = write_rule;
  methods["acl.update"] = write_rule;
  methods["acl.delete"] = delete_rule;
}

}  // namespace kalends::emulator
