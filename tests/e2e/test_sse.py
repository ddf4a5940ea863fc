"""The event feed as a stream (Server-Sent Events)."""

import contextlib
import json
import socket
import time

import pytest
from harness import metrics
from harness.http import PATIENCE_S, RawConnection
from harness.polling import InThreads, Stream, head

EVENTS = "/api/v1/events"


def wait_for_streams(hub, count):
    return metrics.wait_for(hub, lambda samples: samples["carillon_event_streams"] == count)


def feed(hub, key, query=""):
    return hub.http(key).get(f"{EVENTS}{query}").json


def test_a_stream_tells_what_was_and_then_what_comes(make_hub):
    hub = make_hub()
    job = hub.submit()
    hub.submit(hub.make_key())
    hub.report(job, "running", progress={"at": 1})
    with Stream(hub, hub.client) as stream:
        assert stream.status == 200
        assert stream.fields["content-type"] == "text/event-stream"
        assert stream.fields["cache-control"] == "no-store"
        assert "date" in stream.fields and "x-request-id" in stream.fields
        assert "content-length" not in stream.fields
        told = stream.events(2)
        hub.report(job, "succeeded", result={"pages": 12})
        told.append(stream.event())
        assert stream.retry_ms >= 1000
    expected = feed(hub, hub.client)["events"]
    assert [json.loads(data) for _, _, data in told] == expected
    assert [(seq, kind) for seq, kind, _ in told] == [(event["seq"], event["type"]) for event in expected]
    wait_for_streams(hub, 0)


def test_a_result_over_several_lines_arrives_whole(hub):
    key = hub.make_key()
    job = hub.submit(key)
    body = b'{"status":"failed",\n"error":"a\\nb"}'
    hub.report(job, "running")
    result = b'{\n  "a": 1,\r\n  "b": [\r2]\n}'
    with Stream(hub, key, "?after=now") as stream:
        answer = hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", b'{"status":"succeeded","result":' + result + b"}")
        assert answer.status == 200
        event = stream.event()
        assert event[2].count("\n") == 4
        assert json.loads(event[2])["data"]["result"] == {"a": 1, "b": [2]}
        other = hub.submit(key)
        stream.event()
        assert hub.http(hub.worker).patch(f"/api/v1/jobs/{other}", body).status == 200
        assert stream.json()["data"]["error"] == "a\nb"


def test_the_last_id_goes_on_behind_it(hub):
    key = hub.make_key()
    seqs = [hub.job(hub.submit(key), key)["seq"] for _ in range(5)]
    for query, fields in (
        (f"?after={seqs[2]}", {}),
        ("", {"Last_Event_ID": str(seqs[2])}),
        (f"?after={seqs[0]}", {"Last_Event_ID": str(seqs[2])}),
        (f"?after=now", {"Last_Event_ID": str(seqs[2])}),
    ):
        with Stream(hub, key, query, **fields) as stream:
            assert [event[0] for event in stream.events(2)] == seqs[3:]
    with Stream(hub, key, "?after=now", Last_Event_ID="") as stream:
        later = hub.job(hub.submit(key), key)["seq"]
        assert stream.event()[0] == later


@pytest.mark.parametrize(
    "accept, streams",
    [
        ("text/event-stream", True),
        ("application/json, Text/Event-Stream", True),
        ("application/json;q=0.9, text/event-stream", True),
        ("application/json, text/event-stream;q=0.5", False),
        ("text/event-stream;q=0.5, */*;q=0.1", True),
        ("text/event-stream, */*", True),
        ("text/event-stream ; charset=utf-8", True),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=0.00", False),
        ("text/event-stream2", False),
        ("*/*", False),
        ("text/*", True),
        ("text/event-stream;q=0.5, */*", False),
        ("text/html", False),
    ],
)
def test_who_accepts_a_stream_gets_one(hub, accept, streams):
    answer = hub.http(hub.client).request("HEAD", EVENTS, Accept=accept)
    assert answer.status == 200 and answer.body == b""
    assert (answer.fields["content-type"] == "text/event-stream") == streams


def test_what_cannot_be_streamed_is_refused_before_it_begins(hub):
    http = hub.http(hub.client)
    for query, fields, status in (
        ("?limit=3", {}, 422),
        ("?wait=3", {}, 422),
        ("?after=x", {}, 422),
        ("", {"Last_Event_ID": "x"}, 422),
        (f"?after={10**12}", {}, 409),
        ("?epoch=other", {}, 409),
    ):
        answer = http.get(EVENTS + query, Accept="text/event-stream", **fields)
        assert answer.status == status and answer.fields["content-type"] == "application/problem+json", query
    assert hub.http().get(EVENTS, Accept="text/event-stream").status == 401


def test_a_quiet_stream_beats(make_hub):
    hub = make_hub("--polling-heartbeat-s", "1")
    with Stream(hub, hub.client) as stream:
        deadline = time.monotonic() + PATIENCE_S
        lines = []
        while lines.count(b": heartbeat\n") < 2:
            lines.append(stream.connection.file.readline())
            assert time.monotonic() < deadline


def test_a_key_that_is_disabled_ends_its_streams(make_hub):
    hub = make_hub()
    key = hub.make_key()
    with Stream(hub, key) as stream, Stream(hub, hub.client) as other:
        wait_for_streams(hub, 2)
        hub.ask_admin(f"/keys/{key.id}/disable")
        assert stream.event() is None
        job = hub.submit()
        assert other.json()["data"]["job_id"] == job
    wait_for_streams(hub, 0)


def test_a_key_that_expires_ends_its_streams_then(make_hub):
    hub = make_hub()
    with Stream(hub, hub.make_key(expires_in_s=2)) as stream:
        assert stream.event() is None


def test_a_hub_that_ends_ends_its_streams(make_hub):
    hub = make_hub()
    with Stream(hub, hub.client) as stream:
        job = hub.submit()
        assert stream.json()["data"]["job_id"] == job
        hub.process.terminate()
        assert stream.event() is None
    assert hub.process.wait(PATIENCE_S) == 0


def test_who_will_send_no_more_is_told_what_was_on_its_way_and_the_end(make_hub):
    hub = make_hub()
    for _ in range(8):
        hub.finish(hub.submit(), result="x" * 100_000)
    with RawConnection(hub.port) as connection:
        connection.send(head(EVENTS, hub.client, Accept="text/event-stream"))
        connection.socket.shutdown(socket.SHUT_WR)
        text = connection.file.read()
    assert text.count(b"\nid: ") == 24 and text.endswith(b"\n\n")
    wait_for_streams(hub, 0)
    with Stream(hub, hub.client, "?after=now") as stream:
        wait_for_streams(hub, 1)
        stream.connection.socket.shutdown(socket.SHUT_WR)
        assert stream.event() is None


def test_no_more_streams_than_may(make_hub):
    hub = make_hub("--polling-waiting-per-key", "1")
    with Stream(hub, hub.client):
        wait_for_streams(hub, 1)
        answer = hub.http(hub.client).get(EVENTS, Accept="text/event-stream")
        assert (answer.status, answer.json["error"]) == (429, "too_many_waiting")
        assert int(answer.fields["retry-after"]) > 0
    wait_for_streams(hub, 0)
    with Stream(hub, hub.client) as stream:
        assert stream.status == 200


@pytest.mark.parametrize("limit", ["age", "bytes"])
def test_a_slow_reader_is_dropped_and_comes_back_without_a_gap(make_hub, limit):
    options = {
        "age": ("--polling-slow-client-ms", "300"),
        "bytes": ("--polling-queue-bytes", "65536", "--polling-slow-client-ms", "60000"),
    }
    hub = make_hub(*options[limit])
    before = metrics.resident_bytes(hub.process)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(PATIENCE_S)
        slow.connect(("127.0.0.1", hub.port))
        slow.sendall(head(EVENTS, hub.client, Accept="text/event-stream"))
        wait_for_streams(hub, 1)
        jobs = []
        deadline = time.monotonic() + PATIENCE_S
        while metrics.read(hub)["carillon_event_streams_slow_total"] < 1:
            jobs.append(hub.submit())
            hub.finish(jobs[-1], result="x" * 100_000)
            assert time.monotonic() < deadline
        text = b""
        with contextlib.suppress(ConnectionError):
            while data := slow.recv(65536):
                text += data
    wait_for_streams(hub, 0)
    assert metrics.resident_bytes(hub.process) - before < 256 << 20
    whole = [block for block in text.partition(b"\r\n\r\n")[2].split(b"\n\n")[:-1] if b"id: " in block]
    last = int(whole[-1].partition(b"id: ")[2].split(b"\n")[0]) if whole else 0
    assert [int(block.partition(b"id: ")[2].split(b"\n")[0]) for block in whole] == list(range(1, last + 1))
    with Stream(hub, hub.client, Last_Event_ID=str(last)) as stream:
        assert [event[0] for event in stream.events(3 * len(jobs) - last)] == list(range(last + 1, 3 * len(jobs) + 1))


def test_streams_opened_under_load_miss_nothing_and_repeat_nothing(make_hub):
    """Streams that begin anywhere, beside reporters at full speed, and come back by their last id."""
    hub = make_hub()
    keys = [hub.make_key() for _ in range(3)]
    rounds = 1_500
    seen = {key: [] for key in [*keys, hub.worker]}

    def follow(key, count, at_most):
        while len(seen[key]) < count:
            last = str(seen[key][-1]) if seen[key] else ""
            with Stream(hub, key, "?after=0", Last_Event_ID=last) as stream:
                for _ in range(min(at_most, count - len(seen[key]))):
                    seen[key].append(stream.event()[0])

    def report(key):
        job = hub.submit(key)
        with contextlib.closing(hub.http().connect()) as connection:
            headers = {"X-API-Key": hub.worker, "Content-Type": "application/json"}
            for n in range(rounds):
                body = json.dumps({"status": "running", "progress": n})
                connection.request("PATCH", f"/api/v1/jobs/{job}", body, headers)
                assert connection.getresponse().read()

    total = 3 * (rounds + 1)
    with InThreads() as threads:
        for at_most, key in zip((10, 100, 10_000), keys):
            threads.run(follow, key, rounds + 1, at_most)
            threads.run(report, key)
        threads.run(follow, hub.worker, total, 300)
    assert seen[hub.worker] == list(range(1, total + 1))
    assert sorted(seq for key in keys for seq in seen[key]) == seen[hub.worker]
    for key in keys:
        assert seen[key] == sorted(set(seen[key]))
