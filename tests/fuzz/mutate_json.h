// SPDX-License-Identifier: Apache-2.0
// Mutations of JSON values rather than of bytes: most changed bytes of a file are no JSON any more.
#pragma once

#include <iterator>
#include <vector>

#include "core/base/prng.h"
#include "worker/google/json.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace kalends::fuzz {

inline void collect(Json& value, std::vector<Json*>& all) {
  all.push_back(&value);
  if (value.is_structured())
    for (Json& child : value) collect(child, all);
}

inline Json some_scalar(Prng& random) {
  static const Json kScalars[] = {nullptr,
                                  true,
                                  false,
                                  "",
                                  "true",
                                  0,
                                  -1,
                                  INT64_MAX,
                                  INT64_MIN,
                                  UINT64_MAX,
                                  0.5,
                                  -0.0,
                                  1e300,
                                  "9223372036854775808",
                                  "0001-01-01",
                                  "9999-12-31",
                                  "1892-12-01T00:00:00+00:53",
                                  "9999-12-31T23:59:59-23:59",
                                  "0001-01-01T00:00:00Z",
                                  "2026-10-25T02:30:00+01:00",
                                  "Africa/Monrovia",
                                  "America/New_York",
                                  std::string("a\0b", 3),
                                  "\xE2\x9C\x93 ",
                                  Json::array(),
                                  Json::object()};
  return kScalars[random.below(std::size(kScalars))];
}

inline void mutate_text(Json& value, Prng& random) {
  std::string text = value.get<std::string>();
  size_t size = text.size();
  if (random.chance(1, 16)) {
    for (size_t copies = random.below(13); copies > 0 && text.size() < 5000; --copies) text += text;
  } else {
    text.resize(size + 32);
    text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(text.data()), size, text.size()));
  }
  value = text;
}

inline void mutate_value(Json& top, Prng& random) {
  std::vector<Json*> all;
  collect(top, all);
  Json& value = *all[random.below(all.size())];
  Json other = *all[random.below(all.size())];
  switch (random.below(6)) {
    case 0:
      value = some_scalar(random);
      return;
    case 1:
      value = std::move(other);
      return;
    case 2:  // one more, or under another's name
      if (value.is_array()) return value.push_back(std::move(other));
      if (value.is_object() && !value.empty())
        std::next(value.begin(), static_cast<std::ptrdiff_t>(random.below(value.size()))).value() =
            std::move(other);
      return;
    case 3:
      if (value.is_structured() && !value.empty())
        value.erase(std::next(value.begin(), static_cast<std::ptrdiff_t>(random.below(value.size()))));
      return;
    default:
      if (value.is_string())
        mutate_text(value, random);
      else if (value.is_number_integer())
        value = static_cast<int64_t>(value.get<uint64_t>() + random.below(7) - 3);
  }
}

inline size_t mutate_json(uint8_t* data, size_t size, size_t max_size, Prng& random) {
  auto json = parse_json({reinterpret_cast<const char*>(data), size});
  if (!json.ok() || random.chance(1, 8)) return LLVMFuzzerMutate(data, size, max_size);
  for (size_t times = 1 + random.below(4); times > 0; --times) mutate_value(*json, random);
  std::string text = json_dump(*json);
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(text.begin(), text.end(), data);
  return text.size();
}

}  // namespace kalends::fuzz
