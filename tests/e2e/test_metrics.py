"""Metrics: what has happened is told, in numbers that add up, in the form that Prometheus reads."""

import shutil
import struct
import subprocess

from harness import metrics, raw_ws
from harness.raw_ws import RawWebSocket
from harness.ws import Client, in_thread, run


def test_no_key_is_needed_and_the_form_is_prometheus_own(make_hub):
    hub = make_hub()
    answer = hub.http().get("/metrics")
    assert answer.status == 200
    assert answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert hub.http().get("/api/v1/metrics").status == 404


def test_promtool_finds_nothing_to_complain_of(make_hub, missing):
    if not shutil.which("promtool"):
        missing("there is no promtool (Debian's package prometheus)")
    hub = make_hub()
    hub.finish(hub.submit())
    text = metrics.read_text(hub)
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_road_is_counted(make_hub):
    hub = make_hub()
    before = metrics.read(hub)

    async def listen():
        job = await in_thread(hub.submit)
        async with Client(hub, hub.client) as one, Client(hub, hub.client) as two:
            for client in (one, two):
                await client.expect("connected")
                await client.subscribe(job)
            await in_thread(hub.report, job, "running")
            await in_thread(hub.report, job, "succeeded", result={"pages": 12})
            for client in (one, two):
                await client.expect("job_update", status="running")
                await client.expect("job_update", status="succeeded")
            during = await in_thread(metrics.read, hub)
            assert during["carillon_websocket_connections"] == 2
            assert during["carillon_websocket_subscriptions"] == 2

    run(listen())
    after = metrics.wait_for(hub, lambda samples: samples["carillon_websocket_connections"] == 0)
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    assert grown['carillon_events_total{kind="job.queued"}'] == 1
    assert grown['carillon_events_total{kind="job.running"}'] == 1
    assert grown['carillon_events_total{kind="job.succeeded"}'] == 1
    assert grown["carillon_commits_total"] == 3
    assert grown["carillon_commit_changes_sum"] == grown["carillon_commit_seconds_count"] == 3
    assert after["carillon_store_queue"] == 0
    assert after["carillon_store_writable"] == 1
    assert grown['carillon_websocket_handshakes_total{outcome="accepted"}'] == 2
    assert grown["carillon_websocket_messages_received_total"] == 2
    assert grown["carillon_websocket_deliveries_total"] == 4
    # Each was told: connected, subscribed, the present state, two updates, and the answer to its close.
    assert grown["carillon_websocket_frames_sent_total"] == 12
    assert grown["carillon_websocket_bytes_sent_total"] > 12 * 50
    assert grown["carillon_websocket_bytes_received_total"] > 2 * 60
    assert grown['carillon_websocket_closed_total{code="1000",reason="client_left"}'] == 2
    assert after["carillon_websocket_subscriptions"] == 0
    assert grown['carillon_http_requests_total{class="1xx"}'] == 2
    assert grown['carillon_http_requests_total{class="2xx"}'] >= 3


def test_every_delivery_has_its_latency(make_hub):
    hub = make_hub()

    async def listen():
        job = await in_thread(hub.submit)
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            await client.subscribe(job)
            await in_thread(hub.report, job, "running")
            await client.expect("job_update", status="running")

    run(listen())
    samples = metrics.read(hub)
    assert samples["carillon_websocket_delivery_seconds_count"] == 1
    assert 0 < samples["carillon_websocket_delivery_seconds_sum"] < 10
    buckets = [value for name, value in samples.items() if name.startswith("carillon_websocket_delivery_seconds_bucket")]
    assert len(buckets) == 17 and buckets == sorted(buckets) and buckets[-1] == 1


def test_handshakes_are_counted_by_what_became_of_them(make_hub):
    hub = make_hub()
    disabled = hub.make_key()
    hub.ask_admin(f"/keys/{disabled.id}/disable")
    hub.wait_for_key(disabled, "api_key_disabled")
    before = metrics.read(hub)
    for key in (None, "sk_live_nobody", disabled):
        with RawWebSocket(hub.port) as connection:
            connection.send(raw_ws.request(hub.port, key))
            connection.read_head()
            assert connection.read_close()[0] == 4001
    for changes in ({"Sec_WebSocket_Key": "AAAA"}, {"Upgrade": None}):
        with RawWebSocket(hub.port) as connection:
            connection.send(raw_ws.request(hub.port, hub.client, **changes))
            connection.read_head()
    after = metrics.read(hub)
    grown = {
        name.split('"')[1]: after[name] - before[name]
        for name in after
        if name.startswith("carillon_websocket_handshakes_total") and after[name] > before[name]
    }
    assert grown == {outcome: 1 for outcome in
                     ("key_missing", "key_invalid", "key_disabled", "bad_request", "upgrade_required")}
    assert after["carillon_websocket_connections"] == 0


def opened(hub, key=None):
    connection = RawWebSocket(hub.port).open(hub.port, key or hub.client)
    assert connection.read_message()["type"] == "connected"
    return connection


def test_endings_are_counted_by_code_and_reason(make_hub):
    hub = make_hub("--websocket-message-bytes", "1024")

    def close_frame(code):
        return raw_ws.frame(raw_ws.CLOSE, struct.pack(">H", code))

    for data in (
        close_frame(1000),
        close_frame(1001),
        close_frame(4999),
        raw_ws.frame(raw_ws.CLOSE, b""),
        raw_ws.frame(raw_ws.TEXT, "hello", masked=False),
        raw_ws.frame(raw_ws.BINARY, b"hello"),
        raw_ws.frame(raw_ws.TEXT, b"\xff"),
        raw_ws.frame(raw_ws.TEXT, b"x" * 2000),
    ):
        with opened(hub) as connection:
            connection.send(data)
            connection.read_close()
    with opened(hub):
        pass
    key = hub.make_key()
    with opened(hub, key) as connection:
        hub.ask_admin(f"/keys/{key.id}/disable")
        assert connection.read_close()[0] == 4001

    samples = metrics.wait_for(hub, lambda samples: samples["carillon_websocket_connections"] == 0)
    ended = {name: value for name, value in samples.items()
             if name.startswith("carillon_websocket_closed_total") and value}
    assert ended == {
        f'carillon_websocket_closed_total{{code="{code}",reason="{reason}"}}': count
        for code, reason, count in [
            ("1000", "client_left", 2),
            ("1001", "client_left", 1),
            ("other", "client_left", 1),
            ("1006", "lost", 1),
            ("4001", "key_refused", 1),
            ("1002", "protocol_error", 1),
            ("1003", "unsupported_data", 1),
            ("1007", "invalid_payload", 1),
            ("1009", "message_too_big", 1),
        ]
    }


def test_calls_are_timed_and_refusals_counted_by_class(make_hub):
    hub = make_hub("--limits-polls-per-second", "1", "--limits-burst-s", "1")
    before = metrics.read(hub)
    job = hub.submit()
    assert [hub.http(hub.client).get(f"/api/v1/jobs/{job}").status for _ in range(3)].count(429) >= 1
    hub.http(hub.client).get("/api/v1/events?after=0")
    hub.http(hub.client).get("/api/v1/events?after=now&wait=1")  # waits, and is not timed
    hub.http("sk_live_nobody").get("/api/v1/jobs")
    hub.http().get("/api/v1/jobs")
    after = metrics.read(hub)
    grown = {name: value - before[name] for name, value in after.items() if value != before.get(name)}
    assert grown['carillon_http_request_seconds_count{call="writes"}'] == 1
    assert grown['carillon_http_request_seconds_count{call="polls"}'] == 3
    assert grown['carillon_http_request_seconds_count{call="lists"}'] == 3
    assert 0 < grown['carillon_http_request_seconds_sum{call="writes"}'] < 10
    assert grown['carillon_http_rate_limited_total{call="polls"}'] >= 1
    assert grown['carillon_http_keys_refused_total{reason="key_invalid"}'] == 1
    assert grown['carillon_http_keys_refused_total{reason="key_missing"}'] == 1
    assert after["carillon_database_bytes"] > 0 and after["carillon_log_lines_dropped_total"] == 0


def test_loops_are_asked_how_long_they_take(make_hub):
    hub = make_hub("--loops", "2")
    names = [f'carillon_loop_lag_seconds_count{{loop="{loop}"}}' for loop in ("loop-0", "loop-1", "webhooks")]
    samples = metrics.wait_for(hub, lambda samples: all(samples[name] >= 2 for name in names))
    assert [samples[f'carillon_stuck{{part="{part}"}}'] for part in ("loop-0", "loop-1", "webhooks", "store")] == [0] * 4


def test_what_clients_choose_makes_no_new_series(make_hub):
    """A client may close with any code, ask for any path and by any method: the page stays as long as it is."""
    hub = make_hub()
    names = set(metrics.read(hub))
    with opened(hub) as connection:
        connection.send(raw_ws.frame(raw_ws.CLOSE, struct.pack(">H", 3456)))
        connection.read_close()
    hub.http().request("BREW", "/coffee")
    assert set(metrics.read(hub)) == names
