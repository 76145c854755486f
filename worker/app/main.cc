// SPDX-License-Identifier: Apache-2.0
// The `kalends` command.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "worker/app/json_log.h"
#include "worker/app/settings.h"

namespace kalends {
namespace {

int fail(const Error& error) {
  std::fprintf(stderr, "kalends: %s\n", error.message.c_str());
  return 2;
}

int run(int argc, char** argv) {
  CLI::App app("Kalends keeps Kanban boards and Google calendars in step.", "kalends");
  app.set_version_flag("--version", std::string("kalends ") + KALENDS_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  Settings settings;
  add_settings(app, settings);
  CLI::App* serve = app.add_subcommand("serve", "Serve the boards, the web page and the links to Google");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (Status complete = complete_settings(settings); !complete.ok()) return fail(complete.error());
  if (serve->parsed()) {
    JsonLog log(settings.lowest_log_level);
    log.info("settings.accepted",
             {{"listen", LogSetting(settings.listen)}, {"push", settings.can_receive_push()}});
  }
  return 0;
}

}  // namespace
}  // namespace kalends

int main(int argc, char** argv) { return kalends::run(argc, argv); }
