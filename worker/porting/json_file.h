// SPDX-License-Identifier: Apache-2.0
// Reading a JSON file that a person hands us, strictly: the first thing that is not as expected ends the
// reading with its place (line and column where it is not JSON, a JSON pointer where it is) and the reason.
// Messages name places and members, never what a person wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "worker/google/json.h"

namespace kalends {

// A Trello board with its 1,000 kept actions is 1 to 10 MB; more than this is no board.
inline constexpr size_t kFileBytesMax = 100 * 1024 * 1024;

// kInvalid: too large, nested deeper than kJsonDepthMax, not JSON, or not an object at the top.
Result<Json> read_json_file(std::string_view text, size_t bytes_max = kFileBytesMax);

// A value and where it stands. Cheap to copy; lives as long as the Json that it looks at.
struct JsonNode {
  const Json* json;
  std::string at;  // JSON pointer (RFC 6901); empty at the top

  JsonNode member(std::string_view name) const;  // a shared null where there is none
  bool is_absent() const { return json->is_null(); }
};

// Reads members of objects. After the first refusal every reading gives an empty value and status() stays the
// same.
class JsonFileReader {
 public:
  // Present and of the type, or refused.
  std::string text(const JsonNode& object, std::string_view name);
  // Missing, null or of the type; anything else is refused.
  std::optional<std::string> maybe_text(const JsonNode& object, std::string_view name);
  std::optional<double> maybe_number(const JsonNode& object, std::string_view name);
  bool flag(const JsonNode& object, std::string_view name);
  // The elements of an array whose elements must all be objects, or all be texts.
  std::vector<JsonNode> objects(const JsonNode& object, std::string_view name);
  std::vector<std::string> texts(const JsonNode& object, std::string_view name);

  void refuse(const std::string& at, std::string_view reason);
  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }

 private:
  JsonNode typed(const JsonNode& object, std::string_view name, bool (*fits)(const Json&),
                 std::string_view what);
  Status status_;
};

}  // namespace kalends
