// SPDX-License-Identifier: Apache-2.0
#include "worker/http/server.h"

#include <httplib.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <mutex>
#include <sstream>
#include <thread>

#include "tests/worker/http/raw_client.h"
#include "worker/app/json_log.h"

namespace kalends {
namespace {

struct RunningServer {
  std::ostringstream log_text;
  JsonLog log{LogLevel::kError, log_text};
  std::unique_ptr<HttpServer> server;

  RunningServer(ServerOptions options, Handler handler, WebSocketOpen on_websocket = nullptr)
      : server(
            HttpServer::open(std::move(options), std::move(handler), std::move(on_websocket), log).value()) {
    server->start();
  }
  uint16_t port() const { return server->port(); }
  httplib::Client client() const {
    httplib::Client made("127.0.0.1", port());
    made.set_keep_alive(true);
    return made;
  }
};

void echo(InboundRequest request, Respond respond) {
  respond(text_response(200, "text/plain",
                        request.method + " " + request.path + "?" + request.query + " " + request.body + " " +
                            std::string(request.bearer_token()) + " " + request.peer));
}

// Spins until it is so; false when it takes longer than ten seconds.
template <typename Condition>
bool becomes(Condition condition) {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST_CASE("A request reaches the handler whole and its answer carries the security headers") {
  RunningServer running({}, echo);
  auto client = running.client();
  auto result = client.Post("/v1/a%20b?x=1&y", {{"Authorization", "bearer t-1"}}, "{}", "application/json");
  REQUIRE(result);
  CHECK(result->status == 200);
  CHECK(result->body == "POST /v1/a%20b?x=1&y {} t-1 127.0.0.1");
  CHECK(result->get_header_value("X-Content-Type-Options") == "nosniff");
  CHECK(result->get_header_value("Cache-Control") == "no-store");
  CHECK(result->get_header_value("Content-Security-Policy").find("frame-ancestors 'none'") !=
        std::string::npos);
  CHECK_FALSE(result->has_header("Strict-Transport-Security"));
}

TEST_CASE("Behind TLS browsers are told to insist on it") {
  ServerOptions options;
  options.is_public_https = true;
  RunningServer running(options, echo);
  auto client = running.client();
  CHECK(client.Get("/")->get_header_value("Strict-Transport-Security").starts_with("max-age=31536000"));
}

TEST_CASE("One connection serves many requests, also when they arrive at once") {
  RunningServer running({}, echo);
  auto client = running.client();
  for (int i = 0; i < 5; ++i) REQUIRE(client.Get("/"));
  CHECK(running.server->connection_count() == 1);

  RawClient raw(running.port());
  raw.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::string text = raw.receive_until_closed();
  CHECK(text.find("GET /1?") < text.find("GET /2?"));
  CHECK(text.find("GET /2?") != std::string::npos);
}

TEST_CASE("An answer may come later and from another thread, and only the first one counts") {
  std::vector<std::thread> threads;
  std::mutex mutex;
  RunningServer running({}, [&](InboundRequest, Respond respond) {
    std::lock_guard guard(mutex);
    threads.emplace_back([respond] {
      respond(text_response(202, "text/plain", "later"));
      respond(text_response(500, "text/plain", "too late"));
    });
  });
  auto client = running.client();
  auto result = client.Get("/");
  REQUIRE(result);
  CHECK(result->status == 202);
  CHECK(client.Get("/")->body == "later");
  std::lock_guard guard(mutex);
  for (auto& thread : threads) thread.join();
}

TEST_CASE("A handler that forgets to answer or throws leaves nobody waiting and tells nothing") {
  RunningServer running({}, [](InboundRequest request, Respond) {
    if (request.path == "/throw") throw std::runtime_error("secret");
  });
  auto client = running.client();
  for (const char* path : {"/forget", "/throw"}) {
    auto result = client.Get(path);
    REQUIRE(result);
    CHECK(result->status == 500);
    CHECK(result->get_header_value("Content-Type") == "application/problem+json");
    CHECK(result->body.find("secret") == std::string::npos);
  }
}

TEST_CASE("HEAD, 204 and 304 have no body") {
  RunningServer running({}, [](InboundRequest request, Respond respond) {
    int status = request.path == "/204" ? 204 : request.path == "/304" ? 304 : 200;
    respond(HttpResponse{status, {}, "12345"});
  });
  RawClient raw(running.port());
  raw.send(
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /304 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  std::string head = raw.receive_until("\r\n\r\n");
  CHECK(head.find("Content-Length: 5") != std::string::npos);
  CHECK(raw.receive_until("\r\n\r\n").starts_with("HTTP/1.1 204"));
  CHECK(raw.receive_until("\r\n\r\n").starts_with("HTTP/1.1 304"));
  CHECK(raw.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(raw.receive_until_closed() == "12345");
}

TEST_CASE("What is too large is refused with the status that says so") {
  ServerOptions options;
  options.header_bytes_max = 4096;
  options.body_bytes_max = 1000;
  RunningServer running(options, echo);
  auto client = running.client();
  CHECK(client.Post("/", std::string(1000, 'x'), "text/plain")->status == 200);
  CHECK(client.Post("/", std::string(1001, 'x'), "text/plain")->status == 413);
  CHECK(client.Get("/", {{"X-Long", std::string(5000, 'x')}})->status == 431);

  RawClient chunked(running.port());
  chunked.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
               std::string(2000, 'x'));
  CHECK(chunked.receive_until("\r\n\r\n").starts_with("HTTP/1.1 413"));
}

TEST_CASE("Requests that other parsers may read differently are refused") {
  auto text = GENERATE(
      "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "GARBAGE\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", "GET /\r\nHost: a\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n");
  CAPTURE(text);
  RunningServer running({}, echo);
  RawClient raw(running.port());
  raw.send(text);
  CHECK(raw.receive_until_closed().starts_with("HTTP/1.1 400"));
}

TEST_CASE("A request for another host is refused where the hosts are known") {
  ServerOptions options;
  options.allowed_hosts = {"k.example", "127.0.0.1", "[::1]"};
  RunningServer running(options, echo);
  auto client = running.client();
  CHECK(client.Get("/")->status == 200);
  CHECK(client.Get("/", {{"Host", "K.example:8787"}})->status == 200);
  CHECK(client.Get("/", {{"Host", "[::1]:1"}})->status == 200);
  CHECK(client.Get("/", {{"Host", "evil.example"}})->status == 421);
}

TEST_CASE("A value that would begin another header field is left out") {
  RunningServer running({}, [](InboundRequest, Respond respond) {
    respond(HttpResponse{200, {{"Location", "/\r\nSet-Cookie: a=b"}, {"X-Good", "1"}}, ""});
  });
  auto result = running.client().Get("/");
  REQUIRE(result);
  CHECK_FALSE(result->has_header("Set-Cookie"));
  CHECK_FALSE(result->has_header("Location"));
  CHECK(result->has_header("X-Good"));
}

TEST_CASE("A client that stalls is cut off, in the header and in the body") {
  ServerOptions options;
  options.header_timeout_ms = 100;
  options.body_timeout_ms = 100;
  RunningServer running(options, echo);
  RawClient header(running.port());
  header.send("GET / HTTP/1.1\r\nHo");
  CHECK(header.receive_until_closed().empty());
  RawClient body(running.port());
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(body.receive_until_closed().empty());
  CHECK(becomes([&] { return running.server->connection_count() == 0; }));
}

TEST_CASE("A client that asks first is told to go on with its body") {
  RunningServer running({}, echo);
  RawClient raw(running.port());
  raw.send(
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
  CHECK(raw.receive_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("abc");
  CHECK(raw.receive_until_closed().find("POST /? abc") != std::string::npos);
}

TEST_CASE("Beyond the largest number of connections new ones are closed, and there is room again later") {
  ServerOptions options;
  options.connections_max = 2;
  RunningServer running(options, echo);
  auto first = std::make_unique<RawClient>(running.port());
  RawClient second(running.port());
  REQUIRE(becomes([&] { return running.server->connection_count() == 2; }));
  RawClient third(running.port());
  CHECK(third.receive_until_closed().empty());
  first.reset();
  REQUIRE(becomes([&] { return running.server->connection_count() == 1; }));
  CHECK(running.client().Get("/"));
}

TEST_CASE("A taken port and a host that is no address are refused with the reason") {
  RunningServer running({}, echo);
  ServerOptions taken;
  taken.port = running.port();
  auto refused = HttpServer::open(taken, echo, nullptr, running.log);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK(refused.error().message.find(std::to_string(taken.port)) != std::string::npos);
  ServerOptions odd;
  odd.host = "not an address";
  CHECK(HttpServer::open(odd, echo, nullptr, running.log).error().code == ErrorCode::kInvalid);
}

TEST_CASE("A stop lets the answer under way be finished and then ends run()") {
  std::promise<Respond> asked;
  RunningServer running({}, [&](InboundRequest, Respond respond) { asked.set_value(std::move(respond)); });
  RawClient busy(running.port());
  RawClient idle(running.port());
  busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Respond respond = asked.get_future().get();
  running.server->stop();
  CHECK(idle.receive_until_closed().empty());
  respond(text_response(200, "text/plain", "done"));
  std::string text = busy.receive_until("done");
  CHECK(text.find("200 OK") != std::string::npos);
  CHECK(text.find("Connection: close") != std::string::npos);
}

TEST_CASE("A stop does not wait for ever for an answer that never comes") {
  std::promise<Respond> asked;
  ServerOptions options;
  options.stop_grace_ms = 50;
  RunningServer running(options,
                        [&](InboundRequest, Respond respond) { asked.set_value(std::move(respond)); });
  RawClient busy(running.port());
  busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Respond respond = asked.get_future().get();
  running.server.reset();
  CHECK(busy.receive_until_closed().empty());
  respond(text_response(200, "text/plain", "nobody hears"));
}

TEST_CASE("Posted work runs on the loop in its order, and delayed work after its time") {
  RunningServer running({}, echo);
  std::promise<std::string> done;
  std::string order;
  running.server->post([&] { order += "a"; });
  running.server->post_after(30, [&] {
    order += "c";
    done.set_value(order);
  });
  running.server->post([&] { order += "b"; });
  CHECK(done.get_future().get() == "abc");
  // Dropped with the server, and does not hold it up.
  running.server->post_after(3'600'000, [&] { order += "never"; });
}

// A server whose WebSocket echoes, greets, and closes on demand.
struct EchoSockets {
  std::mutex mutex;
  std::vector<std::shared_ptr<WebSocket>> open;
  std::atomic<int> closed = 0;

  WebSocketOpen opener() {
    return [this](const InboundRequest& request,
                  std::shared_ptr<WebSocket> socket) -> Result<WebSocketHandlers> {
      if (request.query == "refuse") return Error{ErrorCode::kUnauthenticated, "no token", 0};
      WebSocketHandlers handlers;
      if (!request.headers.get("Sec-WebSocket-Protocol").empty()) handlers.subprotocol = "kalends.v1";
      handlers.on_message = [socket](std::string message, bool is_binary) {
        if (message == "bye") {
          socket->send("last words", false);
          socket->close(4001, "as you like");
          socket->send("never sent", false);
        } else if (message == "throw") {
          throw std::runtime_error("broken");
        } else {
          socket->send(message, is_binary);
        }
      };
      handlers.on_close = [this] { ++closed; };
      std::lock_guard guard(mutex);
      open.push_back(socket);
      return handlers;
    };
  }
  std::shared_ptr<WebSocket> first() {
    std::lock_guard guard(mutex);
    return open.empty() ? nullptr : open.front();
  }
};

ServerOptions socket_options() {
  ServerOptions options;
  options.websocket_path = "/v1/live";
  options.allowed_origins = {"https://k.example"};
  return options;
}

TEST_CASE("A WebSocket carries texts and bytes both ways, keeps their order, and ends once") {
  EchoSockets sockets;
  RunningServer running(socket_options(), echo, sockets.opener());
  RawWebSocket socket(running.port(), "/v1/live",
                      "Origin: https://k.example\r\nSec-WebSocket-Protocol: kalends.v1, token.abc\r\n");
  REQUIRE(socket.is_open());
  CHECK(socket.head().find("Sec-WebSocket-Protocol: kalends.v1\r\n") != std::string::npos);
  std::string large(60'000, 'x');
  socket.send(1, "hello");
  socket.send(2, std::string("\0\1", 2));
  socket.send(2, large);
  auto text = socket.receive();
  REQUIRE(text);
  CHECK(text->opcode == 1);
  CHECK(text->payload == "hello");
  auto bytes = socket.receive();
  REQUIRE(bytes);
  CHECK(bytes->opcode == 2);
  CHECK(bytes->payload == std::string("\0\1", 2));
  CHECK((socket.receive()->payload == large));
  CHECK(running.server->connection_count() == 1);
  socket.send(8, std::string("\x03\xe8", 2));
  CHECK(socket.receive_close_code() == 1000);
  socket.hang_up();
  CHECK(becomes([&] { return sockets.closed == 1 && running.server->connection_count() == 0; }));
  // A handle outlives its socket harmlessly.
  sockets.first()->send("into the void", false);
  sockets.first()->close(1000, "");
}

TEST_CASE("What was sent before a close arrives before it") {
  EchoSockets sockets;
  RunningServer running(socket_options(), echo, sockets.opener());
  RawWebSocket socket(running.port(), "/v1/live");
  socket.send(1, "bye");
  CHECK(socket.receive()->payload == "last words");
  CHECK(socket.receive_close_code() == 4001);
  socket.hang_up();
  CHECK(becomes([&] { return sockets.closed == 1; }));
}

TEST_CASE("Messages can be sent from any thread, one buffer for many readers") {
  EchoSockets sockets;
  RunningServer running(socket_options(), echo, sockets.opener());
  RawWebSocket socket(running.port(), "/v1/live");
  REQUIRE(socket.is_open());
  auto handle = sockets.first();
  auto shared = std::make_shared<const std::string>("for all");
  for (int i = 0; i < 100; ++i) handle->send_shared(shared, true);
  for (int i = 0; i < 100; ++i) CHECK(socket.receive()->payload == "for all");
}

TEST_CASE("An upgrade is refused at another path, for another page, and by the one who decides") {
  EchoSockets sockets;
  RunningServer running(socket_options(), echo, sockets.opener());
  CHECK(RawWebSocket(running.port(), "/v1/other").head().starts_with("HTTP/1.1 404"));
  CHECK(RawWebSocket(running.port(), "/v1/live", "Origin: https://evil.example\r\n")
            .head()
            .starts_with("HTTP/1.1 403"));
  CHECK(RawWebSocket(running.port(), "/v1/live", "Origin: null\r\n").head().starts_with("HTTP/1.1 403"));
  CHECK(RawWebSocket(running.port(), "/v1/live?refuse").head().starts_with("HTTP/1.1 401"));
  CHECK(sockets.closed == 0);
  CHECK(becomes([&] { return running.server->connection_count() == 0; }));
}

TEST_CASE("A WebSocket that says nothing, too much, or breaks its handler is closed with the reason's code") {
  ServerOptions options = socket_options();
  options.websocket_first_message_ms = 100;
  options.websocket_message_bytes_max = 1000;
  EchoSockets sockets;
  RunningServer running(options, echo, sockets.opener());
  RawWebSocket silent(running.port(), "/v1/live");
  CHECK(silent.receive_close_code() == 1008);
  RawWebSocket loud(running.port(), "/v1/live");
  loud.send(1, std::string(1001, 'x'));
  CHECK(loud.receive_close_code() == 1009);
  RawWebSocket breaking(running.port(), "/v1/live");
  breaking.send(1, "throw");
  CHECK(breaking.receive_close_code() == 1011);
  silent.hang_up();
  loud.hang_up();
  breaking.hang_up();
  CHECK(becomes([&] { return sockets.closed == 3; }));
}

TEST_CASE("A reader that does not read is cut off instead of filling the memory") {
  ServerOptions options = socket_options();
  options.websocket_queue_bytes_max = 1024 * 1024;
  EchoSockets sockets;
  RunningServer running(options, echo, sockets.opener());
  RawWebSocket socket(running.port(), "/v1/live");
  REQUIRE(socket.is_open());
  auto handle = sockets.first();
  auto part = std::make_shared<const std::string>(256 * 1024, 'x');
  for (int i = 0; i < 400; ++i) handle->send_shared(part, true);
  CHECK(becomes([&] { return sockets.closed == 1; }));
}

TEST_CASE("A silent but living WebSocket is pinged, a dead one is dropped") {
  ServerOptions options = socket_options();
  options.websocket_idle_ms = 200;
  EchoSockets sockets;
  RunningServer running(options, echo, sockets.opener());
  RawWebSocket socket(running.port(), "/v1/live");
  socket.send(1, "hello");
  CHECK(socket.receive()->payload == "hello");
  auto ping = socket.receive();
  REQUIRE(ping);
  CHECK(ping->opcode == 9);
  // No pong: the server gives up.
  CHECK(becomes([&] { return sockets.closed == 1; }));
}

TEST_CASE("When the server stops, its WebSockets are told that it goes away") {
  EchoSockets sockets;
  RunningServer running(socket_options(), echo, sockets.opener());
  RawWebSocket socket(running.port(), "/v1/live");
  REQUIRE(socket.is_open());
  running.server->stop();
  CHECK(socket.receive_close_code() == 1001);
  socket.hang_up();
  running.server.reset();
  CHECK(sockets.closed == 1);
}

}  // namespace
}  // namespace kalends
