"""Jobs for whoever asks: waiting polls, lists, and what a job went through."""

import contextlib
import json
import time
import uuid

import pytest
from harness.http import PATIENCE_S, RawConnection
from harness.many import many_connected
from harness.polling import InThreads, Waiting, answers, head, many_waiting, wait_for_waiting
from harness.waiting import wait_until

JOBS = "/api/v1/jobs"


def etag_of(hub, job):
    return hub.http(hub.client).get(f"{JOBS}/{job}").fields["etag"]


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_a_waiting_poll_is_answered_when_the_job_is_final_and_not_before(make_hub):
    hub = make_hub()
    job = hub.submit(metadata={"page": 7})
    with Waiting(hub, f"{JOBS}/{job}?wait=60", hub.client) as poll:
        wait_for_waiting(hub, 1)
        hub.report(job, "running", progress={"at": 1})
        hub.report(job, progress={"at": 2})
        wait_for_waiting(hub, 1)
        assert poll.is_silent()
        final = hub.report(job, "succeeded", result={"pages": 12})
        answer = poll.answer()
    wait_for_waiting(hub, 0)
    assert answer.status == 200
    assert answer.json == final == hub.job(job)
    assert answer.json["metadata"] == {"page": 7} and answer.json["progress"] == {"at": 2}
    assert answer.fields["etag"] == f'"{final["seq"]}"'
    assert "retry-after" not in answer.fields and "preference-applied" not in answer.fields


def test_with_if_none_match_any_change_answers(make_hub):
    hub = make_hub()
    job = hub.submit()
    tag = etag_of(hub, job)
    with Waiting(hub, f"{JOBS}/{job}?wait=60", hub.client, If_None_Match=tag) as poll:
        wait_for_waiting(hub, 1)
        assert poll.is_silent()
        hub.report(job, "running")
        answer = poll.answer()
        assert answer.status == 200 and answer.json["status"] == "running"
        assert int(answer.fields["retry-after"]) >= 1
        # On the same connection, with the next tag: a job that moves on is followed without a gap.
        poll.connection.send(head(f"{JOBS}/{job}?wait=60", hub.client, If_None_Match=answer.fields["etag"]))
        hub.report(job, progress={"at": 1})
        assert poll.answer().json["progress"] == {"at": 1}


def test_what_was_known_before_the_change_is_answered_at_once(make_hub):
    hub = make_hub()
    job = hub.submit()
    old = etag_of(hub, job)
    hub.report(job, "running")
    answer = hub.http(hub.client).get(f"{JOBS}/{job}?wait=60", If_None_Match=old)
    assert answer.status == 200 and answer.json["status"] == "running"
    hub.report(job, "succeeded")
    assert hub.http(hub.client).get(f"{JOBS}/{job}?wait=60").status == 200
    assert hub.http(hub.client).get(f"{JOBS}/{job}?wait=60", If_None_Match=etag_of(hub, job)).status == 304


def test_when_the_time_is_up_the_present_state_is_told(hub):
    job = hub.submit()
    http = hub.http(hub.client)
    began = time.monotonic()
    answer = http.get(f"{JOBS}/{job}?wait=1")
    assert 1 <= time.monotonic() - began < PATIENCE_S
    assert answer.status == 200 and answer.json["status"] == "queued" and answer.fields["retry-after"] == "1"
    answer = http.get(f"{JOBS}/{job}?wait=1", If_None_Match=answer.fields["etag"])
    assert (answer.status, answer.body) == (304, b"")
    assert answer.fields["etag"] and answer.fields["retry-after"] == "1"
    head_answer = http.request("HEAD", f"{JOBS}/{job}?wait=1")
    assert (head_answer.status, head_answer.body) == (200, b"")


def test_a_preference_is_heeded_and_said_so(make_hub):
    hub = make_hub()
    job = hub.submit()
    with Waiting(hub, f"{JOBS}/{job}", hub.client, Prefer="respond-async, Wait=30; x=y") as poll:
        wait_for_waiting(hub, 1)
        hub.report(job, "failed", error="no")
        answer = poll.answer()
    assert answer.json["status"] == "failed" and answer.fields["preference-applied"] == "wait=30"
    http = hub.http(hub.client)
    assert http.get(f"{JOBS}/{job}", Prefer="wait=100000").fields["preference-applied"] == "wait=60"
    for unreadable in ("wait", "wait=", "wait=x", "wait=-1", "handling=strict"):
        answer = http.get(f"{JOBS}/{job}", Prefer=unreadable)
        assert answer.status == 200 and "preference-applied" not in answer.fields, unreadable
    with_both = http.get(f"{JOBS}/{job}?wait=0", Prefer="wait=30")
    assert "preference-applied" not in with_both.fields


@pytest.mark.parametrize("query", ["wait=61", "wait=-1", "wait=", "wait=1.5", "wait=1&wait=2", "waits=1"])
def test_a_wrong_wait_is_named(hub, query):
    answer = hub.http(hub.client).get(f"{JOBS}/{hub.submit()}?{query}")
    assert answer.status == 422 and answer.json["error"] == "validation_error"
    assert answer.json["errors"][0]["pointer"] == "?" + query.partition("=")[0]


def test_a_foreign_job_is_not_waited_for_and_answers_as_a_missing_one(hub):
    stranger = hub.make_key(account=hub.make_account())
    job, missing = hub.submit(), str(uuid.uuid4())
    told = []
    for name in (job, missing):
        for path in (f"{JOBS}/{name}?wait=60", f"{JOBS}/{name}/events", f"{JOBS}?ids={name}"):
            answer = hub.http(stranger).get(path)
            fields = {key: value for key, value in answer.fields.items() if key not in ("x-request-id", "date")}
            told.append((answer.status, fields, answer.body.replace(name.encode(), b"ID")))
    assert told[:3] == told[3:]
    assert [one[0] for one in told[:3]] == [404, 404, 200]


# --- those who go --------------------------------------------------------------------------------------------------


def test_a_poll_whose_connection_is_gone_is_forgotten(make_hub):
    hub = make_hub()
    job = hub.submit()
    for _ in range(3):
        with Waiting(hub, f"{JOBS}/{job}?wait=60", hub.client):
            wait_for_waiting(hub, 1)
        wait_for_waiting(hub, 0)


def test_who_will_send_no_more_is_answered_and_not_kept(make_hub):
    hub = make_hub()
    job = hub.submit()
    with Waiting(hub, f"{JOBS}/{job}?wait=60", hub.client) as poll:
        poll.connection.socket.shutdown(1)
        assert poll.answer().json["status"] == "queued"
        assert poll.connection.ended()
    wait_for_waiting(hub, 0)


def test_a_hub_that_ends_answers_those_who_wait(make_hub):
    hub = make_hub()
    job = hub.submit()
    tag = etag_of(hub, job)
    polls = [
        Waiting(hub, f"{JOBS}/{job}?wait=60", hub.client),
        Waiting(hub, f"{JOBS}/{job}?wait=60", hub.client, If_None_Match=tag),
        Waiting(hub, "/api/v1/events?after=now&wait=60", hub.client),
    ]
    wait_for_waiting(hub, 3)
    hub.process.terminate()
    assert polls[0].answer().json["status"] == "queued"
    assert polls[1].answer().status == 304
    assert polls[2].answer().json["events"] == []
    for poll in polls:
        poll.__exit__()
    assert hub.process.wait(PATIENCE_S) == 0


def test_nobody_begins_to_wait_at_a_hub_that_ends(make_hub, missing):
    hub = make_hub("--websocket-drain-ms", "3000")
    job, final = hub.submit(), hub.submit()
    hub.report(final, "failed")
    last = hub.job(final)["seq"]
    with many_connected(hub, 200, missing), RawConnection(hub.port) as kept:

        def ask(path, **fields):
            kept.send(head(path, hub.client, **fields))
            return kept.answer()

        assert ask(f"{JOBS}/{job}").status == 200
        hub.process.terminate()
        wait_until(lambda: ask("/readyz").status == 503)
        # The loop hears of it a moment later: who begins to wait before that is answered then, with what there is.
        wait_until(lambda: ask(f"{JOBS}/{job}?wait=60").status == 503)
        for path, fields in (
            (f"{JOBS}/{job}?wait=60", {}),
            (f"{JOBS}/{job}", {"Prefer": "wait=60"}),
            (f"/api/v1/events?after={last}&wait=60", {}),
            (f"/api/v1/events?after={last}", {"Accept": "text/event-stream"}),
        ):
            answer = ask(path, **fields)
            assert (answer.status, answer.json["error"]) == (503, "going_away"), path
            assert int(answer.fields["retry-after"]) > 0
        assert ask(f"{JOBS}/{job}").status == ask(f"{JOBS}/{final}?wait=60").status == 200
        assert len(ask("/api/v1/events?after=0&wait=60").json["events"]) == 3
    assert hub.process.wait(PATIENCE_S) == 0


def test_a_key_that_is_disabled_ends_its_waiting_at_once(make_hub):
    hub = make_hub()
    key = hub.make_key()
    job = hub.submit(key)
    with Waiting(hub, f"{JOBS}/{job}?wait=60", key) as poll, Waiting(hub, f"{JOBS}/{job}?wait=60", hub.worker) as other:
        wait_for_waiting(hub, 2)
        hub.ask_admin(f"/keys/{key.id}/disable")
        answer = poll.answer()
        assert (answer.status, answer.json["error"]) == (401, "api_key_disabled")
        assert other.is_silent()
        hub.report(job, "failed")
        assert other.answer().status == 200


def test_a_key_that_expires_ends_its_waiting_then(make_hub):
    hub = make_hub()
    key = hub.make_key(expires_in_s=2)
    job = hub.submit(key)
    answer = hub.http(key).get(f"{JOBS}/{job}?wait=60")
    assert (answer.status, answer.json["error"]) == (401, "api_key_expired")


# --- limits ----------------------------------------------------------------------------------------------------------


def test_no_more_wait_than_may(make_hub):
    hub = make_hub("--polling-waiting-max", "2", "--polling-waiting-per-key", "1")
    other = hub.make_key()
    job, theirs = hub.submit(), hub.submit(other)
    with Waiting(hub, f"{JOBS}/{job}?wait=60", hub.client), Waiting(hub, f"{JOBS}/{theirs}?wait=60", other) as poll:
        wait_for_waiting(hub, 2)
        full = hub.http(hub.worker).get(f"{JOBS}/{job}?wait=60")
        assert (full.status, full.json["error"]) == (503, "too_many_waiting") and int(full.fields["retry-after"]) > 0
        assert hub.http(hub.worker).get(f"{JOBS}/{job}").status == 200
        hub.report(theirs, "failed")
        assert poll.answer().status == 200
        wait_for_waiting(hub, 1)
        of_key = hub.http(hub.client).get(f"{JOBS}/{job}?wait=60")
        assert (of_key.status, of_key.json["error"]) == (429, "too_many_waiting")
        assert int(of_key.fields["retry-after"]) > 0


def test_fifteen_thousand_wait_at_once(make_hub, missing):
    hub = make_hub()
    jobs = [hub.submit() for _ in range(15)]
    requests = [head(f"{JOBS}/{jobs[i % 15]}?wait=60", hub.client) for i in range(15_000)]
    with many_waiting(hub, requests, missing) as sockets:
        hub.report(jobs[3], "failed", error="no")
        woken = sockets[3::15]
        for _, _, text in answers(woken, len(woken)):
            assert text.startswith(b"HTTP/1.1 200 ") and b'"error":"no"' in text
        wait_for_waiting(hub, 14_000)
        assert hub.job(hub.submit())["status"] == "queued"
    wait_for_waiting(hub, 0)


# --- races -----------------------------------------------------------------------------------------------------------


def test_a_poller_that_follows_a_job_misses_no_state_it_could_have_seen(make_hub):
    """Whoever asks again with the tag of the last answer sees numbers that rise, and the last of all: thousands of
    changes, and no poll is left waiting beside one."""
    hub = make_hub()
    rounds = 2_000

    def follow(job, seen):
        with hub_connection(hub) as connection:
            tag = None
            while not seen or seen[-1]["status"] != "succeeded":
                fields = {"X-API-Key": hub.client} | ({"If-None-Match": tag} if tag else {})
                connection.request("GET", f"{JOBS}/{job}" + ("?wait=20" if tag else ""), headers=fields)
                answer = connection.getresponse()
                body = answer.read()
                assert answer.status == 200, "a change did not answer the poll that waited for it"
                tag = answer.getheader("ETag")
                seen.append(json.loads(body))

    def report(job):
        with hub_connection(hub) as connection:
            for n in range(rounds):
                patch(hub, connection, job, {"status": "running", "progress": n})
            patch(hub, connection, job, {"status": "succeeded", "result": rounds})

    jobs = [hub.submit() for _ in range(3)]
    seen = [[] for _ in jobs]
    with InThreads() as threads:
        for job, states in zip(jobs, seen):
            threads.run(follow, job, states)
            threads.run(report, job)
    for states in seen:
        seqs = [state["seq"] for state in states]
        assert seqs == sorted(set(seqs)) and len(seqs) > rounds / 20
        progress = [state["progress"] for state in states if state["progress"] is not None]
        assert progress == sorted(progress)
        assert states[-1]["result"] == rounds


def test_however_close_the_end_of_a_job_comes_its_poll_is_answered(make_hub):
    hub = make_hub()

    def end(jobs):
        with hub_connection(hub) as connection:
            for job in jobs:
                patch(hub, connection, job, {"status": "failed"})

    jobs = [hub.submit() for _ in range(600)]
    with InThreads() as threads, hub_connection(hub) as connection:
        threads.run(end, jobs)
        for job in jobs:
            began = time.monotonic()
            connection.request("GET", f"{JOBS}/{job}?wait=60", headers={"X-API-Key": hub.client})
            answer = connection.getresponse()
            assert json.loads(answer.read())["status"] == "failed"
            assert time.monotonic() - began < PATIENCE_S


def test_what_was_answered_on_one_connection_is_found_on_every_other(make_hub):
    """Also where the connections belong to other loops, which have not come to hear of it yet."""
    hub = make_hub("--loops", "3")
    jobs = [hub.submit() for _ in range(4)]
    headers = {"X-API-Key": hub.client}
    with contextlib.ExitStack() as stack:
        reporter, *others = [stack.enter_context(hub_connection(hub)) for _ in range(9)]
        for progress in range(150):
            job = jobs[progress % len(jobs)]
            patch(hub, reporter, job, {"status": "running", "progress": progress})
            for other in others:
                other.request("GET", f"{JOBS}/{job}", headers=headers)
            for other in others:
                assert json.loads(other.getresponse().read())["progress"] == progress


def hub_connection(hub):
    return contextlib.closing(hub.http().connect())


def patch(hub, connection, job, body):
    headers = {"X-API-Key": hub.worker, "Content-Type": "application/json"}
    connection.request("PATCH", f"{JOBS}/{job}", json.dumps(body), headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()


# --- lists -----------------------------------------------------------------------------------------------------------


def listed(hub, key, query=""):
    answer = hub.http(key).get(f"{JOBS}{query}")
    assert answer.status == 200, answer
    return answer.json


def walked(hub, key, query):
    """The ids of a whole list, page by page."""
    ids, cursor = [], ""
    while cursor is not None:
        page = listed(hub, key, f"?{query}" + (f"&cursor={cursor}" if cursor else ""))
        ids += [job["job_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    return ids


def test_some_jobs_in_one_poll(hub):
    stranger = hub.make_key(account=hub.make_account())
    jobs = [hub.submit() for _ in range(3)]
    foreign = hub.submit(stranger)
    hub.finish(jobs[1], result=[1])
    missing = str(uuid.uuid4())
    answer = listed(hub, hub.client, f"?ids={jobs[1]},{foreign},{jobs[0]},{missing},{jobs[1]},no%22id,{jobs[2].upper()}")
    assert [job["job_id"] for job in answer["jobs"]] == [jobs[1], jobs[0], jobs[2]]
    assert answer["jobs"][0] == hub.job(jobs[1])
    assert answer["not_found"] == [foreign, missing, 'no"id']
    assert len(listed(hub, hub.worker, f"?ids={foreign},{jobs[0]}")["jobs"]) == 2
    assert len(listed(hub, hub.client, "?ids=" + ",".join(str(uuid.uuid4()) for _ in range(100)))["not_found"]) == 100


@pytest.mark.parametrize(
    "query, wrong",
    [
        ("ids=", "?ids"),
        ("ids=" + ",".join(f"00000000-0000-4000-8000-{n:012}" for n in range(101)), "?ids"),
        ("ids=a&limit=1", "?limit"),
        ("ids=a&ids=b", "?ids"),
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("status=done", "?status"),
        ("cursor=7", "?cursor"),
        ("cursor=", "?cursor"),
        ("owner=me", "?owner"),
    ],
    ids=lambda value: value[:24],
)
def test_a_wrong_query_of_a_list_is_named(hub, query, wrong):
    answer = hub.http(hub.client).get(f"{JOBS}?{query}")
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == wrong


def test_a_list_is_the_callers_own_the_newest_first(hub):
    key, colleague = hub.make_key(), hub.make_key()
    mine, all_jobs = [], []
    for n in range(25):
        job = hub.submit(key if n % 2 else colleague)
        all_jobs.insert(0, job)
        if n % 2:
            mine.insert(0, job)
    for limit in (1, 5, 100):
        assert walked(hub, key, f"limit={limit}") == mine
    assert walked(hub, hub.worker, "limit=100")[:25] == all_jobs
    page = listed(hub, key, "?limit=12")
    assert page["next_cursor"] is None and page["jobs"][0] == hub.job(mine[0], key)
    for job in mine[::3]:
        hub.report(job, "running")
    assert walked(hub, key, "limit=2&status=running") == mine[::3]
    assert walked(hub, key, "limit=2&status=processing") == mine[::3]
    assert walked(hub, key, "limit=2&status=failed") == []


def test_pages_stay_right_while_jobs_come_and_change(hub):
    key = hub.make_key()
    before = [hub.submit(key) for _ in range(30)][::-1]
    seen, cursor = [], ""
    while cursor is not None:
        page = listed(hub, key, "?limit=4" + (f"&cursor={cursor}" if cursor else ""))
        seen += [job["job_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
        hub.submit(key)
        hub.report(before[len(seen) % 30], "running")
    assert seen == before


def test_ownership_account_widens_lists(make_hub):
    hub = make_hub("--ownership", "account")
    account = hub.make_account()
    key, colleague, stranger = hub.make_key(account=account), hub.make_key(account=account), hub.make_key()
    jobs = [hub.submit(one) for one in (key, colleague, stranger, key)]
    assert walked(hub, key, "limit=1") == [jobs[3], jobs[1], jobs[0]]
    assert walked(hub, stranger, "limit=1") == [jobs[2]]


def test_results_that_are_too_large_together_are_left_out(make_hub):
    hub = make_hub("--polling-page-bytes", "65536", "--public-url", "https://hub.example")
    jobs = [hub.submit() for _ in range(4)]
    for job in jobs:
        hub.finish(job, result="x" * 50_000)
    for query in (f"?ids={','.join(jobs)}", "?limit=4"):
        found = listed(hub, hub.client, query)["jobs"]
        assert [one["result"] is None for one in found] == [False, False, True, True]
        assert ["result_url" in one for one in found] == [False, False, True, True]
        assert found[3]["result_url"] == f"https://hub.example{JOBS}/{found[3]['job_id']}"
        assert hub.job(found[3]["job_id"])["result"] == "x" * 50_000


def test_a_foreign_result_takes_no_room_in_a_list(make_hub):
    hub = make_hub("--polling-page-bytes", "65536")
    stranger = hub.make_key(account=hub.make_account())
    job, foreign, missing = hub.submit(), hub.submit(stranger), str(uuid.uuid4())
    hub.finish(foreign, result="x" * 100_000)
    hub.finish(job, result=[1])
    told = [hub.http(hub.client).get(f"{JOBS}?ids={one},{job}").body.replace(one.encode(), b"ID") for one in (foreign, missing)]
    assert told[0] == told[1] and b'"result":[1]' in told[0]


# --- what a job went through -----------------------------------------------------------------------------------------


def test_what_a_job_went_through(hub):
    job = hub.submit()
    hub.report(job, "running", progress={"at": 1})
    hub.report(job, progress={"at": 2})
    hub.report(job, "succeeded", result={"pages": 12})
    http = hub.http(hub.client)
    answer = http.get(f"{JOBS}/{job}/events")
    assert answer.status == 200 and answer.json["job_id"] == job and answer.json["next_cursor"] is None
    events = answer.json["events"]
    assert [event["type"] for event in events] == ["job.queued", "job.running", "job.progress", "job.succeeded"]
    assert [event["data"].get("progress") for event in events] == [None, {"at": 1}, {"at": 2}, None]
    assert events[3]["data"]["result"] == {"pages": 12} and events[0]["data"]["result"] is None
    assert all(event["seq"] == event["data"]["seq"] and event["data"]["job_id"] == job for event in events)
    last = http.get(f"{JOBS}/{job}/events?limit=3").json
    assert last["events"] == events[1:]
    rest = http.get(f"{JOBS}/{job}/events?limit=3&cursor={last['next_cursor']}").json
    assert rest["events"] == events[:1] and rest["next_cursor"] is None
    wrong = http.get(f"{JOBS}/{job}/events?limit=1001&cursor=jobs_1&after=3")
    assert [one["pointer"] for one in wrong.json["errors"]] == ["?limit", "?cursor", "?after"]
