// SPDX-License-Identifier: Apache-2.0
// A client that sends exactly the bytes it is told, for what well-behaved libraries refuse to do, and a
// WebSocket client on top that shares no code with the server.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/check.h"

namespace kalends {

class RawClient {
 public:
  explicit RawClient(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    is_open_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool send(std::string_view bytes) {
    while (!bytes.empty() && is_open_) {
      ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(size));
    }
    return is_open_;
  }
  // False: the other side has closed, or nothing came for ten seconds.
  bool receive_more() {
    char buffer[16384];
    ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    received_.append(buffer, static_cast<size_t>(size));
    return true;
  }
  std::string receive_until_closed() {
    while (receive_more()) {
    }
    return std::exchange(received_, "");
  }
  // Up to and with `end`; what came in all where it never comes.
  std::string receive_until(std::string_view end) {
    while (received_.find(end) == std::string::npos) {
      if (!receive_more()) return std::exchange(received_, "");
    }
    size_t size = received_.find(end) + end.size();
    std::string head = received_.substr(0, size);
    received_.erase(0, size);
    return head;
  }
  std::optional<std::string> receive_exactly(size_t size) {
    while (received_.size() < size) {
      if (!receive_more()) return std::nullopt;
    }
    std::string bytes = received_.substr(0, size);
    received_.erase(0, size);
    return bytes;
  }
  int socket() const { return socket_; }

 private:
  int socket_;
  bool is_open_ = false;
  std::string received_;
};

class RawWebSocket {
 public:
  struct Frame {
    int opcode = 0;
    std::string payload;
  };

  RawWebSocket(uint16_t port, const std::string& path, const std::string& more_fields = "") : client_(port) {
    // Key and answer are RFC 6455's own example.
    client_.send("GET " + path +
                 " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
                 more_fields + "\r\n");
    head_ = client_.receive_until("\r\n\r\n");
  }
  const std::string& head() const { return head_; }
  bool is_open() const {
    return head_.starts_with("HTTP/1.1 101") &&
           head_.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos;
  }

  void send(int opcode, std::string_view payload) {
    std::string frame(1, static_cast<char>(0x80 | opcode));
    KALENDS_CHECK(payload.size() < 65536);
    if (payload.size() < 126) {
      frame.push_back(static_cast<char>(0x80 | payload.size()));
    } else {
      frame += {static_cast<char>(0x80 | 126), static_cast<char>(payload.size() >> 8),
                static_cast<char>(payload.size() & 255)};
    }
    const char mask[4] = {1, 2, 3, 4};
    frame.append(mask, 4);
    for (size_t i = 0; i < payload.size(); ++i) frame.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
    client_.send(frame);
  }
  // nullopt: closed without a frame.
  std::optional<Frame> receive() {
    auto head = client_.receive_exactly(2);
    if (!head) return std::nullopt;
    size_t size = static_cast<uint8_t>((*head)[1]) & 127;
    if (size >= 126) {
      auto longer = client_.receive_exactly(size == 126 ? 2 : 8);
      if (!longer) return std::nullopt;
      size = 0;
      for (char byte : *longer) size = size << 8 | static_cast<uint8_t>(byte);
    }
    auto payload = client_.receive_exactly(size);
    if (!payload) return std::nullopt;
    return Frame{(*head)[0] & 15, std::move(*payload)};
  }
  // The code of the next close frame; 0 where the connection ends without one.
  int receive_close_code() {
    while (auto frame = receive()) {
      if (frame->opcode != 8 || frame->payload.size() < 2) continue;
      return static_cast<uint8_t>(frame->payload[0]) << 8 | static_cast<uint8_t>(frame->payload[1]);
    }
    return 0;
  }
  // Answers a close and ends the connection, as RFC 6455 asks.
  void hang_up() {
    send(8, std::string("\x03\xe8", 2));
    ::shutdown(client_.socket(), SHUT_RDWR);
  }

 private:
  RawClient client_;
  std::string head_;
};

}  // namespace kalends
