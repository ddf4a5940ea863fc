"""The hub behind a real nginx, with the sample of etc/nginx as it is but for addresses and certificate."""

import asyncio
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time

import pytest
from harness.hub import PATIENCE_S, REPOSITORY, end_with_parent
from harness.tls import Certificate, Https, trust
from harness.waiting import wait_until
from harness.ws import Client, in_thread, run

SAMPLE = REPOSITORY / "etc/nginx/carillon.conf"
# What Debian's own nginx.conf has around it, in folders of the test's.
AROUND = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/carillon.conf;
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Nginx:
    """In front of a hub, on `port`."""

    def __init__(self, program, folder, hub):
        self.folder = folder
        self.certificate = Certificate(folder, "nginx")
        self.context = trust(self.certificate)
        self.port = free_port()
        sample = SAMPLE.read_text()
        for of_the_sample, here in ((r"127\.0\.0\.1:8080", f"127.0.0.1:{hub.port}"),
                                    (r"listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
                                    (r"/etc/ssl/\S+/fullchain\.pem", str(self.certificate.cert)),
                                    (r"/etc/ssl/\S+/privkey\.pem", str(self.certificate.key))):
            sample, replaced = re.subn(f"(?m)^(?![ ]*#)(.*){of_the_sample}", lambda found: found[1] + here, sample)
            assert replaced == 1, of_the_sample
        (folder / "carillon.conf").write_text(sample)
        (folder / "nginx.conf").write_text(AROUND.format(
            folder=folder, user="user root;" if os.geteuid() == 0 else ""))
        self.process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")],
                                        stderr=subprocess.PIPE, text=True, preexec_fn=end_with_parent)
        deadline = time.monotonic() + PATIENCE_S
        while socket.socket().connect_ex(("127.0.0.1", self.port)) != 0:
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def http(self, key=None):
        client = Https(self.port, key, self.context)
        client.of_a_hub = False  # with nginx' own fields in its answers
        return client

    def ws_url(self, query=""):
        return f"wss://127.0.0.1:{self.port}/api/v1/ws/jobs{query}"

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stderr.close()

    def logs(self):
        return "".join((self.folder / name).read_text() for name in ("access.log", "error.log"))


@pytest.fixture
def behind(make_hub, tmp_path, missing):
    """A hub and the nginx in front of it."""
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or missing("nginx is not installed")
    fronts = []

    def make(*options):
        hub = make_hub(*options)
        fronts.append(Nginx(program, tmp_path, hub))
        return hub, fronts[-1]

    yield make
    for front in fronts:
        front.close()


def test_calls(behind):
    hub, nginx = behind()
    http = nginx.http(hub.client)
    made = http.post("/api/v1/jobs", {"metadata": {"n": 1}})
    assert made.status == 201 and made.fields["location"] == f"/api/v1/jobs/{made.json['job_id']}"
    job = made.json["job_id"]
    assert nginx.http(hub.worker).patch(f"/api/v1/jobs/{job}", {"status": "running"}).status == 200
    seen = http.get(f"/api/v1/jobs/{job}")
    assert seen.json["status"] == "running"
    assert http.get(f"/api/v1/jobs/{job}", If_None_Match=seen.fields["etag"]).status == 304
    assert http.get("/api/v1/jobs/nothing").json["error"] == "not_found"
    assert nginx.http().get("/api/v1/jobs").json["error"] == "missing_api_key"
    assert nginx.http().get("/healthz").status == 200
    assert nginx.http().get("/readyz").status == 200
    assert http.get("/metrics").status == 404, "it is for those inside"


def test_a_request_has_one_id_on_both_sides(behind):
    hub, nginx = behind("--log-access", "true")
    answer = nginx.http(hub.client).get("/api/v1/jobs")
    assert re.fullmatch("[0-9a-f]{32}", answer.fields["x-request-id"])
    wait_until(lambda: f"id={answer.fields['x-request-id']}" in hub.log)


def test_a_result_as_large_as_may_be(behind):
    hub, nginx = behind()
    job = hub.submit()
    hub.report(job, "running")
    result = "x" * (4 * 1024 * 1024 - 2)
    assert nginx.http(hub.worker).patch(f"/api/v1/jobs/{job}", {"status": "succeeded", "result": result}).status == 200
    assert nginx.http(hub.client).get(f"/api/v1/jobs/{job}").json["result"] == result


def test_a_body_that_is_too_large_is_refused_by_the_hub(behind):
    """With its own words, and while limits.body_bytes is what nginx lets through."""
    hub, nginx = behind("--limits-body-bytes", "2048")
    refused = nginx.http(hub.client).post("/api/v1/jobs", {"metadata": {"text": "x" * 4000}})
    assert refused.status == 413 and refused.json["error"] == "body_too_large"


def test_a_poll_waits_through_it(behind):
    hub, nginx = behind()
    job = hub.submit()

    async def wait():
        poll = asyncio.create_task(in_thread(nginx.http(hub.client).get, f"/api/v1/jobs/{job}?wait=60"))
        await asyncio.sleep(0.3)
        assert not poll.done()
        await in_thread(hub.finish, job)
        assert (await poll).json["status"] == "succeeded"

    run(wait())


def test_websockets(behind):
    hub, nginx = behind("--websocket-heartbeat-s", "1")

    async def watch():
        job = await in_thread(hub.submit)
        async with Client(nginx, hub.client, ssl=nginx.context, compression="deflate") as client:
            await client.expect("connected")
            await client.subscribe(job)
            await in_thread(hub.finish, job, {"text": "x" * 100_000})
            for status in ("running", "succeeded"):
                while (message := await client.receive())["type"] == "heartbeat":
                    pass
                assert message["status"] == status
            await client.expect("heartbeat")
        async with Client(nginx, "sk_live_nobody", ssl=nginx.context) as refused:
            assert (await refused.closed())[:2] == (4001, "Invalid API key")
        async with Client(nginx, query="", ssl=nginx.context, subprotocols=["carillon.v1", hub.client]) as client:
            assert client.socket.subprotocol == "carillon.v1"
            await client.expect("connected")
            await in_thread(hub.stop)
            assert (await client.closed())[0] == 1001

    run(watch())


def test_no_handshake_is_answered_as_by_the_hub(behind):
    hub, nginx = behind()
    answer = nginx.http(hub.client).get("/api/v1/ws/jobs")
    assert answer.status == 426


def test_an_event_stream_comes_as_it_happens(behind):
    """Not when a buffer is full, nor when the stream ends."""
    hub, nginx = behind()
    connection = http.client.HTTPSConnection("127.0.0.1", nginx.port, timeout=PATIENCE_S, context=nginx.context)
    connection.request("GET", "/api/v1/events?after=0", headers={"X-API-Key": hub.client, "Accept": "text/event-stream"})
    answer = connection.getresponse()
    assert answer.status == 200 and answer.getheader("content-type") == "text/event-stream"
    for _ in range(3):
        job = hub.submit()
        while not (line := answer.readline()).startswith(b"data: "):
            assert line
        assert json.loads(line[6:])["data"]["job_id"] == job
    connection.close()


def test_no_key_gets_into_its_logs(behind):
    """Nor when there is something to log: a hub that is away, a client that leaves."""
    hub, nginx = behind()

    async def connect():
        async with Client(nginx, hub.client, ssl=nginx.context) as client:
            await client.expect("connected")

    run(connect())
    assert nginx.http(hub.client).get("/api/v1/jobs").status == 200
    hub.stop()
    http = nginx.http()
    assert http.get(f"/api/v1/ws/jobs?api_key={hub.client}", Upgrade="websocket", Connection="Upgrade").status == 502
    assert http.get("/api/v1/jobs").status == 502
    wait_until(lambda: "GET /api/v1/jobs HTTP/1.1" in nginx.logs() and "connect() failed" in nginx.logs())
    assert hub.client not in nginx.logs()
    # And it goes on when the hub is back.
    hub.start()
    wait_until(lambda: http.get("/readyz").status == 200)


def test_the_sample_is_passed_by_nginx_itself(behind):
    """As it stands in conf.d, without a warning."""
    _, nginx = behind()
    program = nginx.process.args[0]
    done = subprocess.run([program, "-t", "-p", str(nginx.folder), "-c", str(nginx.folder / "nginx.conf")],
                          capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0 and "[warn]" not in done.stderr, done.stderr
