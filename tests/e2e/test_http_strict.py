"""HTTP/1.1 over raw sockets, as no client would send it: each case has its one answer, none holds the hub up or ends it.

What a case is answered stands beside it, answer by answer; `ENDS` behind them says that the connection ends then, so that
nothing which stood behind was read as a request. Where it does not, the connection is in step: a plain request on it is
answered. After every case a plain request on a new connection is answered."""

import socket
import struct
import time

import pytest
from harness.hub import Hub
from harness.http import PATIENCE_S, RawConnection

HEAD_TIMEOUT_S = 2
BODY_BYTES_MAX = 65536
ENDS = "ends"

GET = "GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"
# Nobody comes in without a key: 401 says that the request was read whole.
POST = "POST /api/v1/jobs HTTP/1.1\r\nHost: hub\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"


def get(target="/healthz", fields="Host: hub\r\n", version="HTTP/1.1", method="GET"):
    return f"{method} {target} {version}\r\n{fields}\r\n"


def post(fields, body=""):
    return f"{POST}{fields}\r\n{body}"


SMUGGLING = {
    "a length and a coding": (post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400, ENDS),
    "a coding and a length": (post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400, ENDS),
    "two lengths": (post("Content-Length: 2\r\nContent-Length: 3\r\n", "{} "), 400, ENDS),
    "the same length twice": (post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), 400, ENDS),
    "a list of lengths": (post("Content-Length: 2, 2\r\n", "{}"), 400, ENDS),
    "a length and a half": (post("Content-Length: 2 2\r\n", "{}"), 400, ENDS),
    "a length with a sign": (post("Content-Length: +2\r\n", "{}"), 400, ENDS),
    "a length below nothing": (post("Content-Length: -0\r\n"), 400, ENDS),
    "a hexadecimal length": (post("Content-Length: 0x2\r\n", "{}"), 400, ENDS),
    "an empty length": (post("Content-Length:\r\n", "{}"), 400, ENDS),
    "a length of 65 bits": (post("Content-Length: 18446744073709551618\r\n", "{}"), 400, ENDS),
    "a length with zeros before it": (post("Content-Length: 0002\r\n", "{}"), 401),
    "another coding": (post("Transfer-Encoding: gzip\r\n", "0\r\n\r\n"), 501, ENDS),
    "a coding that only sounds so": (post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501, ENDS),
    "a coding in quotes": (post('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n"), 501, ENDS),
    "a coding with a weight": (post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), 501, ENDS),
    "chunked twice": (post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 501, ENDS),
    "chunked and no more": (post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), 501, ENDS),
    "two codings": (post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n"), 400, ENDS),
    "a coding behind a vertical tab": (post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"), 400, ENDS),
    "a coding on a folded line": (post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 501, ENDS),
    "a blank before the coding's colon": (post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), 400, ENDS),
    "a coding behind a tab": (post("Transfer-Encoding:\tchunked \r\n", "0\r\n\r\n"), 401),
    "a coding in HTTP/1.0": (
        get(method="POST", version="HTTP/1.0", fields="Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        400,
        ENDS,
    ),
    "a GET with a body": (get(fields=f"Host: hub\r\nContent-Length: {len(GET)}\r\n") + GET, 200),
    "a HEAD with chunks": (
        get(method="HEAD", fields="Host: hub\r\nTransfer-Encoding: chunked\r\n") + "1\r\nx\r\n0\r\n\r\n",
        200,
    ),
}

HEADS = {
    "a folded line": (get(fields="Host: hub\r\nX-A: a\r\n b\r\n"), 400, ENDS),
    "a bare LF": (GET.replace("\r\n", "\n"), 400, ENDS),
    "one bare LF": (get(fields="Host: hub\nX-A: b\r\n"), 400, ENDS),
    "a bare CR": (get(fields="Host: hub\r\nX-A: a\rb\r\n"), 400, ENDS),
    "a space before the colon": (get(fields="Host : hub\r\n"), 400, ENDS),
    "a NUL in a value": (get(fields="Host: hub\r\nX-A: a\0b\r\n"), 400, ENDS),
    "a NUL in a name": (get(fields="Host: hub\r\nX\0A: b\r\n"), 400, ENDS),
    "a NUL in the target": (get("/health\0z"), 400, ENDS),
    "no colon": (get(fields="Host: hub\r\nX-A\r\n"), 400, ENDS),
    "no name": (get(fields="Host: hub\r\n: a\r\n"), 400, ENDS),
    "a name beyond ASCII": (get(fields="Host: hub\r\nX-\xe4: a\r\n"), 400, ENDS),
    "a value that is no UTF-8": (get(fields="Host: hub\r\nX-A: \xff\xfe\xc0\x80\r\n"), 200),
    "no host": (get(fields=""), 400, ENDS),
    "two hosts": (get(fields="Host: hub\r\nHost: hub\r\n"), 400, ENDS),
    "a host with a user": (get(fields="Host: user@hub\r\n"), 400, ENDS),
    "an empty host": (get(fields="Host:\r\n"), 200),
    "an empty line before": ("\r\n" + GET, 200),
    "two empty lines before": ("\r\n\r\n" + GET, 400, ENDS),
    "a blank before": (" " + GET, 400, ENDS),
    "TLS": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400, ENDS),
    "a field too long": (get(fields="Host: hub\r\nX-A: " + "a" * 20000 + "\r\n"), 431, ENDS),
    "a field that never ends": ("GET /healthz HTTP/1.1\r\nHost: hub\r\nX-A: " + "a" * 20000, 431, ENDS),
    "too many fields": (get(fields="Host: hub\r\n" + "A: b\r\n" * 100), 431, ENDS),
    "as many fields as may be": (get(fields="Host: hub\r\n" + "A: b\r\n" * 99), 200),
    "an expectation": (post("Expect: tea\r\nContent-Length: 2\r\n", "{}"), 417, ENDS),
}

CHUNKS = {
    "a size of 64 bits": (CHUNKED + "ffffffffffffffff\r\n", 400, ENDS),
    "a size that wraps around": (CHUNKED + "10000000000000002\r\n{}\r\n0\r\n\r\n", 400, ENDS),
    "a size of 60 bits": (CHUNKED + "fffffffffffffff\r\n", 413, ENDS),
    "a size below nothing": (CHUNKED + "-2\r\n{}\r\n0\r\n\r\n", 400, ENDS),
    "a size with 0x": (CHUNKED + "0x2\r\n{}\r\n0\r\n\r\n", 400, ENDS),
    "a blank before a size": (CHUNKED + " 2\r\n{}\r\n0\r\n\r\n", 400, ENDS),
    "a blank behind a size": (CHUNKED + "2 \r\n{}\r\n0\r\n\r\n", 400, ENDS),
    "no size": (CHUNKED + "\r\n{}\r\n0\r\n\r\n", 400, ENDS),
    "a size with a bare LF": (CHUNKED + "2\n{}\r\n0\r\n\r\n", 400, ENDS),
    "a size with a bare CR": (CHUNKED + "2\r{}\r\n0\r\n\r\n", 400, ENDS),
    "more than was said": (CHUNKED + "2\r\n{}}\r\n0\r\n\r\n", 400, ENDS),
    "chunks without a break": (CHUNKED + "2\r\n{}0\r\n\r\n", 400, ENDS),
    "an end with a bare LF": (CHUNKED + "2\r\n{}\r\n0\n\n", 400, ENDS),
    "extensions": (CHUNKED + '1;a\r\n{\r\n1;b=c;d="e;f"\r\n}\r\n0;g\r\n\r\n', 401),
    "an extension with a bare LF": (CHUNKED + "2;a\nb\r\n{}\r\n0\r\n\r\n", 400, ENDS),
    "an extension too long": (CHUNKED + "2;" + "a" * 5000 + "\r\n{}\r\n0\r\n\r\n", 400, ENDS),
    "an extension that never ends": (CHUNKED + "2;" + "a" * 5000, 400, ENDS),
    "an end with zeros": (CHUNKED + "002\r\n{}\r\n000\r\n\r\n", 401),
    "trailers": (CHUNKED + "2\r\n{}\r\n0\r\nContent-Length: 7\r\nX-A: b\r\n\r\n", 401),
    "trailers too long": (CHUNKED + "0\r\n" + ("X-A: " + "a" * 1000 + "\r\n") * 20, 400, ENDS),
    "a trailer with a bare LF": (CHUNKED + "0\r\nX-A: b\n\r\n", 400, ENDS),
    "a chunk beyond the limit": (CHUNKED + f"{BODY_BYTES_MAX + 1:x}\r\n", 413, ENDS),
    "chunks beyond the limit": (CHUNKED + ("1000\r\n" + "a" * 4096 + "\r\n") * 17, 413, ENDS),
    "a length beyond the limit": (post(f"Content-Length: {BODY_BYTES_MAX + 1}\r\n"), 413, ENDS),
    "a body as long as may be": (post(f"Content-Length: {BODY_BYTES_MAX}\r\n", " " * BODY_BYTES_MAX), 401),
}

TARGETS = {
    "the absolute form": (get("http://hub/healthz"), 200),
    "the absolute form of another": (get("HTTPS://other.example:8443/healthz?x"), 200),
    "the absolute form without a path": (get("http://hub"), 404),
    "the absolute form with a query alone": (get("http://hub?x"), 404),
    "the absolute form without a host": (get("http:///healthz"), 400, ENDS),
    "the absolute form with a port alone": (get("http://:80/healthz"), 400, ENDS),
    "the absolute form with a user": (get("http://user@hub/healthz"), 400, ENDS),
    "another scheme": (get("ftp://hub/healthz"), 400, ENDS),
    "the authority form": (get("hub:80", method="CONNECT"), 400, ENDS),
    "the authority form of a GET": (get("hub:80"), 400, ENDS),
    "the asterisk": (get("*", method="OPTIONS"), 204),
    "the asterisk of a GET": (get("*"), 400, ENDS),
    "no slash": (get("healthz"), 400, ENDS),
    "a backslash": (get("\\healthz"), 400, ENDS),
    "two slashes": (get("//healthz"), 404),
    "dots": (get("/a/../healthz"), 404),
    "an escaped letter": (get("/%68ealthz"), 404),
    "an escaped NUL": (get("/healthz%00"), 404),
    "an escape cut short": (get("/healthz%"), 404),
    "escapes that are none, in a query": (get("/healthz?%zz=%&%&=%4"), 200),
    "escaped bytes that are no UTF-8": (get("/api/v1/jobs/%ff%fe"), 401),
    "bytes beyond ASCII": (get("/\xc3\xa4"), 400, ENDS),
    "a fragment": (get("/healthz#top"), 400, ENDS),
    "a blank": (get("/health z"), 400, ENDS),
    "nothing": ("GET  HTTP/1.1\r\nHost: hub\r\n\r\n", 400, ENDS),
    "a target too long": (get("/" + "a" * 20000), 414, ENDS),
    "a target almost too long": (get("/" + "a" * 16000), 404),
}

LINES = {
    "HTTP/0.9": ("GET /healthz\r\n", 400, ENDS),
    "HTTP/1.0": (get(version="HTTP/1.0", fields=""), 200, ENDS),
    "HTTP/1.0 kept alive": (get(version="HTTP/1.0", fields="Connection: keep-alive\r\n"), 200),
    "HTTP/1.2": (get(version="HTTP/1.2"), 400, ENDS),
    "HTTP/1.10": (get(version="HTTP/1.10"), 400, ENDS),
    "HTTP/2 without asking": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, ENDS),
    "HTTP/9.9": (get(version="HTTP/9.9"), 505, ENDS),
    "a version in small letters": (get(version="http/1.1"), 400, ENDS),
    "a blank behind the version": (get(version="HTTP/1.1 "), 400, ENDS),
    "a tab for a blank": (GET.replace(" ", "\t", 1), 400, ENDS),
    "a method in small letters": (get(method="get"), 405),
    "a method that nobody knows": (get(method="BREW"), 405),
    "a method that is no token": (get(method="G(T"), 400, ENDS),
    "a long method": (get(method="A" * 10000), 405),
    "a method too long": (get(method="A" * 20000), 414, ENDS),
    "TRACE": (get(method="TRACE"), 405),
    "closed by request": (get(fields="Host: hub\r\nConnection: keep-alive, Close\r\n") + GET, 200, ENDS),
    "an error in a pipeline": (GET + GET + get(fields="X-A : b\r\n") + GET, 200, 200, 400, ENDS),
}

CONTENTS = {
    "a type that is none of ours": (post("Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}"), 415),
    "a form of fields": (post("Content-Type: multipart/form-data\r\nContent-Length: 2\r\n", "{}"), 415),
    "what a client says unasked": (
        post("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n", "{}"),
        401,
    ),
    "another charset": (post("Content-Type: application/json; charset=utf-16\r\nContent-Length: 2\r\n", "{}"), 415),
    "two types": (
        post("Content-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n", "{}"),
        415,
    ),
    "our type": (post('Content-Type: Application/JSON;Charset="UTF-8"\r\nContent-Length: 2\r\n', "{}"), 401),
    "a type and no content": (post("Content-Type: text/plain\r\nContent-Length: 0\r\n"), 401),
    "compressed": (post("Content-Encoding: gzip\r\nContent-Length: 2\r\n", "\x1f\x8b"), 415),
    "compressed, in chunks": (post("Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n"), 415),
    "as it is": (post("Content-Encoding: identity\r\nContent-Length: 2\r\n", "{}"), 401),
}

# Sent without the body that they announce, and without asking what comes of that.
EXPECTING = {
    "to go on": (post("Expect: 100-continue\r\nContent-Length: 9\r\n"), 100),
    "another type": (post("Content-Type: text/plain\r\nExpect: 100-continue\r\nContent-Length: 9\r\n"), 415, ENDS),
    "another coding": (
        post("Content-Encoding: gzip\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n"),
        415,
        ENDS,
    ),
    "nowhere": (
        "POST /nothing HTTP/1.1\r\nHost: hub\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
        404,
        ENDS,
    ),
    "another method": (
        "POST /healthz HTTP/1.1\r\nHost: hub\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
        405,
        ENDS,
    ),
    "too long": (post(f"Expect: 100-continue\r\nContent-Length: {BODY_BYTES_MAX + 1}\r\n"), 413, ENDS),
    "nothing": (post("Expect: 100-continue\r\nContent-Length: 0\r\n"), 401),
}

CASES = {
    f"{room}: {name}": case
    for room, cases in {
        "smuggling": SMUGGLING,
        "head": HEADS,
        "chunks": CHUNKS,
        "target": TARGETS,
        "line": LINES,
        "content": CONTENTS,
    }.items()
    for name, case in cases.items()
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub that is not patient."""
    options = ["--limits-head-timeout-s", HEAD_TIMEOUT_S, "--limits-body-timeout-s", HEAD_TIMEOUT_S]
    options += ["--limits-idle-timeout-s", 3, "--limits-body-bytes", BODY_BYTES_MAX]
    shared = Hub(tmp_path_factory.mktemp("hub"), *map(str, options))
    try:
        yield shared.start()
    finally:
        shared.close()


@pytest.fixture(autouse=True)
def serves_afterwards(hub):
    yield
    assert hub.http().get("/healthz").json == {"status": "ok"}
    assert hub.process.poll() is None, hub.log


def is_sound(answer):
    if answer.status >= 400:
        assert answer.fields["content-type"] == "application/problem+json"
        assert answer.json["status"] == answer.status and answer.json["error"] and answer.json["detail"]
    assert answer.fields["x-request-id"]


def method_of(text):
    return "HEAD" if text.startswith("HEAD") else "GET"


@pytest.mark.parametrize("name", CASES)
def test_each_has_its_answer(hub, name):
    text, *expected = CASES[name]
    ends = expected[-1] is ENDS
    statuses = expected[:-1] if ends else expected
    with RawConnection(hub.port) as connection:
        # What ends a connection is not followed by another request, whatever stands behind it.
        connection.send((text + GET).encode("latin-1"))
        for status in statuses:
            answer = connection.answer(to=method_of(text))
            assert answer is not None and answer.status == status, answer
            is_sound(answer)
        if ends:
            assert answer.fields["connection"] == "close"
            assert connection.ended()
        else:
            assert connection.answer().json == {"status": "ok"}


@pytest.mark.parametrize("name", [name for name in CASES if len(CASES[name][0]) < 400])
def test_and_has_it_however_the_network_cuts_it(hub, name):
    text, *expected = CASES[name]
    with RawConnection(hub.port) as connection:
        for byte in text.encode("latin-1"):
            try:
                connection.send(bytes([byte]))
            except OSError:
                break  # refused before its end
        statuses = [one for one in expected if one is not ENDS]
        answers = [connection.answer(to=method_of(text)) for _ in statuses]
        assert [answer and answer.status for answer in answers] == statuses


@pytest.mark.parametrize("name", EXPECTING)
def test_who_asks_before_sending_a_body_is_answered_at_once(hub, name):
    text, status, *ends = EXPECTING[name]
    with RawConnection(hub.port) as connection:
        connection.send(text)
        answer = connection.answer()
        assert answer.status == status
        if status != 100:
            is_sound(answer)
        if ends:
            assert answer.fields["connection"] == "close"
            connection.send(GET)  # is that the body? Nobody can know, and nobody reads it
            assert connection.ended()


# --- those who are slow -----------------------------------------------------------------------------------------------


def assert_timed_out(connection, begun):
    answer = connection.answer()
    assert answer.status == 408 and answer.fields["connection"] == "close"
    is_sound(answer)
    assert connection.ended()
    assert HEAD_TIMEOUT_S * 0.9 < time.monotonic() - begun < HEAD_TIMEOUT_S + PATIENCE_S


@pytest.mark.parametrize(
    "text",
    ["", "GET /healthz HTTP/1.1\r\nHo", "\r\n", post("Content-Length: 9\r\n", "{}"), CHUNKED, CHUNKED + "5\r\n{"],
    ids=["nothing", "half a head", "an empty line", "half a body", "no chunk", "half a chunk"],
)
def test_who_stops_is_told_that_time_is_up(hub, text):
    begun = time.monotonic()
    with RawConnection(hub.port) as connection:
        connection.send(text)
        assert_timed_out(connection, begun)


@pytest.mark.parametrize(
    ("first", "drop"),
    [("GET /healthz HTTP/1.1\r\nHost: hub\r\n", "X-A: b\r\n"), (post("Content-Length: 9999\r\n"), " "), (CHUNKED, "1\r\n \r\n")],
    ids=["head", "body", "chunks"],
)
def test_who_drips_wins_no_time(hub, first, drop):
    begun = time.monotonic()
    with RawConnection(hub.port) as connection:
        connection.send(first)
        connection.socket.settimeout(0.1)
        while time.monotonic() - begun < PATIENCE_S:
            try:
                if connection.socket.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                connection.send(drop)
        connection.socket.settimeout(PATIENCE_S)
        assert_timed_out(connection, begun)


def test_half_a_request_behind_a_whole_one_has_its_own_time(hub):
    with RawConnection(hub.port) as connection:
        connection.send(GET + GET[:-2])
        assert connection.answer().status == 200
        assert_timed_out(connection, time.monotonic())


def test_a_connection_that_is_left_alone_is_closed_without_a_word(hub):
    with RawConnection(hub.port) as connection:
        connection.send(GET)
        assert connection.answer().status == 200
        assert connection.ended()


def test_a_hundred_who_are_slow_delay_nobody(hub):
    slow = [RawConnection(hub.port) for _ in range(100)]
    try:
        for i, connection in enumerate(slow):
            connection.send((GET[:-2], post("Content-Length: 9\r\n"), CHUNKED + "5\r\n{")[i % 3])
        begun = time.monotonic()
        for _ in range(20):
            assert hub.http().get("/healthz").status == 200
        assert time.monotonic() - begun < HEAD_TIMEOUT_S
    finally:
        for connection in slow:
            connection.__exit__()


# --- those who leave --------------------------------------------------------------------------------------------------

LEAVING = {
    "half a head": GET[:20],
    "half a body": post("Content-Length: 9\r\n", "{}"),
    "half a chunk": CHUNKED + "5\r\n{",
    "a whole request": GET,
    "a hundred requests": GET * 100,
}


@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize("text", LEAVING.values(), ids=LEAVING)
def test_who_leaves_is_let_go(hub, text, how):
    with RawConnection(hub.port) as connection:
        connection.send(text)
        if how == "reset":
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("name", ["half a head", "half a body", "half a chunk"])
def test_half_a_request_that_can_never_be_whole_is_not_answered(hub, name):
    with RawConnection(hub.port) as connection:
        connection.send(LEAVING[name])
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.ended()


def test_what_was_asked_before_a_half_close_is_answered(hub):
    with RawConnection(hub.port) as connection:
        connection.send(GET * 50 + GET[:-1])
        connection.socket.shutdown(socket.SHUT_WR)
        assert [connection.answer().status for _ in range(50)] == [200] * 50
        assert connection.ended()


# --- those who are many -----------------------------------------------------------------------------------------------


def test_a_long_pipeline_is_answered_in_order(hub):
    names = [f"request-{i}" for i in range(1000)]
    with RawConnection(hub.port) as connection:
        connection.send("".join(get(fields=f"Host: hub\r\nX-Request-Id: {name}\r\n") for name in names))
        assert [connection.answer().fields["x-request-id"] for _ in names] == names


def test_a_body_that_is_no_utf_8_is_refused_as_what_it_is(hub):
    body = '{"metadata":{"a":"\xff"}}'
    with RawConnection(hub.port) as connection:
        fields = f"X-API-Key: {hub.client}\r\nContent-Length: {len(body)}\r\n"
        connection.send((post(fields, body) + GET).encode("latin-1"))
        answer = connection.answer()
        assert (answer.status, answer.json["error"]) == (400, "invalid_json")
        assert connection.answer().status == 200
