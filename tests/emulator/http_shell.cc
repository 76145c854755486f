// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/http_shell.h"

#include <sys/socket.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>

namespace kalends::emulator {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr uint64_t kBodyBytesMax = 16 * 1024 * 1024;
constexpr auto kPushTimeout = std::chrono::seconds(10);
constexpr auto kGoneCheck = std::chrono::milliseconds(50);

int64_t real_now_ms() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Request to_request(const http::request<http::string_body>& message) {
  Request request;
  request.method = std::string(message.method_string());
  split_target(std::string_view(message.target().data(), message.target().size()), request.path,
               request.query);
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    request.headers[name] = std::string(field.value());
  }
  request.body = message.body();
  return request;
}

http::response<http::string_body> to_message(const Response& response,
                                             const http::request<http::string_body>& request) {
  http::response<http::string_body> message;
  message.version(11);
  message.result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.set(http::field::server, "kalends-google");
  message.keep_alive(request.keep_alive());
  bool has_body = response.status != 204 && response.status != 304;
  if (has_body) {
    message.body() = response.body;
    message.prepare_payload();
  }
  return message;
}

// "http://127.0.0.1:8080/path" in parts; false for what cannot be delivered from here.
bool split_address(const std::string& address, std::string& host, std::string& port, std::string& target) {
  if (address.rfind("http://", 0) != 0) return false;
  std::string rest = address.substr(7);
  size_t slash = rest.find('/');
  target = slash == std::string::npos ? "/" : rest.substr(slash);
  std::string authority = rest.substr(0, slash);
  size_t colon = authority.rfind(':');
  bool has_port = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
  host = has_port ? authority.substr(0, colon) : authority;
  port = has_port ? authority.substr(colon + 1) : "80";
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return !host.empty() && !port.empty();
}

bool is_client_gone(tcp::socket& socket) {
  char byte;
  ssize_t got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

HttpShell::HttpShell(asio::io_context& io, StandIn& stand_in, tcp::acceptor acceptor)
    : io_(io), stand_in_(stand_in), acceptor_(std::move(acceptor)), push_timer_(io) {}

void HttpShell::start() {
  asio::co_spawn(io_, accept_loop(), asio::detached);
  asio::co_spawn(io_, push_loop(), asio::detached);
}

void HttpShell::advance() { stand_in_.advance_to(real_now_ms()); }

void HttpShell::wake_all() {
  for (asio::steady_timer* timer : waiting_) timer->cancel();
}

asio::awaitable<void> HttpShell::accept_loop() {
  while (true) {
    error_code error;
    tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) continue;
    socket.set_option(tcp::no_delay(true), error);
    asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> HttpShell::wait_for_news(int64_t ms) {
  asio::steady_timer timer(io_, std::chrono::milliseconds(ms));
  waiting_.insert(&timer);
  error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  waiting_.erase(&timer);
}

asio::awaitable<bool> HttpShell::wait_while_held(tcp::socket& socket, uint64_t id) {
  while (true) {
    HeldAnswer* answer = stand_in_.held(id);
    bool is_gone = is_client_gone(socket);
    if (answer == nullptr || answer->is_released || answer->is_dropped || is_gone) {
      bool is_sent = answer != nullptr && answer->is_released && !is_gone;
      stand_in_.forget_held(id);
      co_return is_sent;
    }
    co_await wait_for_news(kGoneCheck.count());
  }
}

asio::awaitable<void> HttpShell::serve(tcp::socket socket) {
  beast::flat_buffer buffer;
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  while (true) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kBodyBytesMax);
    co_await http::async_read(socket, buffer, parser, token);
    if (error) break;
    const http::request<http::string_body> message = parser.release();
    Request request = to_request(message);
    advance();
    int64_t deadline = real_now_ms() + stand_in_.may_wait_ms(request).value_or(0);
    while (stand_in_.may_wait_ms(request) && real_now_ms() < deadline && !is_client_gone(socket)) {
      co_await wait_for_news(std::min<int64_t>(deadline - real_now_ms(), 1000));
      advance();
    }
    Response response = stand_in_.handle(request);
    wake_all();
    send_due_notices();
    if (response.delay_ms > 0) {
      asio::steady_timer timer(io_, std::chrono::milliseconds(response.delay_ms));
      co_await timer.async_wait(token);
    }
    if (response.delivery == Delivery::kDrop) break;
    if (response.delivery == Delivery::kHold) {
      uint64_t id = stand_in_.hold(response);
      wake_all();
      if (!co_await wait_while_held(socket, id)) break;
    }
    http::response<http::string_body> answer = to_message(response, message);
    if (message.method() == http::verb::head) answer.body().clear();
    if (response.delivery == Delivery::kTruncate) {
      // The whole length is announced and half of it sent.
      std::ostringstream text;
      text << answer.base() << answer.body().substr(0, answer.body().size() / 2);
      std::string bytes = text.str();
      co_await asio::async_write(socket, asio::buffer(bytes), token);
      break;
    }
    co_await http::async_write(socket, answer, token);
    if (error || !answer.keep_alive()) break;
  }
  socket.shutdown(tcp::socket::shutdown_both, error);
}

void HttpShell::send_due_notices() {
  for (PushNotice& notice : stand_in_.model().take_due_notices()) {
    asio::co_spawn(io_, deliver(std::move(notice)), asio::detached);
  }
  push_timer_.cancel();
}

asio::awaitable<void> HttpShell::push_loop() {
  while (true) {
    auto next = stand_in_.model().next_notice_ms();
    int64_t wait =
        next ? std::max<int64_t>(1, *next - stand_in_.clock_offset_ms() - real_now_ms()) : 3'600'000;
    push_timer_.expires_after(std::chrono::milliseconds(std::min<int64_t>(wait, 3'600'000)));
    error_code error;
    co_await push_timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    advance();
    for (PushNotice& notice : stand_in_.model().take_due_notices()) {
      asio::co_spawn(io_, deliver(std::move(notice)), asio::detached);
    }
    wake_all();
  }
}

asio::awaitable<void> HttpShell::deliver(PushNotice notice) {
  std::string host, port, target;
  int status = 0;
  if (split_address(notice.address, host, port, target)) {
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    tcp::resolver resolver(io_);
    auto places = co_await resolver.async_resolve(host, port, token);
    beast::tcp_stream stream(io_);
    stream.expires_after(kPushTimeout);
    if (!error) co_await stream.async_connect(places, token);
    if (!error) {
      http::request<http::empty_body> message{http::verb::post, target, 11};
      message.set(http::field::host, host + ":" + port);
      message.set(http::field::accept, "*/*");
      for (const auto& [name, value] : notice.headers) message.set(name, value);
      message.prepare_payload();
      message.keep_alive(false);
      co_await http::async_write(stream, message, token);
      if (!error) {
        beast::flat_buffer buffer;
        http::response<http::string_body> answer;
        co_await http::async_read(stream, buffer, answer, token);
        if (!error) status = static_cast<int>(answer.result_int());
      }
    }
  }
  advance();
  stand_in_.model().notice_answered(notice, status);
  push_timer_.cancel();
}

}  // namespace kalends::emulator
