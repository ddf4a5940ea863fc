"""Someone sets the clock, an hour forwards or back, while the hub serves: what waits for a while waits for that while,
what is stamped never runs backwards within a job, and what ends at a time of day ends by the clock."""

import asyncio
import datetime
import re
import time

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.hub import Hub
from harness.receiver import Receiver
from harness.waiting import wait_until
from harness.world import World
from harness.ws import Client, in_thread, run

pytestmark = pytest.mark.plain_binary

HOUR_S = 3600
JUMPS = {"forwards": HOUR_S, "back": -HOUR_S}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def make(tmp_path, world):
    """Makes the hub of a test, in a world whose clock it sets."""
    hubs = []

    def made(*options):
        hub = Hub(tmp_path, *LOCAL_WEBHOOKS, *options)
        hub.environment = world.environment
        hubs.append(hub)
        return hub.start()

    yield made
    for hub in hubs:
        hub.close()


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def rfc3339(time_s):
    return datetime.datetime.fromtimestamp(time_s, datetime.timezone.utc).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("jump", JUMPS)
def test_order_and_times(make, world, jump):
    hub = make()
    job = hub.submit()
    before = hub.report(job, "running", progress={"n": 1})
    world.set_clock(JUMPS[jump])
    after = hub.report(job, progress={"n": 2})
    assert after["seq"] > before["seq"] and seconds_of(after["updated_at"]) >= seconds_of(before["updated_at"])
    world.set_clock(0)
    final = hub.report(job, "succeeded", result=1)
    events = hub.http(hub.client).get(f"/api/v1/jobs/{job}/events").json["events"]
    times = [seconds_of(event["timestamp"]) for event in events]
    assert times == sorted(times) and len(times) == 4
    assert seconds_of(final["updated_at"]) >= times[2]

    # Another job is not held to what this one has seen.
    assert abs(seconds_of(hub.job(hub.submit())["created_at"]) - time.time()) < 60
    feed = hub.http(hub.client).get("/api/v1/events?after=0").json["events"]
    assert [event["seq"] for event in feed] == sorted(event["seq"] for event in feed)
    assert len(feed) == 5


@pytest.mark.parametrize("jump", JUMPS)
def test_polls_that_wait(make, world, jump):
    """Each to the end of its time, and no longer."""
    hub = make()
    job = hub.submit()

    async def wait_out():
        async def poll(path):
            began = time.monotonic()
            answer = await in_thread(hub.http(hub.client).get, path)
            return answer, time.monotonic() - began

        polls = [asyncio.create_task(poll(path)) for path in
                 (f"/api/v1/jobs/{job}?wait=2", f"/api/v1/events?after={hub.job(job)['seq']}&wait=2")]
        await asyncio.sleep(0.5)  # they wait when the clock is set
        world.set_clock(JUMPS[jump])
        for answer, took_s in [await one for one in polls]:
            assert answer.status == 200 and 1.9 < took_s < 10, (answer, took_s)

    run(wait_out())
    # And one that something happens for is answered at once.
    world.set_clock(0)

    async def be_woken():
        woken = asyncio.create_task(in_thread(hub.http(hub.client).get, f"/api/v1/jobs/{job}?wait=60"))
        await asyncio.sleep(0.2)
        world.set_clock(JUMPS[jump])
        began = time.monotonic()
        await in_thread(hub.finish, job)
        assert (await woken).json["status"] == "succeeded" and time.monotonic() - began < 10

    run(be_woken())


def wait_until_noted(hub, hook, attempts):
    """So many attempts at the first delivery, and with them when the next is due."""
    path = f"/api/v1/webhooks/{hook['id']}/deliveries"
    wait_until(lambda: hub.http(hub.client).get(path).json["deliveries"][-1]["attempt_count"] == attempts)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_retry_comes_when_its_time_is_over(make, world, jump):
    hub = make("--webhooks-retry-delays-s", "0,4,600")
    with Receiver(answer=lambda received: 500) as receiver:
        hook = hub.add_webhook(receiver.url())
        hub.finish(hub.submit())
        first, second = receiver.wait_for_count(2)
        wait_until_noted(hub, hook, 2)
        world.set_clock(JUMPS[jump])
        # Something new has it looked at: it is sent at once, and the other is not.
        began = time.monotonic()
        job = hub.submit()
        hub.finish(job)
        receiver.wait_for(lambda all_: any(one.job == job for one in all_))
        assert time.monotonic() - began < 3

        def of_the_first():
            return [one for one in receiver.received if one.job != job]

        receiver.wait_for(lambda _: len(of_the_first()) >= 3)
        third = of_the_first()[2]
        assert 4 * 0.8 - 0.1 <= third.at - second.at < 15, (first.at, second.at, third.at)
        assert abs(int(third.fields["webhook-timestamp"]) - world.now_s()) < 60, "receivers look at the time of day"


@pytest.mark.parametrize("jump", JUMPS)
def test_a_retry_of_an_ordered_webhook(make, world, jump):
    hub = make("--webhooks-retry-delays-s", "0,3,600")
    answers = iter([500, 500])
    with Receiver(answer=lambda received: next(answers, 204)) as receiver:
        hook = hub.add_webhook(receiver.url(), events=["job.running", "job.succeeded"], ordered=True)
        job = hub.submit()
        hub.finish(job)
        second = receiver.wait_for_count(2)[1]
        wait_until_noted(hub, hook, 2)
        world.set_clock(JUMPS[jump])
        received = receiver.wait_for_count(4)
        assert 3 * 0.8 - 0.1 <= received[2].at - second.at < 15
        assert [one.json["type"] for one in received[2:]] == ["job.running", "job.succeeded"]


def test_what_waits_after_a_restart_in_another_hour(make, world):
    """A start reckons by the clock as it is: set back meanwhile, the retry comes later, and no more than by that."""
    hub = make("--webhooks-retry-delays-s", "0,1,1,1,1,1")
    with Receiver(listening=False) as receiver:
        hub.add_webhook(receiver.url())
        hub.finish(hub.submit())
        hub.stop()
        world.set_clock(HOUR_S)
        hub.start()
        receiver.listen()
        receiver.wait_for_count(1)


@pytest.mark.parametrize("jump", JUMPS)
def test_websockets_go_on(make, world, jump):
    """Heartbeats come in their time and nobody counts as slow."""
    hub = make("--websocket-heartbeat-s", "1")
    job = hub.submit()

    async def watch():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            await client.subscribe(job)
            await client.expect("heartbeat")
            world.set_clock(JUMPS[jump])
            began = time.monotonic()
            for _ in range(2):
                await client.expect("heartbeat")
            assert 0.9 < time.monotonic() - began < 6
            await in_thread(hub.finish, job)
            for status in ("running", "succeeded"):
                while (message := await client.receive())["type"] == "heartbeat":
                    pass
                assert message["status"] == status

    run(watch())


def test_a_key_ends_by_the_clock(make, world):
    hub = make("--websocket-heartbeat-s", "1")
    key = hub.make_key(expires_at=rfc3339(time.time() + HOUR_S / 2))
    lasting = hub.make_key(expires_at=rfc3339(time.time() + 2 * HOUR_S))

    async def watch():
        async with Client(hub, key) as client, Client(hub, lasting) as other:
            await client.expect("connected")
            await other.expect("connected")
            world.set_clock(HOUR_S)
            code, reason, _ = await client.closed()
            assert (code, reason) == (4001, "API key expired")
            await other.expect("heartbeat")

    run(watch())
    assert hub.error_of(key) == "api_key_expired" and hub.error_of(lasting) is None
    # Back where the clock was it is good again: its time is not over.
    world.set_clock(0)
    assert hub.error_of(key) is None
    world.set_clock(-HOUR_S)
    assert hub.error_of(key) is None and hub.error_of(lasting) is None


@pytest.mark.parametrize("jump", JUMPS)
def test_the_rest_does_not_mind(make, world, jump):
    """Idempotency, limits of rate, health, the log."""
    hub = make("--limits-writes-per-second", "50", "--limits-burst-s", "1")
    http = hub.http(hub.client)
    once = http.post("/api/v1/jobs", {"metadata": {"n": 1}}, Idempotency_Key="once")
    world.set_clock(JUMPS[jump])
    again = http.post("/api/v1/jobs", {"metadata": {"n": 1}}, Idempotency_Key="once")
    assert again.status == 201 and again.json["job_id"] == once.json["job_id"]
    for _ in range(40):
        assert http.post("/api/v1/jobs", {}).status == 201
    assert hub.http().get("/healthz").status == 200
    assert hub.http().get("/readyz").status == 200
    assert not re.search(r"stuck|error", hub.log), hub.log
    hub.stop()
    assert wait_until(lambda: "info ended" in hub.log)
