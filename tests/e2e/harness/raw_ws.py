"""A WebSocket in a few lines over a socket: for frames no library sends, and for thousands of connections at once."""

import base64
import json
import os
import socket
import struct
import time

PATIENCE_S = 30
READ_BYTES = 64 * 1024

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def request(port, key, path="/api/v1/ws/jobs", **fields):
    """The bytes of an opening handshake; fields are given with `_` for `-`, and None takes one away."""
    head = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "X-API-Key": key,
    }
    head.update({name.replace("_", "-"): value for name, value in fields.items()})
    lines = [f"{name}: {value}" for name, value in head.items() if value is not None]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def frame(opcode, payload, final=True, masked=True, deflated=False):
    """`deflated` says that the payload is."""
    if isinstance(payload, str):
        payload = payload.encode()
    head = bytes([(0x80 if final else 0) | (0x40 if deflated else 0) | opcode])
    length = len(payload)
    flag = 0x80 if masked else 0
    if length < 126:
        head += bytes([flag | length])
    elif length < 1 << 16:
        head += bytes([flag | 126]) + struct.pack(">H", length)
    else:
        head += bytes([flag | 127]) + struct.pack(">Q", length)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


class RawWebSocket:
    """`port` of the hub; the socket's options (level, name, value) are set before it connects."""

    def __init__(self, port, options=(), source="127.0.0.1"):
        self.socket = socket.socket()
        for option in options:
            self.socket.setsockopt(*option)
        self.socket.settimeout(PATIENCE_S)
        if source != "127.0.0.1":
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self._unread = bytearray()
        self._pace = None

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def open(self, port, key, **fields):
        self.send(request(port, key, **fields))
        head = self.read_head()
        assert head.startswith(b"HTTP/1.1 101 "), head
        return self

    def read_head(self):
        while b"\r\n\r\n" not in self._unread:
            self._more()
        head = self._take(self._unread.index(b"\r\n\r\n") + 4)
        return head[:-4]

    def read_bytes(self, count):
        return self._take(count)

    def read_frame(self):
        """Opcode and payload of the next one."""
        first, payload = self.read_raw_frame()
        assert first & 0x70 == 0, "no extension was agreed upon"
        return first & 0x0F, payload

    def read_raw_frame(self):
        """First byte and payload of the next one, deflated where its RSV1 bit says so."""
        first, length = self._take(2)
        assert first & 0x80 and length < 128, "a whole frame without a mask is what servers send here"
        if length == 126:
            (length,) = struct.unpack(">H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._take(8))
        return first, self._take(length)

    def read_message(self):
        opcode, payload = self.read_frame()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    def read_close(self, frames_max=1, bytes_per_s=None):
        """Code and reason of the close frame, and how many frames came before it; reads no faster than told."""
        self._pace = bytes_per_s
        for count in range(frames_max + 1):
            opcode, payload = self.read_frame()
            if opcode == CLOSE:
                return struct.unpack(">H", payload[:2])[0], payload[2:].decode(), count
        raise AssertionError(f"no close frame in {frames_max + 1} frames")

    def has_unread(self):
        """Whether more has come than was asked for."""
        return bool(self._unread)

    def _take(self, count):
        while len(self._unread) < count:
            self._more()
        taken = bytes(self._unread[:count])
        del self._unread[:count]
        return taken

    def _more(self):
        data = self.socket.recv(READ_BYTES)
        if not data:
            raise EOFError("the connection has ended")
        self._unread += data
        if self._pace:
            time.sleep(len(data) / self._pace)
