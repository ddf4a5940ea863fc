"""A hub that ends: what was begun comes to its end, what was not is begun by the next."""

import signal
import socket
import threading

import pytest

from harness.http import RawConnection
from harness.hub import PATIENCE_S
from harness.receiver import Receiver
from harness.waiting import wait_until

LOCAL = ("--webhooks-allow-http", "--webhooks-allow-cidrs", "127.0.0.0/8")


class Slow:
    """A receiver's answer that waits until it is let go."""

    def __init__(self):
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, received):
        self.begun.set()
        assert self.go.wait(PATIENCE_S)
        return 204


def refuses_connections(hub):
    try:
        socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S).close()
    except (ConnectionRefusedError, ConnectionResetError):  # the second came in just before, and was not taken any more
        return True
    return False


def test_a_webhook_on_its_way_is_let_arrive_and_none_is_begun(make_hub):
    slow = Slow()
    with Receiver(slow) as receiver, Receiver() as other:
        hub = make_hub(*LOCAL)
        hub.add_webhook(receiver.url(), events=["job.queued"])
        hub.add_webhook(other.url(), events=["job.running"])
        job = hub.submit()
        assert slow.begun.wait(PATIENCE_S)
        with RawConnection(hub.port) as kept:
            kept.send("GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
            assert kept.answer().status == 200
            hub.process.send_signal(signal.SIGTERM)
            wait_until(lambda: refuses_connections(hub))
            # Who is connected is served to the end, and what he reports is on disk.
            body = '{"status":"running"}'
            kept.send(
                f"PATCH /api/v1/jobs/{job} HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.worker}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            )
            assert kept.answer().status == 200
            assert hub.process.poll() is None, "it waits for the answer of the receiver"
            slow.go.set()
            assert hub.process.wait(PATIENCE_S) == 0, hub.log
        assert not other.received, "nothing new is sent by a hub that ends"

        hub.start()
        (told,) = other.wait_for_count(1)
        assert told.job == job
        assert hub.job(job)["status"] == "running"
        # What arrived was noted as such, and is not sent again.
        hub.finish(hub.submit())
        receiver.wait_for_count(2)
        assert len({one.id for one in receiver.received}) == 2


def test_one_that_does_not_answer_is_not_waited_for_longer_than_an_attempt_takes(make_hub):
    slow = Slow()
    with Receiver(slow) as receiver:
        hub = make_hub(*LOCAL, "--webhooks-timeout-s", "2")
        hub.add_webhook(receiver.url(), events=["job.queued"])
        hub.submit()
        assert slow.begun.wait(PATIENCE_S)
        hub.process.send_signal(signal.SIGTERM)
        assert hub.process.wait(PATIENCE_S) == 0, hub.log
        hub.start()
        slow.go.set()
        first, second = receiver.wait_for_count(2)[:2]
        assert first.id == second.id, "it is tried again under the same id"


@pytest.mark.parametrize("signals", [[signal.SIGTERM, signal.SIGTERM], [signal.SIGINT, signal.SIGINT]])
def test_a_second_signal_waits_for_nobody(make_hub, signals):
    slow = Slow()
    with Receiver(slow) as receiver:
        hub = make_hub(*LOCAL, "--webhooks-timeout-s", "300")
        hub.add_webhook(receiver.url(), events=["job.queued"])
        hub.submit()
        assert slow.begun.wait(PATIENCE_S)
        hub.process.send_signal(signals[0])
        wait_until(lambda: refuses_connections(hub))
        hub.process.send_signal(signals[1])
        assert hub.process.wait(PATIENCE_S) == 0, hub.log
        slow.go.set()
