-- SPDX-License-Identifier: Apache-2.0
-- What each run did, one row for each thing it did: with it people are told, and a run is undone.

-- Stored in the transaction of what it speaks of. outcome 0 is a write whose answer has not come (do not renumber):
-- there is at most one such entry for a card. content is opaque: fields, reasons, values before and after. deletes is 1
-- where the guard counts the entry as a deletion that nobody had approved.
CREATE TABLE entries (
  workspace BLOB NOT NULL,
  link      BLOB NOT NULL,
  run       INTEGER NOT NULL,
  entry     INTEGER NOT NULL,
  card      BLOB NOT NULL CHECK (length(card) = 16),
  kind      INTEGER NOT NULL,
  outcome   INTEGER NOT NULL,
  deletes   INTEGER NOT NULL,
  at_ms     INTEGER NOT NULL,
  content   BLOB NOT NULL,
  PRIMARY KEY (workspace, link, run, entry),
  FOREIGN KEY (workspace, link, run) REFERENCES runs (workspace, link, run) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX entries_by_card ON entries (workspace, link, card, run, entry);
CREATE UNIQUE INDEX entries_unanswered ON entries (workspace, link, card) WHERE outcome = 0;
CREATE INDEX entries_deleting ON entries (workspace, link, at_ms) WHERE deletes <> 0;

-- A pair whose run was undone is left as it is until somebody changes it: what it was then. Empty: kept in step.
ALTER TABLE pairs ADD COLUMN left_alone BLOB NOT NULL DEFAULT x'';
