"""A program that a test runs beside itself: its lines as they come, and its end."""

import os
import queue
import subprocess
import threading

from .hub import PATIENCE_S, end_with_parent


class Program:
    """`with Program(command, NAME="value") as program: …`; it is ended with the block."""

    def __init__(self, command, **environment):
        self.errors = ""
        self._lines = queue.Queue()
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_parent,
        )
        self._readers = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        if self._process.poll() is None:
            self._process.kill()
        self._reap()

    def line(self):
        """The next one, without its end."""
        try:
            line = self._lines.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise AssertionError(f"no line; its errors:\n{self.errors}") from None
        assert line is not None, f"it has ended; its errors:\n{self.errors}"
        return line.rstrip()

    def ended(self):
        """Waits for its end; returns its exit code. No line may be left."""
        code = self._reap()
        assert self._lines.get(timeout=PATIENCE_S) is None
        return code

    def _reap(self):
        code = self._process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        return code

    def _read_lines(self):
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)
        self._process.stdout.close()

    def _read_errors(self):
        for line in self._process.stderr:
            self.errors += line
        self._process.stderr.close()
