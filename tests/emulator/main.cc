// SPDX-License-Identifier: Apache-2.0
// kalends-google: a stand-in for Google Calendar and Google's OAuth on 127.0.0.1, for tests and demos.
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <iostream>

#include "tests/emulator/http_shell.h"
#include "tests/emulator/stand_in.h"

int main(int argument_count, char** arguments) {
  namespace asio = boost::asio;
  using asio::ip::tcp;

  CLI::App app{"A stand-in for Google Calendar v3 and Google's OAuth, for tests and demos."};
  unsigned short port = 0;
  kalends::emulator::StandInOptions options;
  kalends::emulator::Switches switches;
  bool refuses_http_webhooks = false;
  app.add_option("--port", port, "Port on 127.0.0.1; 0 takes any free one")->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of everything that is left to chance")->capture_default_str();
  app.add_option("--user", options.people, "Mail address of a person with a calendar; repeatable");
  app.add_option("--redirect-uri", options.redirect_uris,
                 "Allowed OAuth redirect address, matched exactly; repeatable. Without any, every loopback "
                 "address is allowed");
  app.add_option("--quota-user", switches.quota_per_user, "Queries per minute and user; 0 is no limit")
      ->capture_default_str();
  app.add_option("--quota-project", switches.quota_per_project,
                 "Queries per minute and project; 0 is no limit")
      ->capture_default_str();
  app.add_option("--quota-status", switches.quota_status, "Status of a quota refusal: 403 or 429")
      ->check(CLI::IsMember({403, 429}))
      ->capture_default_str();
  app.add_option("--patch-cost", switches.patch_cost, "Quota units of one patch; Google's reference says 3")
      ->capture_default_str();
  app.add_flag("--https-webhooks-only", refuses_http_webhooks,
               "Refuse plain http for push channels, loopback too");
  CLI11_PARSE(app, argument_count, arguments);
  switches.allow_http_webhooks = !refuses_http_webhooks;

  try {
    asio::io_context io;
    tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::make_address_v4("127.0.0.1"), port));
    options.base_url = "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
    kalends::emulator::StandIn stand_in(options);
    stand_in.model().world().switches = switches;
    kalends::emulator::HttpShell shell(io, stand_in, std::move(acceptor));
    shell.start();
    kalends::emulator::Json line = {{"base_url", options.base_url},
                                    {"client_id", stand_in.oauth().client_id()},
                                    {"client_secret", stand_in.oauth().client_secret()}};
    std::cout << line.dump() << std::endl;
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&](const boost::system::error_code&, int) { io.stop(); });
    io.run();
  } catch (const std::exception& error) {
    std::cerr << "kalends-google: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
