"""A hub that is stuck never says that it is well, and one that is not ready says what is wrong."""

import json
import re
import signal
import socket
import threading
import time

import pytest
from conftest import LOCAL_WEBHOOKS
from harness import metrics
from harness.hold import Hold
from harness.hub import Hub
from harness.http import Http, RawConnection
from harness.receiver import Receiver
from harness.waiting import wait_until

pytestmark = pytest.mark.plain_binary

WATCHED = ("--watchdog-loop-s", "1", "--watchdog-commit-s", "1", "--loops", "2", "--metrics-listen", "127.0.0.1:0")
ALL_WELL = {"status": "ready", "checks": {name: {"ok": True} for name in ("accepting", "turning", "store", "disk")}}


@pytest.fixture
def held(tmp_path):
    """A hub with a door of its own for those who watch it, and what holds it up."""
    hold = Hold(tmp_path)
    hub = Hub(tmp_path, *WATCHED, *LOCAL_WEBHOOKS)
    hub.environment = hold.environment
    hub.start()
    yield hub, hold
    hub.close()


def watch_door(hub):
    port = wait_until(lambda: re.search(r"metrics_port=(\d+)", hub.log))[1]
    return Http(int(port))


def wait_for_status(http, path, status):
    return wait_until(lambda: (answer := http.get(path)).status == status and answer)


def expect_stuck(hub, part):
    http = watch_door(hub)
    answer = wait_for_status(http, "/healthz", 503)
    assert answer.json["error"] == "stuck" and part in answer.json["detail"]
    ready = http.get("/readyz")
    assert ready.status == 503 and ready.json["error"] == "stuck"
    assert ready.json["checks"]["turning"]["ok"] is False and part in ready.json["checks"]["turning"]["detail"]
    assert f'carillon_stuck{{part="{part}"}} 1' in http.get("/metrics").body.decode()
    wait_until(lambda: f"error stuck part={part}" in hub.log)


def expect_well(hub, part):
    http = watch_door(hub)
    wait_for_status(http, "/healthz", 200)
    assert http.get("/readyz").json == ALL_WELL
    wait_until(lambda: f"it turns again part={part}" in hub.log)
    assert hub.log.count("error stuck") == 1, hub.log


def in_background(call):
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def test_a_commit_that_hangs(held):
    hub, hold = held
    assert watch_door(hub).get("/healthz").json == {"status": "ok"}
    job = hub.submit()
    with hold.up("commit"):
        reporter = in_background(lambda: hub.report(job, "running"))
        expect_stuck(hub, "store")
        assert hub.job(job)["status"] == "queued"  # what is read goes on
    reporter.join(30)
    expect_well(hub, "store")
    assert hub.job(job)["status"] == "running"
    wait_until(lambda: "commits were slow" in hub.log)
    hub.stop()


def hold_the_loop(hub):
    connection = RawConnection(hub.port)
    connection.send("GET /healthz HTTP/1.1\r\nHost: hub\r\nX-Request-Id: hold-this-loop\r\n\r\n")
    return connection


def test_a_loop_that_is_stuck(held):
    hub, hold = held
    with hold.up("loop"):
        # The first connection is the first loop's, which is the one that accepts.
        connection = hold_the_loop(hub)
        expect_stuck(hub, "loop-0")
    assert connection.answer().status == 404  # the listening address has no /healthz here
    expect_well(hub, "loop-0")
    hub.stop()


def test_who_connects_is_given_to_a_loop_that_turns(held):
    hub, hold = held
    hub.http().get("/")  # to the first loop
    with hold.up("loop"):
        connection = hold_the_loop(hub)
        expect_stuck(hub, "loop-1")
        for _ in range(4):
            assert hub.http(hub.client).get("/api/v1/jobs").status == 200
    assert connection.answer().status == 404
    expect_well(hub, "loop-1")


def test_what_a_stuck_loop_remembers_is_not_known(held):
    hub, hold = held
    job = hub.submit()  # by the first loop
    with hold.up("loop"):
        connection = hold_the_loop(hub)
        expect_stuck(hub, "loop-1")
        said = hub.http(hub.client).get(f"/api/v1/jobs/{job}/notifications").json
        assert said["memory"] == dict.fromkeys(said["memory"]) | {"complete": False}
        (event,) = said["events"]
        assert (event["sent"], event["dropped"], event["webhooks"]) == (None, None, [])
        trace = hub.command("job", "trace", job).stdout
        assert "whether it was asked for is not known: a part of the hub does not answer\n" in trace
    assert connection.answer().status == 404
    expect_well(hub, "loop-1")
    assert hub.http(hub.client).get(f"/api/v1/jobs/{job}/notifications").json["memory"]["complete"]


def test_webhooks_that_are_stuck(held):
    hub, hold = held
    with Receiver() as receiver:
        hub.add_webhook(receiver.url("/hold-the-webhooks"))
        with hold.up("webhooks"):
            hub.finish(hub.submit())
            expect_stuck(hub, "webhooks")
        expect_well(hub, "webhooks")
        receiver.wait_for_count(1)


def test_the_listening_address_says_so_too(tmp_path):
    hold = Hold(tmp_path)
    hub = Hub(tmp_path, "--watchdog-commit-s", "1")
    hub.environment = hold.environment
    hub.start()
    try:
        assert hub.http().get("/readyz").json == ALL_WELL
        job = hub.submit()
        with hold.up("commit"):
            in_background(lambda: hub.report(job, "running"))
            assert "store" in wait_for_status(hub.http(), "/healthz", 503).json["detail"]
        wait_for_status(hub.http(), "/healthz", 200)
    finally:
        hub.close()


def test_what_is_not_watched_is_not_stuck(tmp_path):
    hold = Hold(tmp_path)
    hub = Hub(tmp_path, "--watchdog-commit-s", "0", "--watchdog-loop-s", "1")
    hub.environment = hold.environment
    hub.start()
    try:
        job = hub.submit()
        with hold.up("commit"):
            reporter = in_background(lambda: hub.report(job, "running"))
            time.sleep(2)  # nothing tells that nothing happens
            assert hub.http().get("/healthz").status == 200
        reporter.join(30)
    finally:
        hub.close()


# --- where they are served --------------------------------------------------------------------------------------------


def test_a_door_of_its_own(make_hub):
    hub = make_hub("--metrics-listen", "127.0.0.1:0")
    http = watch_door(hub)
    for path in ("/healthz", "/readyz", "/metrics"):
        assert http.get(path).status == 200
        assert hub.http().get(path).status == 404
    http.of_a_hub = False
    assert http.get("/api/v1/jobs").status == 404, "it is asked of nothing else"
    hub.stop()


def test_a_door_that_is_taken_stops_the_start(make_hub, tmp_path):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    hub = Hub(tmp_path, "--metrics-listen", f"127.0.0.1:{port}")
    with pytest.raises(AssertionError, match=str(port)):
        hub.start()


# --- ready or not -----------------------------------------------------------------------------------------------------


def test_a_disk_that_is_low(make_hub):
    floor = 2**40
    hub = make_hub("--store-disk-free-min-bytes", str(floor), "--log-format", "json")
    answer = hub.http().get("/readyz")
    assert answer.status == 503 and answer.json["error"] == "disk_low"
    assert answer.fields["content-type"] == "application/problem+json"
    checks = answer.json["checks"]
    assert list(checks) == ["accepting", "turning", "store", "disk"]
    assert [name for name, check in checks.items() if not check["ok"]] == ["disk"]
    assert str(floor) in checks["disk"]["detail"]
    assert hub.http().get("/healthz").status == 200
    hub.finish(hub.submit())  # reports are taken for as long as the store can write
    samples = metrics.read(hub)
    assert 0 < samples["carillon_disk_free_bytes"] < floor == samples["carillon_disk_free_min_bytes"]
    wait_until(lambda: "the disk is nearly full" in hub.log)
    hub.stop()
    line = next(json.loads(line) for line in hub.log.splitlines() if "nearly full" in line)
    assert line["level"] == "warning" and line["free_bytes"] > 0


def test_a_floor_of_nothing_is_never_reached(make_hub):
    hub = make_hub("--store-disk-free-min-bytes", "0")
    assert hub.http().get("/readyz").json == ALL_WELL


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["loop", "webhooks", "commit"])
def test_a_hub_that_is_stuck_can_be_ended(held, part):
    """What was acknowledged is there when it is started again."""
    hub, hold = held
    with Receiver() as receiver:
        hub.add_webhook(receiver.url("/hold-the-webhooks"))
        job = hub.submit()
        with hold.up(part):
            if part == "loop":
                connection = hold_the_loop(hub)  # kept open until the hub has gone
            elif part == "webhooks":
                hub.finish(job)
            else:
                report = RawConnection(hub.port)
                body = '{"status":"running"}'
                report.send(
                    f"PATCH /api/v1/jobs/{job} HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.worker}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}"
                )
            wait_for_status(watch_door(hub), "/healthz", 503)
            hub.process.send_signal(signal.SIGTERM)
            assert hub.process.wait(60) == 1, hub.log
        assert "the hub does not come to its end, and is ended" in hub.log
        hub.start()
        assert hub.job(job)["job_id"] == job
