// SPDX-License-Identifier: Apache-2.0
#include "worker/app/settings.h"

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "tests/worker/temporary_folder.h"

namespace kalends {
namespace {

struct Environment {
  Environment(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Environment() { ::unsetenv(name_); }
  const char* name_;
};

Settings parsed(std::vector<std::string> arguments) {
  CLI::App app;
  Settings settings;
  add_settings(app, settings);
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  return settings;
}

std::string refusal(std::vector<std::string> arguments) {
  Settings settings = parsed(std::move(arguments));
  Status status = complete_settings(settings);
  return status.ok() ? "" : status.error().message;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("Without any setting Kalends talks to the real Google and listens on loopback only") {
  Settings settings = parsed({});
  REQUIRE(complete_settings(settings).ok());
  CHECK(settings.google_api_url == "https://www.googleapis.com");
  CHECK(settings.google_auth_url == "https://accounts.google.com/o/oauth2/v2/auth");
  CHECK(settings.google_token_url == "https://oauth2.googleapis.com/token");
  CHECK(settings.google_revoke_url == "https://oauth2.googleapis.com/revoke");
  CHECK(settings.google_certs_url == "https://www.googleapis.com/oauth2/v3/certs");
  CHECK(settings.gmail_api_url == "https://gmail.googleapis.com");
  CHECK(settings.listen_host == "127.0.0.1");
  CHECK(settings.listen_port == 8787);
  CHECK(settings.oauth_callback_url() == "http://127.0.0.1:8787/oauth/google/callback");
  CHECK(settings.webhook_url() == "http://127.0.0.1:8787/webhooks/google/calendar");
  CHECK_FALSE(settings.can_receive_push());
  CHECK_FALSE(settings.has_google_client());
}

TEST_CASE("A flag wins over the file and the file over the environment") {
  TemporaryFolder folder;
  std::string file = folder.path() + "/kalends.conf";
  std::ofstream(file) << "poll-seconds = 20\nlisten = \"127.0.0.1:2000\"\n";
  Environment poll("KALENDS_POLL_SECONDS", "10");
  Environment boards("KALENDS_OPEN_BOARDS", "11");
  Settings settings = parsed({"--config", file, "--listen", "127.0.0.1:3000"});
  CHECK(settings.listen == "127.0.0.1:3000");
  CHECK(settings.poll_seconds == 20);
  CHECK(settings.open_boards == 11);
}

TEST_CASE("A file with a name that is no setting is refused") {
  TemporaryFolder folder;
  std::string file = folder.path() + "/kalends.conf";
  std::ofstream(file) << "pol-seconds = 20\n";
  CHECK_THROWS_AS(parsed({"--config", file}), CLI::ParseError);
  CHECK_THROWS_AS(parsed({"--config", folder.path() + "/none.conf"}), CLI::ParseError);
  CHECK_THROWS_AS(parsed({"--poll-seconds", "soon"}), CLI::ParseError);
}

TEST_CASE("Every setting has its environment name") {
  CLI::App app;
  Settings settings;
  add_settings(app, settings);
  int count = 0;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_name() == "--help") continue;
    CAPTURE(option->get_name());
    CHECK(option->get_envname().substr(0, 8) == "KALENDS_");
    CHECK_FALSE(option->get_description().empty());
    ++count;
  }
  CHECK(count == 25);
}

TEST_CASE("Plain http is for loopback addresses only, wherever it is given") {
  auto flag = GENERATE("--google-api-url", "--google-auth-url", "--google-token-url", "--google-revoke-url",
                       "--google-certs-url", "--gmail-api-url", "--public-url");
  std::string text = refusal({flag, "http://www.example.com"});
  CAPTURE(flag, text);
  CHECK(has(text, flag));
  CHECK(has(text, "loopback addresses only"));
  CHECK(has(text, "Use https"));
  CHECK(refusal({flag, "http://127.0.0.1:9000/"}).empty());
  CHECK(refusal({flag, "https://www.example.com/base/"}).empty());
  CHECK(has(refusal({flag, "www.example.com"}), flag));
}

TEST_CASE("A wrong setting is refused with its name, the reason and the fix") {
  struct Case {
    std::vector<std::string> arguments;
    std::string name;
    std::string fix;
  };
  auto row = GENERATE(
      Case{{"--listen", "8787"}, "KALENDS_LISTEN", "host:port"},
      Case{{"--listen", ":8787"}, "KALENDS_LISTEN", "host"},
      Case{{"--listen", "::1:8787"}, "KALENDS_LISTEN", "[::1]:8787"},
      Case{{"--listen", "127.0.0.1:99999"}, "KALENDS_LISTEN", "65535"},
      Case{{"--listen", "0.0.0.0:8787"}, "KALENDS_PUBLIC_URL", "listen on 127.0.0.1"},
      Case{{"--log-level", "loud"}, "KALENDS_LOG_LEVEL", "warning"},
      Case{{"--google-client-id", "a"}, "KALENDS_GOOGLE_CLIENT_SECRET", "both"},
      Case{{"--google-client-secret", "a"}, "KALENDS_GOOGLE_CLIENT_ID", "both"},
      Case{{"--poll-seconds", "0"}, "KALENDS_POLL_SECONDS", "from 1"},
      Case{{"--probe-seconds", "-1"}, "KALENDS_PROBE_SECONDS", "from 0"},
      Case{{"--health-seconds", "61"}, "KALENDS_HEALTH_SECONDS", "to 60"},
      Case{{"--alert-webhook-url", "http://ops.example"}, "KALENDS_ALERT_WEBHOOK_URL", "https"},
      Case{{"--open-boards", "0"}, "KALENDS_OPEN_BOARDS", "from 1"},
      Case{{"--backoff-min-ms", "100", "--backoff-max-ms", "99"}, "KALENDS_BACKOFF_MAX_MS", "from 100"},
      Case{{"--channel-life-seconds", "1"}, "KALENDS_CHANNEL_LIFE_SECONDS", "from 10"},
      Case{{"--request-timeout-ms", "0"}, "KALENDS_REQUEST_TIMEOUT_MS", "from 50"},
      Case{{"--google-quota-user-per-minute", "0"}, "KALENDS_GOOGLE_QUOTA_USER_PER_MINUTE", "from 1"},
      Case{{"--google-quota-project-per-minute", "0"}, "KALENDS_GOOGLE_QUOTA_PROJECT_PER_MINUTE", "from 1"},
      Case{{"--google-api-url", "https://a.example/?x=1"}, "KALENDS_GOOGLE_API_URL", "without"},
      Case{{"--web-dir", "/nonexistent"}, "KALENDS_WEB_DIR", "built web page"},
      Case{{"--data-dir", "/dev/null"}, "KALENDS_DATA_DIR", "folder"},
      Case{{"--data-dir", ""}, "KALENDS_DATA_DIR", "folder"});
  std::string text = refusal(row.arguments);
  CAPTURE(text);
  CHECK(has(text, row.name));
  CHECK(has(text, row.fix));
}

TEST_CASE("Push can be received over https, and over plain http from a stand-in on this machine") {
  Settings settings = parsed({"--listen", "0.0.0.0:80", "--public-url", "https://k.example/"});
  REQUIRE(complete_settings(settings).ok());
  CHECK(settings.webhook_url() == "https://k.example/webhooks/google/calendar");
  CHECK(settings.can_receive_push());
  Settings local = parsed({"--google-api-url", "http://127.0.0.1:9000"});
  REQUIRE(complete_settings(local).ok());
  CHECK(local.can_receive_push());
  CHECK(refusal({"--listen", "[::1]:0"}).empty());
}

}  // namespace
}  // namespace kalends
