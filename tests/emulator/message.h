// SPDX-License-Identifier: Apache-2.0
// What goes into and comes out of the stand-in: plain values, so that the same model runs behind a socket and
// inside a simulator. Nothing here does I/O or reads a clock.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kalends::emulator {

using Json = nlohmann::json;

using Headers = std::map<std::string, std::string>;              // names in lower case
using Query = std::vector<std::pair<std::string, std::string>>;  // percent-decoded, in order of appearance

struct Request {
  std::string method;  // upper case
  std::string path;    // still percent-encoded, without the query
  Query query;
  Headers headers;
  std::string body;

  const std::string* header(const std::string& name) const;
  std::optional<std::string> query_value(const std::string& name) const;
};

// Who calls, after the access token was looked up.
struct Caller {
  std::string mail;
  std::string client_id;
  std::set<std::string> scopes;  // without the common prefix for Calendar scopes
};

// How an answer travels: faults on demand are decided in the model and carried out by whoever holds the
// socket.
enum class Delivery {
  kSend,
  kDrop,      // close the connection without an answer
  kHold,      // keep the answer until it is released
  kTruncate,  // announce the whole length, send half, close
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  Delivery delivery = Delivery::kSend;
  int64_t delay_ms = 0;
  // Filled for API calls; named in the list of held answers.
  std::string api_method;
  std::string calendar;
  std::string event_id;
};

// One POST to a channel's address. Deliver when the model's clock reaches due_ms, then report the answer.
struct PushNotice {
  uint64_t number = 0;  // of this notice, unique in the model
  std::string channel_key;
  std::string address;
  Headers headers;
  int64_t due_ms = 0;
  int attempt = 0;
};

// Percent-decoding; '+' means a space only in forms and queries.
std::string percent_decode(std::string_view text, bool plus_is_space);
std::string percent_encode(std::string_view text);
Query parse_query(std::string_view text);

// Splits "path?query" of a request line.
void split_target(std::string_view target, std::string& path, Query& query);

}  // namespace kalends::emulator
