// SPDX-License-Identifier: Apache-2.0
#include "worker/app/settings.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>

#include "worker/base/url.h"

namespace kalends {
namespace {

Error wrong(std::string_view name, std::string_view reason, std::string_view fix) {
  return invalid(std::string(name) + " is refused: " + std::string(reason) + ". " + std::string(fix));
}

Status check_range(std::string_view name, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return {};
  return wrong(name, std::to_string(value) + " is out of range",
               "Give a number from " + std::to_string(least) + " to " + std::to_string(most) + ".");
}

// Takes off a slash at the end, so that paths can be appended.
Status check_address(std::string_view name, std::string& address) {
  while (!address.empty() && address.back() == '/') address.pop_back();
  auto url = parse_url(address);
  if (!url.ok()) {
    return wrong(name, url.error().message, "Give an address such as https://www.example.com.");
  }
  if (url->scheme == "http" && !is_loopback_host(url->host)) {
    return wrong(name, "plain http is accepted for loopback addresses only",
                 "Use https, or an address such as http://127.0.0.1:9000 for a server on this machine.");
  }
  return {};
}

// Addresses that paths are appended to must end with their path.
Status check_base_address(std::string_view name, std::string& address) {
  KALENDS_TRY_VOID(check_address(name, address));
  if (address.find('?') == std::string::npos) return {};
  return wrong(name, "the address has a query (?...)", "Give the address without it.");
}

Status read_listen(Settings& settings) {
  constexpr std::string_view kName = "KALENDS_LISTEN (--listen)";
  constexpr std::string_view kFix =
      "Give host:port such as 127.0.0.1:8787 or [::1]:8787; port 0 takes any free one.";
  const std::string& text = settings.listen;
  size_t colon = text.rfind(':');
  if (colon == std::string::npos) return wrong(kName, "it has no port", kFix);
  std::string host = text.substr(0, colon);
  bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || (!is_bracketed && host.find(':') != std::string::npos)) {
    return wrong(kName, "it has no usable host", kFix);
  }
  const char* begin = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  uint16_t port = 0;
  auto [stop, problem] = std::from_chars(begin, end, port);
  if (begin == end || problem != std::errc() || stop != end) {
    return wrong(kName, "its port is not a number from 0 to 65535", kFix);
  }
  settings.listen_host = std::move(host);
  settings.listen_port = port;
  return {};
}

Status read_public_url(Settings& settings) {
  constexpr std::string_view kName = "KALENDS_PUBLIC_URL (--public-url)";
  bool is_local = is_loopback_host(settings.listen_host);
  if (settings.public_url.empty()) {
    if (!is_local) {
      return wrong(
          kName, "Kalends listens to other machines but does not know its own address",
          "Give the https address under which browsers and Google reach it, or listen on 127.0.0.1.");
    }
    settings.public_url = "http://" + settings.listen;
    // A port that the system picks is filled in by whoever opened it.
    if (settings.listen_port == 0) return {};
  }
  return check_base_address(kName, settings.public_url);
}

Status read_log_level(Settings& settings) {
  if (settings.log_level == "debug") {
    settings.lowest_log_level = LogLevel::kDebug;
  } else if (settings.log_level == "info") {
    settings.lowest_log_level = LogLevel::kInfo;
  } else if (settings.log_level == "warning") {
    settings.lowest_log_level = LogLevel::kWarning;
  } else if (settings.log_level == "error") {
    settings.lowest_log_level = LogLevel::kError;
  } else {
    return wrong("KALENDS_LOG_LEVEL (--log-level)", "there is no such level",
                 "Give debug, info, warning or error.");
  }
  return {};
}

Status check_google_client(const Settings& settings) {
  if (settings.google_client_id.empty() == settings.google_client_secret.empty()) return {};
  bool is_id_missing = settings.google_client_id.empty();
  return wrong(is_id_missing ? "KALENDS_GOOGLE_CLIENT_ID (--google-client-id)"
                             : "KALENDS_GOOGLE_CLIENT_SECRET (--google-client-secret)",
               "the other half of the OAuth client is given and this one is not",
               "Give both, as Google's console shows them, or neither.");
}

Status check_folders(Settings& settings) {
  if (settings.data_dir.empty()) {
    return wrong("KALENDS_DATA_DIR (--data-dir)", "it is empty",
                 "Give the folder that keeps the database and its key.");
  }
  std::error_code problem;
  if (std::filesystem::exists(settings.data_dir, problem) &&
      !std::filesystem::is_directory(settings.data_dir, problem)) {
    return wrong("KALENDS_DATA_DIR (--data-dir)", settings.data_dir + " is not a folder",
                 "Give the name of a folder.");
  }
  if (!settings.web_dir.empty() &&
      !std::filesystem::is_regular_file(settings.web_dir + "/index.html", problem)) {
    return wrong("KALENDS_WEB_DIR (--web-dir)", settings.web_dir + " holds no index.html",
                 "Give the folder with the built web page, or leave it out.");
  }
  return {};
}

}  // namespace

bool Settings::can_receive_push() const {
  auto own = parse_url(public_url);
  auto google = parse_url(google_api_url);
  if (!own.ok() || !google.ok()) return false;
  return own->scheme == "https" || is_loopback_host(google->host);
}

void add_settings(CLI::App& app, Settings& settings) {
  auto text = [&](const char* flag, const char* name, std::string& value, const char* help,
                  const char* group) {
    app.add_option(flag, value, help)->envname(name)->capture_default_str()->group(group)->type_name("TEXT");
  };
  auto number = [&](const char* flag, const char* name, int64_t& value, const char* help, const char* group) {
    app.add_option(flag, value, help)
        ->envname(name)
        ->capture_default_str()
        ->group(group)
        ->type_name("NUMBER");
  };
  app.set_config("--config", "",
                 "Read settings from this file: one `name = \"value\"` a line, names as the flags'")
      ->envname("KALENDS_CONFIG")
      ->group("Server");
  // A misspelt name would otherwise leave a default in force without a word.
  app.allow_config_extras(CLI::config_extras_mode::error);

  text("--data-dir", "KALENDS_DATA_DIR", settings.data_dir, "Folder with the database and its key", "Server");
  text("--listen", "KALENDS_LISTEN", settings.listen, "Address and port to listen on", "Server");
  text("--public-url", "KALENDS_PUBLIC_URL", settings.public_url,
       "Address under which browsers and Google reach Kalends (default: http:// and the listening address)",
       "Server");
  text("--web-dir", "KALENDS_WEB_DIR", settings.web_dir, "Folder with the built web page", "Server");
  text("--log-level", "KALENDS_LOG_LEVEL", settings.log_level, "debug, info, warning or error", "Server");
  number("--open-boards", "KALENDS_OPEN_BOARDS", settings.open_boards, "Boards kept in memory", "Server");

  text("--alert-webhook-url", "KALENDS_ALERT_WEBHOOK_URL", settings.alert_webhook_url,
       "Address that gets a POST with JSON when a link's health changes (no personal data)", "Server");

  constexpr const char* kGoogle = "Google";
  text("--google-client-id", "KALENDS_GOOGLE_CLIENT_ID", settings.google_client_id, "OAuth client: its id",
       kGoogle);
  text("--google-client-secret", "KALENDS_GOOGLE_CLIENT_SECRET", settings.google_client_secret,
       "OAuth client: its secret (better in the environment or the file: other users can see flags)",
       kGoogle);
  text("--google-api-url", "KALENDS_GOOGLE_API_URL", settings.google_api_url,
       "Calendar API; /calendar/v3 is appended", kGoogle);
  text("--google-auth-url", "KALENDS_GOOGLE_AUTH_URL", settings.google_auth_url, "Page that asks for consent",
       kGoogle);
  text("--google-token-url", "KALENDS_GOOGLE_TOKEN_URL", settings.google_token_url, "Token service", kGoogle);
  text("--google-revoke-url", "KALENDS_GOOGLE_REVOKE_URL", settings.google_revoke_url, "Revocation of tokens",
       kGoogle);
  text("--google-certs-url", "KALENDS_GOOGLE_CERTS_URL", settings.google_certs_url,
       "Keys that sign id tokens", kGoogle);
  text("--gmail-api-url", "KALENDS_GMAIL_API_URL", settings.gmail_api_url, "Gmail API", kGoogle);
  number("--google-quota-user-per-minute", "KALENDS_GOOGLE_QUOTA_USER_PER_MINUTE",
         settings.google_quota_user_per_minute, "Calls a minute for one account", kGoogle);
  number("--google-quota-project-per-minute", "KALENDS_GOOGLE_QUOTA_PROJECT_PER_MINUTE",
         settings.google_quota_project_per_minute, "Calls a minute for all accounts together", kGoogle);

  constexpr const char* kTiming = "Timing";
  number("--poll-seconds", "KALENDS_POLL_SECONDS", settings.poll_seconds,
         "How often a calendar is looked at without being told; a fifth as often where push works", kTiming);
  number("--probe-seconds", "KALENDS_PROBE_SECONDS", settings.probe_seconds,
         "How often an event of a link is read by its id, to check listings (at most 1 % of the quota); 0: "
         "never",
         kTiming);
  number("--health-seconds", "KALENDS_HEALTH_SECONDS", settings.health_seconds,
         "How often the health of all links is looked at", kTiming);
  number("--channel-life-seconds", "KALENDS_CHANNEL_LIFE_SECONDS", settings.channel_life_seconds,
         "Life of a push channel", kTiming);
  number("--request-timeout-ms", "KALENDS_REQUEST_TIMEOUT_MS", settings.request_timeout_ms,
         "Longest wait for one answer of Google's", kTiming);
  number("--backoff-min-ms", "KALENDS_BACKOFF_MIN_MS", settings.backoff_min_ms, "First wait after a failure",
         kTiming);
  number("--backoff-max-ms", "KALENDS_BACKOFF_MAX_MS", settings.backoff_max_ms, "Longest wait after failures",
         kTiming);
}

Status complete_settings(Settings& settings) {
  KALENDS_TRY_VOID(check_folders(settings));
  KALENDS_TRY_VOID(read_listen(settings));
  KALENDS_TRY_VOID(read_public_url(settings));
  KALENDS_TRY_VOID(read_log_level(settings));
  KALENDS_TRY_VOID(check_google_client(settings));

  KALENDS_TRY_VOID(check_base_address("KALENDS_GOOGLE_API_URL (--google-api-url)", settings.google_api_url));
  KALENDS_TRY_VOID(check_address("KALENDS_GOOGLE_AUTH_URL (--google-auth-url)", settings.google_auth_url));
  KALENDS_TRY_VOID(check_address("KALENDS_GOOGLE_TOKEN_URL (--google-token-url)", settings.google_token_url));
  KALENDS_TRY_VOID(
      check_address("KALENDS_GOOGLE_REVOKE_URL (--google-revoke-url)", settings.google_revoke_url));
  KALENDS_TRY_VOID(check_address("KALENDS_GOOGLE_CERTS_URL (--google-certs-url)", settings.google_certs_url));
  if (!settings.alert_webhook_url.empty())
    KALENDS_TRY_VOID(
        check_address("KALENDS_ALERT_WEBHOOK_URL (--alert-webhook-url)", settings.alert_webhook_url));
  KALENDS_TRY_VOID(check_base_address("KALENDS_GMAIL_API_URL (--gmail-api-url)", settings.gmail_api_url));

  KALENDS_TRY_VOID(check_range("KALENDS_OPEN_BOARDS (--open-boards)", settings.open_boards, 1, 100'000));
  KALENDS_TRY_VOID(check_range("KALENDS_GOOGLE_QUOTA_USER_PER_MINUTE (--google-quota-user-per-minute)",
                               settings.google_quota_user_per_minute, 1, 1'000'000));
  KALENDS_TRY_VOID(check_range("KALENDS_GOOGLE_QUOTA_PROJECT_PER_MINUTE (--google-quota-project-per-minute)",
                               settings.google_quota_project_per_minute, 1, 10'000'000));
  KALENDS_TRY_VOID(check_range("KALENDS_POLL_SECONDS (--poll-seconds)", settings.poll_seconds, 1, 86'400));
  KALENDS_TRY_VOID(check_range("KALENDS_PROBE_SECONDS (--probe-seconds)", settings.probe_seconds, 0, 86'400));
  KALENDS_TRY_VOID(check_range("KALENDS_HEALTH_SECONDS (--health-seconds)", settings.health_seconds, 1, 60));
  KALENDS_TRY_VOID(check_range("KALENDS_CHANNEL_LIFE_SECONDS (--channel-life-seconds)",
                               settings.channel_life_seconds, 10, 2'592'000));
  KALENDS_TRY_VOID(check_range("KALENDS_REQUEST_TIMEOUT_MS (--request-timeout-ms)",
                               settings.request_timeout_ms, 50, 600'000));
  KALENDS_TRY_VOID(
      check_range("KALENDS_BACKOFF_MIN_MS (--backoff-min-ms)", settings.backoff_min_ms, 1, 3'600'000));
  KALENDS_TRY_VOID(check_range("KALENDS_BACKOFF_MAX_MS (--backoff-max-ms)", settings.backoff_max_ms,
                               settings.backoff_min_ms, 3'600'000));
  return {};
}

}  // namespace kalends
