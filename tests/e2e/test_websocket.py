"""The protocol page, word by word, with the real `websockets` client."""

import asyncio
import json
import struct
import uuid

import pytest

from harness.http import RawConnection
from harness.ws import Client, in_thread, run


def test_every_way_to_give_the_key(hub):
    async def check(selected, **options):
        async with Client(hub, **options) as client:
            connected = await client.expect("connected", message="WebSocket connection established")
            assert connected.keys() == {"type", "message", "ts"}
            assert client.socket.subprotocol == selected

    async def all_ways():
        await check(None, key=hub.client)
        await check(hub.client, subprotocols=[hub.client])
        await check("carillon.v1", subprotocols=["carillon.v1", hub.client])
        await check(None, extra_headers={"X-API-Key": hub.client})
        await check(None, extra_headers={"Authorization": f"Bearer {hub.client}"})

    run(all_ways())


@pytest.mark.parametrize("options, reason", [
    ({}, "Missing API key"),
    ({"key": "sk_live_" + "x" * 40}, "Invalid API key"),
    ({"subprotocols": ["sk_live_" + "x" * 40]}, "Invalid API key"),
])
def test_a_refused_key_closes_4001_before_any_frame(hub, options, reason):
    async def connect():
        async with Client(hub, **options) as client:
            assert client.socket.subprotocol == (options.get("subprotocols") or [None])[0]
            return await client.closed()

    assert run(connect()) == (4001, reason, [])


def test_a_disabled_key_and_a_suspended_account_end_open_connections(make_hub):
    hub = make_hub()
    account = hub.make_account()
    made = hub.make_key(account=account)
    key = made

    async def connect_and(path):
        async with Client(hub, key) as client, Client(hub, hub.client) as other:
            await client.expect("connected")
            await other.expect("connected")
            await in_thread(hub.ask_admin, path)
            ended = await asyncio.wait_for(client.closed(), 1)  # within a second
            await other.send({"action": "ping"})
            await other.expect("pong")
            return ended

    async def connect():
        async with Client(hub, key) as client:
            return await client.closed()

    assert run(connect_and(f"/keys/{made.id}/disable")) == (4001, "API key disabled", [])
    assert run(connect()) == (4001, "API key disabled", [])
    hub.ask_admin(f"/keys/{made.id}/enable")
    hub.wait_for_key(made, None)
    assert run(connect_and(f"/accounts/{account}/suspend")) == (4001, "Account suspended", [])
    assert run(connect()) == (4001, "Account suspended", [])


def test_subscribe_and_unsubscribe(hub):
    async def talk():
        job = hub.submit()
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            await client.send({"action": "subscribe", "job_id": job})
            subscribed = await client.expect("subscribed", job_id=job)
            assert subscribed.keys() == {"type", "job_id", "ts"}
            state = await client.expect("job_update", job_id=job, status="queued", result=None, error=None)
            assert state.keys() == {"type", "job_id", "status", "result", "error", "ts"}
            hub.report(job, "running")
            await client.expect("job_update", status="running")
            await client.send({"action": "unsubscribe", "job_id": job})
            unsubscribed = await client.expect("unsubscribed", job_id=job)
            assert unsubscribed.keys() == {"type", "job_id", "ts"}
            hub.report(job, "failed", error="no \"luck\"")
            await client.send({"action": "ping"})
            assert (await client.expect("pong")).keys() == {"type", "ts"}  # and no update before it
            assert (await client.subscribe(job))["error"] == 'no "luck"'

    run(talk())


def test_nonsense_is_answered_with_an_error_and_the_connection_stays(hub):
    foreign = hub.submit(hub.make_key())
    nowhere = str(uuid.uuid4())

    async def talk():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            for message, words in [
                ("{", "Invalid JSON"),
                ("[1]", "Invalid JSON"),
                ({"action": "subscribe"}, "Missing job_id"),
                ({"action": "unsubscribe"}, "Missing job_id"),
                ({"action": "dance"}, "Unknown action"),
                ({"action": "subscribe", "job_id": foreign}, f"Job not found or access denied: {foreign}"),
                ({"action": "subscribe", "job_id": nowhere}, f"Job not found or access denied: {nowhere}"),
                ({"action": "subscribe", "job_id": "x"}, "Job not found or access denied: x"),
            ]:
                await client.send(message)
                error = await client.expect("error")
                assert error.keys() == {"type", "message", "ts"} and words in error["message"], error
            hub.report(foreign, "running")
            await client.send({"action": "ping"})
            await client.expect("pong")

    run(talk())


def test_the_star_hears_of_every_job_of_the_key_also_later_ones(hub):
    key = hub.make_key()

    async def talk():
        early = hub.submit(key)
        async with Client(hub, key) as client:
            await client.expect("connected")
            await client.send({"action": "subscribe", "job_id": "*"})
            await client.expect("subscribed", job_id="*")
            late = hub.submit(key)
            await client.expect("job_update", job_id=late, status="queued")
            hub.submit()  # of another key
            hub.report(early, "running")
            await client.expect("job_update", job_id=early, status="running")

    run(talk())


def test_updates_come_in_order_and_none_is_missing(hub):
    key = hub.make_key()

    async def talk():
        job = hub.submit(key)
        async with Client(hub, key, query=f"?api_key={key}&resume=1") as client:
            assert "epoch" in await client.expect("connected")
            await client.subscribe(job)
            hub.report(job, "running")
            report = asyncio.get_running_loop().run_in_executor(
                None, lambda: [hub.report(job, progress={"m": m}) for m in range(200)])
            updates = [await client.expect("job_update", job_id=job) for _ in range(201)]
            await report
            assert [one["progress"]["m"] for one in updates[1:]] == list(range(200))
            seqs = [one["seq"] for one in updates]
            assert seqs == sorted(set(seqs))

    run(talk())


def test_heartbeats_come_by_themselves(make_hub):
    hub = make_hub("--websocket-heartbeat-s", "1")

    async def listen():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            assert (await client.expect("heartbeat")).keys() == {"type", "ts"}
            await client.expect("heartbeat")

    run(listen())


def test_protocol_violations_have_their_close_codes(hub):
    def frame(first, payload, masked=True):
        length = bytes([len(payload) | (0x80 if masked else 0)])
        return bytes([first]) + length + (b"\0\0\0\0" if masked else b"") + payload

    def close_code(data):
        with RawConnection(hub.port) as raw:
            raw.send((f"GET /api/v1/ws/jobs?api_key={hub.client} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
            answer = raw.answer()
            assert answer.status == 101
            assert answer.fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
            raw.send(data)
            while True:
                first, length = raw.file.read(2)
                payload = raw.file.read(length)
                if first == 0x88:
                    return struct.unpack(">H", payload[:2])[0]

    assert close_code(frame(0x88, struct.pack(">H", 1000))) == 1000
    assert close_code(frame(0x81, b"{}", masked=False)) == 1002
    assert close_code(frame(0xC1, b"{}")) == 1002
    assert close_code(frame(0x83, b"")) == 1002
    assert close_code(frame(0x09, b"")) == 1002
    assert close_code(frame(0x80, b"")) == 1002
    assert close_code(frame(0x82, b"\0")) == 1003
    assert close_code(frame(0x81, b"\xff")) == 1007
    assert close_code(b"\x81\xff" + struct.pack(">Q", 1 << 40) + b"\0\0\0\0") == 1009


@pytest.mark.parametrize("head, status", [
    ("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n", 426),
    ("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405),
    ("GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n", 426),
    ("GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n\r\n", 400),
])
def test_what_is_no_valid_upgrade_gets_no_101(hub, head, status):
    with RawConnection(hub.port) as raw:
        raw.send(head.format(path=f"/api/v1/ws/jobs?api_key={hub.client}").encode())
        assert raw.answer().status == status


def test_a_hub_that_ends_says_1001(make_hub):
    hub = make_hub()

    async def talk():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            ended = asyncio.ensure_future(client.closed())
            await asyncio.get_running_loop().run_in_executor(None, hub.stop)
            return await ended

    code, _, before = run(talk())
    assert (code, before) == (1001, [])


def test_the_key_and_secrets_are_not_in_the_log(make_hub):
    hub = make_hub("--log-level", "debug", "--log-format", "json")

    async def connect():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")

    run(connect())
    hub.submit()
    hub.http("sk_live_" + "y" * 40).get("/api/v1/jobs/1?api_key=sk_live_secret")
    hub.stop()
    assert "sk_live_" not in hub.log
    assert all(json.loads(line)["message"] for line in hub.log.splitlines())
