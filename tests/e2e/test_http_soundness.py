"""HTTP/1.1 as RFC 9112 has it: what two readers could read differently is refused, what is sound is served in order."""

import uuid

import pytest
from harness.http import RawConnection

GET = "GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"
POST = "POST /healthz HTTP/1.1\r\nHost: hub\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

UNSOUND = {
    "both lengths": f"{POST}Content-Length: 3\r\n{CHUNKED}\r\n0\r\n\r\n",
    "both lengths, turned": f"{POST}{CHUNKED}Content-Length: 3\r\n\r\n0\r\n\r\n",
    "two differing lengths": f"{POST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two lengths in one": f"{POST}Content-Length: 3, 4\r\n\r\nabcd",
    "a negative length": f"{POST}Content-Length: -1\r\n\r\n",
    "a length with a sign": f"{POST}Content-Length: +3\r\n\r\nabc",
    "a hexadecimal length": f"{POST}Content-Length: 0x3\r\n\r\nabc",
    "an immense length": f"{POST}Content-Length: {'9' * 30}\r\n\r\n",
    "two hosts": "GET /healthz HTTP/1.1\r\nHost: hub\r\nHost: hub\r\n\r\n",
    "no host": "GET /healthz HTTP/1.1\r\n\r\n",
    "a host that is none": "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a NUL in a value": "GET /healthz HTTP/1.1\r\nHost: hub\r\nX-A: a\0b\r\n\r\n",
    "a control character in a value": "GET /healthz HTTP/1.1\r\nHost: hub\r\nX-A: a\x08b\r\n\r\n",
    "a control character in a name": "GET /healthz HTTP/1.1\r\nHost: hub\r\nX\x01A: b\r\n\r\n",
    "a control character in the target": "GET /health\x07z HTTP/1.1\r\nHost: hub\r\n\r\n",
    "a space before the colon": "GET /healthz HTTP/1.1\r\nHost: hub\r\nX-A : b\r\n\r\n",
    "a tab before the colon": "GET /healthz HTTP/1.1\r\nHost: hub\r\nX-A\t: b\r\n\r\n",
    "a folded line": "GET /healthz HTTP/1.1\r\nHost: hub\r\nX-A: b\r\n c\r\n\r\n",
    "a blank before the first field": "GET /healthz HTTP/1.1\r\n Host: hub\r\n\r\n",
    "a bare CR in a value": "GET /healthz HTTP/1.1\r\nHost: hub\r\nX-A: b\rc\r\n\r\n",
    "a bare CR at the end": "GET /healthz HTTP/1.1\r\nHost: hub\rX-A: b\r\n\r\n",
    "a bare LF": "GET /healthz HTTP/1.1\nHost: hub\n\n",
    "no colon": "GET /healthz HTTP/1.1\r\nHost: hub\r\nnonsense\r\n\r\n",
    "no name": "GET /healthz HTTP/1.1\r\nHost: hub\r\n: b\r\n\r\n",
    "two spaces in the request line": "GET  /healthz HTTP/1.1\r\nHost: hub\r\n\r\n",
    "no version": "GET /healthz\r\nHost: hub\r\n\r\n",
    "a version that is none": "GET /healthz HTTP/1.x\r\nHost: hub\r\n\r\n",
    "a method that is no token": "G@T /healthz HTTP/1.1\r\nHost: hub\r\n\r\n",
    "no slash": "GET healthz HTTP/1.1\r\nHost: hub\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    "a chunk without a size": f"{POST}{CHUNKED}\r\nxyz\r\n",
    "a chunk longer than it says": f"{POST}{CHUNKED}\r\n1\r\nab\r\n0\r\n\r\n",
    "a chunk ended by LF": f"{POST}{CHUNKED}\r\n1\na\n0\n\n",
    "chunks in HTTP/1.0": "POST /healthz HTTP/1.0\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


def assert_refused_and_closed(connection, status):
    answer = connection.answer()
    assert answer.status == status, answer
    assert answer.fields["connection"] == "close"
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.fields["x-request-id"] and answer.json["status"] == status and answer.json["detail"]
    assert connection.ended()


@pytest.mark.parametrize("unsound", UNSOUND)
def test_what_is_not_sound_is_refused_and_the_connection_closed(hub, unsound):
    """What stands behind it is not read as a request."""
    with RawConnection(hub.port) as connection:
        connection.send(UNSOUND[unsound].encode("latin-1") + GET.encode())
        assert_refused_and_closed(connection, 400)


@pytest.mark.parametrize("unsound", ["both lengths", "two hosts", "a folded line", "a bare CR in a value"])
def test_it_is_refused_however_the_network_cuts_it(hub, unsound):
    with RawConnection(hub.port) as connection:
        for byte in UNSOUND[unsound].partition("\r\n\r\n")[0] + "\r\n\r\n":
            try:
                connection.send(byte)
            except OSError:
                break  # refused before its end
        assert_refused_and_closed(connection, 400)


@pytest.mark.parametrize(
    ("status", "request_text"),
    [
        (431, "GET /healthz HTTP/1.1\r\nHost: hub\r\nX-A: " + "a" * 16384 + "\r\n\r\n"),
        (431, "GET /healthz HTTP/1.1\r\nHost: hub\r\nX-A: " + "a" * 16384),
        (431, "GET /healthz HTTP/1.1\r\nHost: hub\r\n" + "X-A: a\r\n" * 200 + "\r\n"),
        (414, "GET /" + "a" * 16384 + " HTTP/1.1\r\nHost: hub\r\n\r\n"),
        (417, "POST /healthz HTTP/1.1\r\nHost: hub\r\nExpect: a miracle\r\nContent-Length: 1\r\n\r\n"),
        (501, "POST /healthz HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        (505, "GET /healthz HTTP/2.0\r\nHost: hub\r\n\r\n"),
    ],
    ids=["long head", "long half head", "many fields", "long target", "expectation", "encoding", "version"],
)
def test_what_is_beyond_the_hub_has_a_status_of_its_own(hub, status, request_text):
    with RawConnection(hub.port) as connection:
        connection.send(request_text)
        assert_refused_and_closed(connection, status)


def test_a_head_within_the_limit_is_taken(hub):
    with RawConnection(hub.port) as connection:
        connection.send("GET /healthz HTTP/1.1\r\nHost: hub\r\nX-A: " + "a" * 16000 + "\r\n\r\n")
        assert connection.answer().status == 200


def test_requests_in_a_pipeline_are_answered_in_order(hub):
    job = hub.submit()

    def text(name, method, path, body=""):
        head = f"{method} {path} HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.worker}\r\nX-Request-Id: {name}\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}"

    path = f"/api/v1/jobs/{job}"
    with RawConnection(hub.port) as connection:
        connection.send(
            text("first", "GET", path)
            + text("second", "PATCH", path, '{"status":"running"}')
            + text("third", "GET", "/nothing")
            + text("fourth", "PATCH", path, '{"status":"succeeded","result":[1]}')
            + text("fifth", "GET", path)
        )
        answers = [connection.answer() for _ in range(5)]
    assert [one.fields["x-request-id"] for one in answers] == ["first", "second", "third", "fourth", "fifth"]
    assert [one.status for one in answers] == [200, 200, 404, 200, 200]
    assert [one.json["status"] for one in answers] == ["queued", "running", 404, "succeeded", "succeeded"]


def test_a_request_may_come_byte_by_byte(hub):
    job = str(uuid.uuid4())
    body = f'{{"job_id":"{job}"}}'
    head = f"POST /api/v1/jobs HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.client}\r\nContent-Length: {len(body)}\r\n\r\n"
    with RawConnection(hub.port) as connection:
        for byte in head + body:
            connection.send(byte)
        answer = connection.answer()
    assert answer.status == 201 and answer.json["job_id"] == job


def test_a_chunked_body_is_put_together(hub):
    job = str(uuid.uuid4())
    with RawConnection(hub.port) as connection:
        connection.send(
            f"POST /api/v1/jobs HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.client}\r\nTransfer-Encoding: Chunked\r\n\r\n"
        )
        body = f'{{"job_id":"{job}","metadata":{{"a":"{"x" * 300}"}}}}'
        for piece in (body[:1], body[1:17], body[17:]):
            connection.send(f"{len(piece):X};name=value\r\n{piece}\r\n")
        connection.send("0\r\nX-Trailer: passed over\r\n\r\n" + GET)
        answer = connection.answer()
        assert answer.status == 201
        assert (answer.json["job_id"], answer.json["metadata"]) == (job, {"a": "x" * 300})
        assert connection.answer().json == {"status": "ok"}


def test_a_client_that_asks_before_it_sends_its_body_is_told_to(hub):
    job = str(uuid.uuid4())
    body = f'{{"job_id":"{job}"}}'
    with RawConnection(hub.port) as connection:
        connection.send(
            f"POST /api/v1/jobs HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.client}\r\n"
            f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        assert connection.answer().status == 100
        connection.send(body)
        assert connection.answer().status == 201


def test_a_connection_is_kept_until_the_client_has_done(hub):
    with RawConnection(hub.port) as connection:
        for _ in range(3):
            connection.send(GET)
            answer = connection.answer()
            assert answer.status == 200 and answer.fields.get("connection") != "close"
        connection.send("GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")
        assert connection.answer().fields["connection"] == "close"
        assert connection.ended()


def test_http_1_0_closes_unless_it_asks_otherwise(hub):
    with RawConnection(hub.port) as connection:
        connection.send("GET /healthz HTTP/1.0\r\n\r\n")
        assert connection.answer().status == 200
        assert connection.ended()
    with RawConnection(hub.port) as connection:
        for _ in range(2):
            connection.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = connection.answer()
            assert (answer.status, answer.fields["connection"]) == (200, "keep-alive")


def test_the_absolute_form_of_a_target_is_taken(hub):
    with RawConnection(hub.port) as connection:
        connection.send("GET http://hub/healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert connection.answer().status == 200


def test_a_client_that_shuts_its_side_is_still_answered(hub):
    with RawConnection(hub.port) as connection:
        connection.send(GET + GET)
        connection.socket.shutdown(1)
        assert [connection.answer().status, connection.answer().status] == [200, 200]
        assert connection.ended()
