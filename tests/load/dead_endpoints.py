#!/usr/bin/env python3
"""Do endpoints that are dead hold up one that is not?

    tests/load/dead_endpoints.py [--dead 100] [--rate 200] [--seconds 20]

Every report is owed to one webhook that is well and to a hundred that nobody accepts a connection for: connecting to
them ends in a time-out. Measures how soon the healthy one hears (from just before the report is written to its socket),
then lets the dead ones come back, and counts what arrives there. Ends with 0 if the healthy one's p99 stays below
100 ms and the others get all that they are owed, nothing of it twice.
"""

import argparse
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import load, metrics  # noqa: E402
from harness.hub import Hub  # noqa: E402
from webhooks import LOCAL, add_webhook, free_port  # noqa: E402

P99_MAX_MS = 100
JOBS = 64


class Dead:
    """A port whose queue of connections is full, so that no further one comes about."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = self._listener.getsockname()[1]
        self._queued = []
        for _ in range(8):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
            self._queued.append(one)

    def close(self):
        for one in (self._listener, *self._queued):
            one.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dead", type=int, default=100)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    wanted = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(pathlib.Path(folder), *LOCAL, "--webhooks-retry-delays-s", ",".join(["0"] + ["5"] * 50)).start()
        try:
            dead = Dead()
            for number in range(wanted.dead):
                add_webhook(hub, dead.port, url=f"http://127.0.0.1:{dead.port}/dead/{number}")
            healthy = free_port()
            add_webhook(hub, healthy)
            seen = load.run(
                hub,
                load.running_jobs(hub, JOBS),
                wanted.seconds,
                readers=0,
                reports_per_s=wanted.rate,
                pad_bytes=200,
                sink_port=healthy,
            )
            owed = int(seen["reports"]) * wanted.dead
            memory = metrics.resident_bytes(hub.process)
            print(
                f"healthy beside {wanted.dead} dead: {seen['hooks']} of {seen['reports']}, "
                f"p50 {seen['hook_latency_p50_ms']:.2f} ms, p99 {seen['hook_latency_p99_ms']:.2f} ms, "
                f"most {seen['hook_latency_max_ms']:.1f} ms; {memory / 2**20:.0f} MiB resident",
                flush=True,
            )
            dead.close()
            began = time.monotonic()
            sink = subprocess.run(
                [load.client_binary(), "--sink-port", str(dead.port), "--sink-only-for", str(owed)],
                capture_output=True,
                check=True,
            )
            back = json.loads(sink.stdout)
            print(
                f"come back: {back['hooks']} of {owed} arrived in {time.monotonic() - began:.1f} s, "
                f"{back['hooks_repeated']} twice"
            )
            well = seen["hook_latency_p99_ms"] < P99_MAX_MS and not seen["hooks_missing"]
            sys.exit(not (well and not back["hooks_missing"] and not back["hooks_repeated"]))
        finally:
            hub.close()


if __name__ == "__main__":
    main()
