CREATE TABLE instances (
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
  state            TEXT NOT NULL CHECK (state IN ('received', 'protected', 'forwarded', 'quarantined')),
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
  protected_file   TEXT UNIQUE
);
CREATE UNIQUE INDEX instances_sop ON instances (sop_uid) WHERE is_primary = 1;
CREATE INDEX instances_work ON instances (state, id) WHERE state <> 'forwarded';
CREATE INDEX instances_study ON instances (study_uid, series_uid);
CREATE INDEX instances_patient ON instances (patient_index);
CREATE INDEX instances_accession ON instances (accession_index);

CREATE TABLE audit (
  sequence         INTEGER PRIMARY KEY AUTOINCREMENT,
  at               BIGINT NOT NULL,
  event            TEXT NOT NULL,
  outcome          INTEGER NOT NULL,
  calling_ae       TEXT,
  remote_address   TEXT,
  patient          TEXT,
  study_uid        TEXT,
  sop_uid          TEXT,
  reason           TEXT,
  detail           TEXT
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_patient ON audit (patient, sequence);
CREATE INDEX audit_study ON audit (study_uid, sequence);
CREATE INDEX audit_sop ON audit (sop_uid, sequence);
CREATE INDEX audit_calling_ae ON audit (calling_ae, sequence);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
