// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/batch.h"

#include <algorithm>
#include <numeric>

#include "tests/emulator/api_error.h"

namespace kalends::emulator {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string trimmed(const std::string& text) {
  size_t first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

// Reads header lines up to the empty one; `position` then stands on the body.
Headers read_headers(const std::string& text, size_t& position) {
  Headers headers;
  while (position < text.size()) {
    size_t end = std::min(text.find('\n', position), text.size());
    std::string line = trimmed(text.substr(position, end - position));
    position = std::min(end + 1, text.size());
    if (line.empty()) break;
    size_t colon = line.find(':');
    if (colon != std::string::npos) headers[lower(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
  }
  return headers;
}

struct Part {
  std::string content_id;
  std::optional<Request> request;
};

Part read_part(const std::string& text, const Request& outer) {
  Part part;
  size_t position = 0;
  Headers own = read_headers(text, position);
  part.content_id = own.count("content-id") ? own["content-id"] : "";
  if (lower(own["content-type"]).rfind("application/http", 0) != 0) return part;
  size_t end = std::min(text.find('\n', position), text.size());
  std::string line = trimmed(text.substr(position, end - position));
  position = std::min(end + 1, text.size());
  size_t first = line.find(' '), second = line.find(' ', first + 1);
  if (first == std::string::npos) return part;
  Request request;
  request.method = line.substr(0, first);
  std::string target = line.substr(first + 1, second == std::string::npos ? second : second - first - 1);
  if (target.empty() || target[0] != '/') return part;  // path only: no other host can be meant
  split_target(target, request.path, request.query);
  request.headers = outer.headers;
  for (const char* name :
       {"content-type", "content-length", "content-encoding", "if-match", "if-none-match"}) {
    request.headers.erase(name);
  }
  for (const auto& [name, value] : read_headers(text, position)) request.headers[name] = value;
  request.body = trimmed(text.substr(position));
  part.request = std::move(request);
  return part;
}

std::vector<std::string> split_parts(const std::string& body, const std::string& boundary) {
  std::vector<std::string> parts;
  std::string mark = "--" + boundary;
  size_t position = body.find(mark);
  while (position != std::string::npos) {
    size_t start = position + mark.size();
    if (body.compare(start, 2, "--") == 0) break;
    size_t end = body.find("\n" + mark, start);
    if (end == std::string::npos) break;
    size_t first = body.find('\n', start);
    parts.push_back(first < end ? body.substr(first + 1, end - first - 1) : "");
    position = end + 1;
  }
  return parts;
}

const char* status_text(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 429:
      return "Too Many Requests";
    default:
      return status >= 500 ? "Internal Server Error" : "Unknown";
  }
}

std::string render_part(const Part& part, const Response& response) {
  std::string text = "Content-Type: application/http\r\n";
  if (!part.content_id.empty()) {
    std::string id = part.content_id;
    text += "Content-ID: " + (id[0] == '<' ? "<response-" + id.substr(1) : "response-" + id) + "\r\n";
  }
  text += "\r\nHTTP/1.1 " + std::to_string(response.status) + " " + status_text(response.status) + "\r\n";
  for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
  text += "content-length: " + std::to_string(response.body.size()) + "\r\n\r\n" + response.body;
  return text;
}

}  // namespace

Response run_batch(const Request& outer, Prng& prng, const std::function<Response(const Request&)>& handle) {
  const std::string* type = outer.header("content-type");
  size_t mark = type == nullptr ? std::string::npos : type->find("boundary=");
  if (mark == std::string::npos || type->rfind("multipart/mixed", 0) != 0) {
    return bad_request("badRequest", "Failed to parse batch request, error: no boundary.").response();
  }
  std::string boundary = type->substr(mark + 9);
  boundary = boundary.substr(0, boundary.find(';'));
  boundary.erase(std::remove(boundary.begin(), boundary.end(), '"'), boundary.end());
  std::vector<Part> parts;
  for (const std::string& text : split_parts(outer.body, boundary)) parts.push_back(read_part(text, outer));
  if (parts.empty() || parts.size() > kBatchCallsMax) {
    return bad_request("badRequest", "The batch request must contain 1 to 1000 calls.").response();
  }
  std::vector<size_t> order(parts.size());
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[prng.below(i)]);
  std::vector<Response> answers(parts.size());
  Response whole;
  for (size_t i : order) {
    answers[i] = parts[i].request ? handle(*parts[i].request)
                                  : bad_request("badRequest", "The part is not an HTTP request.").response();
    if (answers[i].delivery != Delivery::kSend) whole.delivery = answers[i].delivery;
    whole.delay_ms = std::max(whole.delay_ms, answers[i].delay_ms);
  }
  std::string answer_boundary = "batch_" + prng.text(24, kUrlSafe);
  whole.headers["content-type"] = "multipart/mixed; boundary=" + answer_boundary;
  for (size_t i = 0; i < parts.size(); ++i) {
    whole.body += "--" + answer_boundary + "\r\n" + render_part(parts[i], answers[i]) + "\r\n";
  }
  whole.body += "--" + answer_boundary + "--\r\n";
  whole.api_method = "batch";
  return whole;
}

}  // namespace kalends::emulator
