"""How deliveries travel: certificates on either side, HTTP/2, names that are slow to resolve."""

import shutil
import ssl
import subprocess
import threading

import pytest
from conftest import LOCAL_WEBHOOKS
from harness import h2_receiver
from harness.receiver import Receiver
from harness.tls import Certificate
from harness.waiting import wait_until

SLOW_NAME = "slow.invalid"

# getaddrinfo(3) of one name does not return before a file is there.
SLOW_RESOLVER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
  int (*real)(const char*, const char*, const struct addrinfo*, struct addrinfo**) = dlsym(RTLD_NEXT, "getaddrinfo");
  if (node && strcmp(node, "slow.invalid") == 0) {
    for (int i = 0; i < 6000 && access(getenv("RESOLVER_RELEASED"), F_OK) != 0; ++i) usleep(10000);
    return EAI_NONAME;
  }
  return real(node, service, hints, found);
}
"""


class TlsReceiver(Receiver):
    """Speaks TLS with a certificate; `clients` is the one it wants to see from the other side."""

    def __init__(self, certificate, answer=lambda received: 204, clients=None):
        super().__init__(answer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert, certificate.key)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.cert)
        # Each handshake on its connection's own thread, at its first byte.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )

    def url(self, path="/hook"):
        return super().url(path).replace("http://", "https://")


def attempts_at(hub, endpoint):
    """All that were made at the one delivery of an endpoint."""
    listed = hub.http(hub.client).get(f"/api/v1/webhooks/{endpoint['id']}/deliveries").json["deliveries"]
    return hub.http(hub.client).get(f"/api/v1/deliveries/{listed[0]['id']}").json["attempts"] if listed else []


def test_an_endpoint_whose_certificate_is_not_trusted_is_told_nothing(make_hub, tmp_path):
    certificate = Certificate(tmp_path)
    hub = make_hub(*LOCAL_WEBHOOKS)
    with TlsReceiver(certificate) as receiver:
        endpoint = hub.add_webhook(receiver.url())
        hub.finish(hub.submit())
        wait_until(lambda: attempts_at(hub, endpoint))
        assert "certificate" in attempts_at(hub, endpoint)[0]["error"]
        assert receiver.received == []


def test_an_endpoint_whose_certificate_is_in_the_ca_file_is_told(make_hub, tmp_path):
    certificate = Certificate(tmp_path)
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-ca-file", str(certificate.cert))
    with TlsReceiver(certificate) as receiver:
        made = hub.add_webhook(receiver.url())
        job = hub.submit()
        hub.finish(job)
        (hook,) = receiver.wait_for_count(1)
        assert hook.job == job and hook.is_signed_with(made["secret"])


def test_an_endpoint_that_asks_for_a_certificate_is_shown_the_hubs(make_hub, tmp_path):
    servers, ours, others = (Certificate(tmp_path, name) for name in ("server", "ours", "others"))
    trusting = (*LOCAL_WEBHOOKS, "--webhooks-ca-file", str(servers.cert))
    for shown, taken in ((None, False), (others, False), (ours, True)):
        options = ("--webhooks-client-cert", str(shown.cert), "--webhooks-client-key", str(shown.key)) if shown else ()
        hub = make_hub(*trusting, *options)
        with TlsReceiver(servers, clients=ours) as receiver:
            endpoint = hub.add_webhook(receiver.url())
            hub.finish(hub.submit())
            wait_until(lambda: attempts_at(hub, endpoint))
            (first, *_) = attempts_at(hub, endpoint)
            assert (first["status"] == 204) == taken and (len(receiver.received) > 0) == taken, first


@pytest.mark.parametrize("tls", [False, True])
def test_one_that_does_not_answer_holds_up_no_other_of_its_host(make_hub, tmp_path, tls):
    certificate = Certificate(tmp_path)
    released = threading.Event()

    def answer(received):
        if received.path == "/stuck":
            released.wait(30)
        return 204

    with TlsReceiver(certificate, answer) if tls else Receiver(answer) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-ca-file", str(certificate.cert))
        hub.add_webhook(receiver.url("/stuck"))
        hub.add_webhook(receiver.url("/quick"))
        jobs = [hub.submit() for _ in range(20)]
        for job in jobs:
            hub.finish(job)
        try:
            quick = receiver.wait_for(lambda received: len(received) == len(jobs))
            assert {hook.path for hook in quick} == {"/quick"} and {hook.job for hook in quick} == set(jobs)
        finally:
            released.set()


def test_http2_is_spoken_where_it_is_offered(make_hub, tmp_path, missing):
    if not h2_receiver.available():
        missing("Debian's python3-h2 is not installed")
    certificate = Certificate(tmp_path)
    with h2_receiver.Http2Receiver(certificate) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-ca-file", str(certificate.cert))
        hub.add_webhook(receiver.url("/two"))
        jobs = [hub.submit() for _ in range(50)]
        for job in jobs:
            hub.finish(job)
        received = receiver.wait_for_count(len(jobs))
        assert all(path == "/two" for _, path, _ in received)
        assert {number for number, _, _ in received} == {0}, "one connection carries them all"
        assert all(any(job.encode() in body for _, _, body in received) for job in jobs)


@pytest.mark.plain_binary
def test_a_name_that_is_slow_to_resolve_holds_up_no_other(make_hub, tmp_path, monkeypatch, missing):
    compiler = shutil.which("cc") or missing("there is no C compiler")
    source, library, released = tmp_path / "slow.c", tmp_path / "slow.so", tmp_path / "released"
    source.write_text(SLOW_RESOLVER)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("RESOLVER_RELEASED", str(released))
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-connect-timeout-s", "1")
    try:
        with Receiver() as receiver:
            slow = hub.add_webhook(f"http://{SLOW_NAME}/")
            hub.add_webhook(receiver.url())
            hub.finish(hub.submit())
            receiver.wait_for_count(1)
            # Its request is over while its name is still looked up: nobody waits for that.
            wait_until(lambda: attempts_at(hub, slow))
            assert attempts_at(hub, slow)[0]["status"] is None
            hub.finish(hub.submit())
            receiver.wait_for_count(2)
    finally:
        released.touch()
    hub.stop()
