#!/usr/bin/env python3
"""An hour of every call, in a minute: does the hub hold as much at the end as at the beginning?

    tests/load/calls.py [--seconds 60] [--threads 2]

Starts a hub of its own. Jobs are submitted and reported on, polled with and without wait, listed page by page; the feed is
read from its cursor, and streamed (SSE) by clients that go and come back with Last-Event-ID. Ends with 0 if memory and
descriptors are level, no call failed, and feed and streams told every event once, in order.
"""

import argparse
import http.client
import itertools
import json
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import load, metrics  # noqa: E402
from harness.hub import Hub  # noqa: E402
from mixed import MIB  # noqa: E402

API = "/api/v1"
PATIENCE_S = 30


class Caller:
    """One connection that is kept."""

    def __init__(self, hub, key):
        self._key = key
        self._connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=PATIENCE_S)

    def __call__(self, method, path, body=None, expected=(200,), **fields):
        headers = {"X-API-Key": self._key, **fields}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        self._connection.request(method, API + path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status in expected, (method, path, answer.status, text)
        return json.loads(text) if text else None

    def close(self):
        self._connection.close()


class Load:
    def __init__(self, hub):
        self.hub = hub
        self.until = 0.0
        self.latest = []  # jobs, the last one last
        self.counts = {}
        self.failures = []

    def run(self, seconds, threads):
        self.until = time.monotonic() + seconds
        works = [self.report, self.poll, self.list] * threads + [self.feed, self.stream]
        running = [threading.Thread(target=self._guarded, args=(work,)) for work in works]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()

    def _guarded(self, work):
        try:
            work()
        except Exception as error:  # whatever it is, the run has failed
            self.failures.append(f"{work.__name__}: {error!r}")

    def goes_on(self):
        return time.monotonic() < self.until and not self.failures

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def report(self):
        client, worker = Caller(self.hub, self.hub.client), Caller(self.hub, self.hub.worker)
        while self.goes_on():
            job = client("POST", "/jobs", {"metadata": {"page": 7}}, expected=(201,))["job_id"]
            self.latest = [*self.latest[-50:], job]
            worker("PATCH", f"/jobs/{job}", {"status": "running", "progress": {"page": 1}})
            worker("PATCH", f"/jobs/{job}", {"status": "succeeded", "result": {"pages": [0] * 100}})
            self.count("jobs")
        client.close()
        worker.close()

    def poll(self):
        client = Caller(self.hub, self.hub.client)
        for number in itertools.count():
            if not self.goes_on():
                break
            if not self.latest:
                continue
            wait = "?wait=1" if number % 2 else ""
            client("GET", f"/jobs/{self.latest[-1]}{wait}")
            self.count("polls")
            time.sleep(0.002)
        client.close()

    def list(self):
        client = Caller(self.hub, self.hub.client)
        cursor = None
        while self.goes_on():
            page = client("GET", "/jobs?status=succeeded&limit=20" + (f"&cursor={cursor}" if cursor else ""))
            cursor = page["next_cursor"]
            self.count("pages")
            time.sleep(0.01)
        client.close()

    def feed(self):
        client = Caller(self.hub, self.hub.client)
        after = client("GET", "/events?after=now")["next_after"]
        while self.goes_on():
            page = client("GET", f"/events?after={after}&wait=1&limit=200")
            self._in_order(after, [event["seq"] for event in page["events"]])
            after = page["next_after"]
            self.count("feed pages")
        client.close()

    def stream(self):
        last = None
        while self.goes_on():
            connection = http.client.HTTPConnection("127.0.0.1", self.hub.port, timeout=PATIENCE_S)
            fields = {"X-API-Key": self.hub.client, "Accept": "text/event-stream"}
            if last is not None:
                fields["Last-Event-ID"] = str(last)
            connection.request("GET", f"{API}/events" + ("?after=now" if last is None else ""), headers=fields)
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            leave = time.monotonic() + 1
            while time.monotonic() < leave and self.goes_on():
                line = answer.readline().decode()
                if line.startswith("id:"):
                    seq = int(line[3:])
                    if last is not None:
                        self._in_order(last, [seq])
                    last = seq
                    self.count("streamed")
            connection.close()
            self.count("streams")

    def _in_order(self, before, seqs):
        """Every event is this key's own, so that none may be left out."""
        wanted = list(range(before + 1, before + 1 + len(seqs)))
        assert seqs == wanted, (before, seqs[:5])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--margin-mib", type=float, default=8, help="by how much memory may be above where it was")
    wanted = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(pathlib.Path(folder)).start()
        try:
            load.fill_cache(hub)
            warm = Load(hub)
            warm.run(10, wanted.threads)
            files = load.wait_until_calm(hub)["process_open_fds"]
            before = metrics.resident_bytes(hub.process)
            calls = Load(hub)
            with load.Watch(hub) as watch:
                calls.run(wanted.seconds, wanted.threads)
            samples = load.wait_until_calm(hub, files)
            after = load.wait_for_memory(hub, before + int(wanted.margin_mib * MIB))
        finally:
            hub.close()
    print("calls:", ", ".join(f"{count} {what}" for what, count in sorted(calls.counts.items())))
    print(f"resident MiB before, most, after: {before / MIB:.1f}, {watch.resident_bytes / MIB:.1f}, {after / MIB:.1f}")
    print(f"descriptors before, after: {files:.0f}, {samples['process_open_fds']:.0f}")
    failures = [*warm.failures, *calls.failures]
    if after > before + wanted.margin_mib * MIB:
        failures.append("memory did not return")
    for failure in failures:
        print("FAILED:", failure)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
