// SPDX-License-Identifier: Apache-2.0
#include "worker/net/http_client.h"

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "worker/base/url.h"

namespace kalends {
namespace {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;
using Connection = std::unique_ptr<httplib::Client>;

HttpOutcome not_sent(Error error) { return {std::move(error), true}; }

// The library tells what it was doing when it failed; only before the first byte of the request is it
// certain.
bool is_certainly_not_sent(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
    case httplib::Error::BindIPAddress:
    case httplib::Error::SSLConnection:
    case httplib::Error::SSLLoadingCerts:
    case httplib::Error::SSLServerVerification:
      return true;
    default:
      return false;
  }
}

std::string failure_text(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::BindIPAddress:
      return "no connection";
    case httplib::Error::ConnectionTimeout:
      return "no connection in time";
    case httplib::Error::SSLConnection:
      return "no TLS connection";
    case httplib::Error::SSLLoadingCerts:
      return "the certificates of the authorities cannot be read";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not trusted";
    case httplib::Error::Write:
      return "the connection broke while sending";
    default:
      return "the connection broke before the answer was complete";
  }
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
}

// Field names and values must not smuggle in other fields.
Status check_request(const HttpRequest& request) {
  static constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  if (std::find(std::begin(kMethods), std::end(kMethods), request.method) == std::end(kMethods)) {
    return invalid("the method is not one that is sent");
  }
  for (const auto& [name, value] : request.headers.fields()) {
    if (name.empty() || has_line_break(name) || has_line_break(value)) {
      return invalid("a header field holds a line break");
    }
  }
  if (request.timeout_ms <= 0) return invalid("the time-out must be above zero");
  return {};
}

}  // namespace

// Idle connections by origin.
class HttpClient::Pool {
 public:
  explicit Pool(const HttpClientOptions& options) : options_(options) {}

  Connection take(const std::string& origin) {
    {
      std::lock_guard guard(mutex_);
      auto& idle = idle_[origin];
      auto oldest = SteadyClock::now() - std::chrono::milliseconds(options_.idle_ms_max);
      while (!idle.empty()) {
        Idle last = std::move(idle.back());
        idle.pop_back();
        if (last.since >= oldest) return std::move(last.connection);
        idle.clear();  // the others are older still
      }
    }
    auto connection = std::make_unique<httplib::Client>(origin);
    connection->set_keep_alive(true);
    connection->set_follow_location(false);
    connection->set_tcp_nodelay(true);
    connection->set_url_encode(false);
    connection->enable_server_certificate_verification(true);
    if (!options_.ca_file.empty()) connection->set_ca_cert_path(options_.ca_file.c_str());
    return connection;
  }

  void give_back(const std::string& origin, Connection connection) {
    std::lock_guard guard(mutex_);
    auto& idle = idle_[origin];
    if (idle.size() < options_.idle_per_origin) idle.push_back({std::move(connection), SteadyClock::now()});
  }

 private:
  struct Idle {
    Connection connection;
    TimePoint since;
  };
  const HttpClientOptions& options_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Idle>> idle_;
};

// The library's time-outs are per read; a server that sends a byte now and then would hold a call for ever.
// One thread stops connections whose call has no time left.
class HttpClient::Watchdog {
 public:
  Watchdog() : thread_([this] { watch(); }) {}
  ~Watchdog() {
    {
      std::lock_guard guard(mutex_);
      is_stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  // A call that is watched from here to its end.
  class Watch {
   public:
    Watch(Watchdog& dog, httplib::Client& connection, TimePoint deadline) : dog_(dog) {
      std::lock_guard guard(dog_.mutex_);
      entry_ = dog_.calls_.emplace(deadline, &connection);
      dog_.changed_.notify_all();
    }
    ~Watch() {
      std::lock_guard guard(dog_.mutex_);
      dog_.calls_.erase(entry_);
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Watchdog& dog_;
    std::multimap<TimePoint, httplib::Client*>::iterator entry_;
  };

 private:
  void watch() {
    // A stop may come a moment before the library has a socket to stop: a late call is stopped again and
    // again.
    constexpr auto kAgain = std::chrono::milliseconds(50);
    std::unique_lock lock(mutex_);
    while (!is_stopping_) {
      if (calls_.empty()) {
        changed_.wait(lock);
        continue;
      }
      auto now = SteadyClock::now();
      auto next = calls_.begin()->first;
      if (next > now) {
        changed_.wait_until(lock, next);
        continue;
      }
      for (auto& [deadline, connection] : calls_) {
        if (deadline > now) break;
        connection->stop();
      }
      changed_.wait_for(lock, kAgain);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<TimePoint, httplib::Client*> calls_;
  bool is_stopping_ = false;
  std::thread thread_;
};

HttpClient::HttpClient(HttpClientOptions options)
    : options_(std::move(options)),
      pool_(std::make_unique<Pool>(options_)),
      watchdog_(std::make_unique<Watchdog>()) {}

HttpClient::~HttpClient() = default;

HttpOutcome HttpClient::send(const HttpRequest& request) {
  auto url = parse_url(request.url);
  if (!url.ok()) return not_sent(url.error());
  if (url->scheme == "http" && !is_loopback_host(url->host)) {
    return not_sent(invalid("plain http is for loopback addresses only; use https"));
  }
  if (Status checked = check_request(request); !checked.ok()) return not_sent(checked.error());

  httplib::Request outgoing;
  outgoing.method = request.method;
  outgoing.path = url->target;
  outgoing.body = request.body;
  for (const auto& [name, value] : request.headers.fields()) outgoing.headers.emplace(name, value);
  if (!outgoing.has_header("User-Agent")) outgoing.headers.emplace("User-Agent", options_.user_agent);
  if (!outgoing.has_header("Accept-Encoding")) outgoing.headers.emplace("Accept-Encoding", "gzip");
  // Bodiless writes say so, or some servers wait for a body.
  if (request.body.empty() && request.method != "GET" && request.method != "HEAD") {
    outgoing.headers.emplace("Content-Length", "0");
  }

  HttpResponse answer;
  bool is_too_long = false;
  outgoing.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
    is_too_long = size > request.max_body_bytes - answer.body.size();
    if (!is_too_long) answer.body.append(data, size);
    return !is_too_long;
  };

  const auto timeout = std::chrono::milliseconds(request.timeout_ms);
  const TimePoint deadline = SteadyClock::now() + timeout;
  Connection connection = pool_->take(url->origin());
  connection->set_connection_timeout(timeout);
  connection->set_read_timeout(timeout);
  connection->set_write_timeout(timeout);
  auto call = [&] {
    Watchdog::Watch watch(*watchdog_, *connection, deadline);
    return connection->send(outgoing);
  };
  httplib::Result result = call();

  if (is_too_long) {
    return {corrupt("the answer is longer than " + std::to_string(request.max_body_bytes) + " bytes"), false};
  }
  if (!result) {
    bool is_late = SteadyClock::now() >= deadline;
    std::string why = is_late ? "no answer within " + std::to_string(request.timeout_ms) + " ms"
                              : failure_text(result.error());
    return {Error{ErrorCode::kUnavailable, url->origin() + ": " + why, 0},
            is_certainly_not_sent(result.error())};
  }
  answer.status = result->status;
  for (const auto& [name, value] : result->headers) answer.headers.add(name, value);
  if (!equals_ignoring_case(answer.headers.get("Connection"), "close")) {
    pool_->give_back(url->origin(), std::move(connection));
  }
  return {std::move(answer), false};
}

}  // namespace kalends
