"""What a stranger puts into names, ids, paths and texts stays there: it makes no line of the log, no header, and no other
path."""

import json
import re
import uuid

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.http import RawConnection
from harness.receiver import Receiver
from harness.ws import Client, run

API = "/api/v1"
FORGED = "FORGED-LINE"
# A line end and what would pass for the next line; a colour; a bell; a line end that only some know.
TRICKS = [f"a\r\n{FORGED}", f"a\n2026-01-01T00:00:00.000Z error {FORGED}", "\x1b[31mred\x1b[0m", "\x07\x00", f"a\u2028{FORGED}", f"a\x85{FORGED}"]
# What ends a text, in a line of either form, and would begin another member.
QUOTES = f'/"}}{{"level":"{FORGED}","x":"\\'
A_LINE = {
    "text": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|info|debug) .+"),
    "json": re.compile(r'\{"time":".*\}'),
}


def percent(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


def say_it_everywhere(hub, receiver, trick):
    client, worker, admin = (hub.http(key) for key in (hub.client, hub.worker, hub.admin))
    client.get(f"{API}/jobs/{percent(trick)}")
    client.get(f"/{percent(trick)}?{percent(trick)}")
    client.get(f"{API}/jobs?cursor={percent(trick)}")
    client.post(f"{API}/jobs", {"job_id": trick})
    client.post(f"{API}/jobs", {trick: 1})
    client.post(f"{API}/jobs", {}, Idempotency_Key='"' + percent(trick) + '"')
    job = hub.submit(metadata={"note": trick, trick: 1})
    worker.patch(f"{API}/jobs/{job}", {"status": "running", "progress": {trick: trick}})
    worker.patch(f"{API}/jobs/{job}", {"status": "failed", "error": trick})
    client.post(f"{API}/webhooks", {"url": receiver.url(f"/{uuid.uuid4()}"), "description": trick[:50]})
    client.post(f"{API}/webhooks", {"url": receiver.url("/" + trick)})
    client.post(f"{API}/webhooks", {"url": trick})
    admin.post(f"{API}/admin/accounts", {"name": trick})
    admin.post(f"{API}/admin/keys", {"account": "default", "name": trick})
    admin.get(f"{API}/admin/accounts/{percent(trick)}")
    hub.http("sk_live_" + percent(trick)).get(f"{API}/jobs")

    async def listen():
        async with Client(hub, hub.client) as socket:
            await socket.expect("connected")
            await socket.send({"action": "subscribe", "job_id": trick})
            await socket.expect("error")
            await socket.send({"action": trick})
            await socket.expect("error")

    run(listen())
    with RawConnection(hub.port) as connection:
        connection.send(f"GET {QUOTES} HTTP/1.1\r\nHost: hub\r\nX-Request-Id: {QUOTES}\r\n\r\n")
        assert connection.answer().status == 404
    for field in ("X-Request-Id", "User-Agent", "traceparent", "Origin", "X-Forwarded-For", "Idempotency-Key"):
        with RawConnection(hub.port) as connection:
            connection.send(b"GET /healthz HTTP/1.1\r\nHost: hub\r\n" + field.encode() + b": " + trick.encode() + b"\r\n\r\n")
            answer = connection.answer()
            assert FORGED.lower() not in {name.strip() for name in answer.fields}


@pytest.mark.parametrize("form", ["text", "json"])
def test_nobody_writes_lines_of_the_log(make_hub, form):
    def answer(received):
        return 500, {}, f"no\r\n{FORGED}\x1b[31m".encode()

    hub = make_hub(*LOCAL_WEBHOOKS, "--log-level", "debug", "--log-access", "--log-format", form)
    with Receiver(answer) as receiver:
        hub.add_webhook(receiver.url("/first"), events=["job.failed"])
        for trick in TRICKS:
            say_it_everywhere(hub, receiver, trick)
        receiver.wait_for_count(len(TRICKS))
        hub.stop()
    lines = hub.log.split("\n")
    assert lines.pop() == "" and len(lines) > 10 * len(TRICKS)
    for line in lines:
        assert A_LINE[form].fullmatch(line), line
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", line), line
        if form == "json":
            assert json.loads(line)["level"] != FORGED
    assert len([line for line in lines if FORGED in line]) == len(TRICKS), "the request with quotes, each time"


@pytest.mark.parametrize("trick", [f"x\r\nX-{FORGED}: 1", f"x\nX-{FORGED}: 1", "x\x00", "x\r"])
def test_nobody_writes_headers(hub, trick):
    """Neither of the hub's answers nor of its webhooks."""
    http = hub.http(hub.client)
    url = f"https://127.0.0.1:1/{uuid.uuid4()}"
    assert http.post(f"{API}/webhooks", {"url": url, "headers": {"X-Own": trick}}).status == 422
    assert http.post(f"{API}/webhooks", {"url": url, "headers": {trick: "x"}}).status == 422
    assert http.post(f"{API}/webhooks", {"url": url, "legacy_signature": trick}).status == 422
    assert http.post(f"{API}/webhooks", {"url": url + trick}).status == 422
    assert http.post(f"{API}/webhooks", {"url": url}).status == 201, "it is the trick that is refused"
    for answer in (http.get(f"{API}/jobs/{percent(trick)}"), http.get(f"/{percent(trick)}")):
        assert answer.status == 404
        assert not [name for name in answer.fields if FORGED.lower() in name]


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/../admin/keys",
        "/jobs/%2e%2e/admin/keys",
        "/jobs/%2E%2E%2Fadmin%2Fkeys",
        "/jobs/..%2fadmin/keys",
        "/jobs/..%5cadmin/keys",
        "/jobs/..;/admin/keys",
        "//admin/keys",
        "/admin//keys",
        "/admin%2fkeys",
        "/admin/keys%00",
        "/admin/keys%00.json",
        "/admin/keys/",
        "/admin/keys;x=1",
        "/admin/keys%20",
        "/%61dmin/keys",
        "/ADMIN/keys",
        "/./admin/keys",
        "/admin/%6beys",
        "/admin/keys%23",
        "/%c0%ae%c0%ae/admin/keys",
    ],
)
def test_no_other_way_leads_to_where_one_may_not_go(hub, path):
    """Not even for the administrator: a path is what it says, and nothing that it could be made into."""
    for key in (hub.client, hub.admin, None):
        with RawConnection(hub.port) as connection:
            connection.send(f"GET {API}{path} HTTP/1.1\r\nHost: hub\r\n" + (f"X-API-Key: {key}\r\n" if key else "") + "\r\n")
            assert connection.answer().status in (400, 401, 404), path


@pytest.mark.parametrize("trick", ["%2e%2e", "..%2f", "%00", "%2f", "..", ".", "%", "\\"])
def test_an_id_is_an_id(hub, trick):
    job = hub.submit(hub.make_key())
    for path in (f"/jobs/{trick}", f"/jobs/{job}{trick}", f"/jobs/{trick}/{job}", f"/webhooks/{trick}", f"/deliveries/{trick}"):
        with RawConnection(hub.port) as connection:
            connection.send(f"GET {API}{path} HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.client}\r\n\r\n")
            assert connection.answer().status in (400, 404), path
