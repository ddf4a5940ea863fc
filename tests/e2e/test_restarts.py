"""What a hub knew, it knows after the next start: however it ended, and however often."""

from conftest import LOCAL_WEBHOOKS
from harness.receiver import Receiver

# Soon again, and for long: what fails while the receiver is down is sent when it is up.
EAGER = ("--webhooks-retry-delays-s", "0," + ",".join(["1"] * 30))


def test_a_hub_that_is_asked_to_end_ends_well_and_comes_back(make_hub):
    hub = make_hub()
    job = hub.submit(metadata={"n": 1})
    before = hub.report(job, "running", progress={"page": 2})
    keys = dict(hub.keys)
    hub.stop()
    hub.start()
    assert hub.keys == keys, "keys are shown at the first start alone"
    assert hub.job(job) == before
    assert hub.report(job, "failed", error="no")["seq"] > before["seq"]


def test_numbers_go_on_where_they_were_after_a_kill(make_hub):
    hub = make_hub()
    before = hub.report(hub.submit(), "running")["seq"]
    hub.kill()
    hub.start()
    assert hub.job(hub.submit())["seq"] > before


def test_a_waiting_delivery_outlives_any_number_of_kills_under_one_id(make_hub):
    with Receiver(answer=lambda received: 503) as broken, Receiver(listening=False) as away:
        hub = make_hub(*LOCAL_WEBHOOKS, *EAGER)
        made = [hub.http(hub.client).post("/api/v1/webhooks", {"url": one.url()}).json for one in (broken, away)]
        job = hub.submit()
        hub.finish(job)
        seen = 0
        for _ in range(3):
            seen = len(broken.wait_for_count(seen + 1))
            hub.kill()
            hub.start()
        assert len({hook.id for hook in broken.wait_for_count(seen + 1)}) == 1
        away.listen()
        (hook, *_) = away.wait_for_count(1)
        assert hook.job == job and hook.is_signed_with(made[1]["secret"])
        shown = hub.http(hub.client).get("/api/v1/webhooks").json["webhooks"]
        assert {one["id"] for one in shown} == {one["id"] for one in made}


def test_a_disabled_key_stays_disabled_after_a_kill(make_hub):
    hub = make_hub()
    key = hub.make_key()
    hub.ask_admin(f"/keys/{key.id}/disable")
    hub.kill()
    hub.start()
    assert hub.http(key).get("/api/v1/jobs/x").json["error"] == "api_key_disabled"
