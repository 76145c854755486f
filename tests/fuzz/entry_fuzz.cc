// SPDX-License-Identifier: Apache-2.0
// An entry of the ledger, stored: read, written and read again it is the same, and it can be told as every
// kind.
#include <cstddef>
#include <cstdint>

#include "worker/engine/ledger_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kalends;
  auto content = decode_entry({data, size});
  if (!content.ok()) return 0;
  auto again = decode_entry(encode_entry(*content));
  KALENDS_CHECK(again.ok() && *again == *content);
  const Document board(DocumentId{}, DocumentKind::kBoard);
  for (auto kind = static_cast<int64_t>(EntryKind::kInsertEvent);
       kind <= static_cast<int64_t>(EntryKind::kLeaveAlone); ++kind) {
    EntryView entry;
    entry.kind = static_cast<EntryKind>(kind);
    entry.content = *content;
    entry.text = entry_text(board, entry.kind, EntryOutcome::kDone, *content);
    KALENDS_CHECK(!entry.text.empty());
    (void)json_dump(entry_json(entry));
  }
  (void)card_changes(board, content->changes);
  return 0;
}
