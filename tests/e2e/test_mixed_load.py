"""A short mixed load with clients that do not read. How fast the rest is served is not asked here: the machine may have
other things to do. tests/load/mixed.py does, for a minute."""

import pytest

from harness import load, many_jobs, metrics

pytestmark = pytest.mark.plain_binary

SECONDS = 8
STALLED = 200
STEADY = {"readers": 300, "reports_per_s": 300, "polls_per_s": 100, "subscribes_per_s": 30, "pad_bytes": 1000}
# What the database's caches and the loops' lists may have grown by; the frames that waited were several times as much.
MARGIN_BYTES = 12 << 20


def test_clients_that_stall_are_closed_others_miss_nothing_and_memory_comes_back(make_hub, missing):
    if not load.client_binary():
        missing("hub_load is not built")
    hub = make_hub("--websocket-slow-client-ms", "1000", "--websocket-queue-bytes", str(1 << 20))
    load.run(hub, load.running_jobs(hub, 20), 2, **STEADY)
    files = load.wait_until_calm(hub)["process_open_fds"]
    before = metrics.resident_bytes(hub.process)

    figures = load.run(hub, load.running_jobs(hub, 20), SECONDS, stalled=STALLED, stall_ms=2000, **STEADY)
    samples = load.wait_until_calm(hub, files)

    assert figures["delivered"] > 0
    for wrong in ("missing", "repeated", "broken", "readers_ended", "reports_failed", "polls_failed"):
        assert figures[wrong] == 0, figures
    # Each stalls at least twice; half of them read on within their second of grace, and see why they were closed.
    assert figures["stalls"] >= STALLED
    assert metrics.closed(samples, "slow_by_age") + metrics.closed(samples, "slow_by_bytes") >= STALLED
    assert figures["stalled_closed_1008"] > 0
    assert load.wait_for_memory(hub, before + MARGIN_BYTES) <= before + MARGIN_BYTES


def test_jobs_stored_by_the_load_tests_are_as_the_hub_would_have_them(make_hub):
    """tests/load/cost.py writes a million of them past the hub."""
    hub = make_hub()
    before = hub.submit()
    hub.stop()
    job = many_jobs.store(hub, 1000)
    hub.start()
    shown = hub.job(job)
    assert (shown["status"], shown["result"], shown["seq"]) == ("succeeded", {"pages": 12}, 1 + 3000)
    assert hub.finish(before)["seq"] == 1 + 3000 + 2
    page = hub.http(hub.client).get("/api/v1/events?after=2990&limit=100").json
    assert [event["data"]["seq"] for event in page["events"]] == list(range(2991, 1 + 3000 + 3))
