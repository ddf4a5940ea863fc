"""The road: one change of one job, on three channels."""

import json
import time
import uuid

from harness.receiver import Receiver
from harness.ws import Client, in_thread, run

# Whatever the text of a result is, that text arrives: order, blanks, escapes and numbers as they were written.
RESULT = '{"z": 1.50e+2,  "a":"\\u00e9 é \\/","big":123456789012345678901234567890,"e":[ ],"t":"\U0001f514"}'
SEED_FIELDS = {"type", "job_id", "status", "result", "error", "ts"}


def test_one_change_is_told_by_three_channels(hub):
    events = ["job.queued", "job.running", "job.succeeded"]

    async def road(receiver):
        secret = hub.http(hub.client).post("/api/v1/webhooks", {"url": receiver.url(), "events": events}).json["secret"]
        polled = []
        started_at = int(time.time())
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            await client.subscribe("*")
            job = await in_thread(hub.submit)
            polled.append(await in_thread(hub.job, job))
            await in_thread(hub.report, job, "running")
            polled.append(await in_thread(hub.job, job))
            body = f'{{"status":"succeeded","result":{RESULT}}}'.encode()
            answer = await in_thread(hub.http(hub.worker).patch, f"/api/v1/jobs/{job}", body)
            assert answer.status == 200
            final = await in_thread(hub.http(hub.client).get, f"/api/v1/jobs/{job}")
            polled.append(final.json)
            frames = [await client.receive_text() for _ in range(3)]
        ended_at = int(time.time())
        hooks = await in_thread(receiver.wait_for_count, 3)
        hooks.sort(key=lambda one: one.json["data"]["seq"])

        statuses = ["queued", "running", "succeeded"]
        told = [json.loads(frame) for frame in frames]
        assert [one["status"] for one in told] == statuses
        assert [one["status"] for one in polled] == statuses
        assert [one.json["type"] for one in hooks] == events
        assert all(one["job_id"] == job for one in told + polled) and all(one.job == job for one in hooks)
        assert all(one.is_signed_with(secret) for one in hooks)
        assert len({one.id for one in hooks}) == 3

        seqs = [one["seq"] for one in polled]
        assert seqs == sorted(set(seqs))
        assert [one.json["data"]["seq"] for one in hooks] == seqs
        times = [one["ts"] for one in polled]
        assert started_at <= times[0] <= times[1] <= times[2] <= ended_at
        assert [one["ts"] for one in told] == times
        assert [one.json["data"]["ts"] for one in hooks] == times

        assert f'"result":{RESULT},' in frames[2]
        assert f'"result":{RESULT},'.encode() in final.body
        assert f'"result":{RESULT},'.encode() in hooks[2].body

    with Receiver() as receiver:
        run(road(receiver))


def test_a_subscriber_hears_every_change_with_the_fields_of_the_protocol(hub):
    job = hub.submit()

    async def listen():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            present = await client.subscribe(job)
            assert present.keys() == SEED_FIELDS
            assert (present["status"], present["result"], present["error"]) == ("queued", None, None)
            await in_thread(hub.report, job, "running")
            assert (await client.expect("job_update", status="running")).keys() == SEED_FIELDS
            await in_thread(hub.report, job, progress={"page": 3})
            update = await client.expect("job_update", status="running", progress={"page": 3})
            assert update.keys() == SEED_FIELDS | {"progress"}
            await in_thread(hub.report, job, "failed", error="Target URL returned 403")
            update = await client.expect("job_update", status="failed", error="Target URL returned 403", result=None)
            assert update.keys() == SEED_FIELDS

    run(listen())


def test_a_poller_learns_of_changes_by_their_etag(hub):
    job = hub.submit()
    path = f"/api/v1/jobs/{job}"
    http = hub.http(hub.client)
    first = http.get(path)
    assert first.fields["etag"] == f'"{first.json["seq"]}"'
    assert int(first.fields["retry-after"]) >= 1
    unchanged = http.get(path, If_None_Match=first.fields["etag"])
    assert (unchanged.status, unchanged.body, unchanged.fields["etag"]) == (304, b"", first.fields["etag"])
    reported = hub.report(job, "running")
    changed = http.get(path, If_None_Match=first.fields["etag"])
    assert changed.status == 200 and changed.json == reported
    hub.report(job, "succeeded", result=None)
    assert "retry-after" not in http.get(path).fields


def test_a_submission_is_answered_with_the_job(hub):
    job = str(uuid.uuid4())
    answer = hub.http(hub.client).post("/api/v1/jobs", {"job_id": job, "metadata": {"team": "ops", "n": [1, 2.0]}})
    assert answer.status == 201
    assert answer.fields["location"] == f"/api/v1/jobs/{job}"
    assert answer.fields["content-type"] == "application/json"
    shown = answer.json
    assert shown.keys() == {
        "job_id", "status", "result", "error", "progress", "metadata", "created_at", "updated_at", "ts", "seq",
    }  # fmt: skip
    assert (shown["status"], shown["metadata"]) == ("queued", {"team": "ops", "n": [1, 2.0]})
    assert hub.job(job) == shown


def test_a_job_without_an_id_is_given_one(hub):
    answer = hub.http(hub.client).post("/api/v1/jobs")
    assert answer.status == 201
    job = answer.json["job_id"]
    assert str(uuid.UUID(job)) == job
    assert hub.job(job)["metadata"] is None


def test_a_worker_submits_for_a_client(hub):
    owner = hub.make_key("client")
    job = hub.submit(hub.worker, owner=owner.id)
    assert hub.job(job, owner)["status"] == "queued"
    assert hub.http(hub.client).get(f"/api/v1/jobs/{job}").status == 404


def test_a_client_reports_on_its_own_job(hub):
    job = hub.submit()
    assert hub.http(hub.client).patch(f"/api/v1/jobs/{job}", {"status": "running"}).status == 200
    assert hub.job(job)["status"] == "running"


def test_other_words_for_a_status_are_taken_and_never_sent(hub):
    job = hub.submit()
    assert hub.report(job, "pending")["status"] == "queued"
    assert hub.report(job, "processing")["status"] == "running"


def test_a_report_repeated_makes_no_event(hub):
    job = hub.submit()
    running = hub.report(job, "running")
    assert hub.report(job, "running") == running
    done = hub.report(job, "succeeded", result={"n": 1})
    assert hub.report(job, "succeeded", result={"n": 2}) == done
    assert hub.job(job) == done


def test_a_key_is_taken_from_either_field(hub):
    job = hub.submit()
    bearer = hub.http().get(f"/api/v1/jobs/{job}", Authorization=f"Bearer {hub.client}")
    assert bearer.status == 200 and bearer.json["job_id"] == job


def test_head_answers_as_get_without_the_body(hub):
    job = hub.submit()
    get = hub.http(hub.client).get(f"/api/v1/jobs/{job}")
    head = hub.http(hub.client).request("HEAD", f"/api/v1/jobs/{job}")
    assert (head.status, head.body) == (200, b"")
    assert head.fields["etag"] == get.fields["etag"]
    assert head.fields["content-length"] == get.fields["content-length"]


def test_health_needs_no_key(hub):
    assert hub.http().get("/healthz").status == 200
    assert hub.http().get("/readyz").status == 200
