"""A store full of jobs, made in seconds: written by SQL as if each had been reported step by step."""

import pathlib
import sqlite3
import time
import uuid

RESULT = '{"pages":12}'


def store(hub, count):
    """Adds finished jobs of the client key, with their events, to a hub that does not run; returns the id of one."""
    db = sqlite3.connect(pathlib.Path(hub.data) / "carillon.db")
    db.execute("PRAGMA synchronous = OFF")
    with db:
        owner, account = db.execute("SELECT id, account FROM api_keys WHERE role = 0").fetchone()
        (seq,) = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        (job,) = db.execute("SELECT coalesce(max(n), 0) FROM jobs").fetchone()
        numbers = "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < :count) "
        values = {"count": count, "owner": owner, "account": account, "seq": seq, "job": job, "result": RESULT}
        values["now"] = int(time.time() * 1000)
        db.execute(
            numbers + "INSERT INTO jobs (n, id, owner_key, owner_account, created_at, hook_events, metadata, result) "
            "SELECT :job + n, randomblob(16), :owner, :account, :now, 0, '{\"page\":7}', :result FROM i",
            values,
        )
        db.execute(
            numbers + "INSERT INTO job_states (n, status, seq, updated_at, progress) "
            "SELECT :job + n, 2, :seq + 3 * n, :now, 0 FROM i",
            values,
        )
        # Event after event of a job; queued, running, succeeded are kinds 0, 1, 3 and statuses 0, 1, 2.
        db.execute(
            numbers + "INSERT INTO events (seq, job, kind, status, at, previous, owner_account, owner_key) "
            "SELECT :seq + 3 * n - 2 + step.column1, :job + n, step.column2, step.column1, :now, "
            "CASE step.column1 WHEN 0 THEN 0 ELSE :seq + 3 * n - 3 + step.column1 END, :account, :owner "
            "FROM i CROSS JOIN (VALUES (0, 0), (1, 1), (2, 3)) AS step",
            values,
        )
        # Where in the history the owner has events: see the migration that made the table.
        db.execute(
            "INSERT OR IGNORE INTO owner_spans (block, owner_account, owner_key, span) "
            "SELECT DISTINCT seq >> 12, owner_account, owner_key, seq >> 6 FROM events WHERE seq > ?",
            (seq,),
        )
    (one,) = db.execute("SELECT id FROM jobs WHERE n = ?", (job + count,)).fetchone()
    db.close()
    return str(uuid.UUID(bytes=one))


def owe(hub):
    """Owes the success of every job to the first endpoint, as if each had just been committed. The hub does not run."""
    db = sqlite3.connect(pathlib.Path(hub.data) / "carillon.db")
    db.execute("PRAGMA synchronous = OFF")
    with db:
        (endpoint,) = db.execute("SELECT id FROM webhook_endpoints").fetchone()
        db.execute(
            "INSERT INTO deliveries (endpoint, event, message, state, attempts, due_at, created_at) "
            "SELECT ?, seq, randomblob(16), 0, 0, at, at FROM events WHERE kind = 3",
            (endpoint,),
        )
    db.close()
