// SPDX-License-Identifier: Apache-2.0
// The native core on the traces of tests/bench/peers: the same workloads and the same clock as worker.mjs there.
//   native_peer w1|w2|w3|w4|w5 TRACE.jsonl     prints one JSON object
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/api/view.h"
#include "core/replica/replica.h"

namespace kalends {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Id128 padded(const std::string& name) {
  Id128 id;
  std::copy_n(name.begin(), std::min<size_t>(name.size(), 16), id.bytes.begin());
  return id;
}

Id128 numbered(const char* prefix, int number) { return padded(prefix + std::to_string(number)); }

struct TraceOp {
  int actor = 0;
  int64_t ms = 0;
  std::string kind;
  Id128 card;
  Id128 list;
  bool has_after = false;
  Id128 after;
  std::string text;
  std::string description;
  Id128 element;
  std::string item;
  bool flag = false;
  bool has_time = false;
  int64_t time = 0;
  uint32_t position = 0;
  uint32_t removed = 0;
};

struct Trace {
  std::vector<TraceOp> base;
  std::map<int, std::vector<TraceOp>> concurrent;  // by actor
};

TraceOp parse(const Json& row) {
  TraceOp op;
  op.actor = row["a"];
  op.ms = row["t"];
  op.kind = row["o"];
  if (row.contains("c")) op.card = padded(row["c"]);
  if (row.contains("l")) op.list = padded(row["l"]);
  if (row.contains("p") && row["p"].is_string()) {
    op.has_after = true;
    op.after = padded(row["p"]);
  }
  if (row.contains("id")) op.item = row["id"];
  for (const char* key : {"name", "title", "text", "ins"})
    if (row.contains(key)) op.text = row[key];
  if (row.contains("desc")) op.description = row["desc"];
  if (row.contains("v")) {
    const Json& v = row["v"];
    if (v.is_string()) {
      op.text = v;
      op.element = padded(v);
    }
    if (v.is_boolean()) op.flag = v;
    if (v.is_number()) {
      op.has_time = true;
      op.time = v;
    }
  }
  if (row.contains("pos")) op.position = row["pos"];
  if (row.contains("del")) op.removed = row["del"];
  return op;
}

Trace read_trace(const char* path) {
  Trace trace;
  std::ifstream in(path);
  bool is_concurrent = false;
  for (std::string line; std::getline(in, line);) {
    Json row = Json::parse(line);
    if (row.contains("x")) {
      if (row["x"] == "merge") break;
      is_concurrent = true;
    } else if (row.contains("o")) {
      TraceOp op = parse(row);
      if (is_concurrent)
        trace.concurrent[op.actor].push_back(std::move(op));
      else
        trace.base.push_back(std::move(op));
    }
  }
  return trace;
}

class Peer {
 public:
  explicit Peer(int actor)
      : author_{numbered("member", actor)},
        replica_({DocumentId{padded("board")}, DocumentKind::kBoard, ReplicaId{derive(actor)}}) {}
  Peer(int actor, ByteView saved) : Peer(actor) {
    auto opened = Replica::open(replica_.options(), saved, {}, true);
    if (!opened.ok()) std::abort();
    replica_ = std::move(*opened);
  }

  static Id128 derive(int actor) {
    std::string name = "replica " + std::to_string(actor);
    return derive_id(as_bytes(name));
  }

  // The bytes of the transaction, ready for the wire, when they are wanted.
  size_t apply(const TraceOp& op, bool emits, Bytes* bytes = nullptr) {
    commands_.clear();
    translate(op);
    if (commands_.empty()) return 0;
    changes_.clear();
    auto edited = replica_.edit_in_place({author_, Cause::kPerson, op.ms, true}, commands_, changes_);
    if (!edited.ok()) return 0;
    for (size_t i = 0; i < commands_.size(); ++i)
      if (!edited->created[i].is_nil()) note_child(op, i, edited->created[i]);
    if (!emits || edited->records.empty()) return 0;
    Bytes chunk = replica_.chunk_of(edited->records);
    size_t size = chunk.size();
    if (bytes) *bytes = std::move(chunk);
    return size;
  }

  Replica& replica() { return replica_; }
  const Changes& changes() const { return changes_; }

 private:
  Target card(const TraceOp& op) const { return {op.card, {}}; }

  void note_child(const TraceOp& op, size_t, OpRef child) {
    if (op.kind != "chk+") return;
    OpId id = replica_.document().names.op_id(child);
    Entity made = replica_.document().find(op.card, id);
    if (made.type() == EntityType::kChecklist)
      checklists_[op.card] = id;
    else
      items_[op.item] = id;
  }

  When when(int64_t ms) const { return When::timed({ms / 1000}, "UTC"); }
  Placement placement(const TraceOp& op) const {
    if (!op.has_after) return {Placement::Where::kFirst, {}, {}};
    Entity anchor = replica_.document().find(op.after);
    const StoredPlace* place = anchor ? anchor.place() : nullptr;
    bool stands_there = place && replica_.document().names.ids[place->list] == op.list;
    return stands_there ? Placement{Placement::Where::kAfter, op.after, {}} : Placement{};
  }

  // Items that were made before this copy was opened: by their text.
  OpId item(const TraceOp& op) {
    if (auto it = items_.find(op.item); it != items_.end()) return it->second;
    for (const Entity& child : replica_.document().find(op.card) ? replica_.document().find(op.card).children()
                                                                  : std::vector<Entity>{})
      if (child.type() == EntityType::kItem && child.is_live()) return child.child();
    return {};
  }

  OpId checklist(const Id128& id) {
    if (auto it = checklists_.find(id); it != checklists_.end()) return it->second;
    Entity found = replica_.document().find(id);
    if (!found) return {};
    for (const Entity& child : found.children())
      if (child.type() == EntityType::kChecklist && child.is_live()) return checklists_[id] = child.child();
    return {};
  }

  void translate(const TraceOp& op) {
    const std::string& kind = op.kind;
    if (kind == "list")
      commands_.push_back(CreateCommand{EntityType::kList, op.list, {{Field::kTitle, {}, op.text}}, {}, {}});
    else if (kind == "card")
      commands_.push_back(CreateCommand{EntityType::kCard,
                                        op.card,
                                        {{Field::kTitle, {}, op.text}, {Field::kDescription, {}, op.description}},
                                        op.list,
                                        placement(op)});
    else if (kind == "move")
      commands_.push_back(MoveCommand{card(op), op.list, {}, placement(op)});
    else if (kind == "title")
      commands_.push_back(SetCommand{card(op), {Field::kTitle, {}, op.text}});
    else if (kind == "desc")
      commands_.push_back(SetTextCommand{card(op), op.text});
    else if (kind == "splice")
      splice(op);
    else if (kind == "start" || kind == "due")
      commands_.push_back(SetCommand{
          card(op),
          {kind == "start" ? Field::kStart : Field::kDue, {}, op.has_time ? Value(when(op.time)) : Value()}});
    else if (kind == "lab+" || kind == "asg+")
      commands_.push_back(AddCommand{card(op), kind == "lab+" ? Field::kLabels : Field::kAssignees, op.element});
    else if (kind == "lab-" || kind == "asg-")
      commands_.push_back(RemoveCommand{card(op), kind == "lab-" ? Field::kLabels : Field::kAssignees, op.element});
    else if (kind == "chk+")
      add_item(op);
    else if (kind == "chk=")
      commands_.push_back(SetCommand{{op.card, item(op)}, {Field::kDone, {}, op.flag}});
    else if (kind == "chk-")
      commands_.push_back(DeleteCommand{{op.card, item(op)}});
    else if (kind == "msg")
      commands_.push_back(AddChildCommand{op.card, EntityType::kComment, {{Field::kText, {}, op.text}}, {}, {}});
    else if (kind == "arch")
      commands_.push_back(SetCommand{card(op), {Field::kArchived, {}, op.flag}});
    else if (kind == "del")
      commands_.push_back(DeleteCommand{card(op)});
  }

  void add_item(const TraceOp& op) {
    OpId list = checklist(op.card);
    AddChildCommand item{op.card, EntityType::kItem, {{Field::kText, {}, op.text}}, list, {}};
    if (list.is_nil()) {
      commands_.push_back(AddChildCommand{op.card, EntityType::kChecklist, {}, {}, {}});
      item.checklist_made_by = 0;
    }
    commands_.push_back(std::move(item));
  }

  void splice(const TraceOp& op) {
    Entity found = replica_.document().find(op.card);
    uint32_t length = found && found.sequence() ? found.sequence()->length() : 0;
    uint32_t position = std::min(op.position, length);
    commands_.push_back(SpliceCommand{card(op), {position, std::min(op.removed, length - position), op.text}});
  }

  MemberId author_;
  Replica replica_;
  std::vector<Command> commands_;
  Changes changes_;
  std::unordered_map<std::string, OpId> items_;
  std::map<Id128, OpId> checklists_;
};

// Every card as a plain object.
size_t read_all(const Replica& replica) {
  size_t size = 0;
  for (const Id128& list : replica.lists_with_cards())
    for (const Entity& card : replica.cards(list)) {
      if (!card.is_live()) continue;
      size += card.text_view(Field::kTitle).size() + card.text().size() + card.elements(Field::kLabels).size() +
              card.elements(Field::kAssignees).size();
      size += card.when_value(Field::kStart).has_value() + card.when_value(Field::kDue).has_value();
      for (const Entity& child : card.children())
        if (child.is_live())
          size += child.type() == EntityType::kItem ? child.text().size() : child.text_view(Field::kText).size();
    }
  return size;
}

const Clock::time_point kStarted = Clock::now();

// With the share of its core that the process got: far from 1, the machine was busy with something else.
void print(Json json) {
  json["cpuShare"] = static_cast<double>(std::clock()) / CLOCKS_PER_SEC * 1000 / ms_since(kStarted);
  std::printf("%s\n", json.dump().c_str());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}
double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

Peer built(const Trace& trace) {
  Peer peer(0);
  for (const TraceOp& op : trace.base) peer.apply(op, false);
  return peer;
}

Json w1(const Trace& trace) {
  std::vector<double> times;
  size_t bytes = 0;
  size_t updates = 0;
  for (int run = 0; run < 3; ++run) {
    Peer peer(0);
    bytes = updates = 0;
    auto start = Clock::now();
    for (const TraceOp& op : trace.base) {
      size_t size = peer.apply(op, true);
      bytes += size;
      updates += size > 0;
    }
    times.push_back(ms_since(start));
  }
  double ms = median(times);
  return {{"ms", ms},
          {"ops", trace.base.size()},
          {"opsPerSec", static_cast<double>(trace.base.size()) / ms * 1000},
          {"bytesPerOp", static_cast<double>(bytes) / static_cast<double>(updates)}};
}

Json w2(const Trace& trace) {
  Bytes saved = built(trace).replica().save();
  std::vector<double> exports, imports, locals;
  size_t bytes = 0;
  bool converged = true;
  auto [first, a_ops] = *trace.concurrent.begin();
  const auto& b_ops = std::next(trace.concurrent.begin())->second;
  for (int run = 0; run < 3; ++run) {
    Peer a(first, saved), b(first + 1, saved);
    Version va = a.replica().version(), vb = b.replica().version();
    auto t0 = Clock::now();
    for (const TraceOp& op : a_ops) a.apply(op, false);
    for (const TraceOp& op : b_ops) b.apply(op, false);
    locals.push_back(ms_since(t0));
    auto t1 = Clock::now();
    Bytes from_a = *a.replica().chunk_since(vb), from_b = *b.replica().chunk_since(va);
    exports.push_back(ms_since(t1));
    auto t2 = Clock::now();
    MergeResult merged;
    if (!b.replica().merge_chunk(from_a, b_ops.back().ms, merged).ok()) std::abort();
    if (!a.replica().merge_chunk(from_b, a_ops.back().ms, merged).ok()) std::abort();
    (void)a.replica().document().find(a_ops[0].card).text();
    (void)b.replica().document().find(a_ops[0].card).text();
    imports.push_back(ms_since(t2));
    bytes = from_a.size() + from_b.size();
    converged = converged && a.replica().hash() == b.replica().hash();
    if (run == 0)
      if (const char* out = std::getenv("KALENDS_BENCH_OUT")) {
        std::ofstream(std::string(out) + "/w2a.bin", std::ios::binary).write(reinterpret_cast<const char*>(from_a.data()), static_cast<std::streamsize>(from_a.size()));
        std::ofstream(std::string(out) + "/w2b.bin", std::ios::binary).write(reinterpret_cast<const char*>(from_b.data()), static_cast<std::streamsize>(from_b.size()));
      }
  }
  return {{"ms", median(exports) + median(imports)},
          {"exportMs", median(exports)},
          {"importMs", median(imports)},
          {"localMs", median(locals)},
          {"bytes", bytes},
          {"converged", converged}};
}

Json w3(const Trace& trace) {
  Peer peer = built(trace);
  auto t = Clock::now();
  Bytes saved = peer.replica().save();
  double save_ms = ms_since(t);
  t = Clock::now();
  Bytes trimmed = peer.replica().snapshot();
  double trim_ms = ms_since(t);
  std::vector<double> one, all;
  size_t size = 0;
  // Large boards begin with more than a hundred lists.
  const TraceOp& first_card =
      *std::find_if(trace.base.begin(), trace.base.end(), [](const TraceOp& op) { return op.kind == "card"; });
  for (int run = 0; run < 5; ++run) {
    auto start = Clock::now();
    Peer opened(1, saved);
    (void)opened.replica().document().find(first_card.card).text();
    one.push_back(ms_since(start));
    size = read_all(opened.replica());
    all.push_back(ms_since(start));
  }
  if (const char* out = std::getenv("KALENDS_BENCH_OUT")) {
    std::ofstream(std::string(out) + "/full.bin", std::ios::binary).write(reinterpret_cast<const char*>(saved.data()), static_cast<std::streamsize>(saved.size()));
    std::ofstream(std::string(out) + "/trim.bin", std::ios::binary).write(reinterpret_cast<const char*>(trimmed.data()), static_cast<std::streamsize>(trimmed.size()));
  }
  return {{"saveMs", save_ms},     {"trimMs", trim_ms},       {"loadMs", median(one)}, {"loadAllMs", median(all)},
          {"bytes", saved.size()}, {"trimBytes", trimmed.size()}, {"read", size}};
}

Json w4(const Trace& trace) {
  Bytes saved = built(trace).replica().save();
  Peer a(501, saved), b(1, saved);
  const auto& ops = trace.concurrent.begin()->second;
  std::vector<double> local, remote;
  for (size_t i = 0; i < std::min<size_t>(2500, ops.size()); ++i) {
    Bytes update;
    auto t0 = Clock::now();
    b.apply(ops[i], true, &update);
    double local_us = ms_since(t0) * 1000;
    if (update.empty()) continue;
    auto t1 = Clock::now();
    MergeResult merged;
    if (!a.replica().merge_chunk(update, ops[i].ms, merged).ok()) std::abort();
    for (const Id128& id : merged.changes.entities(a.replica().document())) {
      Entity card = a.replica().document().find(id);
      if (card && card.is_live()) {
        (void)card.text();
        for (Field field : {Field::kTitle, Field::kStart, Field::kDue, Field::kArchived}) (void)card.winner_cell(field);
        (void)card.elements(Field::kLabels);
        (void)card.children();
      }
    }
    double remote_us = ms_since(t1) * 1000;
    if (i >= 500) {
      local.push_back(local_us);
      remote.push_back(remote_us);
    }
  }
  return {{"remoteP50us", median(remote)},
          {"remoteP99us", quantile(remote, 0.99)},
          {"localP50us", median(local)},
          {"localP99us", quantile(local, 0.99)},
          {"converged", a.replica().hash() == b.replica().hash()}};
}

Json w5(const Trace& trace) {
  Bytes saved = built(trace).replica().save();
  std::vector<Bytes> deltas;
  for (const auto& [actor, ops] : trace.concurrent) {
    Peer peer(actor, saved);
    Version before = peer.replica().version();
    for (const TraceOp& op : ops) peer.apply(op, false);
    deltas.push_back(*peer.replica().chunk_since(before));
  }
  std::vector<double> times;
  Digest hashes[2];
  size_t bytes = 0;
  for (int run = 0; run < 4; ++run) {
    Peer peer(5000, saved);
    if (run % 2 == 1) std::reverse(deltas.begin(), deltas.end());
    auto start = Clock::now();
    MergeResult merged;
    for (const Bytes& delta : deltas)
      if (!peer.replica().merge_chunk(delta, 1, merged).ok()) std::abort();
    if (run % 2 == 0) times.push_back(ms_since(start));
    hashes[run % 2] = peer.replica().hash();
    if (run % 2 == 1) std::reverse(deltas.begin(), deltas.end());
  }
  for (const Bytes& delta : deltas) bytes += delta.size();
  return {{"ms", median(times)}, {"bytes", bytes}, {"converged", hashes[0] == hashes[1]}};
}

}  // namespace
}  // namespace kalends

int main(int argc, char** argv) {
  using namespace kalends;
  if (argc < 3) return std::fprintf(stderr, "usage: native_peer w1|w2|w3|w4|w5 TRACE.jsonl\n"), 2;
  Trace trace = read_trace(argv[2]);
  std::string work = argv[1];
  if (work == "w1") print(w1(trace));
  if (work == "w2") print(w2(trace));
  if (work == "w3") print(w3(trace));
  if (work == "w4") print(w4(trace));
  if (work == "w5") print(w5(trace));
}
