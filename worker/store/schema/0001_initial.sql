-- SPDX-License-Identifier: Apache-2.0
-- Every table but meta carries the workspace (the tenant) first in its primary key. What people wrote, and what
-- Google said, sits in opaque BLOB columns; the other columns hold only ids, times of ours, counters and keyed
-- hashes. Times are milliseconds since 1970 UTC.

CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE workspaces (
  workspace  BLOB NOT NULL PRIMARY KEY CHECK (length(workspace) = 16),
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a document: where its log and its snapshot stand.
CREATE TABLE documents (
  workspace    BLOB NOT NULL REFERENCES workspaces (workspace) ON DELETE CASCADE,
  document     BLOB NOT NULL CHECK (length(document) = 16),
  kind         INTEGER NOT NULL,
  epoch        INTEGER NOT NULL,
  next_seq     INTEGER NOT NULL,
  floor_seq    INTEGER NOT NULL,
  snapshot_seq INTEGER NOT NULL,
  state_hash   BLOB NOT NULL,
  updated_ms   INTEGER NOT NULL,
  PRIMARY KEY (workspace, document)
) STRICT, WITHOUT ROWID;

-- Beside the documents, not in them: a row is rewritten whole, and every appended operation changes next_seq.
-- Snapshots are large, so this table keeps its rowid and a small index.
CREATE TABLE snapshots (
  workspace BLOB NOT NULL,
  document  BLOB NOT NULL,
  snapshot  BLOB NOT NULL,
  PRIMARY KEY (workspace, document),
  FOREIGN KEY (workspace, document) REFERENCES documents (workspace, document) ON DELETE CASCADE
) STRICT;

CREATE TABLE ops (
  workspace BLOB NOT NULL,
  document  BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  replica   BLOB NOT NULL CHECK (length(replica) = 16),
  counter   INTEGER NOT NULL,
  op        BLOB NOT NULL,
  PRIMARY KEY (workspace, document, seq),
  UNIQUE (workspace, document, replica, counter),
  FOREIGN KEY (workspace, document) REFERENCES documents (workspace, document) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  workspace  BLOB NOT NULL REFERENCES workspaces (workspace) ON DELETE CASCADE,
  token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
  member     BLOB NOT NULL CHECK (length(member) = 16),
  role       INTEGER NOT NULL,
  label      BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  revoked_ms INTEGER,
  PRIMARY KEY (workspace, token_hash)
) STRICT, WITHOUT ROWID;

-- Names and whatever else is personal of a member: never in the logs of documents, so that it can be erased.
CREATE TABLE members (
  workspace  BLOB NOT NULL REFERENCES workspaces (workspace) ON DELETE CASCADE,
  member     BLOB NOT NULL CHECK (length(member) = 16),
  profile    BLOB NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  workspace    BLOB NOT NULL REFERENCES workspaces (workspace) ON DELETE CASCADE,
  account      BLOB NOT NULL CHECK (length(account) = 16),
  member       BLOB NOT NULL CHECK (length(member) = 16),
  subject_hash BLOB NOT NULL,
  sealed       BLOB NOT NULL,
  state        INTEGER NOT NULL,
  updated_ms   INTEGER NOT NULL,
  PRIMARY KEY (workspace, account)
) STRICT, WITHOUT ROWID;
-- One member connects one Google account once.
CREATE UNIQUE INDEX accounts_by_subject ON accounts (workspace, member, subject_hash);

CREATE TABLE oauth_flows (
  workspace  BLOB NOT NULL REFERENCES workspaces (workspace) ON DELETE CASCADE,
  state_hash BLOB NOT NULL,
  member     BLOB NOT NULL CHECK (length(member) = 16),
  sealed     BLOB NOT NULL,
  expires_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace, state_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
  workspace        BLOB NOT NULL REFERENCES workspaces (workspace) ON DELETE CASCADE,
  link             BLOB NOT NULL CHECK (length(link) = 16),
  board            BLOB NOT NULL CHECK (length(board) = 16),
  account          BLOB NOT NULL CHECK (length(account) = 16),
  calendar_hash    BLOB NOT NULL,
  sealed_calendar  BLOB NOT NULL,
  settings         BLOB NOT NULL,
  state            INTEGER NOT NULL,
  lease_holder     BLOB NOT NULL,
  lease_epoch      INTEGER NOT NULL,
  lease_until_ms   INTEGER NOT NULL,
  last_verified_ms INTEGER NOT NULL,
  last_error       BLOB NOT NULL,
  created_ms       INTEGER NOT NULL,
  PRIMARY KEY (workspace, link)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_board ON links (workspace, board);
-- One calendar belongs to one link: two boards in one calendar would fight over its events.
CREATE UNIQUE INDEX links_by_calendar ON links (workspace, calendar_hash);

CREATE TABLE cursors (
  workspace        BLOB NOT NULL,
  link             BLOB NOT NULL,
  sync_token       BLOB NOT NULL,
  full_sync_needed INTEGER NOT NULL,
  updated_ms       INTEGER NOT NULL,
  PRIMARY KEY (workspace, link),
  FOREIGN KEY (workspace, link) REFERENCES links (workspace, link) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- A card and its event: the last agreement (shadow), the last seen event (observation), the last decision (explain).
CREATE TABLE pairs (
  workspace   BLOB NOT NULL,
  link        BLOB NOT NULL,
  card        BLOB NOT NULL CHECK (length(card) = 16),
  generation  INTEGER NOT NULL,
  event_key   BLOB,
  shadow      BLOB NOT NULL,
  observation BLOB NOT NULL,
  explain     BLOB NOT NULL,
  dirty       INTEGER NOT NULL,
  updated_ms  INTEGER NOT NULL,
  PRIMARY KEY (workspace, link, card),
  FOREIGN KEY (workspace, link) REFERENCES links (workspace, link) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX pairs_by_event ON pairs (workspace, link, event_key) WHERE event_key IS NOT NULL;
CREATE INDEX pairs_by_dirty ON pairs (workspace, link, updated_ms) WHERE dirty <> 0;

-- Written before a remote write leaves, removed with its stored answer: what is left after a crash may have happened.
CREATE TABLE attempts (
  workspace    BLOB NOT NULL,
  link         BLOB NOT NULL,
  card         BLOB NOT NULL CHECK (length(card) = 16),
  generation   INTEGER NOT NULL,
  kind         INTEGER NOT NULL,
  request      BLOB NOT NULL,
  started_ms   INTEGER NOT NULL,
  PRIMARY KEY (workspace, link, card, generation, kind),
  FOREIGN KEY (workspace, link) REFERENCES links (workspace, link) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE channels (
  workspace  BLOB NOT NULL,
  link       BLOB NOT NULL,
  channel    BLOB NOT NULL CHECK (length(channel) = 16),
  resource   BLOB NOT NULL,
  token_hash BLOB NOT NULL,
  expires_ms INTEGER NOT NULL,
  state      INTEGER NOT NULL,
  PRIMARY KEY (workspace, link, channel),
  FOREIGN KEY (workspace, link) REFERENCES links (workspace, link) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX channels_by_id ON channels (workspace, channel);

CREATE TABLE runs (
  workspace   BLOB NOT NULL,
  link        BLOB NOT NULL,
  run         INTEGER NOT NULL,
  started_ms  INTEGER NOT NULL,
  finished_ms INTEGER,
  report      BLOB NOT NULL,
  PRIMARY KEY (workspace, link, run),
  FOREIGN KEY (workspace, link) REFERENCES links (workspace, link) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
