"""The workloads: what is done, on which servers, and how much of it.

A measurement is a dict: what the generator counted (see judge.py), `seconds`, `cpu_us` (of the server, for each
operation), and where they make sense `p50_ms`, `p99_ms` and `memory_bytes` (of each connection).
"""

import dataclasses
import json

from . import servers
from .servers import Carillon, Curl, Nchan, Nginx, NodeWs, Poco, Sqlite, Uws

from harness import load, many_jobs  # noqa: E402  (servers.py has made the way to it)

PROGRESS = '{"note":"' + "x" * 49 + '"}'
IN_REQUEST = 1_000
SECONDS_MAX = 60


@dataclasses.dataclass
class Size:
    operations: int
    connections: int = 64
    jobs: int = 1_000
    publishers: int = 1
    paced_per_s: int = 0
    paced_operations: int = 0
    pad_bytes: int = 200


class Workload:
    key = ""
    title = ""
    operation = ""  # what the CPU is of
    how = ""
    servers = ()
    size = Size(0)
    quick = Size(0)
    rounds = 5
    measures = "cpu_us"

    def __init__(self, tools, folder, size):
        self.tools = tools
        self.folder = folder
        self.size = size
        self.others = 0

    def prepare(self, opened):
        """`opened`: the servers by name, the hub among them."""

    def measure(self, server):
        raise NotImplementedError

    def learn(self, _hub):
        """What servers that serve one thing are to answer; asked when only the hub runs."""
        return b"{}"

    def another(self, server):
        """One beside those that are open, in a folder of its own."""
        self.others += 1
        return server(self.tools, self.folder / f"another-{self.others}", self.size)

    def write(self, name, lines):
        file = self.folder / name
        file.write_text("\n".join(lines) + "\n")
        return file


class Publishing(Workload):
    """Updates over HTTP, heard over WebSocket."""

    operation = "delivered message"
    servers = (Carillon, Uws, Nchan, NodeWs)

    def prepare(self, opened):
        self.jobs = opened["carillon"].jobs(self.size.jobs)

    def measure(self, server):
        def publish(**options):
            return self.tools.load(
                "publish",
                **server.at,
                **server.listening(),
                **server.publishing(),
                jobs=self.jobs,
                connections=self.size.connections,
                publishers=self.size.publishers,
                pad_bytes=self.size.pad_bytes,
                **options,
            )

        fast = publish(operations=self.size.operations)
        if "error" in fast or not self.size.paced_operations:
            return fast
        paced = publish(operations=self.size.paced_operations, per_s=self.size.paced_per_s)
        if "error" in paced:
            return paced
        fast["paced_operations"] = paced["operations"]
        fast["failed"] += paced["failed"]
        return {**fast, "p50_ms": paced["p50_ms"], "p99_ms": paced["p99_ms"]}


class FanOut(Publishing):
    key = "fan-out"
    title = "WebSocket: one update to 100 subscribers"
    how = (
        "{connections:,} connections listen to {jobs:,} jobs, {publishers} reporters publish as fast as they can. "
        "Latency, from before the report is written to its socket until the message is read, at {paced_per_s:,} "
        "updates a second."
    )
    size = Size(2_000, connections=1_000, jobs=10, publishers=4, paced_per_s=200, paced_operations=400)
    quick = Size(100, connections=100, jobs=10, publishers=4, paced_per_s=200, paced_operations=40)


class OneToOne(Publishing):
    key = "one-to-one"
    title = "WebSocket: one update to its one subscriber"
    how = (
        "{connections:,} connections each listen to a job of their own, {publishers} reporters publish as fast as "
        "they can. Carillon has each update on disk before it tells anyone; the others store nothing. Latency at "
        "{paced_per_s:,} updates a second."
    )
    size = Size(40_000, connections=1_000, publishers=64, paced_per_s=2_000, paced_operations=4_000)
    quick = Size(500, connections=50, jobs=50, publishers=16, paced_per_s=500, paced_operations=100)


class Idle(Workload):
    key = "idle"
    title = "WebSocket: memory of an idle connection"
    operation = "connection"
    how = (
        "{connections:,} connections, each listening to a job of its own; resident memory beyond that with 100 "
        "connections."
    )
    servers = (Carillon, Uws, Nchan, NodeWs)
    size = Size(10_000, connections=10_000, jobs=10_100)
    quick = Size(200, connections=200, jobs=300)
    rounds = 3
    measures = "memory_bytes"

    def measure(self, server):
        """On a server of its own: memory that was given back once is not taken anew."""
        with self.another(type(server)) as fresh:
            jobs = fresh.jobs(self.size.jobs, running=False) if isinstance(fresh, Carillon) else self.jobs
            return self.tools.load(
                "hold", **fresh.at, **fresh.listening(), jobs=jobs, connections=self.size.connections
            )

    def prepare(self, opened):
        self.jobs = opened["carillon"].jobs(self.size.jobs, running=False)


class Handshakes(Workload):
    key = "handshakes"
    title = "WebSocket: accepting a connection"
    operation = "handshake"
    how = (
        "{connections} at a time, each closed as soon as it is answered: TCP, HTTP upgrade, end. Carillon checks a "
        "key and greets."
    )
    servers = (Carillon, Uws, Nchan, NodeWs)
    size = Size(10_000)
    quick = Size(200, connections=16, jobs=20)

    def prepare(self, opened):
        self.jobs = opened["carillon"].jobs(self.size.jobs, running=False)

    def measure(self, server):
        return self.tools.load(
            "handshakes",
            **server.at,
            **server.listening(),
            jobs=self.jobs,
            connections=self.size.connections,
            operations=self.size.operations,
        )


class Get(Workload):
    key = "get"
    title = "HTTP: GET of a job"
    operation = "request"
    how = (
        "{connections} connections, one request at a time on each; all answer with the same bytes, Carillon to a key "
        "that may see them."
    )
    servers = (Carillon, Uws, Nginx, NodeWs, Poco)
    size = Size(100_000)
    quick = Size(1_000, connections=16)
    status = 200

    def learn(self, hub):
        self.job = hub.hub.submit()
        hub.hub.finish(self.job, {"pages": 12})
        self.answer = hub.hub.http(hub.hub.client).get(f"/api/v1/jobs/{self.job}")
        return self.answer.body

    def condition(self, _server):
        return ""

    def measure(self, server):
        ours = isinstance(server, Carillon)
        target = f"/api/v1/jobs/{self.job}" if ours else "/job.json"
        fields = f"X-API-Key: {server.hub.client}\n" if ours else ""
        return self.tools.load(
            "requests",
            **server.at,
            requests=self.write("get", [f"GET {target}"]),
            publish_fields=fields + self.condition(server),
            status=self.status,
            connections=self.size.connections,
            operations=self.size.operations,
        )


class NotModified(Get):
    key = "not-modified"
    title = "HTTP: GET of a job that has not changed (304)"
    how = "As before, with the ETag that the answer had."
    servers = (Carillon, Nginx)
    status = 304

    def condition(self, server):
        if isinstance(server, Carillon):
            return f"If-None-Match: {self.answer.fields['etag']}\n"
        return f"If-None-Match: {servers.Http(server.port, of_a_hub=False).get('/job.json').fields['etag']}\n"


class Patch(Workload):
    key = "patch"
    title = "HTTP: single reports (PATCH)"
    operation = "report"
    how = (
        "{connections} connections, one report at a time on each, answered when it is on disk. Beside them nginx "
        "sends the same answers from a static file, and SQLite alone writes the same rows, as many in a transaction "
        "as there are connections (its latency is that of a transaction)."
    )
    servers = (Carillon, Nginx, Sqlite)
    size = Size(32_000)
    quick = Size(320, connections=16, jobs=50)

    def learn(self, hub):
        self.jobs = hub.jobs(self.size.jobs).read_text().split()
        return hub.report(self.jobs[0], PROGRESS)

    def measure(self, server):
        if isinstance(server, Sqlite):
            return self.tools.run(
                *("sqlite_floor", server.database, self.size.jobs, SECONDS_MAX),
                *(self.size.connections, len(PROGRESS), self.size.operations),
            )
        ours = isinstance(server, Carillon)
        patches = [f'PATCH /api/v1/jobs/{job} {{"status":"running","progress":{PROGRESS}}}' for job in self.jobs]
        return self.tools.load(
            "requests",
            **server.at,
            requests=self.write("patches", patches if ours else ["GET /job.json"]),
            publish_fields=f"X-API-Key: {server.hub.worker}\n" if ours else "",
            connections=self.size.connections,
            operations=self.size.operations,
        )


class Updates(Workload):
    key = "updates"
    title = "HTTP: many reports in one request"
    operation = "report"
    how = (
        "1,000 reports in each POST, on {connections} connections. Beside it SQLite alone writes the same rows in "
        "transactions of 1,000. Latency is that of a whole request, or transaction."
    )
    servers = (Carillon, Sqlite)
    size = Size(300, connections=2, jobs=20_000)
    quick = Size(4, connections=2, jobs=2_000)

    def prepare(self, opened):
        jobs = opened["carillon"].jobs(self.size.jobs).read_text().split()
        self.bodies = []
        for first in range(0, len(jobs), IN_REQUEST):
            updates = ",".join(
                f'{{"job_id":"{job}","status":"running","progress":{PROGRESS}}}'
                for job in jobs[first : first + IN_REQUEST]
            )
            self.bodies.append(f'POST /api/v1/jobs/updates {{"updates":[{updates}]}}')

    def measure(self, server):
        if isinstance(server, Sqlite):
            changes = self.size.operations * IN_REQUEST
            return self.tools.run(
                *("sqlite_floor", server.database, self.size.jobs, SECONDS_MAX),
                *(IN_REQUEST, len(PROGRESS), changes),
            )
        return self.tools.load(
            "requests",
            **server.at,
            requests=self.write("updates", self.bodies),
            publish_fields=f"X-API-Key: {server.hub.worker}\n",
            count='"status":200',
            connections=self.size.connections,
            operations=self.size.operations,
        )


class Webhooks(Workload):
    key = "webhooks"
    title = "Webhooks"
    operation = "delivery"
    how = (
        "Carillon sends a backlog: each delivery is read from disk, signed, sent, and its outcome written to disk. "
        "Beside it libcurl alone sends bodies of the same size, as many at a time ({connections}). Latency, from "
        "before a report is written to its socket until its webhook has come, at {paced_per_s:,} reports a second."
    )
    servers = (Carillon, Curl)
    size = Size(20_000, paced_per_s=1_000, paced_operations=2)
    quick = Size(300, connections=64, paced_per_s=200, paced_operations=1)

    def prepare(self, opened):
        hub = opened["carillon"]
        self.port = servers.free_port()
        url = f"http://127.0.0.1:{self.port}/hook"
        self.endpoint = hub.hub.add_webhook(url, events=["job.succeeded"], max_per_second=None)["id"]

        def owe(stopped):
            many_jobs.store(stopped, self.size.operations)
            many_jobs.owe(stopped)

        receiver = self.tools.receive(port=self.port, operations=self.size.operations)
        hub.restart(owe)
        self.bytes = round(self.received(receiver)["received_bytes"])

    def received(self, receiver):
        out, error = receiver.communicate()
        return self.tools.figures(receiver.returncode, out, error)

    def measure(self, server):
        if isinstance(server, Curl):
            receiver = self.tools.receive(port=self.port, operations=self.size.operations)
            cost = self.tools.run("curl_floor", self.port, self.size.operations, self.size.connections, self.bytes)
            figures = self.received(receiver)
            if "error" in cost:
                return cost
            return {**figures, "cpu_us": cost["cpu_us_per_request"], "p50_ms": None, "p99_ms": None}
        replay = {"since": "2000-01-01T00:00:00Z", "status": "all"}
        figures = self.received(
            self.tools.receive(
                port=self.port,
                pid=server.process.pid,
                operations=self.size.operations,
                trigger_port=server.port,
                publish_target=f"/api/v1/webhooks/{self.endpoint}/replay",
                publish_fields=f"X-API-Key: {server.hub.client}\n",
                publish_body=json.dumps(replay),
            )
        )
        return {**figures, **self.latency()}

    def latency(self):
        """On a hub of its own, where each report is owed to one webhook."""
        with self.another(Carillon) as hub:
            port = servers.free_port()
            hub.hub.add_webhook(f"http://127.0.0.1:{port}/hook", events=["job.progress"])
            jobs = hub.jobs(64).read_text().split()
            figures = load.run(
                hub.hub,
                jobs,
                self.size.paced_operations,
                readers=0,
                reports_per_s=self.size.paced_per_s,
                pad_bytes=self.size.pad_bytes,
                sink_port=port,
            )
        assert figures["reports_failed"] == figures["hooks_missing"] == 0, figures
        return {"p50_ms": figures["hook_latency_p50_ms"], "p99_ms": figures["hook_latency_p99_ms"]}


class Polls(Workload):
    key = "polls"
    title = "Long polls: one update to 1,000 who wait"
    operation = "answer"
    how = (
        "{connections:,} connections each wait with a GET for a change of the same job; it changes, all are answered, "
        "and ask again. Latency from before the report is written to its socket until an answer is read."
    )
    servers = (Carillon, Uws, Nchan, NodeWs)
    size = Size(20, connections=1_000, jobs=1)
    quick = Size(3, connections=50, jobs=1)

    def prepare(self, opened):
        hub = opened["carillon"]
        self.jobs = hub.jobs(1)
        job = self.jobs.read_text().strip()
        example = '{"n":1}'
        hub.report(job, example)
        text = hub.hub.http(hub.hub.client).get(f"/api/v1/jobs/{job}").body.decode()
        self.answer = text.replace(example, servers.PROGRESS).replace(job, "{job}")

    def measure(self, server):
        return self.tools.load(
            "polls",
            **server.at,
            **server.polling(),
            **server.publishing(self.answer),
            jobs=self.jobs,
            connections=self.size.connections,
            operations=self.size.operations,
            pad_bytes=self.size.pad_bytes,
        )


ALL = (FanOut, OneToOne, Idle, Handshakes, Get, NotModified, Patch, Updates, Webhooks, Polls)
