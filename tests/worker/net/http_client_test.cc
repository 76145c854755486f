// SPDX-License-Identifier: Apache-2.0
#include "worker/net/http_client.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <mutex>
#include <set>
#include <thread>

#include "tests/worker/temporary_folder.h"

namespace kalends {
namespace {

// A server on loopback that runs until the end of the test.
class RunningServer {
 public:
  explicit RunningServer(httplib::Server& server) : server_(server) {
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~RunningServer() {
    server_.stop();
    thread_.join();
  }
  std::string url(const std::string& path, const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + path;
  }

 private:
  httplib::Server& server_;
  int port_ = 0;
  std::thread thread_;
};

// A socket that accepts one connection and then does as told.
class RawServer {
 public:
  explicit RawServer(std::function<void(int)> serve) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 4) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, serve] {
      int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) return;
      serve(socket);
      ::close(socket);
    });
  }
  ~RawServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  int listener_;
  int port_ = 0;
  std::thread thread_;
};

void read_request(int socket) {
  std::string text;
  char buffer[4096];
  while (text.find("\r\n\r\n") == std::string::npos) {
    ssize_t size = ::recv(socket, buffer, sizeof buffer, 0);
    if (size <= 0) return;
    text.append(buffer, static_cast<size_t>(size));
  }
}

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.timeout_ms = 5'000;
  return request;
}

TEST_CASE("A request arrives with its method, target, headers and body, and the answer comes back whole") {
  httplib::Server server;
  server.Patch("/calendars/a@b/events", [](const httplib::Request& in, httplib::Response& out) {
    out.set_header("ETag", "\"e1\"");
    out.status = 412;
    out.set_content(in.target + "|" + in.get_header_value("If-Match") + "|" +
                        in.get_header_value("User-Agent") + "|" + in.body,
                    "text/plain");
  });
  RunningServer running(server);
  HttpClient client;
  HttpRequest request = get(running.url("/calendars/a%40b/events?x=%2F"));
  request.method = "PATCH";
  request.headers.add("If-Match", "\"e0\"");
  request.body = "{}";
  HttpResponse response = client.send(request).response.value();
  CHECK(response.status == 412);
  CHECK(response.headers.get("etag") == "\"e1\"");
  CHECK(response.body == "/calendars/a%40b/events?x=%2F|\"e0\"|Kalends/" KALENDS_VERSION " (gzip)|{}");
}

TEST_CASE("A redirect is an answer and is not followed") {
  httplib::Server server;
  int visits = 0;
  server.Get("/a", [](const httplib::Request&, httplib::Response& out) { out.set_redirect("/b"); });
  server.Get("/b", [&](const httplib::Request&, httplib::Response&) { ++visits; });
  RunningServer running(server);
  HttpClient client;
  HttpResponse response = client.send(get(running.url("/a"))).response.value();
  CHECK(response.status == 302);
  CHECK(response.headers.get("Location") == "/b");
  CHECK(visits == 0);
}

TEST_CASE("Calls one after the other share a connection") {
  httplib::Server server;
  std::mutex mutex;
  std::set<int> ports;
  server.Get("/", [&](const httplib::Request& in, httplib::Response&) {
    std::lock_guard guard(mutex);
    ports.insert(in.remote_port);
  });
  RunningServer running(server);
  HttpClient client;
  for (int i = 0; i < 4; ++i) REQUIRE(client.send(get(running.url("/"))).response.ok());
  CHECK(ports.size() == 1);
}

TEST_CASE("Calls from several threads at once all get their own answers") {
  httplib::Server server;
  server.Get(R"(/(\d+))", [](const httplib::Request& in, httplib::Response& out) {
    out.set_content(in.matches[1].str(), "text/plain");
  });
  RunningServer running(server);
  HttpClient client;
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 10; ++i) {
        std::string number = std::to_string(thread * 100 + i);
        auto outcome = client.send(get(running.url("/" + number)));
        if (outcome.response.ok() && outcome.response->body == number) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 40);
}

TEST_CASE("What is refused or finds nobody was certainly not sent") {
  HttpClient client;
  auto refused = client.send(get("http://www.example.com/"));
  REQUIRE_FALSE(refused.response.ok());
  CHECK(refused.response.error().code == ErrorCode::kInvalid);
  CHECK(refused.certainly_not_sent);
  CHECK(client.send(get("file:///etc/passwd")).response.error().code == ErrorCode::kInvalid);

  HttpRequest smuggled = get("http://127.0.0.1:9/");
  smuggled.headers.add("X", "a\r\nEvil: b");
  CHECK(client.send(smuggled).response.error().code == ErrorCode::kInvalid);
  HttpRequest traced = get("http://127.0.0.1:9/");
  traced.method = "TRACE";
  CHECK(client.send(traced).response.error().code == ErrorCode::kInvalid);

  std::string closed_url;
  {
    RawServer closed([](int) {});
    closed_url = closed.url();
  }
  auto nobody = client.send(get(closed_url));
  REQUIRE_FALSE(nobody.response.ok());
  CHECK(nobody.response.error().code == ErrorCode::kUnavailable);
  CHECK(nobody.certainly_not_sent);
}

TEST_CASE("A connection that breaks after the request leaves the outcome unknown") {
  RawServer server([](int socket) { read_request(socket); });
  HttpClient client;
  auto outcome = client.send(get(server.url()));
  REQUIRE_FALSE(outcome.response.ok());
  CHECK(outcome.response.error().code == ErrorCode::kUnavailable);
  CHECK_FALSE(outcome.certainly_not_sent);
}

TEST_CASE("An answer that is cut short is no answer") {
  RawServer server([](int socket) {
    read_request(socket);
    std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"items\":[]";
    ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  });
  HttpClient client;
  auto outcome = client.send(get(server.url()));
  REQUIRE_FALSE(outcome.response.ok());
  CHECK_FALSE(outcome.certainly_not_sent);
}

TEST_CASE("The time-out covers the whole call, also when bytes keep coming") {
  auto start = std::chrono::steady_clock::now();
  RawServer server([](int socket) {
    read_request(socket);
    std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    bool is_open = ::send(socket, head.data(), head.size(), MSG_NOSIGNAL) > 0;
    timeval pause{0, 20'000};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
    char nothing;
    // A byte every 20 ms, until the client goes.
    while (is_open) {
      ssize_t seen = ::recv(socket, &nothing, 1, 0);
      is_open = seen != 0 && ::send(socket, "x", 1, MSG_NOSIGNAL) > 0;
    }
  });
  HttpClient client;
  HttpRequest request = get(server.url());
  request.timeout_ms = 300;
  auto outcome = client.send(request);
  REQUIRE_FALSE(outcome.response.ok());
  CHECK(outcome.response.error().code == ErrorCode::kUnavailable);
  CHECK_FALSE(outcome.certainly_not_sent);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(3));
}

TEST_CASE("An answer longer than allowed is dropped, plain or compressed") {
  httplib::Server server;
  server.Get("/plain", [](const httplib::Request&, httplib::Response& out) {
    out.set_content(std::string(1001, 'x'), "text/plain");
  });
  // 1,001 times "x" by gzip: in the large this would be a bomb.
  static const unsigned char kZipped[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                          0xab, 0xa8, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x0c, 0x7b, 0x00,
                                          0x00, 0x07, 0x10, 0x8e, 0xc5, 0xe9, 0x03, 0x00, 0x00};
  server.Get("/zip", [](const httplib::Request&, httplib::Response& out) {
    out.set_header("Content-Encoding", "gzip");
    out.set_content(std::string(reinterpret_cast<const char*>(kZipped), sizeof kZipped),
                    "application/octet-stream");
  });
  RunningServer running(server);
  HttpClient client;
  HttpRequest request = get(running.url("/plain"));
  request.max_body_bytes = 1000;
  CHECK(client.send(request).response.error().code == ErrorCode::kCorrupt);
  request.max_body_bytes = 1001;
  CHECK(client.send(request).response.value().body.size() == 1001);
  request.url = running.url("/zip");
  request.max_body_bytes = 100;
  CHECK(client.send(request).response.error().code == ErrorCode::kCorrupt);
}

// A certificate for 127.0.0.1 that signs itself.
struct Certificate {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  X509* certificate = X509_new();

  Certificate() {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("loopback"),
                               -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
  }
  ~Certificate() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  void write(const std::string& path) const {
    FILE* file = std::fopen(path.c_str(), "w");
    REQUIRE(file != nullptr);
    PEM_write_X509(file, certificate);
    std::fclose(file);
  }
};

TEST_CASE("A certificate that nobody vouches for is refused before anything is sent") {
  Certificate certificate;
  httplib::SSLServer server(certificate.certificate, certificate.key);
  int visits = 0;
  server.Get("/", [&](const httplib::Request&, httplib::Response& out) {
    ++visits;
    out.set_content("secret", "text/plain");
  });
  RunningServer running(server);
  HttpClient strict;
  auto refused = strict.send(get(running.url("/", "https")));
  REQUIRE_FALSE(refused.response.ok());
  CHECK(refused.certainly_not_sent);
  CHECK(visits == 0);

  TemporaryFolder folder;
  HttpClientOptions options;
  options.ca_file = folder.path() + "/ca.pem";
  certificate.write(options.ca_file);
  HttpClient trusting(options);
  CHECK(trusting.send(get(running.url("/", "https"))).response.value().body == "secret");
  CHECK(visits == 1);
}

}  // namespace
}  // namespace kalends
