// SPDX-License-Identifier: Apache-2.0
// The inbound HTTP and WebSocket server, one thread, asynchronous. Handlers and callbacks run on that thread
// (the loop) and must not block it. Boost stays behind this header.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "worker/http/request.h"
#include "worker/ports/log.h"

namespace kalends {

struct ServerOptions {
  std::string host = "127.0.0.1";  // an IP address or "localhost"
  uint16_t port = 0;               // 0: any free one
  bool is_public_https = false;    // a proxy in front speaks TLS: tell browsers to insist on it
  size_t connections_max = 10'000;
  size_t header_bytes_max = 64 * 1024;
  size_t body_bytes_max = 16 * 1024 * 1024;
  int64_t header_timeout_ms = 60'000;  // also how long an idle connection is kept
  int64_t body_timeout_ms = 60'000;
  int64_t write_timeout_ms = 60'000;
  int64_t stop_grace_ms = 5'000;  // for answers under way when the server stops

  // Host fields that are answered (without port); empty: any. Others get 421.
  std::vector<std::string> allowed_hosts;
  std::string websocket_path;  // empty: none
  // Origins of pages that may open a WebSocket, "https://k.example"; a request without Origin is no page's.
  std::vector<std::string> allowed_origins;
  size_t websocket_message_bytes_max = 4 * 1024 * 1024;
  size_t websocket_queue_bytes_max = 16 * 1024 * 1024;  // of one slow reader, who is then cut off
  int64_t websocket_idle_ms = 60'000;                   // half of it without a sign of life brings a ping
  int64_t websocket_first_message_ms = 10'000;          // for a token that comes in the first message
};

// One open WebSocket. May be called from any thread, also after its end, when calls do nothing.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  virtual void send(std::string message, bool is_binary) = 0;
  // One buffer for many readers.
  virtual void send_shared(std::shared_ptr<const std::string> message, bool is_binary) = 0;
  // `code` as in RFC 6455: 1000 done, 1008 refused, 4000 and up ours.
  virtual void close(uint16_t code, std::string reason) = 0;
};

struct WebSocketHandlers {
  std::string subprotocol;  // the offered one that is taken; empty: none
  std::function<void(std::string message, bool is_binary)> on_message;
  // Exactly once, whatever ended it; nothing comes after it.
  std::function<void()> on_close;
};

using Handler = std::function<void(InboundRequest, Respond)>;
// Decides over an upgrade (rights may be in the request, or come in the first message) and says who handles
// it. An error is answered as a problem. The handle may be kept.
using WebSocketOpen =
    std::function<Result<WebSocketHandlers>(const InboundRequest&, std::shared_ptr<WebSocket>)>;

class HttpServer {
 public:
  // Binds and listens; nothing is answered before run() or start(). kInvalid: the address. kUnavailable: it
  // is taken or not ours. `log` must outlive the server.
  static Result<std::unique_ptr<HttpServer>> open(ServerOptions options, Handler handler,
                                                  WebSocketOpen on_websocket, Log& log);
  // Stops, and waits for the thread of start().
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;
  // One more origin whose pages may open a WebSocket: for a port that is known only now.
  // Requires: before run() or start().
  void allow_origin(std::string origin);
  // Serves on this thread until stop() was called and the last connection has ended.
  void run();
  // Serves on a thread of its own.
  void start();
  // From any thread, returns at once: no new connections, answers under way are finished, WebSockets get
  // 1001.
  void stop();

  // Runs `work` on the loop, soon or after a time. Dropped when the server has ended before.
  void post(std::function<void()> work);
  void post_after(int64_t delay_ms, std::function<void()> work);

  size_t connection_count() const;

 private:
  class Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace kalends
