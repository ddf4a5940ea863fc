"""kill -9 after an acknowledged report: the state stands, and its webhook arrives."""

import random
import threading

from conftest import LOCAL_WEBHOOKS
from harness.receiver import Receiver


def test_what_was_acknowledged_outlives_a_kill(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS)
    with Receiver(listening=False) as receiver:  # nobody answers before the kill
        made = hub.http(hub.client).post("/api/v1/webhooks", {"url": receiver.url()}).json
        job = hub.submit()
        hub.report(job, "running")
        before = hub.report(job, "succeeded", result={"pages": 12})
        hub.kill()
        receiver.listen()
        hub.start()
        assert hub.job(job) == before
        (hook, *_) = receiver.wait_for_count(1)
        assert hook.job == job and hook.json["data"]["result"] == {"pages": 12} and hook.is_signed_with(made["secret"])


def test_kills_at_random_moments_lose_nothing_that_was_acknowledged(make_hub):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    moments = random.Random(seed)
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "0,1,1,1,1,1,1,1,1,1")
    acknowledged = set()
    with Receiver() as receiver:
        made = hub.http(hub.client).post("/api/v1/webhooks", {"url": receiver.url()}).json
        for _ in range(5):
            def report():
                """Takes jobs to their end until the hub is gone."""
                while True:
                    try:
                        job = hub.submit()
                        hub.finish(job)
                        acknowledged.add(job)
                    except (OSError, AssertionError, ValueError, EOFError):
                        return

            reporters = [threading.Thread(target=report, daemon=True) for _ in range(3)]
            enough = len(acknowledged) + moments.randrange(5, 100)
            for reporter in reporters:
                reporter.start()
            while len(acknowledged) < enough and any(one.is_alive() for one in reporters):
                reporters[0].join(0.002)
            hub.kill()
            for reporter in reporters:
                reporter.join(30)
            hub.start()
        for job in acknowledged:
            assert hub.job(job)["status"] == "succeeded", (seed, job)
        received = receiver.wait_for(lambda all_: acknowledged <= {one.job for one in all_})
    ids = {}
    for one in received:
        assert one.is_signed_with(made["secret"]), seed
        assert ids.setdefault(one.job, one.id) == one.id, (seed, "a repeat carries the same id")
