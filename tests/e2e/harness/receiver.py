"""A webhook receiver: keeps what it gets, answers what it is told to, and checks signatures by itself."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

PATIENCE_S = 30


class Received:
    def __init__(self, path, fields, body):
        self.at = time.monotonic()
        self.path = path
        self.fields = {name.lower(): value for name, value in fields.items()}
        self.body = body

    @property
    def id(self):
        return self.fields["webhook-id"]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def job(self):
        return self.json["data"]["job_id"]

    def is_signed_with(self, secret):
        """Standard Webhooks, from its specification."""
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        timestamp = self.fields["webhook-timestamp"]
        text = f"{self.id}.{timestamp}.".encode() + self.body
        wanted = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return abs(time.time() - int(timestamp)) < 60 and wanted in self.fields["webhook-signature"].split(" ")


class Receiver:
    """`answer` is given each request and returns a status, or a status and header fields.

    One that is not `listening` has its port and refuses connections, until listen()."""

    def __init__(self, answer=lambda received: 204, listening=True):
        receiver = self
        self.received = []
        self._changed = threading.Condition()
        self._thread = None

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received = Received(self.path, dict(self.headers), body)
                status = answer(received)
                status, fields = status if isinstance(status, tuple) else (status, {})
                with receiver._changed:
                    receiver.received.append(received)
                    receiver._changed.notify_all()
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *ignored):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *ignored):
                pass  # a hub that is killed cuts its connections

        self._server = Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._server.server_bind()
        self.port = self._server.server_address[1]
        if listening:
            self.listen()

    def listen(self):
        self._server.server_activate()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        if self._thread:
            self._server.shutdown()
            self._thread.join(PATIENCE_S)
        self._server.server_close()

    def url(self, path="/hook"):
        return f"http://127.0.0.1:{self.port}{path}"

    def wait_for(self, holds, patience_s=PATIENCE_S):
        """Waits until `holds` for what has come; returns that."""
        with self._changed:
            assert self._changed.wait_for(lambda: holds(self.received), patience_s), [
                (one.id, one.body) for one in self.received
            ]
            return list(self.received)

    def wait_for_count(self, count):
        return self.wait_for(lambda received: len(received) >= count)
