// SPDX-License-Identifier: Apache-2.0
#include "worker/engine/run_report.h"

#include <algorithm>

#include "worker/google/json.h"

namespace kalends {
namespace {

uint64_t count_of(const Json& json, const char* name) {
  return static_cast<uint64_t>(std::max<int64_t>(json_integer(json, name).value_or(0), 0));
}

ErrorCode code_of(const Json& error) {
  uint64_t number = count_of(error, "code");
  auto code = static_cast<ErrorCode>(number);
  bool is_known = number <= UINT8_MAX && error_code_name(code) != "unknown";
  return is_known ? code : ErrorCode::kInvalid;
}

}  // namespace

Bytes encode_report(const RunReport& report) {
  Json json = {{"inserts", report.inserts},
               {"patches", report.patches},
               {"deletes", report.deletes},
               {"card_edits", report.card_edits},
               {"cards_created", report.cards_created}};
  if (report.error)
    json["error"] = {{"code", static_cast<int>(report.error->code)}, {"message", report.error->message}};
  if (report.guard)
    json["guard"] = {{"event_deletions", report.guard->event_deletions},
                     {"card_deletions", report.guard->card_deletions},
                     {"recent_event_deletions", report.guard->recent_event_deletions},
                     {"recent_card_deletions", report.guard->recent_card_deletions},
                     {"pairs", report.guard->pairs},
                     {"reason", report.guard->reason},
                     {"plan", report.guard->plan},
                     {"listing_doubted", report.guard->is_listing_doubted}};
  if (report.undone_run > 0) {
    json["undone_run"] = report.undone_run;
    json["asked_by"] = to_hex(report.asked_by);
    json["left"] = report.left.size();
  }
  return to_bytes(json_dump(json));
}

RunReport decode_report(ByteView bytes) {
  RunReport report;
  auto json = parse_json(as_text(bytes));
  if (bytes.empty() || !json.ok()) return report;
  report.inserts = count_of(*json, "inserts");
  report.patches = count_of(*json, "patches");
  report.deletes = count_of(*json, "deletes");
  report.card_edits = count_of(*json, "card_edits");
  report.cards_created = count_of(*json, "cards_created");
  if (const Json& error = json_member(*json, "error"); error.is_object())
    report.error = Error{code_of(error), json_text_or_empty(error, "message"), 0};
  if (const Json& guard = json_member(*json, "guard"); guard.is_object())
    report.guard = GuardReport{count_of(guard, "event_deletions"),
                               count_of(guard, "card_deletions"),
                               count_of(guard, "recent_event_deletions"),
                               count_of(guard, "recent_card_deletions"),
                               count_of(guard, "pairs"),
                               json_text_or_empty(guard, "reason"),
                               json_text_or_empty(guard, "plan"),
                               json_is_true(guard, "listing_doubted")};
  report.undone_run = count_of(*json, "undone_run");
  if (auto member = id_from_hex(json_text_or_empty(*json, "asked_by"))) report.asked_by = MemberId{*member};
  return report;
}

}  // namespace kalends
