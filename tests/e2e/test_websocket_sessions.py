"""WebSocket connections under stress and at their edges: races, slow readers, frames cut up, keys that end."""

import asyncio
import socket
import struct
import threading

import pytest
from harness import raw_ws
from harness.raw_ws import RawWebSocket
from harness.ws import Client, in_thread, run

PATH = "/api/v1/ws/jobs"


def opened(hub, key=None, **options):
    """A connection that has been welcomed."""
    connection = RawWebSocket(hub.port, **options).open(hub.port, key or hub.client)
    assert connection.read_message()["type"] == "connected"
    return connection


# --- handshakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        ("{key}", "{key}"),
        ("carillon.v1, {key}", "carillon.v1"),
        ("{key},carillon.v1", "carillon.v1"),
        ("carillon.v1", "carillon.v1"),
    ],
)
def test_a_refused_key_is_refused_after_a_handshake_that_any_client_takes(hub, offered, selected):
    """A browser tells its page the close code only if a subprotocol it offered was selected."""
    key = hub.make_key()
    hub.ask_admin(f"/keys/{key.id}/disable")
    hub.wait_for_key(key, "api_key_disabled")
    with RawWebSocket(hub.port) as connection:
        connection.send(
            raw_ws.request(hub.port, None, X_API_Key=None, Sec_WebSocket_Protocol=offered.format(key=key))
        )
        head = connection.read_head().decode()
        assert head.startswith("HTTP/1.1 101 ")
        assert f"Sec-WebSocket-Protocol: {selected.format(key=key)}" in head.split("\r\n")
        reason = "Missing API key" if offered == "carillon.v1" else "API key disabled"
        assert connection.read_close() == (4001, reason, 0)


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        (426, {"Upgrade": None}),
        (426, {"Upgrade": "h2c"}),
        (426, {"Connection": "keep-alive"}),
        (426, {"Sec_WebSocket_Version": "12"}),
        (400, {"Sec_WebSocket_Version": None}),
        (400, {"Sec_WebSocket_Key": None}),
        (400, {"Sec_WebSocket_Key": "AAAA"}),
        (400, {"Sec_WebSocket_Key": "!" * 22 + "=="}),
        (400, {"Host": None}),
    ],
)
def test_what_is_no_valid_upgrade_stays_http(hub, status, changes):
    with RawWebSocket(hub.port) as connection:
        connection.send(raw_ws.request(hub.port, hub.client, **changes))
        head = connection.read_head().decode()
    assert head.startswith(f"HTTP/1.1 {status} ")
    if status == 426:
        assert "Upgrade: websocket" in head and "Sec-WebSocket-Version: 13" in head


def test_a_proxys_way_to_write_the_upgrade_is_taken(hub):
    with RawWebSocket(hub.port) as connection:
        connection.send(
            raw_ws.request(hub.port, hub.client, Upgrade="WebSocket", Connection="keep-alive, Upgrade")
            + raw_ws.frame(raw_ws.TEXT, '{"action":"ping"}')
        )
        assert connection.read_head().startswith(b"HTTP/1.1 101 ")
        # What came right behind the handshake is not lost.
        assert [connection.read_message()["type"] for _ in range(2)] == ["connected", "pong"]


# --- frames -----------------------------------------------------------------------------------------------------------


def test_a_message_may_come_in_fragments_with_a_ping_between(hub):
    with opened(hub) as connection:
        connection.send(
            raw_ws.frame(raw_ws.TEXT, '{"action":', final=False)
            + raw_ws.frame(raw_ws.PING, "are you there?")
            + raw_ws.frame(0, '"pi', final=False)
            + raw_ws.frame(0, 'ng"}')
        )
        assert connection.read_frame() == (raw_ws.PONG, b"are you there?")
        assert connection.read_message()["type"] == "pong"


def test_a_frame_may_come_byte_by_byte(hub):
    with opened(hub) as connection:
        for byte in raw_ws.frame(raw_ws.TEXT, '{"action":"ping"}'):
            connection.send(bytes([byte]))
        assert connection.read_message()["type"] == "pong"


def test_a_close_is_answered_with_its_code(hub):
    with opened(hub) as connection:
        connection.send(raw_ws.frame(raw_ws.CLOSE, struct.pack(">H", 1001) + b"bye"))
        assert connection.read_close() == (1001, "", 0)
        with pytest.raises(EOFError):
            connection.read_frame()


def test_a_message_in_fragments_counts_as_a_whole_against_the_limit(make_hub):
    hub = make_hub("--websocket-message-bytes", "1024")
    with opened(hub) as connection:
        connection.send(raw_ws.frame(raw_ws.TEXT, "x" * 600, final=False) + raw_ws.frame(0, "x" * 600))
        assert connection.read_close()[0] == 1009


# --- subscriptions ----------------------------------------------------------------------------------------------------


def test_subscribing_again_shows_the_state_again_and_doubles_nothing(hub):
    async def talk():
        job = await in_thread(hub.submit)
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            await client.subscribe("*")
            await client.subscribe(job)
            await client.subscribe(job)
            await in_thread(hub.report, job, "running")
            await client.expect("job_update", job_id=job, status="running")
            await client.send({"action": "unsubscribe", "job_id": job})
            await client.expect("unsubscribed", job_id=job)
            await in_thread(hub.report, job, progress={"n": 1})
            await client.expect("job_update", job_id=job, progress={"n": 1})  # by "*"
            await client.send({"action": "unsubscribe", "job_id": "*"})
            await client.expect("unsubscribed", job_id="*")
            await in_thread(hub.report, job, "failed")
            await client.send({"action": "ping"})
            await client.expect("pong")

    run(talk())


def test_more_subscriptions_than_the_limit_are_refused(make_hub):
    hub = make_hub("--websocket-subscriptions", "2")

    async def talk():
        jobs = [await in_thread(hub.submit) for _ in range(3)]
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            await client.subscribe(jobs[0])
            await client.subscribe(jobs[1])
            await client.send({"action": "subscribe", "job_id": jobs[2]})
            assert "2" in (await client.expect("error"))["message"]
            await client.send({"action": "unsubscribe", "job_id": jobs[0]})
            await client.expect("unsubscribed", job_id=jobs[0])
            await client.subscribe(jobs[2])

    run(talk())


def test_subscribing_while_the_job_moves_leaves_no_gap_and_no_repeat(hub):
    """The state that comes first and the updates behind it make one unbroken row, wherever it is begun."""
    job = hub.submit()
    hub.report(job, "running", progress={"n": 0})
    stopped = threading.Event()
    told = []

    def report():
        while not stopped.is_set():
            told.append(hub.report(job, progress={"n": len(told) + 1})["progress"]["n"])

    async def listen():
        for _ in range(60):
            async with Client(hub, hub.client) as client:
                await client.expect("connected")
                row = [(await client.subscribe(job))["progress"]["n"]]
                row += [(await client.expect("job_update"))["progress"]["n"] for _ in range(3)]
                assert row == list(range(row[0], row[0] + 4))

    reporter = threading.Thread(target=report)
    reporter.start()
    try:
        run(listen())
    finally:
        stopped.set()
        reporter.join()
    assert told == list(range(1, len(told) + 1))


# --- who does not read ------------------------------------------------------------------------------------------------


UPDATE_BYTES = 256 * 1024
UPDATES = 100
LARGE_PROGRESS = ("--limits-progress-bytes", str(2 * UPDATE_BYTES))
LONG_QUEUE = ("--websocket-queue-bytes", str(1 << 30))  # so that it is the time that decides
SMALL_BUFFER = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)]


def report_much(hub, job):
    """Far more than the kernel keeps for one who does not read."""
    for n in range(UPDATES):
        hub.report(job, progress={"n": n, "pad": "x" * UPDATE_BYTES})


def subscribed(hub, job):
    """One that has been told the present state, and now reads no more unless the test does."""
    connection = opened(hub, options=SMALL_BUFFER)
    connection.send(raw_ws.frame(raw_ws.TEXT, f'{{"action":"subscribe","job_id":"{job}"}}'))
    assert [connection.read_message()["type"] for _ in range(2)] == ["subscribed", "job_update"]
    return connection


def test_a_client_that_does_not_read_is_closed_and_holds_up_nobody(make_hub):
    hub = make_hub(*LARGE_PROGRESS, *LONG_QUEUE, "--websocket-slow-client-ms", "300", "--websocket-heartbeat-s", "1")
    job = hub.submit()
    hub.report(job, "running")

    async def listen():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            await client.subscribe(job)
            reporting = asyncio.create_task(in_thread(report_much, hub, job))
            heard = []
            while len(heard) < UPDATES:
                message = await client.receive()
                if message["type"] == "job_update":
                    heard.append(message["progress"]["n"])
            await reporting
            assert heard == list(range(UPDATES))
            # Three heartbeats: more time than it takes to give the other one up.
            for _ in range(3):
                await client.expect("heartbeat")

    with subscribed(hub, job) as stalled:
        run(listen())
        received = 0
        while piece := stalled.socket.recv(1 << 20):
            received += len(piece)
            assert received < UPDATES * UPDATE_BYTES


def test_a_client_that_reads_too_slowly_is_closed_with_1008(make_hub):
    hub = make_hub(*LARGE_PROGRESS, *LONG_QUEUE, "--websocket-slow-client-ms", "300")
    job = hub.submit()
    hub.report(job, "running")
    with subscribed(hub, job) as slow:
        reporter = threading.Thread(target=report_much, args=(hub, job))
        reporter.start()
        code, _, count = slow.read_close(UPDATES, bytes_per_s=4 << 20)
        reporter.join()
    assert code == 1008
    assert count < UPDATES


def test_a_client_that_falls_too_far_behind_is_closed_with_1008(make_hub):
    hub = make_hub(*LARGE_PROGRESS, "--websocket-queue-bytes", "65536", "--websocket-slow-client-ms", "600000")
    job = hub.submit()
    hub.report(job, "running")
    with subscribed(hub, job) as behind:
        reporter = threading.Thread(target=report_much, args=(hub, job))
        reporter.start()
        code, _, count = behind.read_close(UPDATES, bytes_per_s=4 << 20)
        reporter.join()
    assert code == 1008
    assert count < UPDATES


# --- keys that end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda hub, key, account: hub.ask_admin(f"/keys/{key.id}/disable"), "API key disabled"),
        (lambda hub, key, account: hub.ask_admin(f"/keys/{key.id}/revoke"), "Invalid API key"),
        (lambda hub, key, account: hub.ask_admin(f"/accounts/{account}/suspend"), "Account suspended"),
    ],
    ids=["disable", "revoke", "suspend"],
)
def test_what_ends_a_key_ends_its_connections_on_every_loop(hub, end, reason):
    account = hub.make_account()
    key = hub.make_key("client", account)

    async def watch():
        async with Client(hub, key) as one, Client(hub, key) as two, Client(hub, key) as three:
            clients = [one, two, three]
            for client in clients:
                await client.expect("connected")
            await in_thread(end, hub, key, account)
            ends = await asyncio.wait_for(asyncio.gather(*[client.closed() for client in clients]), 1)
            assert ends == [(4001, reason, [])] * 3

    run(watch())
