#!/usr/bin/env python3
"""What does it cost to let many polls wait, and how soon are they told?

    tests/load/polls.py [--polls 15000] [--woken 1000] [--rounds 5]

Lets so many polls wait, most of them each for a job of its own; measures the memory of each beyond the kernel's. Then one
report ends a job that the woken ones wait for: measures how long it takes from just before the report is written to its
socket until the last of their answers has come in, and the hub's CPU time for each answer. Half of the rounds are of
polls of a job, half of the event feed. Ends with 0 if a poll takes less than 2 KiB and the last is told within 100 ms.
"""

import argparse
import contextlib
import pathlib
import selectors
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import metrics  # noqa: E402
from harness.hub import Hub  # noqa: E402
from harness.polling import head, many_waiting, wait_for_waiting  # noqa: E402

MEMORY_MAX_BYTES = 2048
LAST_MAX_MS = 100
JOBS = "/api/v1/jobs"


def missing(what):
    sys.exit(f"cannot be measured here: {what}")


def read_all(sockets):
    """Reads an answer from each; returns when the last had come. To time the hub and not this, nothing is looked at."""
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            one.setblocking(False)
            selector.register(one, selectors.EVENT_READ)
        left = len(sockets)
        at = time.monotonic()
        while left > 0:
            ready = selector.select(30)
            assert ready, f"{left} answers did not come"
            for key, _ in ready:
                key.fileobj.recv(65536)
                at = time.monotonic()
                selector.unregister(key.fileobj)
                left -= 1
    return at


def wake(hub, sockets, job):
    cpu_s = metrics.read(hub)["process_cpu_seconds_total"]
    with contextlib.closing(hub.http().connect()) as connection:
        connection.connect()
        began = time.monotonic()
        fields = {"X-API-Key": hub.worker, "Content-Type": "application/json"}
        connection.request("PATCH", f"{JOBS}/{job}", b'{"status":"failed","error":"it is over"}', fields)
        last = read_all(sockets)
        connection.getresponse().read()
    cpu_s = metrics.read(hub)["process_cpu_seconds_total"] - cpu_s
    return (last - began) * 1000, cpu_s / len(sockets) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--polls", type=int, default=15_000)
    parser.add_argument("--woken", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=6)
    wanted = parser.parse_args()

    good = True
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(pathlib.Path(folder)).start()
        try:
            idle = [hub.submit() for _ in range(wanted.polls - wanted.woken)]
            requests = [head(f"{JOBS}/{job}?wait=60", hub.client) for job in idle]
            for n in range(wanted.rounds):
                key = hub.make_key()
                job = hub.submit(key)
                path = f"{JOBS}/{job}?wait=60" if n % 2 == 0 else "/api/v1/events?after=now&wait=60"
                mine = [head(path, key)] * wanted.woken
                before = metrics.resident_bytes(hub.process)
                with many_waiting(hub, mine + requests, missing) as sockets:
                    memory = (metrics.resident_bytes(hub.process) - before) / wanted.polls
                    last_ms, cpu_us = wake(hub, sockets[: wanted.woken], job)
                    grown = f"{memory:.0f} bytes a poll, " if n == 0 else ""  # later ones find memory that is there
                    print(f"{wanted.polls} wait ({path.split('?')[0].split('/')[3]}): {grown}{wanted.woken} woken by one "
                          f"event, the last after {last_ms:.1f} ms, {cpu_us:.1f} us CPU each", flush=True)
                    good = good and last_ms < LAST_MAX_MS and (n > 0 or memory < MEMORY_MAX_BYTES)
                wait_for_waiting(hub, 0)
        finally:
            hub.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
