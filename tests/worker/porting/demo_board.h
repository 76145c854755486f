// SPDX-License-Identifier: Apache-2.0
// The shipped demo board for tests: as a file, and imported into a replica.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "core/replica/replica.h"
#include "worker/porting/trello_import.h"

namespace kalends::test {

inline std::string demo_file() {
  std::ifstream in(KALENDS_FIXTURES "/trello/demo-board.json", std::ios::binary);
  REQUIRE(in.good());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline Id128 id_named(std::string_view name) { return derive_id(as_bytes(name)); }

inline TrelloOptions demo_options() {
  TrelloOptions options;
  options.import_id = "first";
  options.workspace = WorkspaceId{id_named("workspace")};
  options.time_zone = "Europe/Berlin";
  return options;
}

inline TrelloImport imported(const std::string& file, const TrelloOptions& options = demo_options()) {
  auto result = parse_trello(file, options);
  INFO((result.ok() ? std::string() : result.error().message));
  REQUIRE(result.ok());
  return *result;
}

inline Replica replica_of(DocumentId document, DocumentKind kind, const std::vector<Command>& commands) {
  Replica replica({document, kind, ReplicaId{id_named("replica")}});
  auto edited = replica.edit({MemberId{id_named("importer")}, Cause::kImport, 1796000000000}, commands);
  INFO((edited.ok() ? std::string() : edited.error().message));
  REQUIRE(edited.ok());
  return replica;
}

inline Replica board_of(const TrelloImport& import) {
  return replica_of(import.board, DocumentKind::kBoard, import.board_commands);
}
inline Replica workspace_of(const TrelloImport& import) {
  return replica_of(DocumentId{id_named("workspace document")}, DocumentKind::kWorkspace,
                    import.workspace_commands);
}

}  // namespace kalends::test
