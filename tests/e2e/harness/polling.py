"""Polls that wait: in threads of their own, and by the thousand over bare sockets."""

import contextlib
import json
import selectors
import socket
import threading
import time

from . import metrics
from .http import PATIENCE_S, RawConnection
from .many import AT_ONCE, many_files


def head(path, key, **fields):
    lines = [f"GET {path} HTTP/1.1", "Host: hub", f"X-API-Key: {key}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode()


class Waiting:
    """A request whose answer is awaited elsewhere: `with Waiting(hub, path, key) as poll: ...; poll.answer()`."""

    def __init__(self, hub, path, key, **fields):
        self.connection = RawConnection(hub.port)
        self.connection.send(head(path, key, **fields))

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.connection.__exit__()

    def answer(self):
        return self.connection.answer()

    def is_silent(self):
        """Whether nothing has come so far."""
        self.connection.socket.setblocking(False)
        try:
            self.connection.socket.recv(1, socket.MSG_PEEK)
            return False
        except BlockingIOError:
            return True
        finally:
            self.connection.socket.settimeout(PATIENCE_S)


def wait_for_waiting(hub, count):
    """Until so many polls wait."""
    return metrics.wait_for(hub, lambda samples: samples["carillon_polls_waiting"] == count)


@contextlib.contextmanager
def many_waiting(hub, requests, missing):
    """A poll on a connection of its own for each of the requests, all of which wait."""
    with many_files(len(requests), missing):
        sockets = []
        try:
            for begin in range(0, len(requests), AT_ONCE):
                for request in requests[begin : begin + AT_ONCE]:
                    sockets.append(socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S))
                    sockets[-1].sendall(request)
            wait_for_waiting(hub, len(requests))
            yield sockets
        finally:
            for one in sockets:
                one.close()


def answers(sockets, count):
    """The first bytes of so many of the answers, as (time, socket, bytes), as they come."""
    deadline = time.monotonic() + PATIENCE_S
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            selector.register(one, selectors.EVENT_READ)
        while count > 0:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            assert ready, f"{count} answers did not come"
            now = time.monotonic()
            for key, _ in ready:
                yield now, key.fileobj, key.fileobj.recv(65536)
                selector.unregister(key.fileobj)
                count -= 1


class Stream:
    """An event stream: what the lines of it say, event by event."""

    def __init__(self, hub, key, query="", **fields):
        self.connection = RawConnection(hub.port)
        self.connection.send(head(f"/api/v1/events{query}", key, Accept="text/event-stream", **fields))
        file = self.connection.file
        self.status = int(file.readline().split()[1])
        self.fields = {}
        while line := file.readline().strip():
            name, _, value = line.decode().partition(":")
            self.fields[name.lower()] = value.strip()
        self.comments = []
        self.retry_ms = None

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.connection.__exit__()

    def event(self):
        """The next one, as its id, its type and its data; None when the stream has ended."""
        fields = {}
        data = []
        while line := self.connection.file.readline():
            line = line.decode().rstrip("\n")
            if not line:
                if data:
                    return int(fields["id"]), fields["event"], "\n".join(data)
                if "retry" in fields:
                    self.retry_ms = int(fields["retry"])
                continue
            if line.startswith(":"):
                self.comments.append(line)
                continue
            name, _, value = line.partition(": ")
            if name == "data":
                data.append(value)
            else:
                fields[name] = value
        return None

    def events(self, count):
        return [self.event() for _ in range(count)]

    def json(self):
        event = self.event()
        return None if event is None else json.loads(event[2])


class InThreads:
    """Runs functions, and raises what they raised: `with InThreads() as threads: threads.run(f, …)`."""

    def __init__(self):
        self.threads = []
        self.failures = []

    def __enter__(self):
        return self

    def run(self, task, *arguments):
        def guarded():
            try:
                task(*arguments)
            except BaseException as failure:  # pylint: disable=broad-except
                self.failures.append(failure)

        thread = threading.Thread(target=guarded, daemon=True)
        self.threads.append(thread)
        thread.start()

    def __exit__(self, *ignored):
        for thread in self.threads:
            thread.join(4 * PATIENCE_S)
            assert not thread.is_alive(), "a thread does not end"
        for failure in self.failures:
            raise failure
