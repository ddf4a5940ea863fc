"""W3C Trace Context: what a report is a part of, its webhooks are a part of."""

import json
import re

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.receiver import Receiver

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{ID}-00f067aa0ba902b7-01"
KINDS = ["job.queued", "job.running", "job.succeeded"]


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def submit(hub, **fields):
    answer = hub.http(hub.client).post("/api/v1/jobs", {}, **fields)
    assert answer.status == 201
    return answer.json["job_id"]


def report(hub, job, status, **fields):
    assert hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", {"status": status}, **fields).status == 200


def trace_of(received):
    found = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])", received.fields["traceparent"])
    assert found[2] not in ("0" * 16, "00f067aa0ba902b7")
    return found[1], found[2], found[3]


def by_type(receiver):
    return {received.json["type"]: received for received in receiver.wait_for_count(len(KINDS))}


def test_each_event_carries_the_trace_of_what_brought_it(make_hub, receiver):
    hub = make_hub(*LOCAL_WEBHOOKS)
    hub.add_webhook(receiver.url("/"), events=KINDS)
    other = "0af7651916cd43dd8448eb211c80319c"
    job = submit(hub, traceparent=PARENT, tracestate="congo=t61,rojo=00f")
    report(hub, job, "running")
    report(hub, job, "succeeded", traceparent=f"00-{other}-b7ad6b7169203331-00")
    received = by_type(receiver)
    assert trace_of(received["job.queued"])[::2] == (ID, "01")
    assert received["job.queued"].fields["tracestate"] == "congo=t61,rojo=00f"
    assert "traceparent" not in received["job.running"].fields and "tracestate" not in received["job.running"].fields
    assert trace_of(received["job.succeeded"])[::2] == (other, "00")
    assert "tracestate" not in received["job.succeeded"].fields


def test_many_reports_at_once_are_of_one_trace(make_hub, receiver):
    hub = make_hub(*LOCAL_WEBHOOKS)
    hub.add_webhook(receiver.url("/"), events=KINDS)
    job = submit(hub, traceparent=PARENT)
    updates = [{"job_id": job, "status": "running"}, {"job_id": job, "status": "succeeded"}]
    assert hub.http(hub.worker).post("/api/v1/jobs/updates", {"updates": updates}, traceparent=PARENT).status == 200
    traces = [trace_of(each) for each in by_type(receiver).values()]
    assert {trace[0] for trace in traces} == {ID}
    assert len({trace[1] for trace in traces}) == 3


@pytest.mark.parametrize("parent", ["00-" + "0" * 32 + "-00f067aa0ba902b7-01", PARENT.upper(), PARENT + "-x", "ff" + PARENT[2:], "none"])
def test_what_is_not_sound_is_ignored(make_hub, receiver, parent):
    hub = make_hub(*LOCAL_WEBHOOKS)
    hub.add_webhook(receiver.url("/"), events=["job.queued"])
    submit(hub, traceparent=parent, tracestate="a=1")
    received = receiver.wait_for_count(1)[0]
    assert "traceparent" not in received.fields and "tracestate" not in received.fields


def test_a_retry_is_of_the_same_trace_also_after_a_crash(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "1,1,1,1,1,1")
    fails = [True]
    with Receiver(lambda received: 500 if fails[0] else 200) as receiver:
        hub.add_webhook(receiver.url("/"), events=["job.queued"])
        submit(hub, traceparent=PARENT, tracestate="a=1")
        receiver.wait_for_count(2)
        hub.kill()
        fails[0] = False
        before = len(receiver.received)
        hub.start()
        received = receiver.wait_for_count(before + 1)
        traces = [trace_of(each) for each in received]
        assert {trace[0] for trace in traces} == {ID}
        assert len({trace[1] for trace in traces}) == len(traces), "a number of its own for each attempt"
        assert {each.fields["tracestate"] for each in received} == {"a=1"}


def test_an_owner_cannot_say_it_for_the_hub(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS)
    for name in ("traceparent", "Tracestate"):
        answer = hub.http(hub.client).post("/api/v1/webhooks", {"url": "http://127.0.0.1:9/", "headers": {name: "x"}})
        assert answer.status == 422, answer


def test_the_log_of_requests_has_it(make_hub):
    hub = make_hub("--log-access", "true", "--log-format", "json")
    submit(hub, traceparent=PARENT)
    submit(hub, traceparent="none")
    hub.stop()
    lines = [json.loads(line) for line in hub.log.splitlines() if '"path":"/api/v1/jobs"' in line]
    assert [line["trace_id"] for line in lines] == [ID, "-"]
