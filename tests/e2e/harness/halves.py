"""Clients that begin to say something and stop in the middle."""

import contextlib
import select
import socket
import time


@contextlib.contextmanager
def halves(hub, half, seconds, count=300):
    """That many connections that have each sent `half`; beside them, within the seconds that they are given to go on, the
    hub has served requests. Yields them and the time from which they were open."""
    opened_at = time.monotonic()
    with contextlib.ExitStack() as open_ones:
        idle = [
            open_ones.enter_context(socket.create_connection(("127.0.0.1", hub.port), timeout=30))
            for _ in range(count)
        ]
        for one in idle:
            one.sendall(half)
        job = hub.submit()
        assert hub.report(job, "running")["status"] == "running"
        assert hub.job(job)["status"] == "running"
        # The requests were served while all of them were open: none has been answered or closed.
        assert time.monotonic() - opened_at < seconds
        assert select.select(idle, [], [], 0)[0] == []
        yield idle, opened_at
