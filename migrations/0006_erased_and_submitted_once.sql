-- A submission that came with an Idempotency-Key, and the job that came of it: sent again, it is given the same answer.
-- Numbered in the order in which they came, so that the oldest are the lowest.
CREATE TABLE idempotency_keys (
  id            INTEGER PRIMARY KEY,
  api_key       INTEGER NOT NULL,
  key           TEXT NOT NULL,
  -- SHA-256 of the request's body.
  body_hash     BLOB NOT NULL,
  created_at    INTEGER NOT NULL,
  -- The job, its first event, and whose it is; its metadata stays with the job alone.
  job           BLOB NOT NULL,
  seq           INTEGER NOT NULL,
  owner_key     INTEGER NOT NULL,
  owner_account INTEGER NOT NULL,
  UNIQUE (api_key, key)
) STRICT;

-- A job that is erased leaves its row in jobs with nothing but its id and its owner, for its events to name; it has none in
-- job_states any more. Where it had many events, the progress in them is erased a few rows a commit: from `seq` backwards.
CREATE TABLE erasures (
  job INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL
) STRICT;

ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;

-- Both are listed in the order in which they were made.
CREATE INDEX api_keys_listed ON api_keys (created_at, id);
CREATE INDEX accounts_listed ON accounts (created_at, id);
