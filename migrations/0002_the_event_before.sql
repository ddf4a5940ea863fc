-- Each event names the one before it of the same job, 0 for the first: what a job went through is found from its last
-- event backwards, at the cost of its own events, without an index that every commit would have to keep.

CREATE TABLE events_linked (
  seq      INTEGER PRIMARY KEY,
  job      INTEGER NOT NULL,
  kind     INTEGER NOT NULL,
  status   INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  previous INTEGER NOT NULL,
  progress TEXT
) STRICT;

INSERT INTO events_linked (seq, job, kind, status, at, previous, progress)
  SELECT seq, job, kind, status, at, lag(seq, 1, 0) OVER (PARTITION BY job ORDER BY seq), progress
  FROM events
  ORDER BY seq;

DROP TABLE events;
ALTER TABLE events_linked RENAME TO events;
