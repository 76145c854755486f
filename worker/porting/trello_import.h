// SPDX-License-Identifier: Apache-2.0
// From a Trello export to commands: one list that makes the board's document in one transaction, one for the
// workspace document. Nothing is done here, so a file that is refused leaves nothing behind.
//
// To apply: create the board's document with `board_commands` first, then edit the workspace with
// `workspace_commands`, the last of which lists the board. Until that one nobody sees anything of the import,
// and where both stand in one store transaction a crash cannot come between.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/replica/replica.h"
#include "worker/porting/fidelity_report.h"

namespace kalends {

struct ExistingLabel {
  LabelId id;
  std::string name;
  std::string colour;
};

struct TrelloOptions {
  // The same id and the same file give the same document id: a repeated import meets the board that it made
  // before.
  std::string import_id;
  WorkspaceId workspace;              // Trello's members get ids of this workspace, the same in every import
  std::string time_zone = "UTC";      // IANA name; Trello's instants become its wall times
  std::vector<ExistingLabel> labels;  // of the workspace; one of the same name and colour is used again
  std::set<MemberId> members;         // that the workspace document holds already
};

// Fills `labels` (live ones) and `members` from a workspace document.
void take_existing(TrelloOptions& options, const Document& workspace);

struct ImportedMember {
  MemberId id;
  std::string name;     // for the members table, never for a document; may be empty
  bool is_new = false;  // its command stands in workspace_commands
  friend bool operator==(const ImportedMember&, const ImportedMember&) = default;
};

struct TrelloImport {
  DocumentId board;
  std::string title;
  std::string time_zone;
  std::vector<Command> workspace_commands;
  std::vector<Command> board_commands;
  std::vector<ImportedMember> members;
  FidelityReport report;
};

// kInvalid with the place in the file and the reason; an unknown time zone too.
Result<TrelloImport> parse_trello(std::string_view json, const TrelloOptions& options);

}  // namespace kalends
