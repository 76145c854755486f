// SPDX-License-Identifier: Apache-2.0
// The only unit that compiles Boost.Beast.
#include "worker/http/server.h"

#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include "worker/http/problem.h"
#include "worker/http/security_headers.h"

namespace kalends {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using tcp = boost::asio::ip::tcp;
using Fault = boost::system::error_code;
using std::chrono::milliseconds;

constexpr milliseconds kWebSocketHandshake{10'000};
// After a refusal the rest of what the client sends is read for a moment: closing at once would reset the
// connection, and the client might never see the answer.
constexpr milliseconds kDrain{2'000};
constexpr size_t kDrainBytesMax = 4 * 1024 * 1024;
// Out of descriptors: give others time to close theirs.
constexpr milliseconds kAcceptPause{100};

class Connection {
 public:
  virtual ~Connection() = default;
  // Ends when what is under way is done.
  virtual void stop() = 0;
  // Ends now.
  virtual void cut() = 0;
};

HttpHeaders copy_headers(const http::fields& fields) {
  HttpHeaders headers;
  for (const auto& field : fields) headers.add(std::string(field.name_string()), std::string(field.value()));
  return headers;
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

std::string_view host_without_port(std::string_view host) {
  if (host.starts_with("[")) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  for (const std::string& entry : list) {
    if (equals_ignoring_case(entry, text)) return true;
  }
  return false;
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
 public:
  Impl(ServerOptions given_options, Handler given_handler, WebSocketOpen on_open, Log& given_log)
      : options(std::move(given_options)),
        handler(std::move(given_handler)),
        on_websocket(std::move(on_open)),
        log(given_log),
        acceptor_(loop),
        accept_pause_(loop),
        grace_(loop),
        guard_(asio::make_work_guard(loop)) {}

  Status listen();
  void accept();
  void begin_stop();
  void add(const std::shared_ptr<Connection>& connection) { connections_.insert(connection); }
  void forget(const std::shared_ptr<Connection>& connection);
  void post_after(milliseconds delay, std::function<void()> work);

  ServerOptions options;
  const Handler handler;
  const WebSocketOpen on_websocket;
  Log& log;
  asio::io_context loop{1};
  std::thread thread;
  uint16_t port = 0;
  bool is_stopping = false;
  std::atomic<size_t> count = 0;  // open sockets, WebSockets included

 private:
  void end_if_idle();

  tcp::acceptor acceptor_;
  asio::steady_timer accept_pause_;
  asio::steady_timer grace_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::set<std::shared_ptr<Connection>> connections_;
  std::map<uint64_t, asio::steady_timer> timers_;
  uint64_t next_timer_ = 0;
};

namespace {

// A WebSocket after its upgrade. Alive as long as the server knows it or somebody holds its handle.
template <typename Shared>
class WebSocketSession final : public Connection,
                               public WebSocket,
                               public std::enable_shared_from_this<WebSocketSession<Shared>> {
 public:
  explicit WebSocketSession(std::shared_ptr<Shared> shared)
      : shared_(std::move(shared)), first_message_timer_(shared_->loop) {}

  void open(beast::tcp_stream&& stream, http::request<http::string_body> request,
            WebSocketHandlers handlers) {
    if (is_finished_) return;  // its opener has filled the queue already; `stream` closes with its owner
    shared_->add(this->shared_from_this());
    handlers_ = std::move(handlers);
    request_ = std::move(request);
    socket_.emplace(std::move(stream));
    beast::get_lowest_layer(*socket_).expires_never();
    socket_->set_option(websocket::stream_base::timeout{
        kWebSocketHandshake, milliseconds(shared_->options.websocket_idle_ms), true});
    // One message is one frame: nothing is gained by cutting it up.
    socket_->auto_fragment(false);
    socket_->read_message_max(shared_->options.websocket_message_bytes_max);
    socket_->set_option(websocket::stream_base::decorator([this](websocket::response_type& response) {
      if (!handlers_.subprotocol.empty())
        response.set(http::field::sec_websocket_protocol, handlers_.subprotocol);
      HttpResponse fields;
      add_security_headers(fields, shared_->options.is_public_https);
      for (const auto& [name, value] : fields.headers.fields()) response.set(name, value);
    }));
    socket_->async_accept(request_,
                          [self = this->shared_from_this()](Fault fault) { self->on_accept(fault); });
  }

  void send(std::string message, bool is_binary) override {
    send_shared(std::make_shared<const std::string>(std::move(message)), is_binary);
  }

  void send_shared(std::shared_ptr<const std::string> message, bool is_binary) override {
    asio::dispatch(shared_->loop, [self = this->shared_from_this(), message = std::move(message), is_binary] {
      self->enqueue({message, is_binary});
    });
  }

  void close(uint16_t code, std::string reason) override {
    asio::dispatch(shared_->loop, [self = this->shared_from_this(), code, reason = std::move(reason)] {
      self->begin_close(code, reason);
    });
  }

  void stop() override { begin_close(websocket::close_code::going_away, "the server stops"); }

  void cut() override {
    if (socket_) beast::get_lowest_layer(*socket_).close();
    finish();
  }

 private:
  struct Message {
    std::shared_ptr<const std::string> bytes;
    bool is_binary;
  };

  void on_accept(Fault fault) {
    if (fault || is_finished_) return cut();
    is_open_ = true;
    first_message_timer_.expires_after(milliseconds(shared_->options.websocket_first_message_ms));
    first_message_timer_.async_wait([self = this->shared_from_this()](Fault waited) {
      if (!waited) self->begin_close(websocket::close_code::policy_error, "no message came");
    });
    read();
    write_next();
    if (close_reason_ && queue_.empty()) send_close();
  }

  void read() {
    socket_->async_read(buffer_,
                        [self = this->shared_from_this()](Fault fault, size_t) { self->on_read(fault); });
  }

  void on_read(Fault fault) {
    if (fault || is_finished_) return cut();
    first_message_timer_.cancel();
    std::string message = beast::buffers_to_string(buffer_.data());
    buffer_.consume(buffer_.size());
    // After our close only the peer's is waited for.
    if (!close_reason_ && handlers_.on_message) {
      try {
        // A copy: the callback may end this session, and its own life with it.
        auto on_message = handlers_.on_message;
        on_message(std::move(message), socket_->got_binary());
      } catch (const std::exception&) {
        shared_->log.error("http.websocket_handler_failed");
        begin_close(websocket::close_code::internal_error, "something broke inside");
      }
    }
    if (!is_finished_) read();
  }

  void enqueue(Message message) {
    if (is_finished_ || close_reason_) return;
    queued_bytes_ += message.bytes->size();
    if (queued_bytes_ > shared_->options.websocket_queue_bytes_max) {
      shared_->log.warning("http.slow_reader_cut", {{"queued_bytes", uint64_t{queued_bytes_}}});
      return cut();
    }
    queue_.push_back(std::move(message));
    if (is_open_ && queue_.size() == 1) write_next();
  }

  void write_next() {
    if (queue_.empty()) return;
    socket_->binary(queue_.front().is_binary);
    socket_->async_write(asio::buffer(*queue_.front().bytes),
                         [self = this->shared_from_this()](Fault fault, size_t) { self->on_write(fault); });
  }

  void on_write(Fault fault) {
    if (fault || is_finished_) return cut();
    queued_bytes_ -= queue_.front().bytes->size();
    queue_.pop_front();
    write_next();
    if (close_reason_ && queue_.empty()) send_close();
  }

  // What was sent before arrives before.
  void begin_close(uint16_t code, const std::string& reason) {
    if (is_finished_ || close_reason_) return;
    close_reason_.emplace(static_cast<websocket::close_code>(code), reason.substr(0, 120));
    if (is_open_ && queue_.empty()) send_close();
  }

  void send_close() {
    socket_->async_close(*close_reason_, [self = this->shared_from_this()](Fault) { self->cut(); });
  }

  void finish() {
    if (is_finished_) return;
    is_finished_ = true;
    first_message_timer_.cancel();
    // Handlers hold our handle, and we hold them: let go. Posted, because this may run inside a send() of
    // somebody who is walking over the very list that on_close will change.
    if (handlers_.on_close) asio::post(shared_->loop, std::move(handlers_.on_close));
    handlers_ = {};
    // The stream's own timers would hold the loop as long as somebody keeps our handle. Posted, because one
    // of its operations may be calling us.
    asio::post(shared_->loop, [self = this->shared_from_this()] { self->socket_.reset(); });
    --shared_->count;
    shared_->forget(this->shared_from_this());
  }

  std::shared_ptr<Shared> shared_;
  std::optional<websocket::stream<beast::tcp_stream>> socket_;
  http::request<http::string_body> request_;
  WebSocketHandlers handlers_;
  asio::steady_timer first_message_timer_;
  beast::flat_buffer buffer_;
  std::deque<Message> queue_;
  size_t queued_bytes_ = 0;
  std::optional<websocket::close_reason> close_reason_;
  bool is_open_ = false;
  bool is_finished_ = false;
};

// One socket, one request at a time.
template <typename Shared>
class HttpConnection final : public Connection, public std::enable_shared_from_this<HttpConnection<Shared>> {
 public:
  HttpConnection(std::shared_ptr<Shared> shared, tcp::socket socket)
      : shared_(std::move(shared)), stream_(std::move(socket)) {
    Fault ignored;
    auto endpoint = stream_.socket().remote_endpoint(ignored);
    if (!ignored) peer_ = endpoint.address().to_string();
  }

  void start() { read(); }

  void stop() override {
    is_last_ = true;
    if (is_idle_) cut();
  }

  void cut() override {
    stream_.close();
    finish();
  }

 private:
  void read() {
    if (is_last_ || shared_->is_stopping) return cut();
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(shared_->options.header_bytes_max));
    parser_->body_limit(shared_->options.body_bytes_max);
    is_idle_ = true;
    stream_.expires_after(milliseconds(shared_->options.header_timeout_ms));
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](Fault fault, size_t) { self->on_header(fault); });
  }

  void on_header(Fault fault) {
    is_idle_ = false;
    if (is_finished_) return;
    if (fault) return on_unreadable(fault);
    const auto& message = parser_->get();
    keep_alive_ = message.keep_alive();
    is_head_ = message.method() == http::verb::head;
    if (auto problem = check_header(message)) return refuse(*problem);
    if (websocket::is_upgrade(message)) return upgrade();
    if (message[http::field::expect].empty()) return read_body();
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = this->shared_from_this()](Fault written, size_t) {
                        if (written || self->is_finished_) return self->cut();
                        self->read_body();
                      });
  }

  std::optional<HttpResponse> check_header(const http::request<http::string_body>& message) {
    std::string_view target(message.target().data(), message.target().size());
    if (!target.starts_with("/") || has_line_break(target)) {
      return problem_response(invalid("the request's target must be a path"));
    }
    // Two ways to say where the body ends are an attack on whoever reads the other one.
    if (message.count(http::field::content_length) > 1 ||
        (message.count(http::field::content_length) == 1 &&
         message.count(http::field::transfer_encoding) > 0)) {
      return problem_response(invalid("the request's length is said twice"));
    }
    if (message.count(http::field::host) != 1)
      return problem_response(invalid("the request needs one Host field"));
    std::string_view host(message[http::field::host].data(), message[http::field::host].size());
    if (!shared_->options.allowed_hosts.empty() &&
        !contains(shared_->options.allowed_hosts, host_without_port(host))) {
      return problem_response(421, "Not this server", invalid("this server is not known under that name"));
    }
    return std::nullopt;
  }

  void read_body() {
    stream_.expires_after(milliseconds(shared_->options.body_timeout_ms));
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](Fault fault, size_t) { self->on_body(fault); });
  }

  void on_body(Fault fault) {
    if (is_finished_) return;
    if (fault) return on_unreadable(fault);
    // The handler may take as long as it likes.
    stream_.expires_never();
    InboundRequest request = read_request(parser_->get());
    request.body = std::move(parser_->get().body());
    std::weak_ptr<HttpConnection> weak = this->shared_from_this();
    // The loop must live as long as somebody may answer.
    Respond respond([weak, shared = shared_](HttpResponse response) {
      asio::post(shared->loop, [weak, response = std::move(response)]() mutable {
        if (auto self = weak.lock()) self->write(std::move(response));
      });
    });
    try {
      shared_->handler(std::move(request), std::move(respond));
    } catch (const std::exception&) {
      // The answer is the 500 of an unanswered Respond.
      shared_->log.error("http.handler_failed");
    }
  }

  InboundRequest read_request(const http::request<http::string_body>& message) {
    InboundRequest request;
    request.method = std::string(message.method_string());
    std::string_view target(message.target().data(), message.target().size());
    size_t question = target.find('?');
    request.path = std::string(target.substr(0, question));
    if (question != std::string_view::npos) request.query = std::string(target.substr(question + 1));
    request.headers = copy_headers(message);
    request.peer = peer_;
    return request;
  }

  void on_unreadable(Fault fault) {
    if (fault == http::error::header_limit) {
      return refuse(problem_response(431, "Header too large", invalid("the request's header is too large")));
    }
    if (fault == http::error::body_limit) {
      return refuse(problem_response(413, "Body too large", invalid("the request's body is too large")));
    }
    bool is_gone = fault == http::error::end_of_stream || fault == http::error::partial_message;
    if (fault.category() == http::make_error_code(http::error::bad_method).category() && !is_gone) {
      return refuse(problem_response(invalid("the request is not HTTP/1.1 as it should be")));
    }
    cut();
  }

  void refuse(HttpResponse response) {
    keep_alive_ = false;
    write(std::move(response));
  }

  void upgrade() {
    const auto& options = shared_->options;
    InboundRequest request = read_request(parser_->get());
    if (!shared_->on_websocket || options.websocket_path.empty() || request.path != options.websocket_path) {
      return refuse(problem_response(not_found("there is no WebSocket at this address")));
    }
    const std::string* origin = request.headers.find("Origin");
    if (origin != nullptr && !contains(options.allowed_origins, *origin)) {
      return refuse(
          problem_response(Error{ErrorCode::kForbidden, "this page may not open a WebSocket here", 0}));
    }
    if (is_last_) return cut();
    auto session = std::make_shared<WebSocketSession<Shared>>(shared_);
    auto handlers = shared_->on_websocket(request, session);
    if (!handlers.ok()) return refuse(problem_response(handlers.error()));
    session->open(std::move(stream_), parser_->release(), std::move(*handlers));
    is_upgraded_ = true;
    finish();
  }

  void write(HttpResponse response) {
    if (is_finished_) return;
    add_security_headers(response, shared_->options.is_public_https);
    keep_alive_ = keep_alive_ && !is_last_ && !shared_->is_stopping;
    bool has_no_body = response.status == 204 || response.status == 304;
    outgoing_ = {};
    outgoing_.version(11);
    outgoing_.result(static_cast<unsigned>(response.status));
    for (const auto& [name, value] : response.headers.fields()) {
      // A value that would begin another field is left out.
      if (!has_line_break(name) && !has_line_break(value)) outgoing_.insert(name, value);
    }
    outgoing_.keep_alive(keep_alive_);
    if (!has_no_body) outgoing_.content_length(response.body.size());
    if (!has_no_body && !is_head_) outgoing_.body() = std::move(response.body);
    serializer_.emplace(outgoing_);
    stream_.expires_after(milliseconds(shared_->options.write_timeout_ms));
    auto done = [self = this->shared_from_this()](Fault fault, size_t) { self->on_written(fault); };
    if (has_no_body || is_head_) {
      http::async_write_header(stream_, *serializer_, std::move(done));
    } else {
      http::async_write(stream_, *serializer_, std::move(done));
    }
  }

  void on_written(Fault fault) {
    if (is_finished_) return;
    if (fault) return cut();
    serializer_.reset();
    outgoing_ = {};
    if (keep_alive_ && !is_last_) return read();
    Fault ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kDrain);
    drain();
  }

  void drain() {
    buffer_.consume(buffer_.size());
    stream_.async_read_some(buffer_.prepare(16 * 1024),
                            [self = this->shared_from_this()](Fault fault, size_t size) {
                              self->drained_bytes_ += size;
                              if (fault || self->is_finished_ || self->drained_bytes_ > kDrainBytesMax)
                                return self->cut();
                              self->drain();
                            });
  }

  void finish() {
    if (is_finished_) return;
    is_finished_ = true;
    // An upgraded socket lives on in its session and is counted off by that.
    if (!is_upgraded_) --shared_->count;
    shared_->forget(this->shared_from_this());
  }

  std::shared_ptr<Shared> shared_;
  beast::tcp_stream stream_;
  std::string peer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> outgoing_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  size_t drained_bytes_ = 0;
  bool keep_alive_ = false;
  bool is_head_ = false;
  bool is_idle_ = false;
  bool is_last_ = false;
  bool is_upgraded_ = false;
  bool is_finished_ = false;
};

}  // namespace

Status HttpServer::Impl::listen() {
  Fault fault;
  auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, fault);
  if (fault) return invalid("cannot listen on \"" + options.host + "\": it is no IP address");
  tcp::endpoint endpoint(address, options.port);
  auto failed = [&](const std::string& what) {
    return Error{ErrorCode::kUnavailable,
                 "cannot " + what + " " + options.host + " port " + std::to_string(options.port) + ": " +
                     fault.message(),
                 0};
  };
  if (acceptor_.open(endpoint.protocol(), fault); fault) return failed("open a socket for");
  acceptor_.set_option(asio::socket_base::reuse_address(true), fault);
  if (acceptor_.bind(endpoint, fault); fault) return failed("listen on");
  if (acceptor_.listen(asio::socket_base::max_listen_connections, fault); fault) return failed("listen on");
  port = acceptor_.local_endpoint(fault).port();
  accept();
  return {};
}

void HttpServer::Impl::accept() {
  // No cycle: the pending accept is completed or dropped with the loop, which this object owns.
  acceptor_.async_accept([this](Fault fault, tcp::socket socket) {
    if (is_stopping) return;
    if (fault) {
      log.warning("http.accept_failed", {{"code", int64_t{fault.value()}}});
      accept_pause_.expires_after(kAcceptPause);
      accept_pause_.async_wait([this](Fault waited) {
        if (!waited && !is_stopping) accept();
      });
      return;
    }
    if (count >= options.connections_max) {
      log.warning("http.connection_refused", {{"connections", uint64_t{count.load()}}});
    } else {
      Fault ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      auto connection = std::make_shared<HttpConnection<Impl>>(shared_from_this(), std::move(socket));
      ++count;
      add(connection);
      connection->start();
    }
    accept();
  });
}

void HttpServer::Impl::begin_stop() {
  if (is_stopping) return;
  is_stopping = true;
  Fault ignored;
  acceptor_.close(ignored);
  accept_pause_.cancel();
  grace_.expires_after(milliseconds(options.stop_grace_ms));
  grace_.async_wait([this](Fault fault) {
    if (fault) return;
    auto left = connections_;
    for (const auto& connection : left) connection->cut();
  });
  // Stopping one changes the set.
  auto open = connections_;
  for (const auto& connection : open) connection->stop();
  end_if_idle();
}

void HttpServer::Impl::forget(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection);
  end_if_idle();
}

void HttpServer::Impl::end_if_idle() {
  if (!is_stopping || !connections_.empty()) return;
  grace_.cancel();
  timers_.clear();
  guard_.reset();
}

void HttpServer::Impl::post_after(milliseconds delay, std::function<void()> work) {
  if (is_stopping) return;
  uint64_t number = next_timer_++;
  auto timer = timers_.try_emplace(number, loop).first;
  timer->second.expires_after(delay);
  timer->second.async_wait([this, number, work = std::move(work)](Fault fault) {
    if (fault) return;
    timers_.erase(number);
    work();
  });
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::open(ServerOptions options, Handler handler,
                                                     WebSocketOpen on_websocket, Log& log) {
  auto impl = std::make_shared<Impl>(std::move(options), std::move(handler), std::move(on_websocket), log);
  KALENDS_TRY_VOID(impl->listen());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::~HttpServer() {
  stop();
  if (impl_->thread.joinable()) {
    impl_->thread.join();
  } else {
    // Never run, or run() is over: whatever is left on the loop ends here, so that no socket stays open.
    impl_->loop.restart();
    impl_->loop.run();
  }
}

uint16_t HttpServer::port() const { return impl_->port; }
void HttpServer::allow_origin(std::string origin) {
  impl_->options.allowed_origins.push_back(std::move(origin));
}
void HttpServer::run() { impl_->loop.run(); }
void HttpServer::start() {
  impl_->thread = std::thread([impl = impl_.get()] { impl->loop.run(); });
}
void HttpServer::stop() {
  asio::post(impl_->loop, [impl = impl_.get()] { impl->begin_stop(); });
}
void HttpServer::post(std::function<void()> work) { asio::post(impl_->loop, std::move(work)); }
void HttpServer::post_after(int64_t delay_ms, std::function<void()> work) {
  asio::dispatch(impl_->loop, [impl = impl_.get(), delay_ms, work = std::move(work)]() mutable {
    impl->post_after(milliseconds(delay_ms), std::move(work));
  });
}
size_t HttpServer::connection_count() const { return impl_->count; }

}  // namespace kalends
