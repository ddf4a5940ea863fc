"""One job, three channels: the road from report to each of them."""

from harness.hub import run_command
from harness.receiver import Receiver
from harness.ws import Client, run


def test_a_change_reaches_all_three_channels(hub):
    with Receiver() as receiver:
        job = hub.submit(webhook_url=receiver.url(), metadata={"page": 7})

        async def watch():
            async with Client(hub, hub.client) as client:
                await client.expect("connected", message="WebSocket connection established")
                assert (await client.subscribe(job))["status"] == "queued"
                hub.report(job, "running", progress={"m": 1})
                hub.report(job, "succeeded", result={"text": "ü €", "list": [1, 2.50]})
                running = await client.expect("job_update", job_id=job, status="running", progress={"m": 1})
                return running, await client.expect("job_update", job_id=job, status="succeeded")

        running, succeeded = run(watch())
        assert running.keys() == {"type", "job_id", "status", "result", "error", "progress", "ts"}
        assert succeeded.keys() == {"type", "job_id", "status", "result", "error", "ts"}
        assert succeeded["result"] == {"text": "ü €", "list": [1, 2.5]} and succeeded["error"] is None

        (hook,) = receiver.wait_for(lambda all_: len(all_) == 1)
        shown = hub.job(job)
        assert hook.json["type"] == "job.succeeded"
        assert hook.json["data"] == {
            "job_id": job, "status": "succeeded", "result": succeeded["result"], "error": None,
            "ts": succeeded["ts"], "seq": shown["seq"],
        }
        assert shown["status"] == "succeeded" and shown["result"] == succeeded["result"]
        assert shown["metadata"] == {"page": 7} and shown["progress"] == {"m": 1}
        assert b'"list": [1, 2.5]' in hub.http(hub.client).get(f"/api/v1/jobs/{job}").body  # the text as it came


def test_polling_answers_304_while_nothing_changed(hub):
    job = hub.submit()
    http = hub.http(hub.client)
    first = http.get(f"/api/v1/jobs/{job}")
    assert first.fields["etag"] == f'"{first.json["seq"]}"' and int(first.fields["retry-after"]) >= 1
    again = http.get(f"/api/v1/jobs/{job}", If_None_Match=first.fields["etag"])
    assert (again.status, again.body) == (304, b"")
    hub.report(job, "failed", error="no")
    changed = http.get(f"/api/v1/jobs/{job}", If_None_Match=first.fields["etag"])
    assert changed.status == 200 and changed.json["error"] == "no"
    assert changed.json["seq"] > first.json["seq"] and "retry-after" not in changed.fields


def demo_at(hub):
    return run_command("demo", "--url", f"http://127.0.0.1:{hub.port}", "--key", hub.client, "--worker-key", hub.worker,
                       check=False)


def test_the_demonstration_shows_all_three(hub):
    for done in (demo_at(hub), run_command("demo", check=False)):
        assert done.returncode == 0, done
        for channel in ("websocket", "webhook", "polling"):
            assert f"{channel}: told that the job succeeded" in done.stdout


def test_the_demonstration_fails_where_a_channel_does_not_tell(make_hub):
    done = demo_at(make_hub())  # webhooks may not go to this machine
    assert done.returncode == 1 and "/webhook_url must begin with https://" in done.stderr
