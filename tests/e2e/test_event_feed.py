"""The event feed: polling that misses nothing."""

import contextlib
import json
import sqlite3
import time


import pytest
from harness.http import PATIENCE_S
from harness.polling import InThreads, Waiting, answers, head, many_waiting, wait_for_waiting
from harness.receiver import Receiver

EVENTS = "/api/v1/events"


def feed(hub, key, query=""):
    answer = hub.http(key).get(f"{EVENTS}{query}")
    assert answer.status == 200, answer
    return answer.json


def walked(hub, key, limit=1000, after=0):
    """A whole feed, page by page, with where it ended."""
    events = []
    while True:
        page = feed(hub, key, f"?after={after}&limit={limit}")
        assert len(page["events"]) <= limit
        events += page["events"]
        after = page["next_after"]
        if not page["has_more"]:
            return events, after


def history(hub, key):
    """A job with each kind of event; the numbers of these."""
    job = hub.submit(key)
    seqs = [hub.job(job, key)["seq"], hub.report(job, "running", progress=1)["seq"], hub.report(job, progress=2)["seq"]]
    return job, seqs + [hub.report(job, "succeeded", result={"pages": 12})["seq"]]


# --- what it tells ---------------------------------------------------------------------------------------------------


def test_an_event_is_what_a_webhook_tells_of_it(hub):
    key = hub.make_key()
    events = ["job.queued", "job.running", "job.progress", "job.succeeded", "job.failed"]
    with Receiver() as receiver:
        hub.http(key).post("/api/v1/webhooks", {"url": receiver.url(), "events": events})
        _, seqs = history(hub, key)
        failed = hub.submit(key)
        hub.report(failed, "failed", error="it said \"no\"")
        bodies = sorted((one.json for one in receiver.wait_for_count(6)), key=lambda body: body["data"]["seq"])
    told = feed(hub, key)["events"]
    assert [event.pop("seq") for event in told] == [body["data"]["seq"] for body in bodies]
    assert told == bodies
    assert [body["data"]["seq"] for body in bodies][:4] == seqs


def test_a_webhook_that_is_disabled_is_told_to_its_owner(hub):
    key, other = hub.make_key(), hub.make_key()
    answer = hub.http(key).post("/api/v1/webhooks", {"url": "http://127.0.0.1:9/"}).json
    hub.http(key).patch(f"/api/v1/webhooks/{answer['id']}", {"status": "disabled"})
    told = feed(hub, key)["events"]
    assert [event["type"] for event in told] == ["webhook.disabled"]
    assert told[0]["data"]["webhook_id"] == answer["id"] and told[0]["data"]["seq"] == told[0]["seq"]
    assert feed(hub, other)["events"] == []
    assert told[0] in walked(hub, hub.admin)[0]


def test_each_caller_is_told_what_it_sees(make_hub):
    hub = make_hub()
    key, colleague = hub.make_key(), hub.make_key()
    jobs = {}
    for _ in range(5):
        for owner in (key, colleague, hub.client):
            jobs.setdefault(owner, []).append(hub.submit(owner))
    for owner, own in jobs.items():
        assert [event["data"]["job_id"] for event in walked(hub, owner, limit=2)[0]] == own
    everything = [event["data"]["job_id"] for event in walked(hub, hub.worker, limit=2)[0]]
    assert everything == [job for row in zip(*jobs.values()) for job in row]
    assert walked(hub, hub.admin)[0] == walked(hub, hub.worker)[0]


def test_ownership_account_widens_the_feed(make_hub):
    hub = make_hub("--ownership", "account")
    account = hub.make_account()
    key, colleague, stranger = hub.make_key(account=account), hub.make_key(account=account), hub.make_key()
    jobs = [hub.submit(one) for one in (key, colleague, stranger)]
    assert [event["data"]["job_id"] for event in walked(hub, key, limit=1)[0]] == jobs[:2]
    with Waiting(hub, f"{EVENTS}?after=now&wait=60", key) as poll:
        wait_for_waiting(hub, 1)
        hub.submit(stranger)
        later = hub.submit(colleague)
        assert [event["data"]["job_id"] for event in poll.answer().json["events"]] == [later]


def test_pages_go_on_where_the_last_has_ended(hub):
    key = hub.make_key()
    _, seqs = history(hub, key)
    hub.submit()
    first = feed(hub, key, "?limit=3")
    assert [event["seq"] for event in first["events"]] == seqs[:3]
    assert (first["next_after"], first["has_more"]) == (seqs[2], True)
    rest = feed(hub, key, f"?limit=3&after={first['next_after']}")
    assert [event["seq"] for event in rest["events"]] == seqs[3:] and rest["has_more"] is False
    assert rest["next_after"] > seqs[3], "what was others' since is behind it"
    assert rest["epoch"] == first["epoch"]
    assert feed(hub, key, f"?after={rest['next_after']}&epoch={rest['epoch']}")["events"] == []
    assert feed(hub, key, "?after=now")["next_after"] >= rest["next_after"]


def test_a_page_is_full_with_the_event_that_passes_its_bytes(make_hub):
    hub = make_hub("--polling-page-bytes", "65536")
    for _ in range(3):
        hub.finish(hub.submit(), result="x" * 40_000)
    events, _ = walked(hub, hub.client)
    assert len(events) == 9
    page = feed(hub, hub.client)
    assert len(page["events"]) == 6 and page["has_more"]


def test_a_result_that_is_too_large_is_left_out_as_webhooks_do_it(make_hub):
    hub = make_hub("--webhooks-max-body", "1024", "--public-url", "https://hub.example")
    job = hub.submit()
    hub.finish(job, result="x" * 2000)
    data = feed(hub, hub.client)["events"][-1]["data"]
    assert data["result"] is None and data["result_url"] == f"https://hub.example/api/v1/jobs/{job}"


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_who_waits_is_told_the_next_event_and_not_others(make_hub):
    hub = make_hub()
    key = hub.make_key()
    job = hub.submit(key)
    after = feed(hub, key)["next_after"]
    with Waiting(hub, f"{EVENTS}?after={after}&wait=60", key) as poll:
        wait_for_waiting(hub, 1)
        hub.submit()
        wait_for_waiting(hub, 1)
        assert poll.is_silent()
        seq = hub.report(job, "running")["seq"]
        page = poll.answer().json
        assert [event["seq"] for event in page["events"]] == [seq] and page["next_after"] == seq
        assert page["events"] == feed(hub, key, f"?after={after}")["events"]
        poll.connection.send(head(f"{EVENTS}?after={seq}&wait=60", key, Prefer="wait=1"))
        hub.report(job, "failed")
        answer = poll.answer()
        assert [event["type"] for event in answer.json["events"]] == ["job.failed"]
        assert "preference-applied" not in answer.fields


def test_when_the_time_is_up_the_page_is_empty_and_has_moved_on(hub):
    key = hub.make_key()
    after = feed(hub, key)["next_after"]
    began = time.monotonic()
    with Waiting(hub, f"{EVENTS}?after={after}", key, Prefer="wait=1") as poll:
        seq = hub.job(hub.submit())["seq"]
        answer = poll.answer()
    assert 1 <= time.monotonic() - began < PATIENCE_S
    assert answer.json["events"] == [] and answer.json["next_after"] >= seq and answer.json["has_more"] is False
    assert answer.fields["preference-applied"] == "wait=1"


def test_what_is_there_already_is_not_waited_for(hub):
    key = hub.make_key()
    _, seqs = history(hub, key)
    assert [event["seq"] for event in feed(hub, key, "?wait=60")["events"]] == seqs


def test_a_key_that_is_disabled_ends_its_waiting_at_once(make_hub):
    hub = make_hub()
    key = hub.make_key()
    with Waiting(hub, f"{EVENTS}?wait=60", key) as poll:
        wait_for_waiting(hub, 1)
        hub.ask_admin(f"/keys/{key.id}/disable")
        assert poll.answer().status == 401
    with Waiting(hub, f"{EVENTS}?wait=60", hub.make_key()):
        wait_for_waiting(hub, 1)
    wait_for_waiting(hub, 0)


def test_one_event_wakes_a_thousand(make_hub, missing):
    hub = make_hub()
    job = hub.submit()
    after = feed(hub, hub.client)["next_after"]
    requests = [head(f"{EVENTS}?after={after}&wait=60&limit={1 + i % 3}", hub.client) for i in range(1000)]
    with many_waiting(hub, requests, missing) as sockets:
        seq = hub.report(job, "running")["seq"]
        for _, _, text in answers(sockets, len(sockets)):
            assert json.loads(text.partition(b"\r\n\r\n")[2])["next_after"] == seq
    wait_for_waiting(hub, 0)


# --- what cannot be told ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=", "limit=0", "limit=1001", "wait=61", "since=3"])
def test_a_wrong_query_is_named(hub, query):
    answer = hub.http(hub.client).get(f"{EVENTS}?{query}")
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "?" + query.partition("=")[0]


def test_a_number_of_another_history_is_told_so(hub):
    page = feed(hub, hub.client)
    http = hub.http(hub.client)
    for query in (f"after={10**12}&wait=60", f"after=0&epoch=other&wait=60"):
        answer = http.get(f"{EVENTS}?{query}")
        assert (answer.status, answer.json["error"]) == (409, "other_history")
        assert answer.fields["content-type"] == "application/problem+json"
        assert answer.json["epoch"] == page["epoch"] and answer.json["begins_after"] == 0
        assert answer.json["last"] >= page["next_after"]


def test_what_is_no_longer_kept_is_told_with_where_the_feed_begins(make_hub):
    hub = make_hub()
    _, seqs = history(hub, hub.client)
    hub.stop()
    with contextlib.closing(sqlite3.connect(f"{hub.data}/carillon.db")) as database, database:
        database.execute("DELETE FROM events WHERE seq <= 2")
        database.execute("UPDATE meta SET value = '2' WHERE name = 'events_gone_to'")
    hub.start()
    http = hub.http(hub.client)
    for key in (hub.client, hub.worker):
        for after in (0, 1):
            answer = hub.http(key).get(f"{EVENTS}?after={after}&wait=60")
            assert (answer.status, answer.json["error"], answer.json["begins_after"]) == (410, "events_gone", 2)
        assert [event["seq"] for event in feed(hub, key, "?after=2")["events"]] == seqs[2:]
        assert [event["seq"] for event in feed(hub, key)["events"]] == seqs[2:], "from the beginning there is"
    assert http.get(EVENTS, Accept="text/event-stream", Last_Event_ID="1").status == 410


# --- races -----------------------------------------------------------------------------------------------------------


def test_under_load_no_event_is_missed_or_told_twice(make_hub):
    """Followers with long polls and small pages beside reporters at full speed: each is told every event of its own
    once, in order."""
    hub = make_hub()
    keys = [hub.make_key() for _ in range(3)]
    rounds = 1_500
    seen = {key: [] for key in [*keys, hub.worker]}
    expected = 3 * (rounds + 2)

    def follow(key, limit, count):
        with contextlib.closing(hub.http().connect()) as connection:
            after = 0
            while len(seen[key]) < count:
                path = f"{EVENTS}?after={after}&wait=20&limit={limit}"
                connection.request("GET", path, headers={"X-API-Key": key})
                answer = connection.getresponse()
                page = json.loads(answer.read())
                assert answer.status == 200, page
                assert page["events"] or page["has_more"], "nothing came though there was more to come"
                seen[key] += [event["seq"] for event in page["events"]]
                after = page["next_after"]

    def report(key):
        job = hub.submit(key)
        with contextlib.closing(hub.http().connect()) as connection:
            headers = {"X-API-Key": hub.worker, "Content-Type": "application/json"}
            for n in range(rounds + 1):
                body = {"status": "succeeded"} if n == rounds else {"status": "running", "progress": n}
                connection.request("PATCH", f"/api/v1/jobs/{job}", json.dumps(body), headers)
                assert connection.getresponse().read()

    with InThreads() as threads:
        for limit, key in zip((1, 7, 1000), keys):
            threads.run(follow, key, limit, rounds + 2)
            threads.run(report, key)
        threads.run(follow, hub.worker, 50, expected)
    for key in keys:
        assert len(seen[key]) == rounds + 2 and seen[key] == sorted(set(seen[key]))
    assert seen[hub.worker] == list(range(1, expected + 1))
    assert sorted(seq for key in keys for seq in seen[key]) == seen[hub.worker]
