"""kill -9 after an acknowledged report: the state stands, and its webhook arrives."""

import contextlib
import random
import sqlite3
import threading
import uuid

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


def reporters_of(hub, acknowledged, count=4):
    """Take jobs to their end as fast as they can, until the hub is gone."""

    def report():
        while True:
            try:
                job = hub.submit()
                hub.finish(job, result={"job": job})
                acknowledged.add(job)
            except (OSError, AssertionError, ValueError, EOFError):
                return

    threads = [threading.Thread(target=report, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def succeeded_jobs(hub):
    """All that the data directory of a hub that was killed holds, acknowledged or not."""
    with contextlib.closing(sqlite3.connect(f"file:{hub.data}/carillon.db?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT j.id FROM jobs AS j JOIN job_states AS s ON s.n = j.n WHERE s.status = 2")
        return {str(uuid.UUID(bytes=row[0])) for row in rows}


def test_twenty_kills_at_random_moments_lose_nothing_that_was_acknowledged(make_hub):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    moments = random.Random(seed)
    # A delivery may be killed with its hub many times: attempts are not what is tested here.
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", ",".join(["0"] + ["1"] * 60))
    acknowledged = set()
    # Some requests fail, so that the hub is killed between tries, too.
    with Receiver(lambda received: 503 if moments.random() < 0.05 else 204) as receiver:
        made = hub.http(hub.client).post("/api/v1/webhooks", {"url": receiver.url()}).json
        for _ in range(20):
            reporters = reporters_of(hub, acknowledged)
            threading.Event().wait(moments.uniform(0, 0.4))
            hub.kill()
            for reporter in reporters:
                reporter.join(30)
            hub.start()
        hub.kill()
        succeeded = succeeded_jobs(hub)
        hub.start()
        assert acknowledged <= succeeded, seed
        assert len(succeeded) > 100, "the hub was hardly used"
        for job in acknowledged:
            assert hub.job(job)["result"] == {"job": job}, (seed, job)
        received = receiver.wait_for(lambda all_: succeeded <= {one.job for one in all_}, 120)
    ids = {}
    for one in received:
        assert one.is_signed_with(made["secret"]), seed
        assert one.json["data"]["result"] == {"job": one.job}, seed
        assert ids.setdefault(one.job, one.id) == one.id, (seed, "a repeat carries the same id")
    assert set(ids) == succeeded, (seed, "what did not happen is not told")
    assert len(set(ids.values())) == len(ids), (seed, "and no two events share an id")
