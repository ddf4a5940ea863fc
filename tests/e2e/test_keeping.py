"""What is old goes, with short times: what a client sees of it on each channel."""

import sqlite3
import uuid

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.files import database
from harness.hub import run_command
from harness.receiver import Receiver
from harness.waiting import wait_until
from harness.ws import run
from test_resume import Resuming

EVENTS = "/api/v1/events"


def gone(hub, job):
    return hub.http(hub.client).get(f"/api/v1/jobs/{job}").status == 404


def test_a_final_job_goes_and_its_id_is_not_given_again(make_hub):
    hub = make_hub("--store-keep-jobs-s", "1")
    job, running = hub.submit(), hub.submit()
    hub.finish(job, {"pages": 12})
    hub.report(running, "running", progress={"at": 1})
    wait_until(lambda: gone(hub, job))
    assert hub.job(running)["progress"] == {"at": 1}
    again = hub.http(hub.client).post("/api/v1/jobs", {"job_id": job})
    assert again.status == 409 and "is gone" in again.json["message"]
    listed = hub.http(hub.client).get("/api/v1/jobs").json["jobs"]
    assert [one["job_id"] for one in listed] == [running]
    hub.finish(running)
    wait_until(lambda: gone(hub, running))
    hub.stop()
    connection = sqlite3.connect(database(hub))
    for table in ("jobs", "job_states", "events", "kept_events"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    connection.close()
    hub.start()
    assert hub.job(hub.submit())["seq"] == 7, "numbers go on"


def test_events_go_and_every_channel_says_so(make_hub):
    hub = make_hub("--store-keep-events-s", "2")
    http = hub.http(hub.client)
    job = hub.submit()
    hub.report(job, "running", progress=1)
    last = hub.report(job, progress=2)["seq"]
    wait_until(lambda: http.get(f"{EVENTS}?after=0").status == 410)

    refused = http.get(f"{EVENTS}?after=0")
    assert refused.json["error"] == "events_gone" and refused.json["begins_after"] == refused.json["last"] == last
    assert http.get(f"{EVENTS}?after={last}").json["events"] == []
    assert http.get(EVENTS).json["next_after"] == last
    tag = http.get(f"/api/v1/jobs/{job}").fields["etag"]
    assert http.get(f"/api/v1/jobs/{job}", if_none_match=tag).status == 304

    async def talk():
        async with Resuming(hub) as client:
            assert await client.resume(job, last)
            assert await client.texts_until_pong() == []
            assert not await client.resume(str(job), 1)
            state = await client.expect("job_update")
            assert (state["seq"], state["progress"]) == (last, 2)
            assert not await client.resume("*", 1)
            assert await client.resume("*", last)

    run(talk())
    after = hub.report(job, progress=3)["seq"]
    assert after == last + 1
    assert [event["seq"] for event in http.get(f"{EVENTS}?after={last}").json["events"]] == [after]
    assert [event["seq"] for event in http.get(f"/api/v1/jobs/{job}/events").json["events"]] == [after]


def test_what_is_still_owed_is_delivered_whole_however_old(make_hub):
    hold = [True]
    with Receiver(lambda received: 500 if hold[0] else 200) as receiver:
        hub = make_hub(
            *LOCAL_WEBHOOKS, "--store-keep-jobs-s", "1", "--store-keep-events-s", "1",
            "--webhooks-retry-delays-s", ",".join(["1"] * 100),
        )
        hub.add_webhook(receiver.url())
        job, other = hub.submit(), hub.submit(hub.make_key())
        hub.finish(job, {"pages": 12})
        hub.finish(other)
        wait_until(lambda: hub.http(hub.admin).get(f"/api/v1/jobs/{other}").status == 404)
        assert hub.job(job)["result"] == {"pages": 12}, "it waits for its delivery"
        receiver.received.clear()
        hold[0] = False
        wait_until(lambda: receiver.received)
        data = receiver.received[-1].json["data"]
        assert (data["job_id"], data["result"]) == (job, {"pages": 12})
        wait_until(lambda: gone(hub, job))


def test_retention_goes_on_over_kills(make_hub):
    hub = make_hub("--store-keep-jobs-s", "1000000")
    for _ in range(300):
        hub.finish(hub.submit())
    hub.kill()
    hub.options = ["--store-keep-jobs-s", "1"]
    for _ in range(3):
        hub.start()
        hub.kill()
    hub.start()
    key = hub.http(hub.client)
    wait_until(lambda: not key.get("/api/v1/jobs").json["jobs"])
    assert key.get(f"{EVENTS}?after=0").json["begins_after"] == 900
    assert hub.job(hub.submit(job_id=str(uuid.uuid4())))["seq"] == 901


@pytest.mark.parametrize("setting", ["keep_jobs_s", "keep_events_s"])
def test_a_time_that_is_none_is_refused(tmp_path, setting):
    done = run_command("serve", "--data", str(tmp_path / "d"), f"--store-{setting.replace('_', '-')}", "-1", check=False)
    assert done.returncode == 2 and setting.replace("_", "-") in done.stderr
