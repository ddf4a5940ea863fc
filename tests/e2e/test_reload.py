"""SIGHUP: a running hub takes what it can of a changed settings file, names what waits for a restart, and of a file that
is no good takes nothing."""

import signal
import subprocess
import threading

import pytest
from harness.hub import BINARY, PATIENCE_S, Hub
from harness.receiver import Receiver
from harness.tls import Certificate, TlsHub
from harness.waiting import wait_until
from harness.ws import Client, in_thread, run

LOCAL = {"allow_http": "true", "allow_cidrs": '["127.0.0.0/8"]'}


class ReloadingHub:
    """A hub with a settings file, that is written anew and read again."""

    def __init__(self, folder, *options, kind=Hub, certificate=None, **sections):
        self.file = folder / "carillon.toml"
        self.write(**sections)
        options = ("--config", str(self.file), *options)
        self.hub = kind(folder, certificate, *options) if certificate else kind(folder, *options)
        self.hub.start()

    def write(self, **sections):
        """`limits={"body_bytes": "2048"}`: values as they stand in the file; what has no section is in `top`."""
        lines = [f"{key} = {value}" for key, value in sections.pop("top", {}).items()]
        for section, keys in sections.items():
            lines += [f"[{section}]", *(f"{key} = {value}" for key, value in keys.items())]
        self.file.write_text("\n".join(lines) + "\n")

    def hang_up(self, until):
        """What the log says of it, up to a line with that in it."""
        before = len(self.hub.log)
        self.hub.process.send_signal(signal.SIGHUP)
        wait_until(lambda: until in self.hub.log[before:])
        return self.hub.log[before:]

    def reload(self, until="a setting was changed", **sections):
        self.write(**sections)
        return self.hang_up(until)


@pytest.fixture
def make(tmp_path):
    made = []

    def one(*options, **sections):
        made.append(ReloadingHub(tmp_path, *options, **sections))
        return made[-1], made[-1].hub

    yield one
    for each in made:
        each.hub.close()


def post_job(hub, **body):
    return hub.http(hub.client).post("/api/v1/jobs", body)


def until_status(call, status):
    """Each loop takes what is new in its next turn."""
    return wait_until(lambda: (answer := call()).status == status and answer)


# --- each kind --------------------------------------------------------------------------------------------------------


def test_the_log(make):
    running, hub = make()
    hub.submit()
    assert "debug submitted" not in hub.log
    said = running.reload(log={"level": '"debug"', "access": "true"})
    assert "info a setting was changed key=log.level from=info to=debug\n" in said

    def it_tells():
        job = hub.submit()
        return f"debug submitted job={job}" in hub.log and "info request method=POST" in hub.log

    wait_until(it_tells)
    said = running.reload(until="key=log.access", log={"level": '"error"'})
    assert "key=log.level from=debug to=error" in said, "what was changed is still told of"

    def it_is_silent():
        before = len(hub.log)
        hub.submit()
        return len(hub.log) == before

    wait_until(it_is_silent)
    running.reload(until="key=log.level from=error to=info")
    hub.stop()


def test_limits_of_size(make):
    running, hub = make()
    big = {"text": "x" * 3000}
    assert post_job(hub, metadata=big).status == 201
    running.reload(until="limits.metadata_bytes", limits={"metadata_bytes": "1024", "updates": "1", "error_bytes": "64"})
    until_status(lambda: post_job(hub, metadata=big), 413)
    updates = {"updates": [{"job_id": hub.submit(), "status": "running"} for _ in range(2)]}
    until_status(lambda: hub.http(hub.worker).post("/api/v1/jobs/updates", updates), 413)
    running.reload(until="limits.body_bytes", limits={"body_bytes": "2048"})
    assert until_status(lambda: post_job(hub, metadata=big), 413).json["error"] == "body_too_large"
    running.reload(until="limits.body_bytes")
    until_status(lambda: post_job(hub, metadata=big), 201)


def test_limits_of_rate(make):
    running, hub = make()
    for _ in range(30):
        assert "ratelimit" not in post_job(hub).fields
    running.reload(limits={"writes_per_second": "1", "burst_s": "2"})
    limited = until_status(lambda: post_job(hub), 429)
    assert limited.json["error"] == "rate_limited"
    assert limited.fields["ratelimit-policy"] == '"writes";q=2;w=2'
    # What has nothing to do with it leaves the count as it is.
    running.reload(limits={"writes_per_second": "1", "burst_s": "2"}, http={"server_timing": "true"})
    assert until_status(lambda: post_job(hub), 429)
    running.reload(limits={"calls_per_second_per_address": "1000"}, until="calls_per_second_per_address")
    wait_until(lambda: '"address"' in post_job(hub).fields.get("ratelimit-policy", ""))
    assert all(post_job(hub).status == 201 for _ in range(10))


def test_websockets(make):
    """Also those that were there before count, and are held to what is new."""
    running, hub = make(websocket={"heartbeat_s": "3600"})
    job = hub.submit()

    async def watch():
        async with Client(hub, hub.client) as first:
            await first.expect("connected")
            await in_thread(lambda: running.reload(until="subscriptions", websocket={
                "heartbeat_s": "1", "connections_per_key": "1", "subscriptions": "1", "messages_per_second": "1000"}))
            await first.subscribe(job)
            await first.send({"action": "subscribe", "job_id": await in_thread(hub.submit)})
            await first.expect("error")

            async def is_closed():
                async with Client(hub, hub.client) as another:
                    code, reason, _ = await another.closed()
                    return (code, reason) == (1008, "Too many connections with this key: at most 1")

            assert await is_closed()
            await in_thread(lambda: running.reload(until="connections_per_key", websocket={"heartbeat_s": "1"}))
            async with Client(hub, hub.client) as another:
                await another.expect("connected")
                await another.expect("heartbeat")

    run(watch())
    running.reload(until="websocket.origins", websocket={"origins": '["https://app.example.com"]'})

    def answer_to_origin(origin):
        return hub.http(hub.client).get("/api/v1/ws/jobs", Origin=origin, Upgrade="websocket", Connection="Upgrade",
                                        Sec_WebSocket_Version="13", Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==")

    assert until_status(lambda: answer_to_origin("https://other.example.com"), 403)


def test_polling_and_pages(make):
    running, hub = make()
    job = hub.submit()
    assert "access-control-allow-origin" not in hub.http(hub.client).get("/api/v1/jobs", Origin="https://a.example").fields
    running.reload(until="polling.wait_max_s", polling={"wait_max_s": "0"}, http={"cors_origins": '["https://a.example"]'})
    wait_until(lambda: hub.http(hub.client).get("/api/v1/jobs", Origin="https://a.example").fields.get(
        "access-control-allow-origin") == "https://a.example")
    hub.http(hub.client).get(f"/api/v1/jobs/{job}?wait=20")  # is answered at once, and not after 20 s
    running.reload(until="polling.waiting_max", polling={"waiting_max": "0"})
    assert until_status(lambda: hub.http(hub.client).get(f"/api/v1/jobs/{job}?wait=5"), 503).json["error"] == \
        "too_many_waiting"


def test_where_webhooks_may_go(make):
    """Also over a connection that was kept from when they might."""
    running, hub = make(webhooks={"retry_delays_s": "[0, 1, 1, 1, 1, 1, 1, 1, 1]"})
    with Receiver() as receiver:
        hook = {"url": receiver.url()}
        assert hub.http(hub.client).post("/api/v1/webhooks", hook).status == 422
        running.reload(until="webhooks.allow_http", webhooks={"allow_http": "true", "retry_delays_s": "[0, 1, 1, 1, 1, 1]"})
        made = until_status(lambda: hub.http(hub.client).post("/api/v1/webhooks", hook), 201).json
        hub.finish(hub.submit())

        def attempts():
            http = hub.http(hub.client)
            deliveries = http.get(f"/api/v1/webhooks/{made['id']}/deliveries").json["deliveries"]
            return http.get(f"/api/v1/deliveries/{deliveries[0]['id']}").json["attempts"]

        refused = wait_until(attempts)
        assert "is not allowed (webhooks.allow_cidrs)" in refused[0]["error"]
        running.reload(until="webhooks.allow_cidrs", webhooks={**LOCAL, "retry_delays_s": "[0, 1, 1, 1, 1, 1]"})
        receiver.wait_for_count(1)
        running.reload(until="webhooks.deny_cidrs", webhooks={
            **LOCAL, "deny_cidrs": '["127.0.0.1/32"]', "retry_delays_s": "[0, 1, 1, 1, 1, 1]"})
        hub.finish(hub.submit())
        refused = wait_until(lambda: (found := attempts()) and found)
        assert "is not allowed" in refused[0]["error"] and len(receiver.received) == 1
        running.reload(until="webhooks.deny_cidrs", webhooks={**LOCAL, "retry_delays_s": "[0, 1, 1, 1, 1, 1]"})
        receiver.wait_for_count(2)


def test_how_webhooks_are_tried(make):
    running, hub = make(webhooks=LOCAL)
    gate = threading.Event()
    with Receiver(answer=lambda received: gate.wait(PATIENCE_S) and 204) as receiver:
        hook = hub.add_webhook(receiver.url())
        running.reload(until="webhooks.timeout_s", webhooks={**LOCAL, "timeout_s": "1", "retry_delays_s": "[0]"})

        def attempt():
            hub.finish(hub.submit())
            http = hub.http(hub.client)
            path = f"/api/v1/webhooks/{hook['id']}/deliveries?status=failed"
            delivery = wait_until(lambda: http.get(path).json["deliveries"])[0]
            return http.get(f"/api/v1/deliveries/{delivery['id']}").json["attempts"]

        tries = attempt()
        assert len(tries) == 2, "the first, and one for each delay"
        for one in tries:
            assert "timed out" in one["error"].lower() and 900 < one["duration_ms"] < 5000
        gate.set()


def test_the_floor_of_the_disk(make):
    running, hub = make()
    assert hub.http().get("/readyz").status == 200
    running.reload(store={"disk_free_min_bytes": str(2**40)})
    assert until_status(lambda: hub.http().get("/readyz"), 503).json["error"] == "disk_low"
    running.reload()
    until_status(lambda: hub.http().get("/readyz"), 200)


# --- what waits -------------------------------------------------------------------------------------------------------


def test_what_needs_a_restart_is_named_each_time(make):
    running, hub = make()
    line = "warning a changed setting waits for a restart key=store.batch_max running=1000 wanted=7\n"
    said = running.reload(until="restart", store={"batch_max": "7"}, log={"format": '"json"'})
    assert line in said and "key=log.format running=text wanted=json" in said and "was changed" not in said
    assert line in running.hang_up("restart")
    said = running.reload(store={"batch_max": "7"}, limits={"updates": "5"})
    assert line in said and "key=limits.updates from=1000 to=5" in said
    hub.stop()
    hub.start()
    assert running.hang_up("nothing to reload")


def test_a_flag_goes_before_the_file_then_too(make):
    running, hub = make("--limits-updates", "3")
    running.reload(until="nothing to reload", limits={"updates": "5"})
    assert "was changed" not in hub.log


def test_tls_is_not_begun_on_the_way(make, tmp_path):
    running, hub = make()
    made = Certificate(tmp_path)
    said = running.reload(until="key=tls_key", top={"tls_cert": f'"{made.cert}"', "tls_key": f'"{made.key}"'})
    assert said.count("waits for a restart") == 2
    assert hub.http().get("/healthz").status == 200


# --- what is no good --------------------------------------------------------------------------------------------------

BAD = {
    "value": ("[limits]\nupdates = 5\nbody_bytes = 12\n", "carillon.toml:3: 'limits.body_bytes' must be a whole number "
              "from 1024 to 1073741824, not 12"),
    "key": ("[limits]\nupdates = 5\n[webhooks]\nallow_htp = true\n", "carillon.toml:4: unknown key 'webhooks.allow_htp' "
            "(did you mean 'webhooks.allow_http'?)"),
    "network": ("[webhooks]\nallow_http = true\nallow_cidrs = [\"10.1.2.3/8\"]\n", "carillon.toml:3: 'webhooks.allow_cidrs'"
                " must be a list of networks"),
    "toml": ("[limits]\nupdates = 5\nwhat is this\n", "carillon.toml:3: "),
    "pair": ("webhooks.client_cert = \"{file}\"\n[limits]\nupdates = 5\n", "no webhooks.client_key: mTLS takes both"),
}


def status_of_updates(hub, count):
    updates = {"updates": [{"job_id": hub.submit(), "status": "running"} for _ in range(count)]}
    return hub.http(hub.worker).post("/api/v1/jobs/updates", updates).status


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_file_changes_nothing_and_says_why(make, bad):
    """In the words of a start."""
    running, hub = make(limits={"updates": "7"})
    text, words = BAD[bad]
    running.file.write_text(text.format(file=running.file))
    said = running.hang_up("nothing was reloaded")
    assert "error nothing was reloaded: what is set is no good" in said and "was changed" not in said
    assert words.replace('"', '\\"') in said, said
    start = subprocess.run([BINARY, "serve", "--config", str(running.file), "--data", hub.data], capture_output=True,
                           text=True, timeout=PATIENCE_S, check=False)
    assert start.returncode == 2 and words in start.stderr
    # The line before the bad one was good, and is not taken either; nor is what holds where nothing is set.
    assert status_of_updates(hub, 6) == 200
    assert status_of_updates(hub, 8) == 413
    running.reload(limits={"updates": "5"})
    hub.stop()


def test_a_file_that_is_gone_changes_nothing(make):
    running, hub = make(limits={"updates": "5"})
    running.file.unlink()
    assert f"{running.file}: cannot be read" in running.hang_up("nothing was reloaded")
    assert status_of_updates(hub, 6) == 413
    hub.stop()


def test_a_bad_certificate_keeps_the_settings_back_too(make, tmp_path):
    certificate = Certificate(tmp_path)
    running, hub = make(kind=TlsHub, certificate=certificate)
    good = certificate.cert.read_text()
    certificate.cert.write_text("-----BEGIN NONSENSE-----\n")
    said = running.reload(until="nothing was reloaded: the certificate is no good", limits={"updates": "5"})
    assert "was changed" not in said and str(certificate.cert) in said
    assert status_of_updates(hub, 6) == 200
    certificate.cert.write_text(good)
    said = running.hang_up("the certificate was reloaded")
    assert "key=limits.updates from=1000 to=5" in said


# --- while it serves --------------------------------------------------------------------------------------------------


def test_nobody_is_dropped_by_any_number_of_them(make):
    running, hub = make(webhooks=LOCAL, log={"access": "true"})
    ended, failures = threading.Event(), []

    def report_on():
        http = hub.http(hub.worker)
        try:
            while not ended.is_set():
                job = hub.submit()
                for status in ("running", "succeeded"):
                    assert http.patch(f"/api/v1/jobs/{job}", {"status": status}).status == 200
        except BaseException as failure:  # an assertion of a thread is nobody's otherwise
            failures.append(failure)

    with Receiver() as receiver:
        hub.add_webhook(receiver.url())
        threads = [threading.Thread(target=report_on) for _ in range(4)]
        for thread in threads:
            thread.start()
        for n in range(60):
            running.reload(limits={"updates": str(10 + n), "polls_per_second": str(n)}, webhooks={
                **LOCAL, "in_flight": str(1 + n % 7), "max_body": str(100_000 + n)}, log={"access": "true"},
                websocket={"connections_per_key": str(n), "handshakes_per_second": str(100 + n)})
        ended.set()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert not failures, failures
        done = hub.http(hub.client).get("/api/v1/jobs?status=succeeded&limit=1").json["jobs"]
        assert done
        receiver.wait_for(lambda all_: any(one.job == done[0]["job_id"] for one in all_))
    hub.stop()
