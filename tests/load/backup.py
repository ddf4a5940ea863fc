#!/usr/bin/env python3
"""What do clients notice of a backup?

    tests/load/backup.py [--jobs-stored 100000] [--result-bytes 1000] [--rounds 3] [--seconds 10]

A hub with so many finished jobs is reported to at a steady rate, by turns without a backup and with one after the other.
Measures the latency from just before a report is written to its socket until its update was read, and how long a backup
takes. Ends with 0 if no report failed and no update was missed, each backup is whole, and the p99 with backups is less than
--more-ms above the one without, by the medians of the rounds.
"""

import argparse
import os
import pathlib
import sqlite3
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import files, load, many_jobs  # noqa: E402
from harness.hub import Hub  # noqa: E402

JOBS = 50
MIB = 1 << 20


class Backups:
    """One after the other, for as long as this is open."""

    def __init__(self, hub, file):
        self._hub, self._file = hub, file
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.seconds, self.failures = [], []

    def _run(self):
        while not self._ended.is_set():
            begun = time.monotonic()
            done = self._hub.command("backup", str(self._file), "--force", check=False)
            if self._ended.is_set():
                break
            self.seconds.append(time.monotonic() - begun)
            if done.returncode:
                self.failures.append(done.stderr)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *ignored):
        self._ended.set()
        self._thread.join()
        # Not while it is measured: each was checked by the command already.
        if not files.is_whole(self._file):
            self.failures.append("the backup is not whole")


def fill(hub, jobs, result_bytes):
    many_jobs.store(hub, jobs)
    connection = sqlite3.connect(files.database(hub))
    with connection:
        connection.execute("UPDATE jobs SET result = json_quote(hex(randomblob(? / 2)))", (result_bytes,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs-stored", type=int, default=100_000)
    parser.add_argument("--result-bytes", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--reports-per-s", type=float, default=1_000)
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--more-ms", type=float, default=20)
    wanted = parser.parse_args()

    steady = {"readers": wanted.readers, "reports_per_s": wanted.reports_per_s, "pad_bytes": 200}
    p99 = {"without": [], "with": []}
    failures, seconds = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        hub = Hub(folder, "--log-level", "warning").start()
        try:
            hub.stop()
            fill(hub, wanted.jobs_stored, wanted.result_bytes)
            hub.start()
            bytes_stored = os.stat(files.database(hub)).st_size
            print(f"{wanted.jobs_stored} jobs, {bytes_stored / MIB:.0f} MiB")
            load.run(hub, load.running_jobs(hub, JOBS), 3, **steady)
            for _ in range(wanted.rounds):
                for way in p99:
                    jobs = load.running_jobs(hub, JOBS)
                    if way == "with":
                        with Backups(hub, folder / "backup.db") as backups:
                            figures = load.run(hub, jobs, wanted.seconds, **steady)
                        seconds += backups.seconds
                        failures += backups.failures
                    else:
                        figures = load.run(hub, jobs, wanted.seconds, **steady)
                    p99[way].append(figures["latency_p99_ms"])
                    lost = {what: figures[what] for what in ("missing", "repeated", "broken", "reports_failed") if figures[what]}
                    failures += [f"{way} backups: {lost}"] if lost else []
                    print(
                        f"{way:7} backups   {figures['reports'] / figures['seconds']:6.0f} reports/s   latency ms "
                        + ", ".join(f"{q} {figures[f'latency_{q}_ms']:.2f}" for q in ("p50", "p99", "p999", "max"))
                    )
            log_bytes = os.stat(f"{files.database(hub)}-wal").st_size
        finally:
            hub.close()
    more = statistics.median(p99["with"]) - statistics.median(p99["without"])
    print(f"backups: {len(seconds)}, {statistics.median(seconds):.1f} s each; the log at the end {log_bytes / MIB:.0f} MiB")
    print(f"p99, medians: {statistics.median(p99['without']):.2f} ms without, {more:+.2f} ms with")
    if more >= wanted.more_ms:
        failures.append("p99 is too much higher")
    for failure in failures:
        print("FAILED:", failure)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
