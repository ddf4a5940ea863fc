"""A client key sees its own jobs, on every channel; `ownership = "account"` widens that to its account."""

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.receiver import Receiver
from harness.ws import Client, in_thread, run


@pytest.fixture(params=["key", "account"])
def tenants(request, make_hub):
    """A hub; two keys of one account, and one of another; and whether the first two see each other's jobs."""
    scope = request.param
    hub = make_hub(*LOCAL_WEBHOOKS, "--ownership", scope)
    shared, other = hub.make_account(), hub.make_account()
    keys = (hub.make_key("client", shared), hub.make_key("client", shared), hub.make_key("client", other))
    return hub, *keys, scope == "account"


def test_who_may_read_and_report(tenants):
    hub, owner, sibling, stranger, widened = tenants
    job = hub.submit(owner)
    statuses = {name: hub.http(key).get(f"/api/v1/jobs/{job}").status for name, key in
                [("owner", owner), ("sibling", sibling), ("stranger", stranger)]}  # fmt: skip
    assert statuses == {"owner": 200, "sibling": 200 if widened else 404, "stranger": 404}
    assert hub.http(stranger).patch(f"/api/v1/jobs/{job}", {"status": "running"}).status == 404
    reported = hub.http(sibling).patch(f"/api/v1/jobs/{job}", {"status": "running"})
    assert reported.status == (200 if widened else 404)
    assert hub.job(job, owner)["status"] == ("running" if widened else "queued")
    # Workers and administrators read any job.
    assert hub.http(hub.worker).get(f"/api/v1/jobs/{job}").status == 200
    assert hub.http(hub.admin).get(f"/api/v1/jobs/{job}").status == 200


def test_who_may_subscribe(tenants):
    hub, owner, sibling, stranger, widened = tenants
    job = hub.submit(owner)

    async def tries(key, may):
        async with Client(hub, key) as client:
            await client.expect("connected")
            if may:
                await client.subscribe(job)
            else:
                await client.send({"action": "subscribe", "job_id": job})
                await client.expect("error", message=f"Job not found or access denied: {job}")
            return client

    async def listen():
        await tries(owner, True)
        await tries(sibling, widened)
        await tries(stranger, False)

    run(listen())


def test_the_star_tells_of_no_strangers_job(tenants):
    hub, owner, _, stranger, _ = tenants

    async def listen():
        async with Client(hub, owner) as mine, Client(hub, stranger) as theirs:
            for client in (mine, theirs):
                await client.expect("connected")
                await client.subscribe("*")
            # The first that one hears of is its own, though the other's came before.
            first = await in_thread(hub.submit, owner)
            second = await in_thread(hub.submit, stranger)
            await mine.expect("job_update", job_id=first)
            await theirs.expect("job_update", job_id=second)
            await mine.send({"action": "ping"})
            await mine.expect("pong")

    run(listen())


def test_a_webhook_tells_of_no_strangers_job(tenants):
    hub, owner, _, stranger, _ = tenants
    with Receiver() as receiver:
        for name, key in (("owner", owner), ("stranger", stranger)):
            answer = hub.http(key).post("/api/v1/webhooks", {"url": receiver.url(f"/{name}"), "events": ["job.failed"]})
            assert answer.status == 201
        jobs = {}
        for name, key in (("owner", owner), ("stranger", stranger)) * 3:
            jobs[hub.submit(key)] = name
        for job in jobs:
            hub.report(job, "failed")
        hooks = receiver.wait_for_count(len(jobs))
        assert {hook.job: hook.path for hook in hooks} == {job: f"/{name}" for job, name in jobs.items()}
        assert len(hooks) == len(jobs)


def test_with_keys_apart_siblings_hear_nothing_of_each_other(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS)
    sibling = hub.make_key()

    async def listen(receiver):
        assert hub.http(sibling).post("/api/v1/webhooks", {"url": receiver.url()}).status == 201
        async with Client(hub, sibling) as client:
            await client.expect("connected")
            await client.subscribe("*")
            not_its_own = await in_thread(hub.submit)
            await in_thread(hub.finish, not_its_own)
            own = await in_thread(hub.submit, sibling)
            await client.expect("job_update", job_id=own)
        await in_thread(hub.finish, own)
        hooks = await in_thread(receiver.wait_for_count, 1)
        assert {hook.job for hook in hooks} == {own}

    with Receiver() as receiver:
        run(listen(receiver))
