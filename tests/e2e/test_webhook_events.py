"""What is told of a webhook itself: that it was disabled, to its owner's others, in the log and in the metrics."""

from conftest import LOCAL_WEBHOOKS
from harness import metrics
from harness.receiver import Receiver
from harness.waiting import wait_until
from harness.ws import Client, in_thread, run


def test_another_webhook_of_the_owner_hears_that_one_was_disabled(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS)
    with Receiver(lambda received: 410 if received.path.startswith("/gone") else 204) as receiver:
        gone = hub.add_webhook(receiver.url("/gone?token=of-the-owners-own"))
        hub.add_webhook(receiver.url("/watch"), events=["webhook.disabled"])
        hub.finish(hub.submit())
        received = receiver.wait_for(lambda all_: any(one.path == "/watch" for one in all_))
    (told,) = [one for one in received if one.path == "/watch"]
    assert told.json["type"] == "webhook.disabled"
    data = told.json["data"]
    assert (data["webhook_id"], data["url"]) == (gone["id"], gone["url"]) and "410" in data["reason"]
    wait_until(lambda: "a webhook was disabled" in hub.log)
    assert gone["id"] in hub.log and receiver.url("/gone") in hub.log and "410" in hub.log
    assert "of-the-owners-own" not in hub.log, "a query may hold a secret"


def test_a_websocket_hears_of_jobs_alone(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS)

    async def listen():
        async with Client(hub, hub.client, f"?api_key={hub.client}&resume=1") as client:
            welcome = await client.expect("connected")
            await client.subscribe("*")
            made = await in_thread(hub.add_webhook, "https://example.com/")
            changed = await in_thread(
                hub.http(hub.client).patch, f"/api/v1/webhooks/{made['id']}", {"status": "disabled"}
            )
            assert changed.status == 200
            job = await in_thread(hub.submit)
            first = await client.expect("job_update", job_id=job, status="queued")
        # The disabling has a number of its own, which leaves no gap that a client could take for something lost.
        async with Client(hub, hub.client, f"?api_key={hub.client}&resume=1") as client:
            await client.expect("connected")
            await client.send({"action": "subscribe", "job_id": "*", "after": 0, "epoch": welcome["epoch"]})
            assert (await client.receive())["recovered"] is True
            await client.expect("job_update", job_id=job, seq=first["seq"])

    run(listen())


def test_metrics_tell_of_attempts_backlog_and_endpoints(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "600")
    with Receiver(lambda received: 500 if received.path == "/bad" else 204) as receiver:
        good = hub.add_webhook(receiver.url("/good"))
        bad = hub.add_webhook(receiver.url("/bad"))
        for _ in range(3):
            hub.finish(hub.submit())
        samples = metrics.wait_for(
            hub,
            lambda now: now['carillon_webhook_attempts_total{outcome="delivered"}'] == 3
            and now['carillon_webhook_attempts_total{outcome="server_error"}'] == 3
            and now["carillon_webhook_deliveries_pending"] == 3,
        )
        for endpoint, outcome in ((good, "delivered"), (bad, "server_error")):
            sample = f'carillon_webhook_endpoint_attempts_total{{webhook="{endpoint["id"]}",outcome="{outcome}"}}'
            assert samples[sample] == 3
        assert samples["carillon_webhook_attempt_seconds_count"] == 6
        assert samples["carillon_webhook_delivery_seconds_count"] == 3
        assert samples["carillon_webhook_endpoints_waiting"] == 0, "what is tried again later is not due"
