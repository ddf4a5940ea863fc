"""A hub: the real binary, in a folder of its own, on a free port."""

import ctypes
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time
import uuid

from .http import Http

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("CARILLON_BINARY") or str(REPOSITORY / "build/release/app/carillon")
PATIENCE_S = 30

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def end_with_parent():
    """In a child before it runs: no test run, however it ends, leaves a process behind."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Key(str):
    """A key's secret, with the key's id."""

    def __new__(cls, secret, key_id):
        key = super().__new__(cls, secret)
        key.id = key_id
        return key


class Hub:
    """Started with start(); every option is one of `carillon serve`."""

    def __init__(self, folder, *options):
        self.data = str(folder / "data")
        self.options = list(options)
        self.port = 0
        self.keys = {}
        self.log = ""
        self.environment = {}  # beside what the tests run in
        self.prefix = []  # of its commands, that have them run elsewhere
        self.process = None

    # --- life ---------------------------------------------------------------------------------------------------------

    def start(self):
        """Serves when it returns; on the same port as before, if it has served before."""
        command = [*self.prefix, BINARY, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *self.options]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment},
            preexec_fn=end_with_parent,
        )
        lines = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, lines.put), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self._keep), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        first = not self.port
        deadline = time.monotonic() + PATIENCE_S
        serves = False
        while not serves or (first and len(self.keys) < 3):
            try:
                line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"the hub does not serve; its log:\n{self.log}") from None
            if line is None:
                raise AssertionError(f"the hub ended with {self._reap()}; its log:\n{self.log}")
            serves = self._understand(line) or serves
        return self

    def _understand(self, line):
        """Learns port and keys from what a start prints; true for the line that says that it serves."""
        if found := re.fullmatch(r"  (client|worker|admin) +(sk_live_\w+)\n", line):
            self.keys[found[1]] = found[2]
        if found := re.fullmatch(r"Carillon \S+ is listening on https?://127\.0\.0\.1:(\d+)\n", line):
            self.port = int(found[1])
        return found is not None

    def kill(self):
        """As if the power were cut."""
        self.process.send_signal(signal.SIGKILL)
        self._reap()

    def stop(self):
        """Asks it to end, and expects that it ends well."""
        self.process.send_signal(signal.SIGTERM)
        assert self._reap() == 0, self.log

    def close(self):
        """Ends it however that may be."""
        if self.process and self.process.poll() is None:
            self.kill()

    def _reap(self):
        code = self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        return code

    def _keep(self, line):
        self.log += line or ""

    @staticmethod
    def _read(stream, put):
        for line in stream:
            put(line)
        put(None)
        stream.close()

    # --- use ----------------------------------------------------------------------------------------------------------

    @property
    def client(self):
        return self.keys["client"]

    @property
    def worker(self):
        return self.keys["worker"]

    @property
    def admin(self):
        return self.keys["admin"]

    def http(self, key=None):
        return Http(self.port, key)

    def ws_url(self, query=""):
        return f"ws://127.0.0.1:{self.port}/api/v1/ws/jobs{query}"

    def command(self, *arguments, check=True):
        """Runs another `carillon` command on the same data; returns the finished process."""
        return run_command(*arguments, "--data", self.data, check=check, prefix=self.prefix)

    def ask_admin(self, path, body=None, status=200):
        """What the administrator's resources answer to a POST."""
        answer = self.http(self.admin).post(f"/api/v1/admin{path}", body)
        assert answer.status == status, answer
        return answer.json

    def make_account(self, name=None):
        name = name or f"account-{uuid.uuid4()}"
        self.ask_admin("/accounts", {"name": name}, status=201)
        return name

    def make_key(self, role="client", account="default", **body):
        made = self.ask_admin("/keys", {"account": account, "role": role, **body}, status=201)
        return Key(made["key"], made["id"])

    def error_of(self, key):
        """What the hub makes of a key: the error, or None where it is let in."""
        answer = self.http(key).get(f"/api/v1/jobs/{uuid.uuid4()}")
        return None if answer.status == 404 else answer.json["error"]

    def wait_for_key(self, key, error):
        """Until it makes that of it on every loop: the answers in a row come from one after the other. A change is
        given a second for it."""
        deadline = time.monotonic() + 1
        in_a_row = 0
        while in_a_row < 2 * (os.cpu_count() or 1):
            found = self.error_of(key)
            in_a_row = in_a_row + 1 if found == error else 0
            assert in_a_row or time.monotonic() < deadline, found

    def submit(self, key=None, **body):
        """Submits a job and returns its id."""
        body.setdefault("job_id", str(uuid.uuid4()))
        answer = self.http(key or self.client).post("/api/v1/jobs", body)
        assert answer.status == 201, answer
        return body["job_id"]

    def add_webhook(self, url, key=None, **body):
        """Registers a webhook; returns it, with its secret."""
        answer = self.http(key or self.client).post("/api/v1/webhooks", {"url": url, **body})
        assert answer.status == 201, answer
        return answer.json

    def report(self, job, status=None, **body):
        """Reports with the worker key; returns the job."""
        if status:
            body["status"] = status
        answer = self.http(self.worker).patch(f"/api/v1/jobs/{job}", body)
        assert answer.status == 200, answer
        return answer.json

    def finish(self, job, result=None):
        """Takes a queued job to its end."""
        self.report(job, "running")
        return self.report(job, "succeeded", result=result)

    def job(self, job, key=None):
        answer = self.http(key or self.client).get(f"/api/v1/jobs/{job}")
        assert answer.status == 200, answer
        return answer.json


def run_command(*arguments, check=True, prefix=()):
    """Runs a `carillon` command; returns the finished process, which has ended well unless that is not checked."""
    done = subprocess.run(
        [*prefix, BINARY, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        preexec_fn=end_with_parent,
    )
    assert not check or done.returncode == 0, done
    return done
