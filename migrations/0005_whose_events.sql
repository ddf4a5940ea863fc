-- Whose an event is stands with the event, and where in the history an owner has events is noted, so that a feed of one
-- owner's events reads few of the others'.

CREATE TABLE events_owned (
  seq           INTEGER PRIMARY KEY,
  job           INTEGER NOT NULL,
  kind          INTEGER NOT NULL,
  status        INTEGER NOT NULL,
  at            INTEGER NOT NULL,
  previous      INTEGER NOT NULL,
  owner_account INTEGER NOT NULL,
  owner_key     INTEGER NOT NULL,
  progress      TEXT
) STRICT;

INSERT INTO events_owned (seq, job, kind, status, at, previous, owner_account, owner_key, progress)
  SELECT v.seq, v.job, v.kind, v.status, v.at, v.previous, coalesce(j.owner_account, o.owner_account, 0),
         coalesce(j.owner_key, o.owner_key, 0), v.progress
  FROM events AS v
  LEFT JOIN jobs AS j ON j.n = v.job
  LEFT JOIN owner_events AS o ON o.seq = v.seq
  ORDER BY v.seq;

DROP TABLE events;
ALTER TABLE events_owned RENAME TO events;

-- The history is cut into spans of 64 numbers, and these into blocks of 64 spans. A row says that an owner has an event
-- in a span. What is written goes to the block at the end, a few pages, however many owners there are; what is read is
-- found with one look a block.
CREATE TABLE owner_spans (
  block         INTEGER NOT NULL,
  owner_account INTEGER NOT NULL,
  owner_key     INTEGER NOT NULL,
  span          INTEGER NOT NULL,
  PRIMARY KEY (block, owner_account, owner_key, span)
) STRICT, WITHOUT ROWID;

INSERT INTO owner_spans (block, owner_account, owner_key, span)
  SELECT DISTINCT seq >> 12, owner_account, owner_key, seq >> 6 FROM events ORDER BY 1, 2, 3, 4;

-- Jobs in the order of their submission, in the same kind of blocks.
CREATE INDEX jobs_by_owner ON jobs (n >> 12, owner_account, owner_key);

-- Up to which number events are no longer kept, but for those that are still needed elsewhere. Whoever removes events
-- raises it in the same commit.
INSERT INTO meta (name, value) VALUES ('events_gone_to', '0');
