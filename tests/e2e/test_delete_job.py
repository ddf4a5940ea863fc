"""DELETE /jobs/{id}: a final job and its result are erased; its events keep their place."""

import sqlite3
import uuid

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.problems import assert_problem
from harness.receiver import Receiver
from harness.waiting import wait_until
from harness.ws import Client, in_thread, run

# Soon again, and for long.
EAGER = ("--webhooks-retry-delays-s", "0," + ",".join(["1"] * 30))


def delete(hub, job, key=None):
    return hub.http(key or hub.client).delete(f"/api/v1/jobs/{job}")


def finished(hub, key=None, result="the swordfish result"):
    job = hub.submit(key, metadata={"swordfish": "metadata"})
    hub.report(job, "running", progress={"swordfish": "progress"})
    hub.report(job, "succeeded", result=result)
    return job


def assert_gone(hub, job):
    for key in (hub.client, hub.worker, hub.admin):
        assert_problem(hub.http(key).get(f"/api/v1/jobs/{job}"), 404, "not_found")
    assert_problem(hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", {"status": "succeeded"}), 404, "not_found")


def test_a_final_job_goes_and_is_gone(hub):
    job = finished(hub)
    answer = delete(hub, job)
    assert (answer.status, answer.body) == (204, b"")
    assert_gone(hub, job)
    again = delete(hub, job)
    never = delete(hub, uuid.UUID(int=7))
    assert_problem(again, 404, "not_found")
    assert again.json["detail"].replace(job, "") == never.json["detail"].replace(str(uuid.UUID(int=7)), "")
    failed = hub.submit()
    hub.report(failed, "failed", error="no")
    assert delete(hub, failed).status == 204


@pytest.mark.parametrize("status", ["queued", "running"])
def test_one_that_is_not_final_stays(hub, status):
    job = hub.submit()
    if status == "running":
        hub.report(job, "running")
    before = hub.job(job)
    answer = delete(hub, job)
    assert_problem(answer, 409, "job_not_final")
    assert status in answer.json["detail"]
    assert hub.job(job) == before


def test_only_its_owner_and_an_administrator_may(hub):
    job = finished(hub)
    before = hub.job(job)
    for key in (hub.make_key(), hub.worker):
        assert_problem(delete(hub, job, key), 404, "not_found")
    assert_problem(delete(hub, job, "sk_live_" + "0" * 40), 401, "invalid_api_key")
    assert hub.job(job) == before
    assert delete(hub, job, hub.admin).status == 204


def test_a_worker_may_erase_what_it_owns(hub):
    job = finished(hub, hub.worker)
    assert delete(hub, job, hub.worker).status == 204


def test_a_sibling_may_where_ownership_is_the_accounts(make_hub):
    hub = make_hub("--ownership", "account")
    job = finished(hub)
    assert_problem(delete(hub, job, hub.make_key("client", hub.make_account())), 404, "not_found")
    assert delete(hub, job, hub.make_key()).status == 204


def test_what_is_no_id_and_a_body_that_says_something(hub):
    assert_problem(delete(hub, "nonsense"), 404, "not_found")
    job = finished(hub)
    answer = hub.http(hub.client).request("DELETE", f"/api/v1/jobs/{job}", {"force": True})
    assert_problem(answer, 422, "validation_error", "/force")
    assert hub.http(hub.client).request("DELETE", f"/api/v1/jobs/{job}", {}).status == 204


def test_its_id_is_not_given_again(hub):
    job = finished(hub)
    delete(hub, job)
    for key in (hub.client, hub.make_key()):
        assert_problem(hub.http(key).post("/api/v1/jobs", {"job_id": job}), 409, "already_exists")


def test_subscribers_are_sent_nothing(hub):
    async def listen():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            job = await in_thread(finished, hub)
            await client.subscribe(job)
            assert (await in_thread(delete, hub, job)).status == 204
            await client.send({"action": "ping"})
            await client.expect("pong")  # and nothing before it
            await client.send({"action": "subscribe", "job_id": job})
            await client.expect("error", message=f"Job not found or access denied: {job}")

    run(listen())


def test_who_resumes_hears_of_its_events_without_what_they_held(hub):
    async def listen():
        async with Client(hub, query=f"?api_key={hub.client}&resume=1") as client:
            epoch = (await client.expect("connected"))["epoch"]
            job = await in_thread(finished, hub)
            seq = (await in_thread(hub.job, job))["seq"]
            await in_thread(delete, hub, job)
            await client.send({"action": "subscribe", "job_id": "*", "after": seq - 3, "epoch": epoch})
            await client.expect("subscribed", recovered=True)
            for status in ("queued", "running", "succeeded"):
                update = await client.expect("job_update", job_id=job, status=status)
                assert update["result"] is None and update.get("progress") is None

    run(listen())


def test_what_is_still_to_be_delivered_goes_out_without_the_result(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, *EAGER)
    failing = [True]
    with Receiver(lambda received: 503 if failing[0] else 204) as receiver:
        assert hub.http(hub.client).post("/api/v1/webhooks", {"url": receiver.url()}).status == 201
        job = finished(hub)
        (first, *_) = receiver.wait_for_count(1)
        assert first.json["data"]["result"] == "the swordfish result"
        assert delete(hub, job).status == 204
        tried = len(receiver.received)
        failing[0] = False
        later = receiver.wait_for_count(tried + 1)[-1]
        assert later.id == first.id and later.job == job
        assert later.json["data"] == {**first.json["data"], "result": None}


def test_what_waits_its_turn_in_memory_goes_out_without_the_result(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS)
    with Receiver() as receiver:
        body = {"url": receiver.url(), "max_per_second": 1}
        assert hub.http(hub.client).post("/api/v1/webhooks", body).status == 201
        jobs = [finished(hub) for _ in range(3)]
        assert delete(hub, jobs[2]).status == 204
        hooks = {hook.job: hook.json["data"]["result"] for hook in receiver.wait_for_count(3)}
        assert hooks == {jobs[0]: "the swordfish result", jobs[1]: "the swordfish result", jobs[2]: None}


def test_it_stays_gone_after_a_kill_and_nothing_of_it_is_in_the_tables(make_hub):
    hub = make_hub()
    job, other = finished(hub), finished(hub)
    assert delete(hub, job).status == 204
    hub.kill()
    hub.start()
    assert_gone(hub, job)
    assert hub.job(other)["result"] == "the swordfish result"
    assert delete(hub, other).status == 204
    hub.stop()
    database = sqlite3.connect(f"{hub.data}/carillon.db")
    for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        for row in database.execute(f"SELECT * FROM {table}"):
            assert "swordfish" not in str(row), (table, row)
    hub.start()


def test_a_long_history_goes_too(make_hub):
    hub = make_hub()
    job = hub.submit()
    for first in range(0, 3000, 1000):
        updates = [{"job_id": job, "status": "running", "progress": f"swordfish {i}"} for i in range(first, first + 1000)]
        assert hub.http(hub.worker).post("/api/v1/jobs/updates", {"updates": updates}).status == 200
    hub.report(job, "failed")
    assert delete(hub, job).status == 204
    database = sqlite3.connect(f"file:{hub.data}/carillon.db?mode=ro", uri=True, isolation_level=None)
    wait_until(lambda: database.execute("SELECT count(*) FROM events WHERE progress IS NOT NULL").fetchone() == (0,))
    assert database.execute("SELECT count(*) FROM events").fetchone()[0] >= 3002
