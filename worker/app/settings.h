// SPDX-License-Identifier: Apache-2.0
// All settings of the worker. Each can be given as a flag, in a file (--config) or in the environment; a flag
// wins over the file, the file over the environment. Every address of Google's is a setting, so that any
// server can stand in for it.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "worker/ports/log.h"

namespace CLI {
class App;
}

namespace kalends {

struct Settings {
  std::string data_dir = "data";
  std::string listen = "127.0.0.1:8787";
  std::string public_url;  // empty: http:// and the listening address
  std::string web_dir;     // empty: no web page is served
  std::string log_level = "info";
  int64_t open_boards = 200;

  std::string alert_webhook_url;  // empty: changes of health are only shown

  std::string google_client_id;
  std::string google_client_secret;
  std::string google_api_url = "https://www.googleapis.com";  // /calendar/v3 is appended
  std::string google_auth_url = "https://accounts.google.com/o/oauth2/v2/auth";
  std::string google_token_url = "https://oauth2.googleapis.com/token";
  std::string google_revoke_url = "https://oauth2.googleapis.com/revoke";
  std::string google_certs_url = "https://www.googleapis.com/oauth2/v3/certs";
  std::string gmail_api_url = "https://gmail.googleapis.com";
  int64_t google_quota_user_per_minute = 600;
  int64_t google_quota_project_per_minute = 10'000;

  int64_t poll_seconds = 60;
  int64_t probe_seconds = 30;   // 0: listings are not checked by probes
  int64_t health_seconds = 10;  // between two looks at the health of all links
  int64_t channel_life_seconds = 604'800;  // Google's own maximum is seven days
  int64_t request_timeout_ms = 20'000;
  int64_t backoff_min_ms = 500;
  int64_t backoff_max_ms = 64'000;

  // Filled by complete_settings.
  std::string listen_host;
  uint16_t listen_port = 0;
  LogLevel lowest_log_level = LogLevel::kInfo;

  std::string oauth_callback_url() const { return public_url + "/oauth/google/callback"; }
  std::string webhook_url() const { return public_url + "/webhooks/google/calendar"; }
  std::string database_path() const { return data_dir + "/kalends.db"; }
  std::string key_path() const { return data_dir + "/kalends.key"; }
  // A Google account can be connected at all.
  bool has_google_client() const { return !google_client_id.empty(); }
  // Google pushes to https only; a stand-in on loopback also to plain http. Otherwise polling is all there
  // is.
  bool can_receive_push() const;
};

// Puts the options, with their help and environment names, on `app`. `settings` must outlive its parsing.
void add_settings(CLI::App& app, Settings& settings);

// Checks what was given and fills in what follows from it. kInvalid: the setting's name, the reason and the
// fix.
Status complete_settings(Settings& settings);

}  // namespace kalends
