// SPDX-License-Identifier: Apache-2.0
// Writes random conversations with the core's facade, answers included: kalends-trace SEED TRACES > FILE.
// replay.mjs gives the same requests to core.wasm and compares every answer byte for byte, state hashes among
// them. Format: u32 length, request, u32 length, answer, and so on, little-endian. A request of length 0
// starts a new trace.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/api/facade.h"
#include "core/base/prng.h"

namespace kalends {
namespace {

constexpr int kReplicas = 3;
constexpr int kSteps = 30;

class Recorder {
 public:
  Cbor call(Cbor request) {
    Bytes bytes = encode_cbor(request);
    Bytes answer = facade_->call(bytes);
    write(bytes);
    write(answer);
    auto decoded = decode_cbor(answer);
    return decoded.ok() ? (*decoded)["ok"] : Cbor();
  }
  void start() {
    facade_ = std::make_unique<Facade>();
    write({});
  }

 private:
  void write(const Bytes& bytes) {
    uint8_t size[4];
    for (int i = 0; i < 4; ++i) size[i] = static_cast<uint8_t>(bytes.size() >> 8 * i);
    std::fwrite(size, 1, 4, stdout);
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  }
  std::unique_ptr<Facade> facade_;
};

Cbor map_of(std::initializer_list<std::pair<std::string, Cbor>> entries) {
  return Cbor::map({entries.begin(), entries.end()});
}

class Trace {
 public:
  Trace(Recorder& recorder, uint64_t seed) : recorder_(recorder), random_(seed) {}

  void run() {
    recorder_.start();
    document_ = to_hex(random_.id());
    for (int i = 0; i < kReplicas; ++i) {
      recorder_.call(map_of({{"call", "open"},
                             {"document", document_},
                             {"kind", "board"},
                             {"replica", to_hex(random_.id())},
                             {"author", to_hex(random_.id())}}));
      handles_.push_back(i + 1);
    }
    for (int i = 0; i < 2; ++i) {
      lists_.push_back(to_hex(random_.id()));
      edit(handles_[0], map_of({{"do", "create"},
                                {"type", "list"},
                                {"id", lists_.back()},
                                {"fields", map_of({{"title", "Liste " + std::to_string(i)}})}}));
    }
    for (int step = 0; step < kSteps; ++step) {
      int handle = handles_[random_.below(kReplicas)];
      if (random_.chance(1, 3))
        exchange(handles_[random_.below(kReplicas)], handle);
      else
        edit(handle, command());
      recorder_.call(map_of({{"call", "hash"}, {"handle", handle}}));
    }
    for (int handle : handles_) recorder_.call(map_of({{"call", "view"}, {"handle", handle}}));
    recorder_.call(map_of({{"call", "snapshot"}, {"handle", handles_[0]}}));
  }

 private:
  void edit(int handle, Cbor one) {
    now_ms_ += static_cast<int64_t>(random_.below(5000));
    Cbor list = Cbor::array();
    list.push(std::move(one));
    Cbor answer = recorder_.call(
        map_of({{"call", "edit"}, {"handle", handle}, {"now_ms", now_ms_}, {"commands", std::move(list)}}));
    for (const Cbor& created : answer["created"].items())
      if (created.is_text()) children_.push_back(created.as_text());
  }

  void exchange(int source, int target) {
    Cbor version = recorder_.call(map_of({{"call", "version"}, {"handle", target}}));
    Cbor news = recorder_.call(map_of({{"call", "since"}, {"handle", source}, {"version", version}}));
    recorder_.call(
        map_of({{"call", "merge"}, {"handle", target}, {"now_ms", now_ms_}, {"ops", news["ops"]}}));
  }

  std::string some(const std::vector<std::string>& ids) {
    return ids.empty() ? to_hex(random_.id()) : ids[random_.below(ids.size())];
  }

  Cbor some_date() {
    if (random_.chance(1, 4)) return Cbor();
    std::string day =
        "2026-1" + std::to_string(random_.below(3)) + "-0" + std::to_string(1 + random_.below(9));
    if (random_.chance(1, 2)) return map_of({{"date", day}});
    return map_of({{"at", day + "T10:30:00"}, {"zone", "Europe/Berlin"}});
  }

  Cbor command() {
    std::string card = some(cards_);
    static const char* kWords[] = {"Größe", "日本", "🦊 fox", "plain", ""};
    std::string word = kWords[random_.below(5)];
    switch (random_.below(12)) {
      case 0:
      case 1: {
        cards_.push_back(to_hex(random_.id()));
        Cbor create =
            map_of({{"do", "create"},
                    {"type", "card"},
                    {"id", cards_.back()},
                    {"fields", map_of({{"list", some(lists_)}, {"title", word}, {"due", some_date()}})}});
        if (random_.chance(1, 2)) create.set("after", Cbor());
        return create;
      }
      case 2:
        return map_of({{"do", "set"}, {"entity", card}, {"field", "title"}, {"value", word}});
      case 3:
        return map_of({{"do", "set"},
                       {"entity", card},
                       {"field", random_.chance(1, 2) ? "start" : "due"},
                       {"value", some_date()}});
      case 4:
        return map_of({{"do", "move"},
                       {"entity", card},
                       {"list", some(lists_)},
                       {"after", random_.chance(1, 2) ? Cbor() : Cbor(some(cards_))}});
      case 5:
        return map_of(
            {{"do", "text"}, {"entity", card}, {"value", word + " und " + kWords[random_.below(5)]}});
      case 6:
        return map_of({{"do", random_.chance(1, 2) ? "add" : "remove"},
                       {"entity", card},
                       {"field", "labels"},
                       {"value", some(lists_)}});
      case 7:
        return map_of({{"do", random_.chance(1, 2) ? "delete" : "restore"}, {"entity", card}});
      case 8:
        return map_of({{"do", "add_child"},
                       {"entity", card},
                       {"type", random_.chance(1, 2) ? "comment" : "checklist"},
                       {"fields", Cbor::map()}});
      case 9:
        return map_of({{"do", "add_child"},
                       {"entity", card},
                       {"type", "item"},
                       {"checklist", some(children_)},
                       {"fields", map_of({{"text", word}})}});
      case 10:
        return map_of({{"do", "splice"},
                       {"entity", card},
                       {"pos", static_cast<int64_t>(random_.below(4))},
                       {"del", static_cast<int64_t>(random_.below(3))},
                       {"ins", word}});
      default:
        return map_of({{"do", "set"},
                       {"entity", card},
                       {"child", some(children_)},
                       {"field", "done"},
                       {"value", true}});
    }
  }

  Recorder& recorder_;
  Prng random_;
  std::string document_;
  int64_t now_ms_ = 1'790'000'000'000;
  std::vector<int> handles_;
  std::vector<std::string> lists_, cards_, children_;
};

}  // namespace
}  // namespace kalends

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: kalends-trace SEED TRACES > FILE\n");
    return 2;
  }
  kalends::Recorder recorder;
  uint64_t seed = std::strtoull(argv[1], nullptr, 10);
  uint64_t traces = std::strtoull(argv[2], nullptr, 10);
  for (uint64_t i = 0; i < traces; ++i) kalends::Trace(recorder, seed + i).run();
  return 0;
}
