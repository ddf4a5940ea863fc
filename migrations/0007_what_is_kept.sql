-- Retention: jobs that ended and events go when they are old.

-- Below the line up to which events are no longer kept (`events_gone_to` in meta) some stay, for the sake of a job that
-- goes on, of a job's progress, or of a delivery that names them: these, and no others.
CREATE TABLE kept_events (
  job INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID;

-- Whether a delivery names an event.
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);

-- Of a job that is gone nothing stays but its id, so that it is not given again.
CREATE TABLE job_ids_gone (
  id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
