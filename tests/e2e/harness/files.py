"""The database of a hub as a file: made larger, looked into, copied away while a command is killed."""

import os
import pathlib
import signal
import sqlite3
import subprocess
import time

from .hub import BINARY, PATIENCE_S, end_with_parent


def database(hub):
    return pathlib.Path(hub.data) / "carillon.db"


def look(path, sql, *values):
    """One row of a database that nobody is using."""
    connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        return connection.execute(sql, values).fetchone()
    finally:
        connection.close()


def jobs_in(path):
    return look(path, "SELECT count(*) FROM jobs")[0]


def is_whole(path):
    return look(path, "PRAGMA integrity_check")[0] == "ok"


def make_large(hub, mib):
    """Gives a job of a hub at rest a result of that size, in rows of a table of its own."""
    connection = sqlite3.connect(database(hub))
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS ballast (x BLOB)")
        for _ in range(mib):
            connection.execute("INSERT INTO ballast VALUES (randomblob(1048576))")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def start_command(*arguments, **options):
    return subprocess.Popen(
        [BINARY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=end_with_parent, **options
    )


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S)


def wait_for_size(path, size, process):
    """Until the file has so many bytes; false where the process ended before."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if os.stat(path).st_size >= size:
                return True
        except FileNotFoundError:
            pass
        if process.poll() is not None:
            return False
        time.sleep(0.001)
    raise AssertionError(f"{path} does not grow")
