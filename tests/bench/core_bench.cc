// SPDX-License-Identifier: Apache-2.0
// Prints how long a board of 1,000 (or ARGV[1]) cards takes to build, open, edit and show natively. A
// benchmark.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/api/view.h"
#include "core/base/prng.h"
#include "core/replica/replica.h"

namespace kalends {
namespace {

template <typename Work>
double ms(Work work) {
  auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

int run(int cards) {
  Prng random(1);
  ReplicaOptions options{DocumentId{random.id()}, DocumentKind::kBoard, ReplicaId{random.id()}};
  EditContext context{MemberId{random.id()}, Cause::kPerson, 1'790'000'000'000};
  Replica replica(options);
  Id128 list = random.id();
  std::vector<Id128> ids;
  double build = ms([&] {
    (void)replica.edit(
        context,
        {CreateCommand{EntityType::kList, list, {{Field::kTitle, {}, std::string("List")}}, {}, {}}});
    for (int i = 0; i < cards; ++i) {
      ids.push_back(random.id());
      context.now_ms += 1000;
      (void)replica.edit(context, {CreateCommand{EntityType::kCard,
                                                 ids.back(),
                                                 {{Field::kTitle, {}, "Card number " + std::to_string(i)},
                                                  {Field::kDescription, {}, std::string(200, 'x')},
                                                  {Field::kDue, {}, When::all_day({20000 + i % 300})}},
                                                 list,
                                                 {}}});
    }
  });
  constexpr int kEdits = 9;
  double edits = ms([&] {
    for (int i = 0; i < cards * kEdits; ++i) {
      context.now_ms += 1000;
      Target target{ids[random.below(ids.size())], {}};
      (void)replica.edit(context, {SetCommand{target, {Field::kTitle, {}, "Renamed " + std::to_string(i)}}});
    }
  });
  Bytes snapshot = replica.snapshot();
  double opened_ms = ms([&] {
    auto opened = Replica::open(options, snapshot, {});
    if (!opened.ok()) std::abort();
  });
  std::vector<Op> log = *replica.ops_since({});
  double replayed_ms = ms([&] {
    auto opened = Replica::open(options, {}, log);
    if (!opened.ok()) std::abort();
  });
  double view_ms = ms([&] {
    if (view_board(replica).is_null()) std::abort();
  });
  double hash_ms = ms([&] { (void)replica.hash(); });
  std::printf("cards %d, operations %zu\n", cards, log.size());
  std::printf("create, each       %8.2f us\n", build * 1000 / cards);
  std::printf("edit, each         %8.2f us\n", edits * 1000 / (cards * kEdits));
  std::printf("open from snapshot %8.2f ms (%zu KB)\n", opened_ms, snapshot.size() / 1024);
  std::printf("open from log      %8.2f ms\n", replayed_ms);
  std::printf("view of the board  %8.2f ms\n", view_ms);
  std::printf("state hash         %8.2f ms\n", hash_ms);
  return 0;
}

}  // namespace
}  // namespace kalends

int main(int argc, char** argv) { return kalends::run(argc > 1 ? std::atoi(argv[1]) : 1000); }
