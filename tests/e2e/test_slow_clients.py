"""Clients that do not read: what may wait for them is bounded, shared, and counted when they are closed."""

import socket
import threading

from harness import metrics, raw_ws
from harness.raw_ws import RawWebSocket

# So small that the kernel keeps some hundred kilobytes for one who does not read, and not megabytes.
LITTLE_ROOM = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096), (socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)]
NO_TIME_LIMIT = ("--websocket-slow-client-ms", "600000")
PAD_BYTES = 4000
PATIENT_S = 60


def subscribed(hub, job, key=None, options=LITTLE_ROOM):
    connection = RawWebSocket(hub.port, options).open(hub.port, key or hub.client)
    connection.socket.settimeout(PATIENT_S)
    assert connection.read_message()["type"] == "connected"
    connection.send(raw_ws.frame(raw_ws.TEXT, f'{{"action":"subscribe","job_id":"{job}"}}'))
    assert [connection.read_message()["type"] for _ in range(2)] == ["subscribed", "job_update"]
    return connection


def running_job(hub, key=None):
    job = hub.submit(key)
    hub.report(job, "running")
    return job


def report(hub, job, count, first=0):
    for n in range(first, first + count):
        hub.report(job, progress={"n": n, "pad": "x" * PAD_BYTES})


def behind(count=1):
    """For metrics.wait_for(): so many events wait for clients."""
    return lambda samples: samples["carillon_websocket_deliveries_behind_total"] >= count


def fall_behind(hub, job, events=50):
    """Reports until so much waits that the kernel will not take it after all. Returns how many reports that took."""
    count = 0
    while metrics.read(hub)["carillon_websocket_deliveries_behind_total"] < events:
        report(hub, job, 25, count)
        count += 25
        assert count < 5000
    return count


def report_until_dropped(hub, job):
    """Until one who does not read has been closed for age. However busy the machine is: on a slow one the kernel takes
    after all what it would not at first, or the hub closes before much waits. Returns how many reports that took."""
    count = 0
    while metrics.closed(metrics.read(hub), "slow_by_age") == 0:
        report(hub, job, 25, count)
        count += 25
        assert count < 5000
    return count


def test_what_waits_for_many_is_kept_once(make_hub):
    """200 clients that do not read, each a thousand events behind: copies of the frames would be 800 MB."""
    clients, events = 200, 1000
    hub = make_hub(*NO_TIME_LIMIT)
    job = running_job(hub)
    stalled = [subscribed(hub, job) for _ in range(clients)]
    try:
        before = metrics.resident_bytes(hub.process)
        report(hub, job, events)
        metrics.wait_for(hub, lambda samples: samples["carillon_websocket_deliveries_total"] >= clients * events)
        samples = metrics.wait_for(hub, behind(clients * events * 0.9))
        grown = metrics.resident_bytes(hub.process) - before
        assert samples["carillon_websocket_connections"] == clients
        # The frames are 4 MB, the lists of what waits 24 bytes an entry with room to grow.
        assert grown < 64 << 20, grown
    finally:
        for one in stalled:
            one.socket.close()


def test_who_is_closed_for_age_is_counted_so_and_gets_whole_frames_and_the_close(make_hub):
    hub = make_hub("--websocket-slow-client-ms", "300")
    job = running_job(hub)
    with subscribed(hub, job) as slow:
        reported = report_until_dropped(hub, job)
        samples = metrics.read(hub)
        assert samples["carillon_websocket_subscriptions"] == 0
        report(hub, job, 5, reported)  # no more of its concern
        code, reason, count = slow.read_close(reported)
        assert (code, reason) == (1008, "Too slow")
        assert count < reported


def test_who_is_closed_for_bytes_is_counted_so(make_hub):
    hub = make_hub(*NO_TIME_LIMIT, "--websocket-queue-bytes", "65536")
    job = running_job(hub)
    with subscribed(hub, job) as slow:
        reported = fall_behind(hub, job, events=1)
        report(hub, job, 100, reported)
        metrics.wait_for(hub, lambda samples: metrics.closed(samples, "slow_by_bytes") == 1)
        assert slow.read_close(reported + 100)[0] == 1008


def test_an_update_above_the_limit_reaches_who_reads(make_hub):
    hub = make_hub("--websocket-queue-bytes", "65536", "--limits-progress-bytes", str(1 << 20))
    job = running_job(hub)
    with subscribed(hub, job, options=()) as reading:
        hub.report(job, progress="x" * 500_000)
        assert len(reading.read_message()["progress"]) == 500_000


def test_a_client_that_only_asks_is_bounded_too(make_hub):
    """Many small answers: it is what they cost that counts, not their bytes."""
    hub = make_hub(*NO_TIME_LIMIT)
    job = running_job(hub)
    pings = raw_ws.frame(raw_ws.PING, b"") * 20_000
    with subscribed(hub, job) as asking:
        before = metrics.resident_bytes(hub.process)
        try:
            for _ in range(100):
                asking.send(pings)
        except OSError:
            pass  # closed while it was still asking
        samples = metrics.wait_for(hub, lambda samples: metrics.closed(samples, "slow_by_bytes") == 1)
        assert samples["carillon_websocket_frames_sent_total"] < 2_000_000
        assert metrics.resident_bytes(hub.process) - before < 64 << 20


def test_a_ping_is_answered_to_a_client_that_is_behind(make_hub):
    """It is read while nothing can be written, and its answer waits in its place."""
    hub = make_hub(*NO_TIME_LIMIT)
    job = running_job(hub)
    with subscribed(hub, job) as slow:
        reported = fall_behind(hub, job)
        sent = metrics.read(hub)["carillon_websocket_frames_sent_total"]
        slow.send(raw_ws.frame(raw_ws.PING, b"still there?"))
        metrics.wait_for(hub, lambda samples: samples["carillon_websocket_frames_sent_total"] == sent + 1)
        report(hub, job, 5, reported)
        frames = [slow.read_frame() for _ in range(reported + 1 + 5)]
        assert frames[reported] == (raw_ws.PONG, b"still there?")
        assert {opcode for opcode, _ in frames[:reported] + frames[reported + 1 :]} == {raw_ws.TEXT}


def test_a_refused_key_is_sent_nothing_of_what_waited(make_hub):
    hub = make_hub(*NO_TIME_LIMIT)
    key = hub.make_key()
    job = running_job(hub, key)
    with subscribed(hub, job, key) as slow:
        reported = fall_behind(hub, job)
        report(hub, job, 100, reported)
        hub.ask_admin(f"/keys/{key.id}/disable")
        metrics.wait_for(hub, lambda samples: metrics.closed(samples, "key_refused") == 1)
        code, reason, count = slow.read_close(reported + 100)
        assert (code, reason) == (4001, "API key disabled")
        # What the kernel had taken, and the one that had begun to leave.
        assert count <= reported


def test_others_do_not_wait_for_who_does_not_read(make_hub):
    hub = make_hub(*NO_TIME_LIMIT)
    job = running_job(hub)
    with subscribed(hub, job), subscribed(hub, job, options=()) as reading:
        reporter = threading.Thread(target=report, args=(hub, job, 300))
        reporter.start()
        assert [reading.read_message()["progress"]["n"] for _ in range(300)] == list(range(300))
        reporter.join()
        metrics.wait_for(hub, behind())
