"""Each limit of the WebSocket channel, and how it answers when it is reached."""

import collections
import select
import time

import pytest
from harness import raw_ws
from harness.http import RawConnection
from harness.hub import Hub
from harness.many import many_files
from harness.raw_ws import RawWebSocket

NO_KEY = "sk_live_" + "x" * 40
PING = raw_ws.frame(raw_ws.TEXT, '{"action":"ping"}')


def opened(hub, key=None):
    """A connection that has been welcomed."""
    connection = RawWebSocket(hub.port).open(hub.port, key or hub.client)
    assert connection.read_message()["type"] == "connected"
    return connection


def turned_away(hub, key=None):
    """Code and reason of a connection that is not let in after its handshake, and not one frame before."""
    with RawWebSocket(hub.port).open(hub.port, key or hub.client) as connection:
        code, reason, count = connection.read_close(0)
        assert count == 0
        return code, reason


def knock(hub, key, **fields):
    """The answer to a handshake, before anything else."""
    connection = RawConnection(hub.port)
    connection.send(raw_ws.request(hub.port, key, **fields))
    return connection


def is_silent(connection):
    return select.select([connection.socket], [], [], 0)[0] == []


# --- connections ------------------------------------------------------------------------------------------------------


def test_one_connection_more_than_the_hub_takes_is_closed_1013(make_hub):
    hub = make_hub("--websocket-connections", "2")
    other = hub.make_key()
    with opened(hub), opened(hub, other) as second:
        assert turned_away(hub) == (1013, "The hub has all the connections it takes")
        assert turned_away(hub, NO_KEY)[0] == 1013, "a key is not looked at where there is no room"
        second.send(raw_ws.frame(raw_ws.CLOSE, b""))
        second.read_close()
        second.socket.close()
        # Its place is free once it is gone, which is now.
        deadline = time.monotonic() + 5
        while True:
            with RawWebSocket(hub.port).open(hub.port, hub.client) as third:
                if third.read_frame()[0] == raw_ws.TEXT:
                    break
            assert time.monotonic() < deadline


def test_one_connection_more_than_a_key_may_have_is_closed_1008(make_hub):
    hub = make_hub("--websocket-connections-per-key", "3")
    other = hub.make_key()
    with opened(hub), opened(hub), opened(hub):  # whichever loop each is on
        for _ in range(4):
            assert turned_away(hub) == (1008, "Too many connections with this key: at most 3")
        with opened(hub, other):
            pass


# --- handshakes -------------------------------------------------------------------------------------------------------


def test_a_fleet_that_reconnects_at_once_is_let_in_evenly(make_hub, missing):
    """500 clients come at once to a hub that lets 100 in a second, and each returns when it is told to."""
    rate, count = 100, 500
    hub = make_hub("--websocket-handshakes-per-second", str(rate))
    with many_files(2 * count, missing):
        begun_at = time.monotonic()
        due = [(begun_at, RawWebSocket(hub.port)) for _ in range(count)]
        told = collections.Counter()
        let_in = []
        rounds = 0
        while due:
            rounds += 1
            due.sort(key=lambda one: one[0])
            now = time.monotonic()
            # A client that was told a time comes then: this is what is timed, not what is waited for.
            if due[0][0] > now:
                time.sleep(due[0][0] - now)
                now = time.monotonic()
            coming = [one for at, one in due if at <= now]
            due = [(at, one) for at, one in due if at > now]
            for one in coming:
                one.send(raw_ws.request(hub.port, hub.client))
            for one in coming:
                head = one.read_head().decode()
                if head.startswith("HTTP/1.1 101 "):
                    let_in.append(time.monotonic() - begun_at)
                    one.socket.close()
                    continue
                assert head.startswith("HTTP/1.1 503 ")
                fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
                retry_after_s = int(fields["Retry-After"])
                body = one.read_bytes(int(fields["Content-Length"]))
                assert b'"too_many_handshakes"' in body
                told[retry_after_s] += 1
                due.append((time.monotonic() + retry_after_s, one))
    assert len(let_in) == count
    assert len(told) >= 3, "they are told different seconds"
    assert sum(told.values()) <= 1.2 * count, "hardly anyone is refused twice"
    assert (count - rate) / rate - 1 <= max(let_in) < 3 * count / rate
    by_second = collections.Counter(int(at) for at in let_in)
    assert by_second[0] <= 2 * rate
    assert all(n <= 1.5 * rate for second, n in by_second.items() if second), by_second


ORIGINS = "https://app.example.com,http://LOCALHOST:3000"


@pytest.fixture(scope="module")
def hub_with_origins(tmp_path_factory):
    hub = Hub(tmp_path_factory.mktemp("hub"), "--websocket-origins", ORIGINS)
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 101),
        ("https://app.example.com", 101),
        ("HTTPS://App.Example.COM:443", 101),
        ("http://localhost:3000", 101),
        ("http://localhost", 403),
        ("http://app.example.com", 403),
        ("https://app.example.com.evil.com", 403),
        ("https://evil.com", 403),
        ("null", 403),
    ],
)
def test_a_page_of_another_origin_is_answered_403(hub_with_origins, origin, status):
    with knock(hub_with_origins, hub_with_origins.client, Origin=origin) as connection:
        if status == 101:
            assert connection.file.readline().startswith(b"HTTP/1.1 101 ")
            return
        answer = connection.answer()
    assert answer.status == status
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.json["error"] == "origin_not_allowed"


def test_a_handshake_that_drips_wins_no_time(make_hub):
    hub = make_hub("--limits-head-timeout-s", "1")
    with RawConnection(hub.port) as connection:
        # Kept alive from a request before: then, too, the time runs from the first byte.
        connection.send("GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert connection.answer().status == 200
        begun_at = time.monotonic()
        for byte in raw_ws.request(hub.port, hub.client, X_Padding="x" * 100):
            connection.send(bytes([byte]))
            if select.select([connection.socket], [], [], 0.05)[0]:
                break
        assert 0.95 <= time.monotonic() - begun_at < 5  # it reckons from the beginning of the turn that the byte came in
        assert connection.answer().status == 408
        assert connection.ended()


# --- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [PING, raw_ws.frame(raw_ws.PING, "x"), raw_ws.frame(raw_ws.TEXT, "{")],
    ids=["message", "ping frame", "nonsense"],
)
def test_more_messages_than_a_second_may_have_close_1008(make_hub, message):
    hub = make_hub("--websocket-messages-per-second", "5")
    with opened(hub) as connection, opened(hub) as other:
        connection.send(message * 20)
        code, reason, count = connection.read_close(20)
        assert (code, reason) == (1008, "Too many messages")
        assert count == 5, "a second's worth is answered"
        other.send(PING)
        assert other.read_message()["type"] == "pong"


def test_more_subscriptions_than_a_key_may_have_are_refused(make_hub):
    hub = make_hub("--websocket-subscriptions-per-key", "3")
    jobs = [hub.submit() for _ in range(4)]

    def subscribe(connection, job):
        connection.send(raw_ws.frame(raw_ws.TEXT, f'{{"action":"subscribe","job_id":"{job}"}}'))
        answer = connection.read_message()
        if answer["type"] == "subscribed" and job != "*":
            assert connection.read_message()["job_id"] == job
        return answer

    with opened(hub) as one, opened(hub) as two:  # each on its loop
        assert subscribe(one, jobs[0])["type"] == "subscribed"
        assert subscribe(one, jobs[1])["type"] == "subscribed"
        assert subscribe(two, jobs[0])["type"] == "subscribed"
        for connection in (one, two):
            refused = subscribe(connection, jobs[3])
            assert refused["type"] == "error"
            assert refused["message"] == "Too many subscriptions with this key: at most 3"
        one.send(raw_ws.frame(raw_ws.CLOSE, b""))
        one.read_close()
        assert subscribe(two, "*")["type"] == "subscribed", "what it had is free"


# --- refused keys -----------------------------------------------------------------------------------------------------


def refused_after(hub):
    begun_at = time.monotonic()
    assert turned_away(hub, NO_KEY) == (4001, "Invalid API key")
    return time.monotonic() - begun_at


def test_repeated_refusals_from_one_address_are_answered_more_slowly(make_hub):
    hub = make_hub(
        *("--websocket-refusals-free", "2"),
        *("--websocket-refusal-delay-ms", "1000"),
        *("--websocket-refusal-delay-max-ms", "1500"),
    )
    times = [refused_after(hub) for _ in range(4)]
    assert max(times[:2]) < 1
    assert times[2] >= 1
    assert times[3] >= 1.5


def test_a_good_key_is_never_slowed(make_hub):
    hub = make_hub("--websocket-refusals-free", "0", "--websocket-refusal-delay-ms", "1500")
    with knock(hub, NO_KEY) as refused:
        for _ in range(10):
            with opened(hub):
                pass
        assert is_silent(refused), "the refused one still waits"
        assert refused.file.readline().startswith(b"HTTP/1.1 101 ")


def test_an_answer_that_is_held_back_is_the_same_answer(make_hub):
    hub = make_hub("--websocket-refusals-free", "0", "--websocket-refusal-delay-ms", "200")
    with RawWebSocket(hub.port) as connection:
        offered = f"carillon.v1, {NO_KEY}"
        connection.send(raw_ws.request(hub.port, None, X_API_Key=None, Sec_WebSocket_Protocol=offered))
        head = connection.read_head().decode()
        assert head.startswith("HTTP/1.1 101 ")
        assert "Sec-WebSocket-Protocol: carillon.v1" in head.split("\r\n")
        assert connection.read_close(0) == (4001, "Invalid API key", 0)


def test_more_held_answers_than_may_be_are_503(make_hub):
    hub = make_hub(
        *("--websocket-refusals-free", "0"),
        *("--websocket-refusal-delay-ms", "3000"),
        *("--websocket-refusals-held", "2"),
    )
    with knock(hub, NO_KEY) as first, knock(hub, NO_KEY) as second:
        # Held, not answered: the hub has seen both when it has answered one after them on each loop.
        for _ in range(4):
            with opened(hub):
                pass
        with knock(hub, NO_KEY) as third:
            answer = third.answer()
            assert answer.status == 503 and answer.json["error"] == "too_many_refusals"
            assert 1 <= int(answer.fields["retry-after"]) <= 60
        assert is_silent(first) and is_silent(second)
        with opened(hub):
            pass
