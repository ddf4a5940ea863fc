-- The road: accounts and keys, jobs and their events, and what webhooks are owed.
-- Times are milliseconds since 1970. Enumerations are the numbers of the types of the same name in hub/.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  status     INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
  id             INTEGER PRIMARY KEY,
  account        INTEGER NOT NULL REFERENCES accounts (id),
  role           INTEGER NOT NULL,
  status         INTEGER NOT NULL,
  name           TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  expires_at     INTEGER,
  -- SHA-256 of the secret, and of the one before the last rotation with its end. A revoked key has none.
  hash           BLOB UNIQUE,
  previous_hash  BLOB UNIQUE,
  previous_until INTEGER
) STRICT;

CREATE TABLE webhook_endpoints (
  id              INTEGER PRIMARY KEY,
  owner_key       INTEGER NOT NULL REFERENCES api_keys (id),
  owner_account   INTEGER NOT NULL REFERENCES accounts (id),
  -- 1: stands for the webhook_url of submissions; hears only of the jobs that name it.
  for_jobs        INTEGER NOT NULL,
  url             TEXT NOT NULL,
  description     TEXT NOT NULL,
  events          INTEGER NOT NULL,
  status          INTEGER NOT NULL,
  disabled_reason TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  failing_since   INTEGER
) STRICT;

CREATE INDEX webhook_endpoints_by_owner ON webhook_endpoints (owner_key, for_jobs, url);

CREATE TABLE webhook_secrets (
  id         INTEGER PRIMARY KEY,
  -- One of the two: an endpoint's own secret, or the default secret of an account.
  endpoint   INTEGER REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  account    INTEGER REFERENCES accounts (id),
  secret     TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX webhook_secrets_by_endpoint ON webhook_secrets (endpoint) WHERE endpoint IS NOT NULL;
CREATE UNIQUE INDEX webhook_secrets_by_account ON webhook_secrets (account) WHERE account IS NOT NULL;

CREATE TABLE jobs (
  n             INTEGER PRIMARY KEY,
  id            BLOB NOT NULL UNIQUE,
  owner_key     INTEGER NOT NULL,
  owner_account INTEGER NOT NULL,
  status        INTEGER NOT NULL,
  seq           INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  -- The endpoint that stands for the submission's webhook_url, and what it wants to hear.
  hook          INTEGER,
  hook_events   INTEGER NOT NULL,
  progress      TEXT,
  metadata      TEXT,
  -- Last, for they may be large: what stands before them is read without touching their pages.
  error         TEXT,
  result        TEXT
) STRICT;

CREATE TABLE events (
  seq      INTEGER PRIMARY KEY,
  job      INTEGER NOT NULL,
  kind     INTEGER NOT NULL,
  status   INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  progress TEXT
) STRICT;

CREATE TABLE deliveries (
  id       INTEGER PRIMARY KEY,
  endpoint INTEGER NOT NULL,
  event    INTEGER NOT NULL,
  message  BLOB NOT NULL,
  state    INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  due_at   INTEGER NOT NULL
) STRICT;

-- What is owed, and nothing else: delivered rows leave it, so it stays as small as the backlog.
CREATE INDEX deliveries_pending ON deliveries (endpoint, due_at, id) WHERE state = 0;

CREATE TABLE attempts (
  id          INTEGER PRIMARY KEY,
  delivery    INTEGER NOT NULL,
  started_at  INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  http_status INTEGER NOT NULL,
  error       TEXT NOT NULL,
  response    TEXT NOT NULL
) STRICT;

CREATE INDEX attempts_by_delivery ON attempts (delivery);
