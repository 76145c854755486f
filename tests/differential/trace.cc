// SPDX-License-Identifier: Apache-2.0
// Writes random conversations with the core's facade, answers included: kalends-trace SEED TRACES > FILE. Three copies of
// a board, or of a workspace, are edited, merged, undone, saved and opened again, also from spoilt bytes; after every step
// comes the hash of the state. replay.mjs gives the same requests to core.wasm and compares every answer byte for byte.
// Format: u32 length, request, u32 length, answer, and so on, little-endian. A request of length 0
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
    is_board_ = random_.chance(4, 5);
    for (int i = 0; i < kReplicas; ++i) handles_.push_back(open(Cbor()));
    for (int i = 0; i < 2 && is_board_; ++i) {
      lists_.push_back(to_hex(random_.id()));
      edit(handles_[0], map_of({{"do", "create"},
                                {"type", "list"},
                                {"id", lists_.back()},
                                {"fields", map_of({{"title", "Liste " + std::to_string(i)}})}}));
    }
    for (int i = 0; i < 3; ++i) edit(handles_[0], is_board_ ? create_card() : create_entry());
    for (int64_t handle : handles_)
      if (handle != handles_[0]) exchange(handles_[0], handle);
    for (int step = 0; step < kSteps; ++step) {
      int64_t& handle = handles_[random_.below(kReplicas)];
      if (random_.chance(1, 3))
        exchange(handles_[random_.below(kReplicas)], handle);
      else if (random_.chance(1, 10))
        ask(handle, random_.chance(2, 3) ? "undo" : "redo", {{"now_ms", now_ms_}});
      else if (random_.chance(1, 12))
        reopen(handle);
      else if (random_.chance(1, 12))
        look(handle);
      else
        edit(handle, is_board_ ? command() : workspace_command());
      ask(handle, "hash");
    }
    for (int64_t handle : handles_) ask(handle, "view");
    ask(handles_[0], "snapshot");
  }

 private:
  Cbor ask(int64_t handle, const char* call, std::initializer_list<std::pair<std::string, Cbor>> more = {}) {
    Cbor request = map_of({{"call", call}, {"handle", handle}});
    for (const auto& [name, value] : more) request.set(name, value);
    return recorder_.call(std::move(request));
  }

  int64_t open(Cbor bytes) {
    Cbor opened = recorder_.call(map_of({{"call", "open"},
                                         {"document", document_},
                                         {"kind", is_board_ ? "board" : "workspace"},
                                         {"replica", to_hex(random_.id())},
                                         {"author", to_hex(random_.id())},
                                         {"bytes", std::move(bytes)}}));
    return opened["handle"].as_int();
  }

  // From what it saved, after a look at what spoilt bytes give.
  void reopen(int64_t& handle) {
    if (random_.chance(1, 8)) ask(handle, "compact");
    Cbor saved = ask(handle, "save", {{"history", random_.chance(2, 3)}});
    ByteView view = saved.as_byte_view();
    Bytes spoilt(view.begin(), view.end());
    if (!spoilt.empty()) spoilt[random_.below(spoilt.size())] ^= static_cast<uint8_t>(1 << random_.below(8));
    if (int64_t other = open(Cbor::bytes(spoilt)); other != 0) {
      ask(other, "since", {{"version", Cbor::bytes({})}});
      ask(other, "hash");
      ask(other, "close");
    }
    ask(handle, "close");
    handle = open(std::move(saved));
  }

  // At what is open, what was, and who did it; some conflict is decided.
  void look(int64_t handle) {
    Cbor conflicts = ask(handle, "conflicts");
    std::string card = some(cards_);
    ask(handle, "history", {{"entity", card}});
    ask(handle, "blame", {{"entity", card}});
    if (Cbor then = ask(handle, "at", {{"version", ask(handles_[0], "version")}}); then["handle"].as_int() != 0) {
      ask(then["handle"].as_int(), "hash");
      ask(then["handle"].as_int(), "close");
    }
    if (conflicts.items().empty()) return;
    const Cbor& conflict = conflicts.items()[random_.below(conflicts.items().size())];
    const auto& values = conflict["values"].items();
    Cbor resolve = map_of({{"do", "resolve"},
                           {"entity", conflict["entity"]},
                           {"field", conflict["field"]},
                           {"op", values[random_.below(values.size())]["op"]}});
    if (const Cbor* child = conflict.find("child")) resolve.set("child", *child);
    if (const Cbor* key = conflict.find("key")) resolve.set("key", *key);
    edit(handle, std::move(resolve));
  }

  void edit(int64_t handle, Cbor one) {
    now_ms_ += static_cast<int64_t>(random_.below(5000));
    Cbor list = Cbor::array();
    list.push(one);
    Cbor answer = recorder_.call(
        map_of({{"call", "edit"}, {"handle", handle}, {"now_ms", now_ms_}, {"commands", std::move(list)}}));
    if (answer.is_null()) return;
    if (one["do"].as_text() == "create" && one["type"].as_text() != "list")
      (one["type"].as_text() == "label" ? labels_ : cards_).push_back(one["id"].as_text());
    for (const Cbor& created : answer["created"].items())
      if (created.is_text())
        (one["type"].as_text() == "checklist" ? checklists_ : children_)
            .push_back({one["entity"].as_text(), created.as_text()});
  }

  void exchange(int64_t source, int64_t target) {
    Cbor version = recorder_.call(map_of({{"call", "version"}, {"handle", target}}));
    Cbor news = recorder_.call(map_of({{"call", "since"}, {"handle", source}, {"version", version}}));
    recorder_.call(
        map_of({{"call", "merge"}, {"handle", target}, {"now_ms", now_ms_}, {"ops", news["ops"]}}));
  }

  std::string some(const std::vector<std::string>& ids) {
    return ids.empty() ? to_hex(random_.id()) : ids[random_.below(ids.size())];
  }

  struct Child {
    std::string card, id;
  };
  Child some_child(const std::vector<Child>& children) {
    return children.empty() ? Child{some(cards_), to_hex(random_.id()) + ":1"} : children[random_.below(children.size())];
  }

  Cbor create_card() {
    Cbor create = map_of({{"do", "create"},
                          {"type", "card"},
                          {"id", to_hex(random_.id())},
                          {"fields", map_of({{"list", some(lists_)}, {"title", some_word()}, {"due", some_date()}})}});
    if (random_.chance(1, 2)) create.set("after", Cbor());
    return create;
  }
  Cbor create_entry() {
    static const char* kTypes[] = {"label", "label", "label", "member", "board", "sequence"};
    return map_of({{"do", "create"},
                   {"type", kTypes[random_.below(6)]},
                   {"id", to_hex(random_.id())},
                   {"fields", Cbor::map()}});
  }
  std::string some_word() {
    static const char* kWords[] = {"Größe", "日本", "🦊 fox", "plain", ""};
    return kWords[random_.below(5)];
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
    std::string word = some_word();
    switch (random_.below(13)) {
      case 0:
      case 1:
        return create_card();
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
            {{"do", "text"}, {"entity", card}, {"value", word + " und " + some_word()}});
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
      case 9: {
        Child checklist = some_child(checklists_);
        return map_of({{"do", "add_child"},
                       {"entity", checklist.card},
                       {"type", "item"},
                       {"checklist", checklist.id},
                       {"fields", map_of({{"text", word}})}});
      }
      case 10:
        return map_of({{"do", "splice"},
                       {"entity", card},
                       {"pos", static_cast<int64_t>(random_.below(4))},
                       {"del", static_cast<int64_t>(random_.below(3))},
                       {"ins", word}});
      case 11: {
        Child child = some_child(children_);
        return map_of({{"do", random_.chance(2, 3) ? "delete" : "restore"}, {"entity", child.card}, {"child", child.id}});
      }
      default: {
        // Of a comment the text, of an item whether it is done.
        Child child = some_child(children_);
        bool is_text = random_.chance(1, 2);
        return map_of({{"do", "set"},
                       {"entity", child.card},
                       {"child", child.id},
                       {"field", is_text ? "text" : "done"},
                       {"value", is_text ? Cbor(word) : Cbor(true)}});
      }
    }
  }

  Cbor workspace_command() {
    std::string label = some(labels_);
    std::string word = "wört " + std::to_string(random_.below(5));
    switch (random_.below(7)) {
      case 0:
      case 1:
        return create_entry();
      case 2:
        return map_of({{"do", "set"},
                       {"entity", random_.chance(1, 4) ? some(cards_) : label},
                       {"field", random_.chance(4, 5) ? "name" : "title"},
                       {"value", word}});
      case 3:
        return map_of({{"do", "set"}, {"entity", label}, {"field", "merged_into"}, {"value", some(labels_)}});
      case 4:
        return map_of(
            {{"do", "set"}, {"entity", label}, {"field", "local_names"}, {"key", some(cards_)}, {"value", word}});
      case 5:
        return map_of({{"do", random_.chance(1, 2) ? "delete" : "restore"}, {"entity", label}});
      default:
        return map_of({{"do", "add_child"},
                       {"entity", some(cards_)},
                       {"type", "step"},
                       {"fields", map_of({{"title", word}, {"delay_minutes", static_cast<int64_t>(random_.below(9000))}})}});
    }
  }

  Recorder& recorder_;
  Prng random_;
  bool is_board_ = true;
  std::string document_;
  int64_t now_ms_ = 1'790'000'000'000;
  std::vector<int64_t> handles_;
  std::vector<std::string> lists_, cards_, labels_;  // cards_: of a workspace, what is no label
  std::vector<Child> checklists_, children_;
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
