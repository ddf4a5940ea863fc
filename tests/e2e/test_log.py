"""Keys and secrets never reach a log, whatever goes wrong with them."""

import json

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.http import RawConnection
from harness.receiver import Receiver
from harness.waiting import wait_until
from harness.ws import Client, run

SECRET = "whsec_" + "QUJD" * 8
WRONG_KEY = "sk_live_" + "W" * 40


def use_keys_in_every_way(hub):
    """All that is told to the hub that it must keep to itself."""
    disabled = hub.make_key()
    hub.ask_admin(f"/keys/{disabled.id}/disable")
    rotated = hub.ask_admin(f"/keys/{hub.make_key().id}/rotate")["key"]
    keys = [*hub.keys.values(), disabled, rotated, WRONG_KEY]

    async def connect(**options):
        async with Client(hub, **options) as client:
            if key in (disabled, WRONG_KEY):
                await client.closed()
                return
            await client.expect("connected")
            await client.send({"action": "subscribe", "job_id": key})
            await client.expect("error")

    for key in keys:
        hub.http(key).get(f"/api/v1/jobs/1?api_key={key}")
        hub.http().get(f"/api/v1/{key}?api_key={key}", Authorization=f"Bearer {key}")
        hub.http(key).post("/api/v1/jobs", {"job_id": key, key: 1})
        run(connect(key=key))
        run(connect(subprotocols=[key]))
        with RawConnection(hub.port) as connection:
            connection.send(f"GET /?api_key={key} HTTP/1.1\r\nHost: hub\r\nX-API-Key: {key}\r\nX-API-Key : {key}\r\n")
            assert connection.answer().status == 400
    with Receiver(lambda received: 500) as receiver:
        body = {"url": receiver.url(f"/?token={SECRET}"), "secret": SECRET}
        assert hub.http(hub.client).post("/api/v1/webhooks", body).status == 201
        hub.finish(hub.submit())
        receiver.wait_for_count(1)
    client = hub.http(hub.client)
    webhook = hub.add_webhook("https://127.0.0.1:1/")
    made = [webhook["secret"], client.post(f"/api/v1/webhooks/{webhook['id']}/rotate-secret").json["secret"]]
    made += [client.get("/api/v1/webhook-secret").json["secret"]]
    made += [client.post("/api/v1/webhook-secret/rotate").json["secret"]]
    for secret in made:
        client.get(f"/api/v1/webhooks/{secret}?secret={secret}")
    return [*keys, SECRET, *made]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_key_reaches_the_log(make_hub, form):
    hub = make_hub(*LOCAL_WEBHOOKS, "--log-level", "debug", "--log-access", "--log-format", form)
    secrets = use_keys_in_every_way(hub)
    hub.command("key", "create", "--account", "default")
    hub.stop()
    assert hub.log.count("\n") >= 3, "it says at least that it serves and that it ends"
    # Not a part of one either.
    for secret in secrets:
        random_part = secret.removeprefix("sk_live_").removeprefix("whsec_")
        assert random_part[:12] not in hub.log and random_part[-12:] not in hub.log
    assert "sk_live_" not in hub.log.replace("sk_live_***", "")


def test_json_lines_are_json(make_hub):
    hub = make_hub("--log-format", "json", "--log-level", "debug")
    use = hub.http('sk_live_"\\').get('/api/v1/jobs/"quoted"\\')
    assert use.status == 401
    hub.stop()
    lines = [json.loads(line) for line in hub.log.splitlines()]
    assert lines
    for line in lines:
        assert line.keys() >= {"time", "level", "message"}
        assert line["level"] in ("error", "warning", "info", "debug")
    assert any(line.get("address") == f"127.0.0.1:{hub.port}" for line in lines)


def test_the_level_decides_what_is_logged(make_hub):
    hub = make_hub("--log-level", "error")
    hub.submit()
    hub.stop()
    assert hub.log == ""


def test_the_road_is_told_at_level_debug(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, "--log-level", "debug", "--log-format", "json")
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    with Receiver(lambda received: 204) as receiver:
        webhook = hub.add_webhook(receiver.url("/?token=hidden"), events=["job.running"])
        job = hub.submit(metadata={"secret": "never told"})
        fields = {"X_Request_Id": "one", "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
        hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", {"status": "running", "progress": "never told"}, **fields)
        hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", {"status": "queued"}, X_Request_Id="two")
        hub.http(hub.worker).post("/api/v1/jobs/updates", {"updates": [{"job_id": job, "status": "failed"}] * 2})
        receiver.wait_for_count(1)
        wait_until(lambda: '"attempted"' in hub.log)
    hub.stop()
    told = {}
    for line in map(json.loads, hub.log.splitlines()):
        told.setdefault(line["message"], []).append(line)
    assert told["submitted"][0]["job"] == job and told["submitted"][0]["key"].startswith("key_")
    reported = told["reported"][0]
    assert (reported["job"], reported["status"], reported["request"], reported["trace_id"]) == (job, "running", "one", trace_id)
    refused = told["refused"][0]
    assert (refused["job"], refused["error"], refused["request"]) == (job, "invalid_transition", "two")
    assert told["reported many"][0]["taken"] == 2 and told["reported many"][0]["refused"] == 0
    attempted = told["attempted"][0]
    assert attempted["webhook"] == webhook["id"] and attempted["job"] == job and attempted["seq"] == reported["seq"]
    assert attempted["status"] == 204 and attempted["outcome"] == "delivered" and attempted["trace_id"] == trace_id
    assert "never told" not in hub.log and "hidden" not in hub.log
    assert "sk_live_" not in hub.log
