"""Load on a hub: runs hub_load (tests/load), and watches what the hub holds while and after it runs."""

import json
import os
import pathlib
import subprocess
import tempfile
import threading
import time

from . import metrics
from .hub import BINARY, end_with_parent

PATIENCE_S = 30
FILLING_JOBS = 50
FILLED_BYTES = 1 << 20  # less than this more is none


def client_binary():
    """hub_load of the same build as the hub; None where it was not built."""
    path = os.environ.get("CARILLON_HUB_LOAD") or str(pathlib.Path(BINARY).parents[1] / "tests/load/hub_load")
    return path if os.access(path, os.X_OK) else None


def running_jobs(hub, count, owner=None):
    """Fresh ones, without progress; of the hub's client key, or of another."""
    jobs = [hub.submit(owner) for _ in range(count)]
    for job in jobs:
        hub.report(job, "running")
    return jobs


def run(hub, jobs, seconds, **options):
    """Runs the load; options are those of hub_load with `_` for `-`. Returns its figures."""
    with tempfile.NamedTemporaryFile("w", suffix=".jobs") as file:
        file.write("\n".join(jobs) + "\n")
        file.flush()
        command = [client_binary(), "--port", hub.port, "--pid", hub.process.pid, "--jobs", file.name]
        command += ["--client-key", hub.client, "--worker-key", hub.worker, "--seconds", seconds]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), value]
        done = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            timeout=seconds + 4 * PATIENCE_S,
            check=False,
            preexec_fn=end_with_parent,
        )
    assert done.returncode == 0, (done.returncode, done.stderr)
    return json.loads(done.stdout)


def fill_cache(hub, owner=None):
    """Reports as fast as can be until the hub holds no more than before: the database's cache grows to its limit and
    stays. The jobs are `owner`'s: of a key that nobody listens with, where somebody listens."""
    before, now = 0, metrics.resident_bytes(hub.process)
    while now - before > FILLED_BYTES:
        jobs = running_jobs(hub, FILLING_JOBS, owner)
        run(hub, jobs, 3, readers=0, reporters=FILLING_JOBS, reports_per_s=0, pad_bytes=4000)
        before, now = now, metrics.resident_bytes(hub.process)


class Watch:
    """The most that the hub has held while this was open."""

    def __init__(self, hub):
        self._hub = hub
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.resident_bytes = 0

    def _watch(self):
        while not self._done.wait(0.1):
            self.resident_bytes = max(self.resident_bytes, metrics.resident_bytes(self._hub.process))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *ignored):
        self._done.set()
        self._thread.join()


def wait_until_calm(hub, files=None):
    """Until nobody is connected, and no more files are open than that; returns what the hub then says of itself."""
    return metrics.wait_for(
        hub,
        lambda samples: samples["carillon_websocket_connections"] == 0
        and samples["carillon_http_connections"] <= 1
        and (files is None or samples["process_open_fds"] <= files),
    )


def wait_for_memory(hub, limit_bytes, patience_s=PATIENCE_S):
    """Until the hub holds no more than that, or the time is over; returns what it holds."""
    deadline = time.monotonic() + patience_s
    while (resident := metrics.resident_bytes(hub.process)) > limit_bytes and time.monotonic() < deadline:
        time.sleep(0.05)
    return resident
