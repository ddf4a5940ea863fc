#!/usr/bin/env python3
"""How many reports a second does POST /jobs/updates take, beside SQLite alone?

    tests/load/updates.py [--rounds 5] [--seconds 4] [--jobs 20000] [--connections 2]

Each request reports progress on 1,000 jobs; the answers come when all of it is on disk. By turns with sqlite_floor, which
writes the same rows in transactions of 1,000 into a database that such a hub has made. Ends with 0 if the hub's rate is
at least 0.3 of that, by the median of the rounds.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import load  # noqa: E402
from harness.hub import Hub  # noqa: E402

RATIO_MIN = 0.3
IN_REQUEST = 1000
PROGRESS_BYTES = 60


def cpu_s(process):
    """User and system time of all its threads."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        return sum(map(int, stat.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def with_jobs(folder, count):
    """A hub with so many jobs that run; their ids."""
    hub = Hub(folder, "--log-level", "warning").start()
    http = hub.http(hub.worker)
    jobs = []
    connection = http.connect()
    headers = {"X-API-Key": hub.client, "Content-Type": "application/json"}
    for _ in range(count):
        connection.request("POST", "/api/v1/jobs", b"{}", headers)
        jobs.append(json.loads(connection.getresponse().read())["job_id"])
    connection.close()
    for first in range(0, count, IN_REQUEST):
        body = {"updates": [{"job_id": job, "status": "running"} for job in jobs[first : first + IN_REQUEST]]}
        answer = http.post("/api/v1/jobs/updates", body)
        assert all(one["status"] == 200 for one in answer.json["results"])
    return hub, jobs


def requests(hub, jobs):
    """Whole ones, each on 1,000 of the jobs."""
    progress = "x" * (PROGRESS_BYTES - len('{"note":""}'))
    made = []
    for first in range(0, len(jobs) - IN_REQUEST + 1, IN_REQUEST):
        updates = ",".join(
            f'{{"job_id":"{job}","status":"running","progress":{{"note":"{progress}"}}}}'
            for job in jobs[first : first + IN_REQUEST]
        )
        body = f'{{"updates":[{updates}]}}'
        head = (
            f"POST /api/v1/jobs/updates HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.worker}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append((head + body).encode())
    return made


def report(hub, made, until, counts, which):
    connection = socket.create_connection(("127.0.0.1", hub.port))
    file = connection.makefile("rb", buffering=1 << 18)
    turn = which
    while time.monotonic() < until:
        connection.sendall(made[turn % len(made)])
        turn += 1
        assert file.readline() == b"HTTP/1.1 200 OK\r\n"
        length = 0
        while (line := file.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = file.read(length)
        assert body.count(b'"status":200') == IN_REQUEST, body[:500]
        counts[which] += IN_REQUEST
    connection.close()


def hub_rate(hub, made, seconds, connections):
    counts = [0] * connections
    begun = time.monotonic()
    threads = [
        threading.Thread(target=report, args=(hub, made, begun + seconds, counts, which)) for which in range(connections)
    ]
    cpu = cpu_s(hub.process)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - begun), (cpu_s(hub.process) - cpu) / sum(counts) * 1e6


def floor_rate(database, jobs, seconds):
    binary = pathlib.Path(load.client_binary()).with_name("sqlite_floor")
    command = [binary, database, jobs, seconds, IN_REQUEST, PROGRESS_BYTES]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["changes_per_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=2)
    wanted = parser.parse_args()

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        hubs = []
        try:
            for folder in (one, other):
                hub, jobs = with_jobs(pathlib.Path(folder), wanted.jobs)
                hubs.append(hub)
            hubs[0].stop()
            database = f"{hubs[0].data}/carillon.db"
            made = requests(hub, jobs)
            ratios = []
            for _ in range(wanted.rounds):
                floor = floor_rate(database, wanted.jobs, wanted.seconds)
                rate, cost = hub_rate(hub, made, wanted.seconds, wanted.connections)
                ratios.append(rate / floor)
                print(f"SQLite alone {floor:9,.0f}/s   hub {rate:9,.0f}/s, {cost:5.2f} us CPU each   {rate / floor:.2f}")
        finally:
            for hub in hubs:
                hub.close()
    ratio = statistics.median(ratios)
    print(f"the hub to SQLite alone, median: {ratio:.2f} (at least {RATIO_MIN})")
    sys.exit(ratio < RATIO_MIN)


if __name__ == "__main__":
    main()
