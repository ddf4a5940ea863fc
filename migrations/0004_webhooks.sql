-- Webhooks with all their ways: how an endpoint is sent to and signed for, secrets in generations and sealed, and what was
-- sent kept so that it can be shown and sent again.

ALTER TABLE webhook_endpoints ADD COLUMN headers TEXT NOT NULL DEFAULT '';          -- "Name: value" lines
ALTER TABLE webhook_endpoints ADD COLUMN signing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_endpoints ADD COLUMN public_key TEXT NOT NULL DEFAULT '';
ALTER TABLE webhook_endpoints ADD COLUMN ordered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_endpoints ADD COLUMN max_per_second INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhook_endpoints ADD COLUMN legacy_signature TEXT NOT NULL DEFAULT '';
-- Of an ordered endpoint, whose first delivery has failed: when it is tried again.
ALTER TABLE webhook_endpoints ADD COLUMN held_until INTEGER;
-- Of one that stands for a webhook_url: by what its secret is found again; NULL where it signs with the account's default.
ALTER TABLE webhook_endpoints ADD COLUMN secret_mark BLOB;

DROP INDEX webhook_endpoints_by_owner;
CREATE INDEX webhook_endpoints_by_owner ON webhook_endpoints (owner_key, for_jobs, url, secret_mark);
-- Those of a key by their ids, and all that are registered without those that stand for a webhook_url.
CREATE INDEX webhook_endpoints_listed ON webhook_endpoints (for_jobs, owner_key);

-- An endpoint that stands for a webhook_url without a secret of its own used to hold a copy of its account's.
DELETE FROM webhook_secrets
WHERE endpoint IN (SELECT id FROM webhook_endpoints WHERE for_jobs = 1)
  AND secret = (SELECT a.secret FROM webhook_secrets AS a
                JOIN webhook_endpoints AS e ON e.owner_account = a.account
                WHERE e.id = webhook_secrets.endpoint);

CREATE TABLE webhook_secret_generations (
  id          INTEGER PRIMARY KEY,
  -- One of the two: an endpoint's own secret, or the default secret of an account.
  endpoint    INTEGER REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  account     INTEGER REFERENCES accounts (id),
  -- 1: what follows is AES-256-GCM with the key that is kept beside the database; 0: it is plain text.
  sealed      INTEGER NOT NULL,
  secret      BLOB NOT NULL,
  signing_key BLOB,
  created_at  INTEGER NOT NULL,
  -- When it ends, once a newer one has replaced it.
  valid_until INTEGER
) STRICT;

INSERT INTO webhook_secret_generations (id, endpoint, account, sealed, secret, created_at)
  SELECT id, endpoint, account, 0, CAST(secret AS BLOB), created_at FROM webhook_secrets;
DROP TABLE webhook_secrets;
ALTER TABLE webhook_secret_generations RENAME TO webhook_secrets;
CREATE INDEX webhook_secrets_by_endpoint ON webhook_secrets (endpoint, id) WHERE endpoint IS NOT NULL;
CREATE INDEX webhook_secrets_by_account ON webhook_secrets (account, id) WHERE account IS NOT NULL;

-- A delivery of webhook.test has event 0 and due_at -1: it goes first. One to an ordered endpoint has due_at 0: the index
-- of what is pending then has them in the order of their events.
ALTER TABLE deliveries ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
-- Attempts that were made before it was last sent again by hand: they do not count for the schedule.
ALTER TABLE deliveries ADD COLUMN attempts_before INTEGER NOT NULL DEFAULT 0;
UPDATE deliveries SET created_at = coalesce((SELECT at FROM events WHERE seq = deliveries.event), due_at);
-- With its state, which is the same in all of it, what is due is found without a look at the rows.
DROP INDEX deliveries_pending;
CREATE INDEX deliveries_pending ON deliveries (endpoint, due_at, id, state) WHERE state = 0;
-- Within an endpoint, by id.
CREATE INDEX deliveries_by_endpoint ON deliveries (endpoint);
CREATE INDEX deliveries_failed ON deliveries (endpoint) WHERE state = 2;

CREATE TABLE attempts_numbered (
  delivery    INTEGER NOT NULL,
  number      INTEGER NOT NULL,
  started_at  INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  http_status INTEGER NOT NULL,
  error       TEXT NOT NULL,
  response    TEXT NOT NULL,
  PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

INSERT INTO attempts_numbered (delivery, number, started_at, duration_ms, http_status, error, response)
  SELECT delivery, row_number() OVER (PARTITION BY delivery ORDER BY id), started_at, duration_ms, http_status, error,
         response
  FROM attempts;
DROP TABLE attempts;
ALTER TABLE attempts_numbered RENAME TO attempts;
-- The next attempt's number is one more than the delivery's count: it must not be taken.
UPDATE deliveries SET attempts = n.last
FROM (SELECT delivery, max(number) AS last FROM attempts GROUP BY delivery) AS n
WHERE deliveries.id = n.delivery AND deliveries.attempts < n.last;

-- Endpoints that were disabled or deleted: what is pending for them, or all that was ever sent to them, is still to be
-- ended, a few rows a commit.
CREATE TABLE endings (
  endpoint INTEGER PRIMARY KEY
) STRICT;

INSERT INTO endings (endpoint)
  SELECT DISTINCT endpoint FROM deliveries WHERE endpoint NOT IN (SELECT id FROM webhook_endpoints)
  UNION
  SELECT id FROM webhook_endpoints WHERE status = 1;

-- Events of no job (their job is 0): what they say, and whom.
CREATE TABLE owner_events (
  seq           INTEGER PRIMARY KEY,
  owner_key     INTEGER NOT NULL,
  owner_account INTEGER NOT NULL,
  data          TEXT NOT NULL
) STRICT;
