// SPDX-License-Identifier: Apache-2.0
// Two chunks, merged in both orders into copies of one board: what is refused changes nothing; else the copies show the
// same, have the same hash, and give it to whoever opens what they saved or merges what they hand out. The input is the
// size of the first chunk (two bytes, little-endian) and both chunks. With KALENDS_CANARY the second copy gets other
// stamps: the corpus alone must find that.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "core/api/view.h"
#include "tests/fuzz/mutate_ops.h"

namespace kalends {
namespace {

struct Pair {
  ByteView first, second;
};
Pair split(ByteView input) {
  if (input.size() < 2) return {};
  size_t size = std::min<size_t>(input[0] | size_t{input[1]} << 8, input.size() - 2);
  return {input.subspan(2, size), input.subspan(2 + size)};
}

const Bytes& base_bytes() {
  static const Bytes bytes = [] {
    std::ifstream in(KALENDS_SOURCE_DIR "/tests/fixtures/bytes/v2/board.early.saved", std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), {});
  }();
  return bytes;
}
ReplicaOptions options_of_base() {
  static const ReplicaOptions options = [] {
    ReplicaOptions of;
    KALENDS_CHECK(base_bytes().size() > 28);
    std::copy_n(base_bytes().begin() + 11, 16, of.document.raw.bytes.begin());
    of.replica.raw.bytes[0] = 0xEE;
    return of;
  }();
  return options;
}
Replica base() {
  auto replica = Replica::open(options_of_base(), base_bytes(), {});
  KALENDS_CHECK(replica.ok());
  return std::move(*replica);
}
const std::vector<Op>& base_ops() {
  static const std::vector<Op> ops = base().log();
  return ops;
}

struct Merged {
  Replica replica;
  bool is_taken = true;  // both chunks
  size_t held_back = 0;
};
Merged merge(ByteView first, ByteView second) {
  Merged merged{base()};
  for (ByteView chunk : {first, second}) {
    Digest before = merged.replica.hash();
    MergeResult result;
    if (merged.replica.merge_chunk(chunk, 1'800'000'000'000, result).ok()) {
      merged.held_back = result.held_back;
      continue;
    }
    merged.is_taken = false;
    KALENDS_CHECK(merged.replica.hash() == before);
  }
  return merged;
}

Bytes with_other_stamps(ByteView chunk) {
  auto ops = decode_chunk(chunk);
  if (!ops.ok()) return Bytes(chunk.begin(), chunk.end());
  for (Op& op : *ops) op.stamp.raw ^= 1;
  return encode_chunk(*ops);
}

void check_well_formed(Replica& replica) {
  Digest hash = replica.hash();
  Bytes view = encode_cbor(view_board(replica));
  Bytes conflicts = encode_cbor(view_all_conflicts(replica.document()));
  std::vector<Entity> all = replica.document().all();
  const Entity& some = all[hash[0] % all.size()];
  (void)view_history(replica, some.id());
  (void)view_blame(replica, some.id());
  // What one id says twice is kept once, and which of both is not the same for all.
  std::vector<Op> log = replica.log();
  bool is_honest = fuzz::is_consistent({&log});
  for (const Bytes& saved : {replica.snapshot(), replica.save()}) {
    auto reopened = Replica::open(replica.options(), saved, {});
    KALENDS_CHECK(reopened.ok());
    if (!is_honest) continue;
    KALENDS_CHECK(reopened->hash() == hash);
    KALENDS_CHECK(encode_cbor(view_board(*reopened)) == view);
    KALENDS_CHECK(encode_cbor(view_all_conflicts(reopened->document())) == conflicts);
  }
  auto chunk = replica.chunk_since({});
  KALENDS_CHECK(chunk.ok());
  Replica fresh(replica.options());
  MergeResult result;
  KALENDS_CHECK(fresh.merge_chunk(*chunk, 0, result).ok());
  KALENDS_CHECK(result.held_back == 0 && (!is_honest || fresh.hash() == hash));
  // Once more changes nothing.
  KALENDS_CHECK(replica.merge_chunk(*chunk, 0, result).ok() && result.applied == 0 && replica.hash() == hash);
}

}  // namespace
}  // namespace kalends

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  Pair pair = split({data, size});
  Merged one = merge(pair.first, pair.second);
  static const bool is_canary = std::getenv("KALENDS_CANARY") != nullptr;
  Bytes planted = is_canary ? with_other_stamps(pair.first) : Bytes{};
  Merged other = merge(pair.second, is_canary ? ByteView(planted) : pair.first);
  // What takes long is done for some inputs only.
  uint8_t chosen = one.replica.hash()[31] % 4;
  if (chosen == 0) check_well_formed(one.replica);
  auto first = decode_chunk(pair.first);
  auto second = decode_chunk(pair.second);
  bool is_comparable = one.is_taken && other.is_taken && first.ok() && second.ok() &&
                       fuzz::is_consistent({&base_ops(), &*first, &*second});
  if (is_comparable) {
    KALENDS_CHECK(one.held_back == other.held_back);
    KALENDS_CHECK(one.replica.version() == other.replica.version());
    KALENDS_CHECK(one.replica.hash() == other.replica.hash());
    if (chosen == 1) {
      KALENDS_CHECK(encode_cbor(view_board(one.replica)) == encode_cbor(view_board(other.replica)));
      KALENDS_CHECK(encode_cbor(view_all_conflicts(one.replica.document())) ==
                    encode_cbor(view_all_conflicts(other.replica.document())));
    }
  }
  if (chosen != 2) return 0;
  // It can be edited, and what it did be taken back.
  Replica& replica = one.replica;
  Target root{replica.options().document.raw, {}};
  EditContext context{MemberId{}, Cause::kPerson, 1'800'000'000'000};
  std::vector<Command> commands = {SetCommand{root, {Field::kTitle, {}, std::string("edited")}}};
  for (const Entity& entity : replica.document().all())
    if (entity.type() == EntityType::kCard && entity.is_live() && lives_here(replica.document(), entity))
      commands.push_back(SpliceCommand{{entity.id(), {}}, {0, 0, "x"}});
  auto made = replica.edit(context, commands);
  KALENDS_CHECK(made.ok() && made->ops.size() == commands.size());
  Changes changes;
  KALENDS_CHECK(replica.undo(context, changes).ok());
  auto reopened = Replica::open(replica.options(), replica.save(), {});
  KALENDS_CHECK(reopened.ok());
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  using namespace kalends;
  Prng random(seed);
  Pair pair = split({data, size});
  auto first = decode_chunk(pair.first);
  auto second = decode_chunk(pair.second);
  bool are_chunks = size >= 2 && first.ok() && second.ok() && !(first->empty() && second->empty());
  if (!are_chunks || random.chance(1, 8)) return LLVMFuzzerMutate(data, size, max_size);
  if (random.chance(1, 3)) {
    // From one to the other: by its replica, or one alone.
    std::vector<Op>& from = first->empty() || (random.chance(1, 2) && !second->empty()) ? *second : *first;
    std::vector<Op>& to = &from == &*first ? *second : *first;
    Op chosen = from[random.below(from.size())];
    bool is_whole = random.chance(3, 4);
    for (const Op& op : from)
      if (is_whole ? op.id.replica == chosen.id.replica : op.id == chosen.id) to.push_back(op);
    std::erase_if(from, [&](const Op& op) { return is_whole ? op.id.replica == chosen.id.replica : op.id == chosen.id; });
  } else {
    // With everything in sight, so that one speaks of what the other did.
    std::vector<Op>& ops = second->empty() || (random.chance(1, 2) && !first->empty()) ? *first : *second;
    fuzz::Mutation(ops, random).run();
  }
  fuzz::keep_encodable(*first);
  fuzz::keep_encodable(*second);
  Bytes a = encode_chunk(*first);
  Bytes b = encode_chunk(*second);
  if (a.size() > 0xFFFF || 2 + a.size() + b.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  data[0] = static_cast<uint8_t>(a.size());
  data[1] = static_cast<uint8_t>(a.size() >> 8);
  std::copy(a.begin(), a.end(), data + 2);
  std::copy(b.begin(), b.end(), data + 2 + a.size());
  return 2 + a.size() + b.size();
}
