"""How WebSockets live and end: heartbeats that are spread, keys that run out, and a hub that shuts down."""

import collections
import signal
import socket
import struct
import time

import pytest
from harness import raw_ws
from harness.http import RawConnection
from harness.many import frames, many_connected
from harness.raw_ws import RawWebSocket

PATIENCE_S = 30


def opened(hub, key=None):
    """A connection that has been welcomed."""
    connection = RawWebSocket(hub.port).open(hub.port, key or hub.client)
    assert connection.read_message()["type"] == "connected"
    return connection


# --- heartbeats -------------------------------------------------------------------------------------------------------


def beats_by_slice(sockets, seconds, slice_s):
    """How many heartbeats come in each slice of the time from now on."""
    begun_at = time.monotonic()
    slices = collections.Counter()
    for at, _, _, payload in frames(sockets, begun_at + seconds):
        assert b'"heartbeat"' in payload
        slices[int((at - begun_at) / slice_s)] += 1
    return slices


def test_heartbeats_are_spread_and_stay_so(make_hub, missing):
    """2,000 connections that came together do not beat together, not even after the hub was held up."""
    count, interval_s = 2_000, 2
    hub = make_hub("--websocket-heartbeat-s", str(interval_s))
    with many_connected(hub, count, missing) as sockets:
        slices = beats_by_slice(sockets, 2 * interval_s, 0.1)
        assert sum(slices.values()) >= count
        assert max(slices.values()) < count * 0.25, slices

        # Almost all are due meanwhile: they are late once, and from then on where they were.
        hub.process.send_signal(signal.SIGSTOP)
        time.sleep(interval_s * 0.9)  # the hub is what sleeps here
        hub.process.send_signal(signal.SIGCONT)
        beats_by_slice(sockets, interval_s, 0.1)
        slices = beats_by_slice(sockets, interval_s, 0.1)
        assert count * 0.9 <= sum(slices.values()) <= count * 1.1
        assert max(slices.values()) < count * 0.25, slices


# --- keys that run out ------------------------------------------------------------------------------------------------


def closed_in_time(connection, ends_at):
    """Code and reason of the close, which comes when the key ends and not a second later."""
    code, reason, _ = connection.read_close()
    assert ends_at - 0.1 <= time.time() < ends_at + 1
    return code, reason


def test_an_expired_key_ends_its_connections_within_a_second(make_hub):
    hub = make_hub()  # a heartbeat each 30 s
    ends_at = time.time() + 1
    key = hub.make_key(expires_in_s=1)
    with opened(hub, key) as one, opened(hub, key) as two:
        assert closed_in_time(one, ends_at) == (4001, "API key expired")
        assert closed_in_time(two, ends_at) == (4001, "API key expired")


def test_a_rotated_secret_ends_its_connections_when_it_is_taken_no_longer(make_hub):
    """Whether they came in before the rotation or after it."""
    hub = make_hub()
    key = hub.make_key()
    with opened(hub, key) as before:
        ends_at = time.time() + 1
        new = hub.ask_admin(f"/keys/{key.id}/rotate", {"overlap_s": 1})["key"]
        hub.wait_for_key(key, None)
        with opened(hub, key) as after, opened(hub, new) as with_new:
            assert closed_in_time(before, ends_at) == (4001, "Invalid API key")
            assert closed_in_time(after, ends_at) == (4001, "Invalid API key")
            with_new.send(raw_ws.frame(raw_ws.TEXT, '{"action":"ping"}'))
            assert with_new.read_message()["type"] == "pong"


def test_a_rotation_without_overlap_ends_the_connections_of_the_old_secret(make_hub):
    hub = make_hub()
    key = hub.make_key()
    with opened(hub, key) as connection:
        ends_at = time.time()
        hub.ask_admin(f"/keys/{key.id}/rotate", {"overlap_s": 0})
        assert closed_in_time(connection, ends_at) == (4001, "Invalid API key")


# --- a hub that shuts down --------------------------------------------------------------------------------------------


def goodbyes(sockets, until):
    """When each was told 1001; each answers, as a client does."""
    times = []
    for at, one, opcode, payload in frames(sockets, until):
        if opcode != raw_ws.CLOSE:
            continue
        assert struct.unpack(">H", payload[:2])[0] == 1001, payload
        times.append(at)
        one.send(raw_ws.frame(raw_ws.CLOSE, payload[:2]))
    return times


def test_a_hub_that_ends_lets_its_clients_go_one_after_the_other(make_hub, missing):
    count, window_s = 1_000, 3
    hub = make_hub("--websocket-drain-ms", str(window_s * 1000))
    with many_connected(hub, count, missing) as sockets:
        begun_at = time.monotonic()
        hub.process.send_signal(signal.SIGTERM)
        times = goodbyes(sockets, begun_at + PATIENCE_S)
        assert hub.process.wait(PATIENCE_S) == 0, hub.log
        assert time.monotonic() - begun_at < window_s + 2
    assert len(times) == count
    slices = collections.Counter(int((at - begun_at) / window_s * 10) for at in times)
    assert len(slices) >= 9, slices
    assert max(slices.values()) <= count * 0.2, slices


def test_what_still_goes_on_while_a_hub_ends(make_hub, missing):
    hub = make_hub("--websocket-drain-ms", "3000")
    job = hub.submit()
    with many_connected(hub, 200, missing) as sockets, RawConnection(hub.port) as kept, RawConnection(hub.port) as ready:
        for one in sockets:
            one.send(raw_ws.frame(raw_ws.TEXT, f'{{"action":"subscribe","job_id":"{job}"}}'))
            assert one.read_message()["type"] == "subscribed"
            assert one.read_message()["status"] == "queued"
        ask = f"GET /readyz HTTP/1.1\r\nHost: hub\r\n\r\n"
        ready.send(ask)
        assert ready.answer().status == 200
        kept.send("GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert kept.answer().status == 200

        hub.process.send_signal(signal.SIGTERM)
        first = next(frames(sockets, time.monotonic() + PATIENCE_S))
        assert first[2] == raw_ws.CLOSE
        # No one new, on a new connection or on one that is there.
        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S)
        ready.send(ask)
        answer = ready.answer()
        assert answer.status == 503 and answer.json["error"] == "going_away"
        ready.send(raw_ws.request(hub.port, hub.client))
        answer = ready.answer()
        assert answer.status == 503 and answer.json["error"] == "going_away"
        assert 1 <= int(answer.fields["retry-after"]) <= 4
        # Those who are there still hear.
        body = '{"status":"running"}'
        kept.send(
            f"PATCH /api/v1/jobs/{job} HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.worker}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        assert kept.answer().status == 200
        told = 0
        for _, one, opcode, payload in frames(sockets, time.monotonic() + PATIENCE_S):
            told += opcode == raw_ws.TEXT and b'"running"' in payload
            if opcode == raw_ws.CLOSE:
                one.send(raw_ws.frame(raw_ws.CLOSE, payload[:2]))
        assert 50 <= told < 200
        assert hub.process.wait(PATIENCE_S) == 0, hub.log


def test_a_hub_with_few_clients_goes_at_once(make_hub):
    hub = make_hub("--websocket-drain-ms", "20000")
    with opened(hub) as one, opened(hub) as two:
        begun_at = time.monotonic()
        hub.process.send_signal(signal.SIGINT)
        assert len(goodbyes([one, two], begun_at + PATIENCE_S)) == 2
        assert hub.process.wait(PATIENCE_S) == 0, hub.log
        assert time.monotonic() - begun_at < 5


def test_clients_that_do_not_answer_are_not_waited_for(make_hub):
    hub = make_hub()
    with opened(hub):
        begun_at = time.monotonic()
        hub.process.send_signal(signal.SIGTERM)
        assert hub.process.wait(PATIENCE_S) == 0, hub.log
        assert time.monotonic() - begun_at < 5


def test_a_second_signal_ends_the_hub_at_once(make_hub, missing):
    hub = make_hub("--websocket-drain-ms", "60000")
    with many_connected(hub, 200, missing) as sockets:
        hub.process.send_signal(signal.SIGTERM)
        assert next(frames(sockets, time.monotonic() + PATIENCE_S))[2] == raw_ws.CLOSE
        begun_at = time.monotonic()
        hub.process.send_signal(signal.SIGTERM)
        assert hub.process.wait(PATIENCE_S) == 0, hub.log
        assert time.monotonic() - begun_at < 5
        codes = [payload[:2] for _, _, opcode, payload in frames(sockets, begun_at + PATIENCE_S) if opcode == raw_ws.CLOSE]
        assert set(codes) == {struct.pack(">H", 1001)} and len(codes) > 190


def test_a_refusal_that_is_held_back_is_given_when_the_hub_ends(make_hub):
    hub = make_hub("--websocket-refusals-free", "0", "--websocket-refusal-delay-ms", "5000")
    with RawWebSocket(hub.port) as refused, opened(hub):
        refused.send(raw_ws.request(hub.port, "sk_live_" + "x" * 40))
        for _ in range(4):  # more handshakes than loops: the hub has read the one before them
            opened(hub).socket.close()
        hub.process.send_signal(signal.SIGTERM)
        assert refused.read_head().startswith(b"HTTP/1.1 101 ")
        assert refused.read_close(0)[0] == 4001
        assert hub.process.wait(PATIENCE_S) == 0, hub.log
