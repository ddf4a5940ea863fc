"""POST /jobs/updates: many reports in one request, each with its own outcome, in their order, in one transaction."""

import json
import uuid

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.http import RawConnection
from harness.problems import assert_problem
from harness.receiver import Receiver
from harness.ws import Client, in_thread, run

NOWHERE = "550e8400-e29b-41d4-a716-446655440000"


def report_all(hub, updates, key=None):
    answer = hub.http(key or hub.worker).post("/api/v1/jobs/updates", {"updates": updates})
    assert answer.status == 200, answer
    assert answer.json.keys() == {"results"}
    return answer.json["results"]


def refused(hub, body, status, code, *pointers):
    assert_problem(hub.http(hub.worker).post("/api/v1/jobs/updates", body), status, code, *pointers)


def test_each_has_its_outcome_in_its_place(hub):
    one, other = hub.submit(), hub.submit()
    results = report_all(
        hub,
        [
            {"job_id": one, "status": "running", "progress": {"page": 1}},
            {"job_id": NOWHERE, "status": "running"},
            {"job_id": other, "status": "succeeded"},
            {"job_id": one, "status": "succeeded", "result": {"pages": 12}},
            {"job_id": other, "status": "failed", "error": "no"},
        ],
    )
    assert [one["status"] for one in results] == [200, 404, 409, 200, 200]
    assert [one["job_id"] for one in results] == [one, NOWHERE, other, one, other]
    assert results[0].keys() == {"job_id", "status", "seq"}
    assert results[0]["seq"] < results[3]["seq"] < results[4]["seq"]
    assert results[1] == {
        "job_id": NOWHERE,
        "status": 404,
        "error": "not_found",
        "message": f"Job not found or access denied: {NOWHERE}",
    }
    assert results[2]["error"] == "invalid_transition" and results[2]["message"]
    job = hub.job(one)
    assert (job["status"], job["result"], job["progress"]) == ("succeeded", {"pages": 12}, {"page": 1})
    assert job["seq"] == results[3]["seq"]
    assert (hub.job(other)["status"], hub.job(other)["error"]) == ("failed", "no")


def test_the_same_again_is_no_event(hub):
    job = hub.submit()
    (first,) = report_all(hub, [{"job_id": job, "status": "running"}])
    again = report_all(hub, [{"job_id": job, "status": "running"}] * 3)
    assert [one["seq"] for one in again] == [first["seq"]] * 3


def test_all_channels_hear_of_each(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS)
    jobs = [hub.submit() for _ in range(50)]

    async def listen():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            await client.subscribe("*")
            results = await in_thread(report_all, hub, [{"job_id": job, "status": "running"} for job in jobs])
            results += await in_thread(
                report_all, hub, [{"job_id": job, "status": "succeeded", "result": i} for i, job in enumerate(jobs)]
            )
            assert {one["status"] for one in results} == {200}
            for job in jobs:
                await client.expect("job_update", job_id=job, status="running")
            for i, job in enumerate(jobs):
                await client.expect("job_update", job_id=job, status="succeeded", result=i)

    with Receiver() as receiver:
        assert hub.http(hub.client).post("/api/v1/webhooks", {"url": receiver.url()}).status == 201
        run(listen())
        hooks = receiver.wait_for_count(len(jobs))
        assert {hook.job: hook.json["data"]["result"] for hook in hooks} == {job: i for i, job in enumerate(jobs)}


def test_a_client_reports_on_its_own_and_sees_no_other(hub):
    own, foreign = hub.submit(), hub.submit(hub.make_key())
    results = report_all(
        hub, [{"job_id": job, "status": "running"} for job in (foreign, NOWHERE, own)], key=hub.client
    )
    assert [one["status"] for one in results] == [404, 404, 200]
    # Another's answers exactly as one that is not there.
    assert results[0]["message"].replace(foreign, "") == results[1]["message"].replace(NOWHERE, "")
    assert results[0]["error"] == results[1]["error"]
    assert hub.job(foreign, hub.worker)["status"] == "queued"
    assert_problem(hub.http(hub.admin).post("/api/v1/jobs/updates", {"updates": []}), 403, "forbidden")
    assert_problem(hub.http().post("/api/v1/jobs/updates", {"updates": []}), 401, "missing_api_key")


@pytest.mark.parametrize(
    ("update", "status", "pointers"),
    [
        (5, 422, [""]),
        (None, 422, [""]),
        ([], 422, [""]),
        ({}, 422, ["/job_id"]),
        ({"status": "running"}, 422, ["/job_id"]),
        ({"job_id": None, "status": "running"}, 422, ["/job_id"]),
        ({"job_id": "17", "status": "running"}, 422, ["/job_id"]),
        ({"job_id": NOWHERE}, 422, ["/status"]),
        ({"job_id": NOWHERE, "status": "done"}, 422, ["/status"]),
        ({"job_id": NOWHERE, "status": "running", "result": 1}, 422, ["/result"]),
        ({"job_id": NOWHERE, "status": "succeeded", "error": "x"}, 422, ["/error"]),
        ({"job_id": NOWHERE, "status": "failed", "error": {}}, 422, ["/error"]),
        ({"job_id": NOWHERE, "status": "failed", "progress": 1}, 422, ["/progress"]),
        ({"job_id": NOWHERE, "status": "running", "colour": "red", "a/b": 1}, 422, ["/colour", "/a~1b"]),
        ({"job_id": NOWHERE, "status": "running", "progress": "x" * 5000}, 413, ["/progress"]),
    ],
)
def test_one_that_is_wrong_fails_alone(hub, update, status, pointers):
    job = hub.submit()
    before, wrong, after = report_all(
        hub, [{"job_id": job, "status": "running"}, update, {"job_id": job, "status": "succeeded", "result": 1}]
    )
    assert (before["status"], wrong["status"], after["status"]) == (200, status, 200)
    assert wrong["error"] == ("too_large" if status == 413 else "validation_error")
    assert [one["pointer"] for one in wrong["errors"]] == ["/updates/1" + pointer for pointer in pointers]
    named = isinstance(update, dict) and update.get("job_id") == NOWHERE
    assert wrong["job_id"] == (NOWHERE if named else None)
    assert hub.job(job)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/updates"]),
        ({"updates": None}, ["/updates"]),
        ({"updates": {}}, ["/updates"]),
        ({"updates": "x"}, ["/updates"]),
        ({"updates": [], "more": 1}, ["/more"]),
    ],
)
def test_a_request_that_is_wrong_is_refused_whole(hub, body, pointers):
    refused(hub, body, 422, "validation_error", *pointers)


@pytest.mark.parametrize(
    "end",
    [
        b'{"job_id":"x"',
        b'{"job_id":"x"}]',
        b'{"status":"running","status":"failed"}]}',
        b'"\xff"]}',
        b'{"progress":' + b"[" * 64 + b"]" * 64 + b"}]}",
        b'{}],"updates":[]}',
        b"{}]} x",
    ],
)
def test_a_body_that_is_unsound_at_its_end_changes_nothing(hub, end):
    job = hub.submit()
    body = b'{"updates":[{"job_id":"' + job.encode() + b'","status":"running"},' + end
    refused(hub, body, 400, "invalid_json")
    assert hub.job(job)["status"] == "queued"


def test_none_and_as_many_as_may_be(hub):
    assert report_all(hub, []) == []
    job = hub.submit()
    report_all(hub, [{"job_id": job, "status": "running"}])
    many = [{"job_id": job, "progress": i} for i in range(1000)]
    results = report_all(hub, many)
    assert [one["seq"] for one in results] == list(range(results[0]["seq"], results[0]["seq"] + 1000))
    assert hub.job(job)["progress"] == 999
    refused(hub, {"updates": [*many, many[0]]}, 413, "too_large", "/updates")
    assert hub.job(job)["seq"] == results[-1]["seq"]


def test_the_limit_is_a_setting(make_hub):
    hub = make_hub("--limits-updates", "2")
    job = hub.submit()
    update = {"job_id": job, "status": "running"}
    assert len(report_all(hub, [update] * 2)) == 2
    refused(hub, {"updates": [update] * 3}, 413, "too_large", "/updates")


def test_a_body_may_be_as_large_as_any(hub):
    jobs = [hub.submit() for _ in range(2)]
    report_all(hub, [{"job_id": job, "status": "running"} for job in jobs])
    large = "ä" * (1 << 20)
    updates = [{"job_id": job, "status": "succeeded", "result": large} for job in jobs]
    body = json.dumps({"updates": updates}, ensure_ascii=False).encode()
    answer = hub.http(hub.worker).post("/api/v1/jobs/updates", body)
    assert [one["status"] for one in answer.json["results"]] == [200, 200]
    assert [hub.job(job)["result"] for job in jobs] == [large] * 2
    with RawConnection(hub.port) as connection:
        connection.send(
            f"POST /api/v1/jobs/updates HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.worker}\r\n"
            "Content-Length: 8388609\r\n\r\n"
        )
        assert_problem(connection.answer(), 413, "body_too_large")


def test_what_was_acknowledged_outlives_a_kill(make_hub):
    hub = make_hub()
    jobs = [hub.submit() for _ in range(300)]
    results = report_all(hub, [{"job_id": job, "status": "running", "progress": str(uuid.uuid4())} for job in jobs])
    before = [hub.job(job) for job in jobs]
    hub.kill()
    hub.start()
    assert [hub.job(job) for job in jobs] == before
    assert [one["seq"] for one in results] == [job["seq"] for job in before]
