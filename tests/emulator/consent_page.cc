// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/consent_page.h"

#include <map>

namespace kalends::emulator {
namespace {

constexpr const char* kHead =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width\"><title>Sign in - Google stand-in</title><style>"
    "body{font:15px/1.45 system-ui,sans-serif;background:#f0f4f9;margin:0;display:grid;place-items:center;"
    "min-height:100vh;color:#1f1f1f}main{background:#fff;border-radius:20px;padding:32px "
    "36px;max-width:520px;"
    "box-shadow:0 1px 4px #0002}h1{font-size:22px;font-weight:500;margin:0 0 "
    "4px}.note{color:#5f6368;font-size:13px}"
    "fieldset{border:1px solid #dadce0;border-radius:12px;margin:16px 0;padding:10px 16px}legend{padding:0 "
    "6px;"
    "color:#5f6368;font-size:13px}label{display:flex;gap:10px;padding:6px "
    "0;align-items:flex-start;cursor:pointer}"
    "code{color:#5f6368;font-size:12px;word-break:break-all}.row{display:flex;justify-content:flex-end;gap:"
    "12px}"
    "button{font:inherit;border:0;border-radius:18px;padding:8px "
    "22px;cursor:pointer}button.allow{background:#0b57d0;"
    "color:#fff}button.cancel{background:#e8eaed}</style></head><body><main>";

std::string describe_scope(const std::string& scope) {
  static const std::map<std::string, std::string> kTexts = {
      {"calendar", "See, edit, share, and permanently delete all the calendars you can access"},
      {"calendar.readonly", "See and download any calendar you can access"},
      {"calendar.events", "View and edit events on all your calendars"},
      {"calendar.events.readonly", "View events on all your calendars"},
      {"calendar.events.owned", "See, create, change, and delete events on calendars you own"},
      {"calendar.app.created",
       "Make secondary calendars, and see, create, change, and delete events on them"},
      {"calendar.calendarlist", "See, add, and remove calendars you are subscribed to"},
      {"calendar.calendarlist.readonly", "See the list of calendars you are subscribed to"},
      {"calendar.calendars", "See and change the properties of calendars you have access to"},
      {"calendar.freebusy", "View your availability in your calendars"},
      {"calendar.acls", "See and change the sharing permissions of calendars you own"},
      {"calendar.settings.readonly", "View your calendar settings"}};
  auto found = kTexts.find(scope.substr(scope.rfind('/') + 1));
  return found == kTexts.end() ? "Use " + scope.substr(scope.rfind('/') + 1) : found->second;
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string escaped;
  for (char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped.push_back(c);
    }
  }
  return escaped;
}

std::string render_consent_page(const ConsentView& view) {
  std::string page = kHead;
  page +=
      "<h1>An app wants access to your Google Account</h1><p class=\"note\">This is a stand-in for tests. "
      "Choose who you are and tick what the app may do.</p>"
      "<form method=\"post\" action=\"/o/oauth2/v2/auth\" id=\"consent\">";
  for (const auto& [name, value] : view.query) {
    page += "<input type=\"hidden\" name=\"" + escape_html(name) + "\" value=\"" + escape_html(value) + "\">";
  }
  page += "<fieldset><legend>Account</legend>";
  bool is_first = view.chosen_mail.empty();
  for (const auto& [mail, name] : view.people) {
    bool is_chosen = mail == view.chosen_mail || is_first;
    is_first = false;
    page += "<label><input type=\"radio\" name=\"user\" value=\"" + escape_html(mail) + "\"" +
            (is_chosen ? " checked" : "") + "><span>" + escape_html(name) + "<br><code>" + escape_html(mail) +
            "</code></span></label>";
  }
  page += "</fieldset>";
  if (!view.scopes.empty()) {
    page += "<fieldset><legend>The app may</legend>";
    for (const std::string& scope : view.scopes) {
      std::string kind = view.has_boxes ? "checkbox" : "hidden";
      page += "<label><input type=\"" + kind + "\" name=\"grant\" value=\"" + escape_html(scope) +
              "\"><span>" + escape_html(describe_scope(scope)) + "<br><code>" + escape_html(scope) +
              "</code></span></label>";
    }
    page += "</fieldset>";
  }
  page +=
      "<div class=\"row\"><button class=\"cancel\" name=\"decision\" value=\"deny\">Cancel</button>"
      "<button class=\"allow\" id=\"allow\" name=\"decision\" value=\"allow\">Continue</button></div>"
      "</form></main></body></html>";
  return page;
}

std::string render_error_page(const std::string& error, const std::string& description) {
  return std::string(kHead) + "<h1>Access blocked: this request is invalid</h1><p>" +
         escape_html(description) + "</p><p class=\"note\">Error 400: " + escape_html(error) +
         "</p></main></body></html>";
}

}  // namespace kalends::emulator
