-- The trail so far has no chain. It is kept under another name; the program, which has the key, takes it in at its next start.
DROP TRIGGER audit_append_only ON audit;
DROP INDEX audit_at;
DROP INDEX audit_patient;
DROP INDEX audit_study;
DROP INDEX audit_sop;
DROP INDEX audit_calling_ae;
ALTER TABLE audit RENAME CONSTRAINT audit_pkey TO audit_unchained_pkey;
ALTER TABLE audit RENAME TO audit_unchained;

-- One partition a month of "at", made by audit_make_partition. There is no default partition: an entry that fits nowhere is an
-- error that the writer sees, never a row in a corner that nobody looks at.
CREATE TABLE audit (
  sequence         BIGINT NOT NULL,
  at               BIGINT NOT NULL,
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
  sealed           BYTEA,
  key_id           BIGINT NOT NULL,
  mac              BYTEA NOT NULL,
  PRIMARY KEY (sequence, at)
) PARTITION BY RANGE (at);
CREATE INDEX audit_at ON audit (at, sequence);
CREATE INDEX audit_event ON audit (event, at, sequence);
CREATE INDEX audit_outcome ON audit (outcome, at, sequence) WHERE outcome <> 0;
CREATE INDEX audit_calling_ae ON audit (calling_ae, at, sequence) WHERE calling_ae IS NOT NULL;
CREATE INDEX audit_user ON audit (user_identity, at, sequence) WHERE user_identity IS NOT NULL;
CREATE INDEX audit_patient ON audit (patient, at, sequence) WHERE patient IS NOT NULL;
CREATE INDEX audit_study ON audit (study_uid, at, sequence) WHERE study_uid IS NOT NULL;
CREATE INDEX audit_sop ON audit (sop_uid, at, sequence) WHERE sop_uid IS NOT NULL;

-- Row triggers reach every partition, statement triggers only the table they are on: audit_make_partition adds the latter.
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM PUBLIC, CURRENT_USER;

-- Attached, not created in place: that takes no lock which readers or writers would have to wait for. Called by whoever holds
-- the head, so by one at a time. Runs as the owner, so that the service itself need not own the tables.
CREATE FUNCTION audit_make_partition(moment BIGINT) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  month TIMESTAMP := date_trunc('month', to_timestamp(moment / 1000.0) AT TIME ZONE 'UTC');
  part TEXT := 'audit_' || to_char(month, 'YYYY_MM');
BEGIN
  IF to_regclass(part) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE audit INCLUDING DEFAULTS)', part);
  EXECUTE format('ALTER TABLE audit ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', part,
    (extract(epoch FROM month) * 1000)::BIGINT, (extract(epoch FROM month + INTERVAL '1 month') * 1000)::BIGINT);
  EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()', part);
  EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM PUBLIC, CURRENT_USER', part);
END $$;

-- The end of the chain: locked and moved in the transaction of each entry.
CREATE TABLE audit_head (
  id               SMALLINT PRIMARY KEY CHECK (id = 1),
  trail            BYTEA NOT NULL,
  sequence         BIGINT NOT NULL,
  key_id           BIGINT NOT NULL,
  mac              BYTEA NOT NULL,
  seal             BYTEA NOT NULL
);
INSERT INTO audit_head (id, trail, sequence, key_id, mac, seal) VALUES (1, '', 0, 0, '', '');

-- How far a receiver outside has the trail, and which gateway sends to it now.
CREATE TABLE audit_forward (
  receiver         TEXT PRIMARY KEY,
  sequence         BIGINT NOT NULL,
  node             TEXT NOT NULL,
  lease_until      BIGINT NOT NULL
);
