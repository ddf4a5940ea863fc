"""A small HTTP client: one request, one answer; and raw bytes for what no client would send."""

import http.client
import json
import socket
from dataclasses import dataclass

PATIENCE_S = 30


@dataclass
class Answer:
    status: int
    fields: dict  # by name in lower case
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Http:
    judge = None  # called with (method, path, answer), of every answer of a hub

    def __init__(self, port, key=None, of_a_hub=True):
        self.port = port
        self.key = key
        self.of_a_hub = of_a_hub

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def request(self, method, path, body=None, **fields):
        """A body that is no bytes is sent as JSON. Fields are given with `_` for `-`."""
        connection = self.connect()
        try:
            headers = {name.replace("_", "-"): value for name, value in fields.items()}
            if self.key:
                headers.setdefault("X-API-Key", self.key)
            if body is not None and not isinstance(body, bytes):
                body = json.dumps(body).encode()
                headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
            if Http.judge and self.of_a_hub:
                Http.judge(method, path, answer)
            return answer
        finally:
            connection.close()

    def get(self, path, **fields):
        return self.request("GET", path, **fields)

    def post(self, path, body=None, **fields):
        return self.request("POST", path, body, **fields)

    def patch(self, path, body=None, **fields):
        return self.request("PATCH", path, body, **fields)

    def delete(self, path, **fields):
        return self.request("DELETE", path, **fields)


class RawConnection:
    """Bytes in, answers out."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def head(self):
        """Of the next answer, whose body is still to be read; None when the connection has ended."""
        line = self.file.readline()
        if not line:
            return None
        status = int(line.split()[1])
        fields = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(":")
            fields[name.lower()] = value.strip()
        return Answer(status, fields, b"")

    def answer(self, to="GET"):
        """The next one; None when the connection has ended."""
        answer = self.head()
        if answer and not (to == "HEAD" or answer.status < 200 or answer.status in (204, 304)):
            answer.body = self.file.read(int(answer.fields["content-length"]))
        return answer

    def ended(self):
        """Waits for more or for the end; true if it is the end."""
        return self.file.read(1) == b""
