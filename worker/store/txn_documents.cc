// SPDX-License-Identifier: Apache-2.0
// Documents and their operation logs.
#include "worker/store/sqlite_txn.h"

namespace kalends {
namespace {

DocumentHead read_head(const SqliteQuery& row) {
  DocumentHead head;
  head.document = row.id<DocumentId>(0);
  head.kind = row.integer(1);
  head.epoch = row.count(2);
  head.next_seq = row.count(3);
  head.floor_seq = row.count(4);
  head.snapshot_seq = row.count(5);
  head.state_hash = row.bytes(6);
  head.updated_ms = row.integer(7);
  return head;
}

constexpr std::string_view kSelectHead =
    "SELECT document, kind, epoch, next_seq, floor_seq, snapshot_seq, state_hash, updated_ms FROM documents "
    "WHERE workspace = ? AND document = ?";

}  // namespace

Status SqliteTxn::create_document(WorkspaceId workspace, DocumentId document, int64_t kind, int64_t now_ms) {
  const DocumentHead fresh;
  return database_
      .query(
          "INSERT INTO documents (workspace, document, kind, epoch, next_seq, floor_seq, snapshot_seq, "
          "state_hash, "
          "updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, x'', ?)")
      .bind(workspace)
      .bind(document)
      .bind(kind)
      .bind(fresh.epoch)
      .bind(fresh.next_seq)
      .bind(fresh.floor_seq)
      .bind(fresh.snapshot_seq)
      .bind(now_ms)
      .run();
}

Result<std::optional<DocumentHead>> SqliteTxn::document_head(WorkspaceId workspace, DocumentId document) {
  return read_one<DocumentHead>(std::move(database_.query(kSelectHead).bind(workspace).bind(document)),
                                read_head);
}

Result<std::optional<DocumentRow>> SqliteTxn::document(WorkspaceId workspace, DocumentId document) {
  KALENDS_TRY(auto head, document_head(workspace, document));
  if (!head) return std::optional<DocumentRow>();
  KALENDS_TRY(
      auto snapshot,
      read_one<Bytes>(
          std::move(database_.query("SELECT snapshot FROM snapshots WHERE workspace = ? AND document = ?")
                        .bind(workspace)
                        .bind(document)),
          [](const SqliteQuery& row) { return row.bytes(0); }));
  return std::optional<DocumentRow>(DocumentRow{std::move(*head), std::move(snapshot).value_or(Bytes())});
}

Result<std::vector<DocumentHead>> SqliteTxn::documents(WorkspaceId workspace) {
  return read_all<DocumentHead>(
      std::move(
          database_
              .query(
                  "SELECT document, kind, epoch, next_seq, floor_seq, snapshot_seq, state_hash, updated_ms "
                  "FROM documents WHERE workspace = ? ORDER BY document")
              .bind(workspace)),
      read_head);
}

Result<std::vector<OpRow>> SqliteTxn::ops_after(WorkspaceId workspace, DocumentId document,
                                                uint64_t after_seq, size_t limit) {
  return read_all<OpRow>(std::move(database_
                                       .query("SELECT seq, replica, counter, op FROM ops WHERE workspace = ? "
                                              "AND document = ? AND seq > ? "
                                              "ORDER BY seq LIMIT ?")
                                       .bind(workspace)
                                       .bind(document)
                                       .bind(after_seq)
                                       .bind(uint64_t{limit})),
                         [](const SqliteQuery& row) {
                           return OpRow{row.count(0), row.id<ReplicaId>(1), row.count(2), row.bytes(3)};
                         });
}

Result<std::optional<OpRow>> SqliteTxn::op_of(WorkspaceId workspace, DocumentId document, ReplicaId replica,
                                              uint64_t counter) {
  SqliteQuery row = database_.query(
      "SELECT seq, op FROM ops WHERE workspace = ? AND document = ? AND replica = ? AND counter = ?");
  row.bind(workspace).bind(document).bind(replica).bind(counter);
  KALENDS_TRY(bool is_there, row.step());
  if (!is_there) return std::optional<OpRow>{};
  return std::optional(OpRow{row.count(0), replica, counter, row.bytes(1)});
}

Result<AppendedOp> SqliteTxn::append_op(WorkspaceId workspace, DocumentId document, const NewOpRow& op,
                                        int64_t now_ms) {
  {
    SqliteQuery known = database_.query(
        "SELECT seq, op FROM ops WHERE workspace = ? AND document = ? AND replica = ? AND counter = ?");
    known.bind(workspace).bind(document).bind(op.replica).bind(op.counter);
    KALENDS_TRY(bool is_known, known.step());
    if (is_known) {
      if (known.bytes(1) != op.op) {
        return Error{ErrorCode::kConflict, "two copies of a replica made different operations of one number",
                     0};
      }
      return AppendedOp{known.count(0), false};
    }
  }
  KALENDS_TRY(auto head, document_head(workspace, document));
  if (!head) return not_found("there is no such document");
  KALENDS_TRY_VOID(
      database_
          .query("INSERT INTO ops (workspace, document, seq, replica, counter, op) VALUES (?, ?, ?, ?, ?, ?)")
          .bind(workspace)
          .bind(document)
          .bind(head->next_seq)
          .bind(op.replica)
          .bind(op.counter)
          .bind(op.op)
          .run());
  KALENDS_TRY_VOID(
      database_
          .query("UPDATE documents SET next_seq = ?, updated_ms = ? WHERE workspace = ? AND document = ?")
          .bind(head->next_seq + 1)
          .bind(now_ms)
          .bind(workspace)
          .bind(document)
          .run());
  return AppendedOp{head->next_seq, true};
}

Status SqliteTxn::save_snapshot(WorkspaceId workspace, DocumentId document, const SnapshotRow& snapshot,
                                int64_t now_ms) {
  KALENDS_TRY(auto head, document_head(workspace, document));
  if (!head) return not_found("there is no such document");
  if (snapshot.snapshot_seq >= head->next_seq) return invalid("the snapshot is ahead of the document's log");
  if (snapshot.snapshot_seq < head->snapshot_seq) {
    return Error{ErrorCode::kConflict, "a newer snapshot of the document is stored already", 0};
  }
  KALENDS_TRY_VOID(database_
                       .query("INSERT INTO snapshots (workspace, document, snapshot) VALUES (?, ?, ?) "
                              "ON CONFLICT (workspace, document) DO UPDATE SET snapshot = excluded.snapshot")
                       .bind(workspace)
                       .bind(document)
                       .bind(snapshot.snapshot)
                       .run());
  return database_
      .query(
          "UPDATE documents SET snapshot_seq = ?, state_hash = ?, updated_ms = ? "
          "WHERE workspace = ? AND document = ?")
      .bind(snapshot.snapshot_seq)
      .bind(snapshot.state_hash)
      .bind(now_ms)
      .bind(workspace)
      .bind(document)
      .run();
}

Status SqliteTxn::raise_floor(WorkspaceId workspace, DocumentId document, uint64_t floor_seq) {
  KALENDS_TRY(auto head, document_head(workspace, document));
  if (!head) return not_found("there is no such document");
  if (floor_seq > head->snapshot_seq) return invalid("the snapshot does not cover what would be forgotten");
  if (floor_seq <= head->floor_seq) return {};
  KALENDS_TRY_VOID(database_.query("DELETE FROM ops WHERE workspace = ? AND document = ? AND seq <= ?")
                       .bind(workspace)
                       .bind(document)
                       .bind(floor_seq)
                       .run());
  return database_.query("UPDATE documents SET floor_seq = ? WHERE workspace = ? AND document = ?")
      .bind(floor_seq)
      .bind(workspace)
      .bind(document)
      .run();
}

Status SqliteTxn::replace_op(WorkspaceId workspace, DocumentId document, uint64_t seq, ByteView op) {
  KALENDS_TRY_VOID(database_.query("UPDATE ops SET op = ? WHERE workspace = ? AND document = ? AND seq = ?")
                       .bind(op)
                       .bind(workspace)
                       .bind(document)
                       .bind(seq)
                       .run());
  return expect_change("operation");
}

Status SqliteTxn::raise_epochs(WorkspaceId workspace) {
  return database_.query("UPDATE documents SET epoch = epoch + 1 WHERE workspace = ?").bind(workspace).run();
}

Status SqliteTxn::delete_document(WorkspaceId workspace, DocumentId document) {
  KALENDS_TRY_VOID(database_.query("DELETE FROM documents WHERE workspace = ? AND document = ?")
                       .bind(workspace)
                       .bind(document)
                       .run());
  return expect_change("document");
}

}  // namespace kalends
