-- What modalities asked to be committed. The UIDs that they named stand here sealed alone, and go with the answer.
CREATE TABLE commit_requests (
  id                BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  calling_ae        TEXT NOT NULL,
  called_ae         TEXT NOT NULL,
  remote_address    TEXT NOT NULL,
  -- Pseudonym of the Transaction UID.
  transaction_index TEXT NOT NULL,
  node              TEXT NOT NULL,
  state             TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'reported', 'refused', 'abandoned')),
  instances         INTEGER NOT NULL,
  failed            INTEGER NOT NULL DEFAULT 0,
  content_hash      BYTEA NOT NULL,
  sealed            BYTEA,
  failures          BYTEA,
  attempts          INTEGER NOT NULL DEFAULT 0,
  next_attempt_at   BIGINT NOT NULL DEFAULT 0,
  received_at       BIGINT NOT NULL,
  ready_at          BIGINT,
  updated_at        BIGINT NOT NULL,
  detail            TEXT,
  UNIQUE (calling_ae, transaction_index)
);
CREATE INDEX commit_requests_work ON commit_requests (node, id) WHERE state IN ('waiting', 'ready');
CREATE INDEX commit_requests_over ON commit_requests (updated_at) WHERE state IN ('reported', 'refused', 'abandoned');

-- What destinations were asked to commit; deliveries.commit_transaction names the last one that asked about them.
CREATE TABLE commit_transactions (
  uid               TEXT PRIMARY KEY,
  destination       TEXT NOT NULL,
  node              TEXT NOT NULL,
  state             TEXT NOT NULL CHECK (state IN ('asking', 'asked', 'reported', 'lapsed')),
  instances         INTEGER NOT NULL,
  committed         INTEGER NOT NULL DEFAULT 0,
  failed            INTEGER NOT NULL DEFAULT 0,
  created_at        BIGINT NOT NULL,
  deadline_at       BIGINT NOT NULL,
  updated_at        BIGINT NOT NULL,
  detail            TEXT
);
CREATE INDEX commit_transactions_work ON commit_transactions (destination, node, deadline_at) WHERE state IN ('asking', 'asked');
CREATE INDEX commit_transactions_over ON commit_transactions (updated_at) WHERE state IN ('reported', 'lapsed');

-- What a transaction that was asked again had been about: a late report of it still counts.
CREATE TABLE commit_lapsed (
  transaction_uid   TEXT NOT NULL REFERENCES commit_transactions (uid) ON DELETE CASCADE,
  delivery_id       BIGINT NOT NULL,
  PRIMARY KEY (transaction_uid, delivery_id)
);

-- How often a destination said that it does not have the object after all.
ALTER TABLE deliveries ADD COLUMN resends INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_uncommitted ON deliveries (destination, node, id) WHERE state = 'sent' AND is_final = 0 AND commit_transaction IS NULL;
CREATE INDEX instances_conflicts ON instances (sop_uid) WHERE is_primary = 0;
