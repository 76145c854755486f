// SPDX-License-Identifier: Apache-2.0
// The `kalends` command.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <pthread.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "worker/app/app.h"
#include "worker/app/commands.h"
#include "worker/app/json_log.h"
#include "worker/app/settings.h"

namespace kalends {
namespace {

int fail(const Error& error) {
  std::fprintf(stderr, "kalends: %s\n", error.message.c_str());
  return 2;
}

int serve(const Settings& settings) {
  // Blocked here, so that every thread made later leaves them to the one that waits for them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  JsonLog log(settings.lowest_log_level);
  auto app = App::open(settings, log);
  if (!app.ok()) return fail(app.error());
  log.info("serving", {{"url", LogSetting((*app)->public_url())}, {"push", settings.can_receive_push()}});
  std::printf("{\"url\":\"%s\",\"port\":%d}\n", (*app)->public_url().c_str(), (*app)->port());
  std::fflush(stdout);
  std::thread waiter([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    (*app)->stop();
  });
  (*app)->run();
  ::kill(::getpid(), SIGTERM);  // when the server ended by itself, the waiter must end too
  waiter.join();
  (*app)->close();
  log.info("stopped");
  std::fflush(nullptr);
  std::_Exit(0);  // threads that wait for Google's answers have nothing to lose
}

int run(int argc, char** argv) {
  CLI::App app("Kalends keeps Kanban boards and Google calendars in step.", "kalends");
  app.set_version_flag("--version", std::string("kalends ") + KALENDS_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Settings can be flags, lines of a --config file, or environment variables; the flag wins. "
      "`kalends COMMAND --help` tells more about a command.");
  Settings settings;
  add_settings(app, settings);
  CLI::App* serve_command =
      app.add_subcommand("serve", "Serve the boards, the web page and the links to Google");
  Commands commands(app, settings);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ConversionError& error) {
    return fail(invalid(std::string(error.what()) + ". Numbers are whole numbers without a unit; `kalends "
                                                    "serve --help` shows each setting with its kind."));
  } catch (const CLI::FileError& error) {
    return fail(
        invalid(std::string(error.what()) + ". Give the path of a file with lines such as: poll-seconds=60"));
  } catch (const CLI::ConfigError& error) {
    return fail(
        invalid(std::string(error.what()) +
                ". A config file has lines such as: poll-seconds=60 (the flags without their dashes)."));
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (Status complete = complete_settings(settings); !complete.ok()) return fail(complete.error());
  if (serve_command->parsed()) return serve(settings);
  return commands.run();
}

}  // namespace
}  // namespace kalends

int main(int argc, char** argv) { return kalends::run(argc, argv); }
