// SPDX-License-Identifier: Apache-2.0
// Boards as one JSON file that comes back exactly: beside the part that a person or a program can read stand
// the bytes of each document, so that an import has the same state_hash, the same history and the same ids.
//
//   {"kalends_export": 1,                    raised when a reader of today could not read the file any more
//    "exported_at": "2026-11-24T10:00:00Z", "made_by": "kalends 0.1.0",
//    "workspace": {"labels": [{"id", "name", "colour"}], "members": [{"id", "name"}], "document": null or a
//    document}, "boards": [{…document…, "title", "view": what GET of a board gives}]}
//
// A document is {"id", "kind", "state_hash", "snapshot", "operations"}: ids and hashes in hexadecimal digits;
// snapshot (empty at the beginning of history) and the operations after it (a chunk) in base64url without
// padding.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/replica/replica.h"
#include "worker/porting/board_rows.h"

namespace kalends {

inline constexpr int64_t kExportFormat = 1;
inline constexpr size_t kExportBytesMax = size_t{512} * 1024 * 1024;  // the boards of a large workspace

struct ExportInput {
  const Replica* workspace = nullptr;  // the workspace document; required
  std::vector<const Replica*> boards;
  Names members;  // names are no part of any document: these go into the readable part
  // The workspace document itself too. It lists every board: only for somebody who may see them all. Without
  // it the file holds the labels and members that the boards' cards name, and no others.
  bool with_workspace = false;
  int64_t now_ms = 0;
  std::string version;  // of the program
};
std::string export_json(const ExportInput& input);

// One document of a file, opened and compared with its hash.
struct ExportedDocument {
  DocumentId id;
  DocumentKind kind = DocumentKind::kBoard;
  std::string title;
  Bytes base;           // snapshot below the operations; empty at the beginning of history
  std::vector<Op> ops;  // in an order in which they apply
  Bytes snapshot;       // everything: base and operations
  Digest hash{};
};
struct ExportedLabel {
  LabelId id;
  std::string name, colour;
};
struct ExportedMember {
  MemberId id;
  std::string name;
};

struct KalendsExport {
  std::optional<ExportedDocument> workspace;
  std::vector<ExportedDocument> boards;
  std::vector<ExportedLabel> labels;
  std::vector<ExportedMember> members;
};

// kUnsupportedVersion: made by a newer Kalends. kInvalid: no export, or damaged, with the place and the
// reason.
Result<KalendsExport> parse_export(std::string_view json);

// What a workspace document lacks for these boards: labels and members under their own ids, and an entry for
// each board of the file. Labels that the workspace deleted stay deleted.
std::vector<Command> missing_in(const Document& workspace, const KalendsExport& file);

}  // namespace kalends
