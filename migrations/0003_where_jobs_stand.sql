-- Where a job stands is written with every change, what it is only when it is submitted and when it ends. Apart, the rows
-- that change are small: many of them share a page, and a commit of many changes writes few pages.

CREATE TABLE job_states (
  n          INTEGER PRIMARY KEY,
  status     INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- The event that holds the job's present progress; 0 when none was reported.
  progress   INTEGER NOT NULL
) STRICT;

INSERT INTO job_states (n, status, seq, updated_at, progress)
  SELECT j.n, j.status, j.seq, j.updated_at, coalesce(p.seq, 0)
  FROM jobs AS j
  LEFT JOIN (SELECT job, max(seq) AS seq FROM events WHERE progress IS NOT NULL GROUP BY job) AS p ON p.job = j.n
  ORDER BY j.n;

CREATE TABLE jobs_apart (
  n             INTEGER PRIMARY KEY,
  id            BLOB NOT NULL UNIQUE,
  owner_key     INTEGER NOT NULL,
  owner_account INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  -- The endpoint that stands for the submission's webhook_url, and what it wants to hear.
  hook          INTEGER,
  hook_events   INTEGER NOT NULL,
  metadata      TEXT,
  -- Last, for they may be large: what stands before them is read without touching their pages.
  error         TEXT,
  result        TEXT
) STRICT;

INSERT INTO jobs_apart (n, id, owner_key, owner_account, created_at, hook, hook_events, metadata, error, result)
  SELECT n, id, owner_key, owner_account, created_at, hook, hook_events, metadata, error, result
  FROM jobs
  ORDER BY n;

DROP TABLE jobs;
ALTER TABLE jobs_apart RENAME TO jobs;
