-- SQLite changes no constraint of a table: it is made again, with its rows and its next id.
CREATE TABLE instances_2 (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  sop_uid          TEXT NOT NULL,
  study_uid        TEXT NOT NULL,
  series_uid       TEXT NOT NULL,
  patient          TEXT NOT NULL,
  patient_index    TEXT NOT NULL,
  accession_index  TEXT NOT NULL,
  sop_class_uid    TEXT NOT NULL,
  transfer_syntax  TEXT NOT NULL,
  essentials       BLOB NOT NULL,
  content_hash     BLOB NOT NULL,
  calling_ae       TEXT NOT NULL,
  remote_address   TEXT NOT NULL,
  state            TEXT NOT NULL CHECK (state IN ('received', 'protected', 'forwarded', 'committed', 'quarantined')),
  -- 1 for the object that owns its SOP Instance UID, 0 for one that came later with other content.
  is_primary       SMALLINT NOT NULL,
  reason           TEXT,
  detail           TEXT,
  attempts         INTEGER NOT NULL DEFAULT 0,
  next_attempt_at  BIGINT NOT NULL DEFAULT 0,
  received_at      BIGINT NOT NULL,
  updated_at       BIGINT NOT NULL,
  received_file    TEXT NOT NULL UNIQUE,
  received_bytes   BIGINT NOT NULL,
  protected_file   TEXT UNIQUE,
  -- Which gateway works on a row: empty for rows of earlier versions, until a gateway that starts takes them.
  node             TEXT NOT NULL DEFAULT '',
  called_ae        TEXT NOT NULL DEFAULT ''
);
INSERT INTO instances_2 (id, sop_uid, study_uid, series_uid, patient, patient_index, accession_index, sop_class_uid, transfer_syntax,
  essentials, content_hash, calling_ae, remote_address, state, is_primary, reason, detail, attempts, next_attempt_at, received_at, updated_at,
  received_file, received_bytes, protected_file)
SELECT id, sop_uid, study_uid, series_uid, patient, patient_index, accession_index, sop_class_uid, transfer_syntax,
  essentials, content_hash, calling_ae, remote_address, state, is_primary, reason, detail, attempts, next_attempt_at, received_at, updated_at,
  received_file, received_bytes, protected_file
FROM instances;
DELETE FROM sqlite_sequence WHERE name = 'instances_2';
INSERT INTO sqlite_sequence (name, seq) SELECT 'instances_2', seq FROM sqlite_sequence WHERE name = 'instances';
DROP TABLE instances;
ALTER TABLE instances_2 RENAME TO instances;
CREATE UNIQUE INDEX instances_sop ON instances (sop_uid) WHERE is_primary = 1;
CREATE INDEX instances_work ON instances (state, node, id) WHERE state = 'received' OR state = 'protected';
CREATE INDEX instances_quarantined ON instances (id) WHERE state = 'quarantined';
CREATE INDEX instances_study ON instances (study_uid, series_uid);
CREATE INDEX instances_patient ON instances (patient_index);
CREATE INDEX instances_accession ON instances (accession_index);

CREATE TABLE deliveries (
  id                 INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_id        BIGINT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
  destination        TEXT NOT NULL,
  node               TEXT NOT NULL,
  state              TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'committed', 'dead')),
  -- 1 when the destination is asked for storage commitment: then 'sent' is not the end.
  wants_commitment   SMALLINT NOT NULL,
  -- 1 when nothing more happens to it, and it needs our files no longer.
  is_final           SMALLINT NOT NULL,
  attempts           INTEGER NOT NULL DEFAULT 0,
  next_attempt_at    BIGINT NOT NULL DEFAULT 0,
  detail             TEXT,
  queued_at          BIGINT NOT NULL,
  updated_at         BIGINT NOT NULL,
  sent_at            BIGINT,
  commit_transaction TEXT,
  UNIQUE (instance_id, destination)
);
CREATE INDEX deliveries_open ON deliveries (destination, node, state, id) WHERE is_final = 0;
CREATE INDEX deliveries_commit_transaction ON deliveries (commit_transaction) WHERE commit_transaction IS NOT NULL;

CREATE TABLE nodes (
  name        TEXT PRIMARY KEY,
  spool_id    TEXT NOT NULL,
  -- Goes up whenever somebody takes the name or its rows: who holds an earlier one writes nothing more.
  epoch       BIGINT NOT NULL,
  -- By the clock of the database; 0 when given back.
  lease_until BIGINT NOT NULL,
  started_at  BIGINT NOT NULL
);
