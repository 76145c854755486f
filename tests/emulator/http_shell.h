// SPDX-License-Identifier: Apache-2.0
// HTTP on 127.0.0.1 around the stand-in: one thread, keep-alive connections, push deliveries. All decisions
// are the stand-in's; this file only moves bytes and time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>

#include "tests/emulator/stand_in.h"

namespace kalends::emulator {

class HttpShell {
 public:
  HttpShell(boost::asio::io_context& io, StandIn& stand_in, boost::asio::ip::tcp::acceptor acceptor);

  // Starts to accept; runs until the io_context stops.
  void start();

 private:
  boost::asio::awaitable<void> accept_loop();
  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);
  boost::asio::awaitable<void> push_loop();
  boost::asio::awaitable<void> deliver(PushNotice notice);
  boost::asio::awaitable<bool> wait_while_held(boost::asio::ip::tcp::socket& socket, uint64_t id);
  boost::asio::awaitable<void> wait_for_news(int64_t ms);
  void advance();
  void send_due_notices();
  void wake_all();

  boost::asio::io_context& io_;
  StandIn& stand_in_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer push_timer_;
  std::set<boost::asio::steady_timer*> waiting_;
};

}  // namespace kalends::emulator
