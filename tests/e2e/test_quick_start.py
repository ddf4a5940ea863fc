"""docs/quick-start.md, command by command: each prints what the document shows, but for what differs each time."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading

from conftest import LOCAL_WEBHOOKS
from harness.hub import PATIENCE_S, REPOSITORY, end_with_parent

DOCUMENT = REPOSITORY / "docs/quick-start.md"
MARK = "--- what was printed ends here ---"


def steps():
    """Each block of commands, with the output that is shown under it."""
    return re.findall(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)


class Shell:
    """As a user has it open in a checkout, with the keys of a hub: runs commands, and returns what they print."""

    def __init__(self, hub, folder):
        (folder / "docs").symlink_to(REPOSITORY / "docs")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = str(free.getsockname()[1])
        self.process = subprocess.Popen(
            ["bash", "-euo", "pipefail"],
            cwd=folder,
            env={**os.environ, "CARILLON_URL": f"http://127.0.0.1:{hub.port}", "CLIENT_KEY": hub.client,
                 "WORKER_KEY": hub.worker},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        self.watchdog = threading.Timer(2 * PATIENCE_S, self.kill)
        self.watchdog.start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        """With whatever it has begun and not ended."""
        self.watchdog.cancel()
        self.kill()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(PATIENCE_S)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def run(self, commands):
        self.process.stdin.write(f"{self.with_own_port(commands)}\nprintf '\\n%s\\n' '{MARK}'\n")
        output = ""
        while not output.endswith(f"\n{MARK}\n"):
            line = self.process.stdout.readline()
            assert line, f"the shell has ended in:\n{commands}"
            output += line
        return output.removesuffix(f"\n{MARK}\n").replace(self.port, "8000")

    def with_own_port(self, commands):
        return re.sub(r"\b8000\b", self.port, commands)


def without_what_differs(text):
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "JOB", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME", text)
    text = re.sub(r'"ts":\d+', '"ts":TS', text)
    text = re.sub(r"\b(we|key)_\w+", r"\1_ID", text)
    text = re.sub(r"whsec_[A-Za-z0-9+/]+=*", "whsec_SECRET", text)
    text = re.sub(r'"epoch":"\w+"', '"epoch":"EPOCH"', text)
    return text.strip()


def test_each_step_prints_what_is_shown(make_hub, tmp_path):
    hub = make_hub(*LOCAL_WEBHOOKS)
    *before, last = steps()
    assert len(before) > 5
    with Shell(hub, tmp_path) as shell:
        for commands, shown in before:
            assert without_what_differs(shell.run(commands)) == without_what_differs(shown), commands
        hub.kill()
        hub.start()
        commands, shown = last
        assert without_what_differs(shell.run(commands)) == without_what_differs(shown), commands
        shell.run("wait")
