// SPDX-License-Identifier: Apache-2.0
#include "worker/porting/ics_export.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "core/calendar/project.h"
#include "worker/google/zones.h"
#include "worker/porting/ics_zone.h"

namespace kalends {
namespace {

constexpr size_t kLineOctetsMax = 75;  // RFC 5545 section 3.1
constexpr int64_t kDaySeconds = 86400;

bool is_utc(std::string_view zone) { return zone == "UTC" || zone == "Etc/UTC" || zone == "Z"; }

// A wall time that comes twice, the second time, cannot be said with a zone: it is said in UTC.
bool is_said_in_utc(const When& when) { return is_utc(when.zone) || when.fold == Fold::kSecond; }

std::string ics_date(CivilDate date) { return ics_wall_text(int64_t{date.days} * kDaySeconds).substr(0, 8); }

class Writing {
 public:
  Writing(const Replica& board, const IcsOptions& options) : board_(board), options_(options) {}

  std::string write() {
    for (const ListRow& list : board_rows(board_))
      for (const CardRow& row : list.cards) add_event(row);
    Entity root = board_.document().find(board_.document().id.raw);
    std::string title = root ? root->text_value(Field::kTitle) : std::string();
    std::string out;
    auto line = [&](const std::string& text) { out += folded_ics_line(text); };
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//Kalends//Kalends//EN");
    line("CALSCALE:GREGORIAN");
    line("NAME:" + escaped_ics_text(title));
    line("X-WR-CALNAME:" + escaped_ics_text(title));
    for (const auto& [zone, span] : zones_)
      // A year to each side: a reader that looks a little before or after finds the clocks right.
      for (const std::string& text :
           ics_zone_lines(zone, span.first - 366 * kDaySeconds, span.second + 366 * kDaySeconds))
        line(text);
    out += events_;
    line("END:VCALENDAR");
    return out;
  }

 private:
  void line(const std::string& text) { events_ += folded_ics_line(text); }

  // nullopt: a floating time, or a zone that this machine does not know.
  static std::optional<int64_t> instant(const When& when) {
    if (when.is_all_day || when.zone.empty()) return std::nullopt;
    auto found = to_instant(when.wall, when.zone, when.fold);
    return found ? std::optional(found->seconds) : std::nullopt;
  }

  std::string date_property(const std::string& name, const When& when) {
    if (when.is_all_day) return name + ";VALUE=DATE:" + ics_date(when.date);
    auto at = instant(when);
    if (!at) return name + ":" + ics_wall_text(when.wall.seconds);
    if (is_said_in_utc(when)) return name + ":" + ics_wall_text(*at) + "Z";
    auto [span, is_new] = zones_.try_emplace(when.zone, *at, *at);
    span->second.first = std::min(span->second.first, *at);
    span->second.second = std::max(span->second.second, *at);
    return name + ";TZID=" + when.zone + ":" + ics_wall_text(when.wall.seconds);
  }

  // The format wants an end after the start; an event without an end takes no time.
  static bool is_after(const When& end, const When& start) {
    if (end.is_all_day && start.is_all_day) return end.date > start.date;
    auto end_at = instant(end);
    auto start_at = instant(start);
    return end_at && start_at ? *end_at > *start_at : end.wall > start.wall;
  }

  void add_event(const CardRow& row) {
    auto facet = project(board_.document(), *row.card, options_.policy);
    if (!facet) return;
    std::string summary = render_marks(*facet, options_.policy).summary;
    line("BEGIN:VEVENT");
    line("UID:" + to_hex(row.id) + "@kalends");
    line("DTSTAMP:" + ics_wall_text(options_.now_ms / 1000) + "Z");
    line(date_property("DTSTART", facet->start));
    if (is_after(facet->end, facet->start)) line(date_property("DTEND", facet->end));
    line("SUMMARY:" + escaped_ics_text(summary));
    if (!facet->description.empty()) line("DESCRIPTION:" + escaped_ics_text(facet->description));
    if (!facet->location.empty()) line("LOCATION:" + escaped_ics_text(facet->location));
    add_categories(*row.card);
    add_alarms(*row.card, summary);
    line("END:VEVENT");
  }

  void add_categories(const Entity& card) {
    if (options_.policy.details != Details::kFull) return;
    std::string names;
    for (const Id128& id : card.elements(Field::kLabels)) {
      auto name = options_.labels.find(id);
      if (name == options_.labels.end() || name->second.empty()) continue;
      names += (names.empty() ? "" : ",") + escaped_ics_text(name->second);
    }
    if (!names.empty()) line("CATEGORIES:" + names);
  }

  void add_alarms(const Entity& card, const std::string& summary) {
    Value value = card.value(Field::kReminders);
    const auto* reminders = std::get_if<std::vector<int64_t>>(&value);
    if (!reminders) return;
    for (int64_t minutes : *reminders) {
      line("BEGIN:VALARM");
      line("ACTION:DISPLAY");
      line("DESCRIPTION:" + escaped_ics_text(summary));
      line("TRIGGER:-PT" + std::to_string(minutes) + "M");
      line("END:VALARM");
    }
  }

  const Replica& board_;
  const IcsOptions& options_;
  std::string events_;
  std::map<std::string, std::pair<int64_t, int64_t>> zones_;  // first and last instant in use
};

}  // namespace

std::string folded_ics_line(std::string_view line) {
  std::string out;
  size_t room = kLineOctetsMax;
  while (line.size() > room) {
    size_t cut = room;
    while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
    if (cut == 0) cut = room;  // not UTF-8; it is cut somewhere rather than never
    out.append(line.substr(0, cut)).append("\r\n ");
    line.remove_prefix(cut);
    room = kLineOctetsMax - 1;  // the space at the beginning counts
  }
  return out.append(line).append("\r\n");
}

std::string escaped_ics_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\r') {
      if (i + 1 < text.size() && text[i + 1] == '\n') continue;
      out += "\\n";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || c == ';' || c == ',') {
      out += '\\';
      out += c;
    } else if ((static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) || c == '\t') {
      out += c;
    }
  }
  return out;
}

std::string export_ics(const Replica& board, const IcsOptions& options) {
  return Writing(board, options).write();
}

}  // namespace kalends
