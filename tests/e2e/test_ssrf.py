"""The addresses that a webhook may not reach, in every way that they are written, through the API."""

import socket
import threading
import uuid

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.receiver import Receiver
from harness.waiting import wait_until

API = "/api/v1"
# Where the hub itself, its network and its cloud live; each is taken as a URL and refused when it is connected to, or is
# no URL to begin with.
HOSTS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[ff02::1]",
    "[fc00::1]",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "127.0.0.1%00.example.com",
    "example.com@127.0.0.1",
    "127.0.0.1#@example.com",
    "127.0.0.1\\@example.com",
]


class Sink:
    """Counts who connects, on every address of this machine."""

    def __init__(self):
        self.connections = 0
        self._listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self._listener.accept()[0].close()
            except OSError:
                return
            self.connections += 1

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A hub as it comes, but that it takes http://."""
    from harness.hub import Hub

    hub = Hub(tmp_path_factory.mktemp("hub"), "--webhooks-allow-http")
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.fixture(scope="module")
def sink():
    sink = Sink()
    yield sink
    sink.close()


def first_attempt(hub, key, delivery):
    def attempt():
        return hub.http(key).get(f"{API}/deliveries/{delivery}").json["attempts"]

    return wait_until(attempt)[0]


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_private_is_not_reached(strict, sink, host):
    before = sink.connections
    made = strict.http(strict.client).post(f"{API}/webhooks", {"url": f"http://{host}:{sink.port}/{uuid.uuid4()}"})
    assert made.status in (201, 422), made
    if made.status == 201:
        tried = strict.http(strict.client).post(f"{API}/webhooks/{made.json['id']}/test").json["id"]
        attempt = first_attempt(strict, strict.client, tried)
        assert attempt["status"] is None and attempt["error"], attempt
        assert attempt["response"] in (None, ""), "nothing of it is shown"
    job = strict.http(strict.client).post(f"{API}/jobs", {"webhook_url": f"http://{host}:{sink.port}/job-{uuid.uuid4()}"})
    assert job.status == made.status, job
    if job.status == 201:
        strict.finish(job.json["job_id"])
    assert sink.connections == before


def test_a_redirect_leads_nowhere(make_hub):
    """Not even from where webhooks may go."""
    sink = Sink()
    targets = [f"http://127.0.0.1:{sink.port}/", f"http://[::1]:{sink.port}/", "http://169.254.169.254/", "file:///etc/passwd", "gopher://127.0.0.1/"]
    try:
        for status in (301, 302, 303, 307, 308):
            with Receiver(lambda received: (status, {"Location": targets[status % len(targets)]}, b"")) as receiver:
                hub = make_hub(*LOCAL_WEBHOOKS)
                webhook = hub.add_webhook(receiver.url())
                tried = hub.http(hub.client).post(f"{API}/webhooks/{webhook['id']}/test").json["id"]
                assert first_attempt(hub, hub.client, tried)["status"] == status
        assert sink.connections == 0
    finally:
        sink.close()


@pytest.mark.parametrize("scheme", ["file", "ftp", "gopher", "dict", "ldap", "ws", "javascript", "//", ""])
def test_nothing_but_http_is_spoken(strict, scheme):
    made = strict.http(strict.client).post(f"{API}/webhooks", {"url": f"{scheme}://127.0.0.1/"})
    assert made.status == 422
