// SPDX-License-Identifier: Apache-2.0
// Whatever is asked of the facade, it answers with a map of ok or error. The input is a series of requests, each behind a
// length of two bytes.
#include <cstddef>
#include <cstdint>

#include "core/api/facade.h"
#include "tests/fuzz/mutate_ops.h"

namespace kalends {
namespace {

std::vector<ByteView> requests_in(ByteView input) {
  std::vector<ByteView> requests;
  for (size_t at = 0; at + 2 <= input.size();) {
    size_t length = size_t{input[at]} | size_t{input[at + 1]} << 8;
    at += 2;
    length = std::min(length, input.size() - at);
    requests.push_back(input.subspan(at, length));
    at += length;
  }
  return requests;
}

// Mutates one value somewhere in a request; others to take it from are in `pool`.
class RequestMutation {
 public:
  RequestMutation(const std::vector<Cbor>& pool, Prng& random) : pool_(pool), random_(random) {}

  Cbor changed(const Cbor& value) {
    if (value.is_map() && !value.entries().empty() && random_.chance(14, 15)) {
      Cbor map = Cbor::map();
      size_t chosen = random_.below(value.entries().size());
      for (size_t i = 0; i < value.entries().size(); ++i) {
        const auto& [key, entry] = value.entries()[i];
        if (i != chosen)
          map.set(key, entry);
        else if (random_.chance(9, 10))
          map.set(key, changed(entry));
      }
      return map;
    }
    if (value.is_array() && !value.items().empty() && random_.chance(14, 15)) {
      Cbor array = Cbor::array();
      size_t chosen = random_.below(value.items().size());
      for (size_t i = 0; i < value.items().size(); ++i) {
        const Cbor& item = value.items()[i];
        if (i != chosen || random_.chance(1, 8)) array.push(item);
        if (i == chosen) array.push(changed(item));
      }
      return array;
    }
    if (random_.chance(1, 3)) return some_part(pool_[random_.below(pool_.size())]);
    if (value.is_bytes()) {
      ByteView view = value.as_byte_view();
      Bytes bytes(view.begin(), view.end());
      size_t size = bytes.size();
      bytes.resize(size + 64);
      bytes.resize(fuzz::mutate_chunk(bytes.data(), size, bytes.size(), random_));
      return Cbor::bytes(bytes);
    }
    if (value.is_text()) {
      static const char* const kTexts[] = {"",    "Größe 🦊", "undo", "redo",   "save", "open",   "compact", "retract",
                                           "set", "offer",    "move", "delete", "text", "resolve"};
      return kTexts[random_.below(std::size(kTexts))];
    }
    switch (random_.below(5)) {
      case 0:
        return Cbor();
      case 1:
        return Cbor(random_.chance(1, 2));
      case 2:
        return Cbor(static_cast<int64_t>(random_.next()));
      default:
        return Cbor(value.as_int() + static_cast<int64_t>(random_.below(7)) - 3);
    }
  }

 private:
  const Cbor& some_part(const Cbor& value) {
    if (value.is_map() && !value.entries().empty() && random_.chance(5, 6))
      return some_part(value.entries()[random_.below(value.entries().size())].second);
    if (value.is_array() && !value.items().empty() && random_.chance(5, 6))
      return some_part(value.items()[random_.below(value.items().size())]);
    return value;
  }

  const std::vector<Cbor>& pool_;
  Prng& random_;
};

}  // namespace
}  // namespace kalends

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  Facade facade;
  for (ByteView request : requests_in({data, size})) {
    auto answer = decode_cbor(facade.call(request));
    KALENDS_CHECK(answer.ok() && (answer->find("ok") || answer->find("error")));
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  using namespace kalends;
  Prng random(seed);
  std::vector<Cbor> requests;
  for (ByteView request : requests_in({data, size}))
    if (auto decoded = decode_cbor(request); decoded.ok()) requests.push_back(std::move(*decoded));
  if (requests.empty() || random.chance(1, 8)) return LLVMFuzzerMutate(data, size, max_size);
  size_t chosen = random.below(requests.size());
  auto place = requests.begin() + static_cast<std::ptrdiff_t>(chosen);
  switch (random.below(8)) {
    case 0:
      requests.erase(place);
      break;
    case 1:
      requests.insert(place, Cbor(requests[random.below(requests.size())]));
      break;
    case 2:
      std::swap(*place, requests[random.below(requests.size())]);
      break;
    default:
      *place = RequestMutation(requests, random).changed(*place);
  }
  Bytes out;
  for (const Cbor& request : requests) {
    Bytes bytes = encode_cbor(request);
    if (bytes.size() > 0xFFFF || out.size() + 2 + bytes.size() > max_size) break;
    out.push_back(static_cast<uint8_t>(bytes.size()));
    out.push_back(static_cast<uint8_t>(bytes.size() >> 8));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  if (out.empty()) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(out.begin(), out.end(), data);
  return out.size();
}
