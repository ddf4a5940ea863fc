"""Who does not finish a request delays no one, and is shown out in time."""

import select
import time

from harness.halves import halves
from harness.http import RawConnection

HALF = b"GET /healthz HTTP/1.1\r\nHost: hub\r\nX-Slow: "


def test_300_half_heads_do_not_delay_a_request(make_hub):
    hub = make_hub("--limits-head-timeout-s", "4")
    with halves(hub, HALF, 4) as (idle, opened_at):
        for one in idle:
            answer = b""
            while piece := one.recv(4096):
                answer += piece
            assert answer.startswith(b"HTTP/1.1 408 "), answer
            assert b"application/problem+json" in answer
        assert 4 <= time.monotonic() - opened_at < 20


def test_bytes_that_trickle_in_win_no_time(make_hub):
    hub = make_hub("--limits-head-timeout-s", "1")
    with RawConnection(hub.port) as connection:
        connection.send(HALF)
        begun_at = time.monotonic()
        while not select.select([connection.socket], [], [], 0.1)[0]:
            connection.send("a")
            assert time.monotonic() - begun_at < 10
        assert connection.answer().status == 408
        assert connection.ended()


def test_a_body_that_does_not_come_is_waited_for_within_its_time(make_hub):
    hub = make_hub("--limits-body-timeout-s", "1")
    with RawConnection(hub.port) as connection:
        connection.send(
            f"POST /api/v1/jobs HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.client}\r\nContent-Length: 50\r\n\r\n{{"
        )
        assert connection.answer().status == 408
        assert connection.ended()


def test_a_kept_connection_without_a_request_ends(make_hub):
    hub = make_hub("--limits-head-timeout-s", "1", "--limits-idle-timeout-s", "1")
    with RawConnection(hub.port) as connection:
        connection.send("GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert connection.answer().status == 200
        assert connection.ended()
