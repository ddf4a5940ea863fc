"""A webhook receiver: keeps what it gets, answers what it is told to, and checks signatures by itself."""

import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import subprocess
import tempfile
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


    def is_signed_by(self, public_key):
        """The same for v1a: Ed25519, as openssl sees it."""
        raw = base64.b64decode(public_key.removeprefix("whpk_"), validate=True)
        text = f"{self.id}.{self.fields['webhook-timestamp']}.".encode() + self.body
        signatures = (one.split(",") for one in self.fields["webhook-signature"].split(" "))
        return any(version == "v1a" and _is_ed25519(raw, text, signature) for version, signature in signatures)


# What stands before the 32 bytes of a key (RFC 8410, section 4).
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")


def _is_ed25519(public_key, text, signature):
    with tempfile.TemporaryDirectory() as folder:
        key, message, sealed = (pathlib.Path(folder, name) for name in ("key", "message", "sealed"))
        key.write_bytes(ED25519_PREFIX + public_key)
        message.write_bytes(text)
        sealed.write_bytes(base64.b64decode(signature, validate=True))
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", key, "-rawin"]
        done = subprocess.run([*command, "-in", message, "-sigfile", sealed], capture_output=True, check=False)
    return done.returncode == 0


class Receiver:
    """`answer` is given each request and returns a status, or a status and header fields, and perhaps a body.

    One that is not `listening` has its port and refuses connections, until listen()."""

    def __init__(self, answer=lambda received: 204, listening=True, port=0):
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
                status, fields, content = (*status, b"")[:3] if isinstance(status, tuple) else (status, {}, b"")
                with receiver._changed:
                    receiver.received.append(received)
                    receiver._changed.notify_all()
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *ignored):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *ignored):
                pass  # a hub that is killed cuts its connections

        self._server = Server(("127.0.0.1", port), Handler, bind_and_activate=False)
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
