#!/usr/bin/python3
"""Receives webhooks: takes what the hub has signed and nothing else, and each event once.

    WEBHOOK_SECRET=whsec_... ./receive.py [PORT]
"""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import time
import traceback

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
AGE_MAX_S = 300
BODY_MAX_BYTES = 2 << 20  # the hub's webhooks.max_body is 1 MiB
SEEN_MAX = 100_000


def is_from_the_hub(headers, body):
    """Standard Webhooks 1.0.0. `body` is what came, byte for byte, before any parsing."""
    sent_at = headers.get("webhook-timestamp", "")
    if not (sent_at.isascii() and sent_at.isdigit()) or abs(time.time() - int(sent_at)) > AGE_MAX_S:
        return False
    text = f"{headers.get('webhook-id', '')}.{sent_at}.".encode() + body
    wanted = b"v1," + base64.b64encode(hmac.digest(KEY, text, hashlib.sha256))
    # Two of them while a secret is replaced; one that fits is enough.
    return any(hmac.compare_digest(wanted, one.encode()) for one in headers.get("webhook-signature", "").split(" "))


def handle(event):
    """Quick, and safe on disk when it returns: what takes long goes into a queue of your own from here."""
    print(event["type"], event["data"].get("job_id", "-"), json.dumps(event["data"].get("result")), flush=True)


class Once:
    """Lets an event through once, by its webhook-id. Keeps the last ones in memory: a receiver that must not repeat
    work over its own restarts keeps the id where it keeps the work, in the same transaction."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = collections.OrderedDict()

    def handle(self, webhook_id, event):
        with self.lock:
            if webhook_id in self.seen:
                return
            handle(event)
            self.seen[webhook_id] = None  # now, not before: what failed is to come again
            if len(self.seen) > SEEN_MAX:
                self.seen.popitem(last=False)


once = Once()


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the hub keeps its connections
    timeout = 120

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > BODY_MAX_BYTES:
            self.close_connection = True
            return self.answer(413)
        body = self.rfile.read(int(length))
        if not is_from_the_hub(self.headers, body):
            return self.answer(401)
        try:
            once.handle(self.headers["webhook-id"], json.loads(body))
        except Exception:  # whatever it is: the hub sends it again
            traceback.print_exc()
            return self.answer(500)
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *ignored):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000), Receiver)
    print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
