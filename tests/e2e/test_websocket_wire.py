"""WebSocket on the wire: messages deflated or plain, and what ends a connection, to the byte."""

import json
import struct
import zlib

import pytest
from harness import raw_ws
from harness.raw_ws import CLOSE, PING, TEXT, RawWebSocket
from harness.ws import Client, in_thread, run

RSV1 = 0x40
NO_CONTEXT = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
# JSON that deflates well, and far above the size from which on that is done.
RESULT = {"pages": [{"url": f"https://example.com/item/{n}", "text": "the quick brown fox"} for n in range(500)]}


def deflate(message):
    stream = zlib.compressobj(wbits=-15)
    return (stream.compress(message.encode()) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(payload, window_bits=15):
    return zlib.decompressobj(wbits=-window_bits).decompress(payload + b"\0\0\xff\xff").decode()


def opened(hub, offer=None):
    connection = RawWebSocket(hub.port).open(hub.port, hub.client, Sec_WebSocket_Extensions=offer)
    assert connection.read_message()["type"] == "connected"
    return connection


def subscribe(connection, job):
    """Returns the raw frame of the present state."""
    connection.send(raw_ws.frame(TEXT, json.dumps({"action": "subscribe", "job_id": job})))
    assert connection.read_message()["type"] == "subscribed"
    return connection.read_raw_frame()


# --- permessage-deflate -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (None, None),
        ("permessage-deflate", NO_CONTEXT),
        ("permessage-deflate; client_max_window_bits", NO_CONTEXT),
        ("permessage-deflate; server_max_window_bits=10", NO_CONTEXT + "; server_max_window_bits=10"),
        ("permessage-foo, permessage-deflate; nonsense, permessage-deflate", NO_CONTEXT),
        ("permessage-deflate; server_max_window_bits=16", None),
    ],
)
def test_deflate_is_agreed_upon_where_it_is_offered_soundly(hub, offer, answer):
    with RawWebSocket(hub.port) as connection:
        connection.send(raw_ws.request(hub.port, hub.client, Sec_WebSocket_Extensions=offer))
        head = connection.read_head().decode().split("\r\n")
    assert head[0].startswith("HTTP/1.1 101 ")
    answers = [line for line in head if line.startswith("Sec-WebSocket-Extensions:")]
    assert answers == ([f"Sec-WebSocket-Extensions: {answer}"] if answer else [])


def test_a_refused_key_agrees_to_no_extension(hub):
    with RawWebSocket(hub.port) as connection:
        connection.send(
            raw_ws.request(hub.port, "sk_live_" + "x" * 40, Sec_WebSocket_Extensions="permessage-deflate")
        )
        assert b"Extensions" not in connection.read_head()
        assert connection.read_close() == (4001, "Invalid API key", 0)


def test_a_plain_and_a_deflating_client_get_the_same_updates(hub):
    """With the real client, which offers permessage-deflate unless told not to."""

    async def talk():
        job = await in_thread(hub.submit)
        async with (
            Client(hub, hub.client) as deflating,
            Client(hub, hub.client, compression=None) as plain,
            Client(hub, query=f"?api_key={hub.client}&resume=1") as with_seq,
        ):
            assert deflating.socket.extensions and with_seq.socket.extensions and not plain.socket.extensions
            for client in (deflating, plain, with_seq):
                await client.expect("connected")
                await client.subscribe(job)
            await in_thread(hub.report, job, "running")
            await in_thread(hub.report, job, "succeeded", result=RESULT)
            for _ in range(2):
                texts = [await client.receive_text() for client in (deflating, plain)]
                assert texts[0] == texts[1]
                numbered = await with_seq.receive()
                assert numbered.pop("seq") and numbered == json.loads(texts[0])
            assert json.loads(texts[0])["result"] == RESULT
            # The present state is as large.
            assert (await deflating.subscribe(job))["result"] == RESULT

    run(talk())


def test_what_is_large_is_deflated_and_what_is_small_is_not(hub):
    job = hub.submit()
    with opened(hub, "permessage-deflate") as one, opened(hub, "permessage-deflate") as two, opened(hub) as plain:
        for connection in (one, two, plain):
            first, state = subscribe(connection, job)
            assert first == 0x80 | TEXT and json.loads(state)["status"] == "queued"
        hub.report(job, "running")
        hub.report(job, "succeeded", result=RESULT)
        for connection in (one, two, plain):
            assert connection.read_message()["status"] == "running"
        first, payload = one.read_raw_frame()
        assert first == 0x80 | RSV1 | TEXT
        assert json.loads(inflate(payload))["result"] == RESULT
        assert two.read_raw_frame() == (first, payload)  # the very same frame
        assert plain.read_frame() == (TEXT, inflate(payload).encode())
        assert len(payload) < len(inflate(payload)) / 4
        first, state = subscribe(one, job)
        assert first == 0x80 | RSV1 | TEXT and json.loads(inflate(state))["result"] == RESULT


def test_a_client_with_a_smaller_window_is_sent_plain_frames(hub):
    job = hub.submit()
    hub.report(job, "running")
    hub.report(job, "succeeded", result=RESULT)
    with opened(hub, "permessage-deflate; server_max_window_bits=10") as connection:
        first, state = subscribe(connection, job)
        assert first == 0x80 | TEXT and json.loads(state)["result"] == RESULT
        connection.send(raw_ws.frame(TEXT, deflate('{"action":"ping"}'), deflated=True))
        assert connection.read_message()["type"] == "pong"


def test_the_bounds_of_deflating_are_settings(make_hub):
    hub = make_hub("--websocket-deflate-min-bytes", "110", "--websocket-deflate-max-bytes", "1000")
    job = hub.submit()
    with opened(hub, "permessage-deflate") as connection:
        connection.send(raw_ws.frame(TEXT, json.dumps({"action": "subscribe", "job_id": job})))
        seen = [connection.read_raw_frame() for _ in range(2)]
        hub.report(job, "running", progress={"pad": "x" * 2000})
        seen.append(connection.read_raw_frame())
    # "subscribed" is too small, the present state is not, and the update is too large.
    assert [bool(first & RSV1) for first, _ in seen] == [False, True, False]
    assert json.loads(inflate(seen[1][1]))["type"] == "job_update"


def test_deflate_can_be_switched_off(make_hub):
    hub = make_hub("--websocket-deflate", "false")

    async def talk():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            assert not client.socket.extensions

    run(talk())


def test_a_client_may_deflate_what_it_sends(hub):
    with opened(hub, "permessage-deflate") as connection:
        payload = deflate('{"action":"ping"}')
        connection.send(raw_ws.frame(TEXT, payload, deflated=True))
        assert connection.read_message()["type"] == "pong"
        connection.send(
            raw_ws.frame(TEXT, payload[:5], final=False, deflated=True)
            + raw_ws.frame(PING, "still there?")
            + raw_ws.frame(0, payload[5:])
            + raw_ws.frame(TEXT, '{"action":"ping"}')
        )
        assert connection.read_frame() == (raw_ws.PONG, b"still there?")
        assert [connection.read_message()["type"] for _ in range(2)] == ["pong", "pong"]


def test_a_message_that_inflates_beyond_the_limit_is_refused(hub):
    bomb = deflate("x" * (64 << 20))
    assert len(bomb) < 70_000  # within the limit by itself
    with opened(hub, "permessage-deflate") as connection:
        connection.send(raw_ws.frame(TEXT, bomb, deflated=True))
        assert connection.read_close() == (1009, "Message too big", 0)


def test_what_cannot_be_inflated_is_refused(hub):
    with opened(hub, "permessage-deflate") as connection:
        connection.send(raw_ws.frame(TEXT, b"\xff\xff\xff\xff", deflated=True))
        assert connection.read_close()[0] == 1007
    with opened(hub) as connection:
        connection.send(raw_ws.frame(TEXT, deflate('{"action":"ping"}'), deflated=True))
        assert connection.read_close()[0] == 1002


# --- what ends a connection -------------------------------------------------------------------------------------------


def test_text_that_cannot_become_utf8_is_refused_before_its_frame_is_whole(hub):
    with opened(hub) as connection:
        head = raw_ws.frame(TEXT, "x" * 5000)[:8]
        mask = head[4:8]
        connection.send(head + bytes(byte ^ mask[i % 4] for i, byte in enumerate(b"sound \xed\xa0")))
        # 4992 bytes of the frame were never sent.
        assert connection.read_close() == (1007, "Text is not valid UTF-8", 0)
        with pytest.raises(EOFError):
            connection.read_frame()


def test_text_that_cannot_become_utf8_is_refused_before_its_message_is_whole(hub):
    with opened(hub) as connection:
        connection.send(raw_ws.frame(TEXT, b"\xce\xba\xf4", final=False))
        connection.send(raw_ws.frame(PING, ""))
        assert connection.read_frame() == (raw_ws.PONG, b"")  # so far it could be a character
        connection.send(raw_ws.frame(0, b"\x90", final=False))
        assert connection.read_close()[0] == 1007


@pytest.mark.parametrize(
    ("code", "frames"),
    [
        (1002, [raw_ws.frame(TEXT, "{}", masked=False)]),
        (1002, [raw_ws.frame(TEXT, "{}", deflated=True)]),
        (1002, [raw_ws.frame(3, "")]),
        (1002, [raw_ws.frame(PING, "", final=False)]),
        (1002, [raw_ws.frame(PING, "x" * 126)]),
        (1002, [raw_ws.frame(0, "")]),
        (1002, [raw_ws.frame(TEXT, "", final=False), raw_ws.frame(TEXT, "")]),
        (1002, [raw_ws.frame(CLOSE, b"x")]),
        (1002, [raw_ws.frame(CLOSE, struct.pack(">H", 1005))]),
        (1007, [raw_ws.frame(CLOSE, struct.pack(">H", 1000) + b"\xff")]),
        (1007, [raw_ws.frame(TEXT, b"\xc0\xaf")]),
        (1003, [raw_ws.frame(raw_ws.BINARY, b"x")]),
        (1009, [b"\x81\xff" + struct.pack(">Q", 1 << 40) + b"\0\0\0\0"]),
        (1009, [raw_ws.frame(TEXT, "x" * 40_000, final=False), raw_ws.frame(0, "x" * 40_000, final=False)]),
    ],
)
def test_a_violation_is_answered_with_its_code_and_the_end(hub, code, frames):
    """One close frame, nothing behind it, and the hub ends the stream without waiting for anyone."""
    with opened(hub) as connection:
        connection.send(b"".join(frames) + raw_ws.frame(TEXT, '{"action":"ping"}'))
        assert connection.read_close()[::2] == (code, 0)
        with pytest.raises(EOFError):
            connection.read_frame()


def test_fragments_without_end_come_to_one(make_hub):
    hub = make_hub("--websocket-message-bytes", "1024")
    with opened(hub) as connection:
        connection.send(raw_ws.frame(TEXT, "", final=False) + raw_ws.frame(0, "", final=False) * 1025)
        assert connection.read_close() == (1009, "Message too big", 0)


# --- the handshake ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "method", "changes"),
    [
        (426, "GET", {"Upgrade": None}),
        (426, "GET", {"Sec_WebSocket_Version": "8"}),
        (400, "GET", {"Sec_WebSocket_Version": None}),
        (400, "GET", {"Sec_WebSocket_Version": "13\r\nSec-WebSocket-Version: 13"}),
        (400, "GET", {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}),
        (400, "GET", {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits="}),
        (400, "GET", {"Content_Length": "1"}),
        (405, "POST", {}),
        (405, "DELETE", {}),
    ],
)
def test_what_is_no_handshake_is_answered_by_http(hub, status, method, changes):
    with RawWebSocket(hub.port) as connection:
        connection.send(raw_ws.request(hub.port, hub.client, **changes).replace(b"GET", method.encode(), 1) + b"x")
        head = connection.read_head().decode().split("\r\n")
    assert head[0].startswith(f"HTTP/1.1 {status} ")
    assert ("Sec-WebSocket-Version: 13" in head) == (status == 426)
    assert any(line.startswith("Allow: GET") for line in head) == (status == 405)
