"""The programs of docs/examples/, as the documents show them, against the real hub."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import time
from fcntl import LOCK_EX, flock

import pytest
from conftest import LOCAL_WEBHOOKS
from harness import packages
from harness.http import Http, RawConnection
from harness.hub import PATIENCE_S, REPOSITORY, end_with_parent
from harness.program import Program
from harness.tls import Certificate, TlsHub
from harness.waiting import wait_until

EXAMPLES = REPOSITORY / "docs/examples"
WS_VERSION = "8.18.0"
COMPILE_PATIENCE_S = 300
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()


# --- how a user runs them ---------------------------------------------------------------------------------------------


def python(name, folder, missing):
    return ["/usr/bin/python3", str(EXAMPLES / "python" / f"{name}.py")]


def javascript(name, folder, missing):
    """Beside the package that it needs, where Node has no WebSocket of its own."""
    if not shutil.which("node"):
        return missing("node is not installed")
    shutil.copy(EXAMPLES / "javascript" / f"{name}.mjs", folder)
    built_in = subprocess.run(["node", "-p", "typeof WebSocket"], capture_output=True, text=True, check=True).stdout
    if name == "listen" and built_in.strip() == "undefined":
        (folder / "node_modules").symlink_to(packages.npm(missing, "ws", WS_VERSION) / "node_modules")
    return ["node", str(folder / f"{name}.mjs")]


def cpp(name, folder, missing):
    """Compiled by the command in its opening comment; once for all tests of a run."""
    source = EXAMPLES / "cpp" / f"{name}.cpp"
    command = shlex.split(re.search(r"^//     (g\+\+ .*)$", source.read_text(), re.MULTILINE)[1])
    base = folder.parent.parent if "PYTEST_XDIST_WORKER" in os.environ else folder.parent
    built = base / "examples"
    built.mkdir(exist_ok=True)
    with open(built / f"{name}.lock", "w") as lock:
        flock(lock, LOCK_EX)
        if not (built / name).exists():
            shutil.copy(source, built)
            done = subprocess.run([*command, "-Wall", "-Wextra", "-Werror"], cwd=built, capture_output=True, text=True,
                                  timeout=COMPILE_PATIENCE_S, check=False, preexec_fn=end_with_parent)
            assert done.returncode == 0, done.stderr
    return [str(built / name)]


@pytest.fixture(params=[python, javascript, cpp], ids=lambda language: language.__name__)
def example(request, tmp_path, missing):
    """Starts the example of that name in one language; it ends with the test."""
    programs = []

    def start(name, *arguments, **environment):
        if not programs or programs[0][0] != name:
            programs.insert(0, (name, request.param(name, tmp_path, missing)))
        started.append(Program([*programs[0][1], *arguments], **environment))
        return started[-1]

    started = []
    yield start
    for program in started:
        program.__exit__()


def of(hub, key=None):
    return {"CARILLON_URL": f"http://127.0.0.1:{hub.port}", "CARILLON_KEY": key or hub.client}


def words(line, count):
    """The first words, and the JSON behind them."""
    *first, rest = line.split(" ", count)
    return (*first, json.loads(rest))


# --- WebSocket --------------------------------------------------------------------------------------------------------


def test_a_listener_is_told_everything_over_a_restart(make_hub, example):
    hub = make_hub()
    good, bad = hub.submit(), hub.submit()
    listener = example("listen", good.upper(), bad, **of(hub))
    assert {listener.line(), listener.line()} == {f"{good} queued", f"{bad} queued"}
    hub.report(good, "running")
    assert listener.line() == f"{good} running"
    hub.kill()
    hub.start()
    # Whether or not it is back already: what happens in between is told, each change of it.
    hub.report(good, progress={"page": 2})
    hub.report(bad, "running")
    hub.report(bad, "failed", error="no such page: größer")
    hub.report(good, "succeeded", result={"pages": [12]})
    told = [listener.line() for _ in range(4)]
    assert [line for line in told if line.startswith(bad)] == [f"{bad} running", f"{bad} failed no such page: größer"]
    again, end = [line for line in told if line.startswith(good)]
    assert again == f"{good} running" and words(end, 2) == (good, "succeeded", {"pages": [12]})
    assert listener.ended() == 0
    assert "not connected" in listener.errors


def test_a_listener_that_is_refused_says_why(hub, example):
    job = hub.submit()
    with example("listen", job, **of(hub, "sk_live_" + "x" * 40)) as listener:
        assert listener.ended() == 1
        assert "Invalid API key" in listener.errors
    with example("listen", job, **of(hub, hub.make_key())) as listener:
        assert listener.ended() == 1
        assert f"Job not found or access denied: {job}" in listener.errors


def test_a_listener_takes_a_large_result(hub, example):
    job = hub.submit()
    listener = example("listen", job, **of(hub))
    assert listener.line() == f"{job} queued"
    text = "größer – " * 150_000
    hub.finish(job, text)
    assert listener.line() == f"{job} running"
    assert words(listener.line(), 2) == (job, "succeeded", text)
    assert listener.ended() == 0


def test_a_listener_speaks_tls_and_looks_at_the_certificate(tmp_path_factory, example):
    folder = tmp_path_factory.mktemp("tls")
    hub = TlsHub(folder, Certificate(folder))
    try:
        hub.start()
        job = hub.submit()
        there = {"CARILLON_URL": f"https://localhost:{hub.port}", "CARILLON_KEY": hub.client}
        with example("listen", job, **there) as stranger:
            wait_until(lambda: "not connected" in stranger.errors)
        cert = str(hub.certificate.cert)
        listener = example("listen", job, SSL_CERT_FILE=cert, NODE_EXTRA_CA_CERTS=cert, **there)
        assert listener.line() == f"{job} queued"
        hub.report(job, "failed", error="it is over")
        assert listener.line() == f"{job} failed it is over"
        assert listener.ended() == 0
    finally:
        hub.close()


# --- webhooks ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def receiver(example):
    """A receiver that runs, and the port it is on."""
    program = example("receive", "0", WEBHOOK_SECRET=SECRET)
    program.port = int(re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)/", program.line())[1])
    return program


def delivery_of(hub, key, endpoint):
    deliveries = hub.http(key).get(f"/api/v1/webhooks/{endpoint['id']}/deliveries").json["deliveries"]
    return hub.http(key).get(f"/api/v1/deliveries/{deliveries[0]['id']}").json if deliveries else None


def test_a_receiver_handles_each_event_once(hub, receiver):
    key = hub.make_key()
    endpoint = hub.add_webhook(f"http://127.0.0.1:{receiver.port}/", key, secret=SECRET)
    first, second = hub.submit(key), hub.submit(key)
    hub.finish(first, {"text": "größer"})
    assert words(receiver.line(), 2) == ("job.succeeded", first, {"text": "größer"})
    sent = wait_until(lambda: (found := delivery_of(hub, key, endpoint)) and found["status"] == "delivered" and found)

    # Sent again it is taken, and not handled: the next line is another job's.
    assert hub.http(key).post(f"/api/v1/deliveries/{sent['id']}/redeliver").status == 202

    def arrived_twice():
        attempts = hub.http(key).get(f"/api/v1/deliveries/{sent['id']}").json["attempts"]
        return len(attempts) == 2 and attempts

    assert [attempt["status"] for attempt in wait_until(arrived_twice)] == [204, 204]
    hub.report(second, "failed", error="it is over")
    assert words(receiver.line(), 2) == ("job.failed", second, None)


def signed(body, secret=SECRET, sent_at=None, webhook_id="msg_1"):
    """Header fields as the hub makes them."""
    sent_at = str(int(time.time()) if sent_at is None else sent_at)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.digest(key, f"{webhook_id}.{sent_at}.".encode() + body, hashlib.sha256)
    return {"webhook-id": webhook_id, "webhook-timestamp": sent_at,
            "webhook-signature": "v1," + base64.b64encode(mac).decode()}


def test_a_receiver_takes_what_the_hub_has_signed_and_nothing_else(receiver):
    body = json.dumps({"type": "job.succeeded", "data": {"job_id": "1", "result": 7}}).encode()
    good = signed(body)
    now = int(time.time())
    forged = {
        "nothing": {},
        "no signature": {**good, "webhook-signature": ""},
        "no id": {**good, "webhook-id": ""},
        "no time": {**good, "webhook-timestamp": ""},
        "another secret": signed(body, OTHER_SECRET),
        "another body": signed(body + b" "),
        "another id": {**good, "webhook-id": "msg_2"},
        "another time": {**good, "webhook-timestamp": str(now - 1)},
        "too old": signed(body, sent_at=now - 400),
        "of the future": signed(body, sent_at=now + 400),
        "a time that is no number": signed(body, sent_at="1e9"),
        "a time beyond all numbers": signed(body, sent_at="9" * 40),
        "a signature cut short": {**good, "webhook-signature": good["webhook-signature"][:-1]},
        "a signature of another kind": {**good, "webhook-signature": good["webhook-signature"].replace("v1", "v1a")},
        "a signature that is no ASCII": {**good, "webhook-signature": "v1,größer"},
    }
    http = Http(receiver.port, of_a_hub=False)
    for what, fields in forged.items():
        assert http.post("/", body, **fields).status == 401, what
    with RawConnection(receiver.port) as raw:  # refused before it comes
        raw.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n")
        assert raw.file.readline().startswith(b"HTTP/1.1 413 ")
    # One that fits among others is enough, and what cannot be handled is to be sent again.
    broken = signed(b"{", webhook_id="msg_3")
    assert http.post("/", b"{", **broken).status == 500
    both = {**good, "webhook-signature": "v1,AAAA " + good["webhook-signature"]}
    assert http.post("/", body, **both).status == 204
    assert words(receiver.line(), 2) == ("job.succeeded", "1", 7)


# --- polling ----------------------------------------------------------------------------------------------------------


def test_a_poller_misses_nothing_over_restarts_of_the_hub_and_its_own(make_hub, example, tmp_path):
    hub = make_hub()
    place = str(tmp_path / "place.json")

    def tell(poller, *events):
        for job, kind, result in events:
            seq, *told = words(poller.line(), 3)
            numbers.append(int(seq))
            assert told == [kind, job, result]

    numbers = []
    job = hub.submit()
    with example("poll", place, **of(hub)) as poller:
        tell(poller, (job, "job.queued", None))
        hub.report(job, "running")
        tell(poller, (job, "job.running", None))
        hub.kill()
        hub.start()
        hub.report(job, "succeeded", result={"pages": 12})
        tell(poller, (job, "job.succeeded", {"pages": 12}))
        wait_until(lambda: json.loads(pathlib.Path(place).read_text())["after"] == numbers[-1])
    other = hub.submit()
    hub.report(other, "failed", error="it is over")
    with example("poll", place, **of(hub)) as poller:
        tell(poller, (other, "job.queued", None), (other, "job.failed", None))
    assert numbers == [1, 2, 3, 4, 5]


def test_a_poller_says_that_there_is_a_gap_and_goes_on(make_hub, example, tmp_path):
    hub = make_hub()
    place = tmp_path / "place.json"
    place.write_text(json.dumps({"after": 7, "epoch": "another"}))
    job = hub.submit()
    with example("poll", str(place), **of(hub)) as poller:
        assert words(poller.line(), 3) == ("1", "job.queued", job, None)
        wait_until(lambda: "a gap: " in poller.errors)


def test_a_poller_that_is_refused_says_why(hub, example, tmp_path):
    with example("poll", str(tmp_path / "place.json"), **of(hub, "sk_live_" + "x" * 40)) as poller:
        assert poller.ended() == 1
        assert "401" in poller.errors and "Invalid API key" in poller.errors


@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_waiting_for_one_job(make_hub, end):
    hub = make_hub()
    job = hub.submit()
    command = ["/usr/bin/python3", str(EXAMPLES / "python/wait_for_job.py"), job]
    with Program(command, **of(hub)) as waiting:
        wait_until(lambda: "carillon_polls_waiting 1" in hub.http().get("/metrics").body.decode())
        hub.kill()
        hub.start()
        if end == "failed":
            hub.report(job, "failed", error="no such page")
            assert waiting.ended() == 1
            assert "failed: no such page" in waiting.errors
        else:
            hub.finish(job, {"pages": 12})
            assert json.loads(waiting.line()) == {"pages": 12}
            assert waiting.ended() == 0
