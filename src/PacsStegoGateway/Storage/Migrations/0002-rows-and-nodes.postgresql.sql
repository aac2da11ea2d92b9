-- Which gateway works on a row: empty for rows of earlier versions, until a gateway that starts takes them.
ALTER TABLE instances ADD COLUMN node TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN called_ae TEXT NOT NULL DEFAULT '';
ALTER TABLE instances DROP CONSTRAINT instances_state_check;
ALTER TABLE instances ADD CONSTRAINT instances_state_check
  CHECK (state IN ('received', 'protected', 'forwarded', 'committed', 'quarantined'));
DROP INDEX instances_work;
CREATE INDEX instances_work ON instances (state, node, id) WHERE state = 'received' OR state = 'protected';
CREATE INDEX instances_quarantined ON instances (id) WHERE state = 'quarantined';

CREATE TABLE deliveries (
  id                 BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
