-- The trail so far has no chain. It is kept under another name; the program, which has the key, takes it in at its next start.
DROP TRIGGER audit_no_update;
DROP TRIGGER audit_no_delete;
DROP INDEX audit_at;
DROP INDEX audit_patient;
DROP INDEX audit_study;
DROP INDEX audit_sop;
DROP INDEX audit_calling_ae;
ALTER TABLE audit RENAME TO audit_unchained;

-- STRICT: what looks like the same value in another type would be another value that no check sees.
CREATE TABLE audit (
  sequence         INTEGER PRIMARY KEY,
  at               INTEGER NOT NULL,
  node             TEXT NOT NULL,
  event            INTEGER NOT NULL,
  outcome          INTEGER NOT NULL,
  calling_ae       TEXT,
  remote_address   TEXT,
  user_identity    TEXT,
  purpose          TEXT,
  patient          TEXT,
  study_uid        TEXT,
  sop_uid          TEXT,
  reason           TEXT,
  detail           TEXT,
  sealed           BLOB,
  key_id           INTEGER NOT NULL,
  mac              BLOB NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at, sequence);
CREATE INDEX audit_event ON audit (event, at, sequence);
CREATE INDEX audit_outcome ON audit (outcome, at, sequence) WHERE outcome <> 0;
CREATE INDEX audit_calling_ae ON audit (calling_ae, at, sequence) WHERE calling_ae IS NOT NULL;
CREATE INDEX audit_user ON audit (user_identity, at, sequence) WHERE user_identity IS NOT NULL;
CREATE INDEX audit_patient ON audit (patient, at, sequence) WHERE patient IS NOT NULL;
CREATE INDEX audit_study ON audit (study_uid, at, sequence) WHERE study_uid IS NOT NULL;
CREATE INDEX audit_sop ON audit (sop_uid, at, sequence) WHERE sop_uid IS NOT NULL;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
-- INSERT OR REPLACE deletes without the delete trigger.
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE sequence = NEW.sequence)
  BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

-- The end of the chain: moved in the transaction of each entry.
CREATE TABLE audit_head (
  id               INTEGER PRIMARY KEY CHECK (id = 1),
  trail            BLOB NOT NULL,
  sequence         INTEGER NOT NULL,
  key_id           INTEGER NOT NULL,
  mac              BLOB NOT NULL,
  seal             BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (id, trail, sequence, key_id, mac, seal) VALUES (1, X'', 0, 0, X'', X'');

-- How far a receiver outside has the trail.
CREATE TABLE audit_forward (
  receiver         TEXT PRIMARY KEY,
  sequence         INTEGER NOT NULL,
  node             TEXT NOT NULL,
  lease_until      INTEGER NOT NULL
) STRICT;
