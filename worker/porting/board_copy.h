// SPDX-License-Identifier: Apache-2.0
// A board once more under another id: for an export whose board exists already. Cards, lists and custom
// fields get ids of their own, because a card lives on one board only; so the copy has another state_hash,
// and its history begins with the copy.
#pragma once

#include <vector>

#include "core/replica/replica.h"
#include "worker/porting/board_rows.h"
#include "worker/porting/fidelity_report.h"

namespace kalends {

struct BoardCopy {
  std::vector<Command> commands;  // the content of the new document
  FidelityReport report;          // says too that ids and hash are others
};

// `members` names the authors of comments. The new ids are derived from `target`: the same copy twice is the
// same.
Result<BoardCopy> copy_board(const Replica& source, DocumentId target, const Names& members);

}  // namespace kalends
