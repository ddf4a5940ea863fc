"""Very many WebSockets at once, and what comes on them."""

import contextlib
import resource
import selectors
import time

from .raw_ws import RawWebSocket, request

AT_ONCE = 200


@contextlib.contextmanager
def many_files(count, missing):
    """As many files as it takes; skips where this process may not have them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 500:
        missing(f"this process may have {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def many_connected(hub, count, missing):
    """So many WebSockets that have been welcomed."""
    with many_files(count, missing):
        sockets = []
        try:
            while len(sockets) < count:
                new = [RawWebSocket(hub.port) for _ in range(min(AT_ONCE, count - len(sockets)))]
                sockets += new
                for one in new:
                    one.send(request(hub.port, hub.client))
                for one in new:
                    assert one.read_head().startswith(b"HTTP/1.1 101 ")
                    assert one.read_message()["type"] == "connected"
            yield sockets
        finally:
            for one in sockets:
                one.socket.close()


def frames(sockets, until):
    """What comes on them, as (time, socket, opcode, payload), until that time or until all have ended."""
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            selector.register(one.socket, selectors.EVENT_READ, one)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                one = key.data
                try:
                    yield time.monotonic(), one, *one.read_frame()
                    while one.has_unread():
                        yield time.monotonic(), one, *one.read_frame()
                except EOFError:
                    selector.unregister(one.socket)
