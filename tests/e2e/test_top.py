"""`carillon top`: what a hub does, on a terminal and elsewhere."""

import errno
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest
from conftest import LOCAL_WEBHOOKS
from harness import metrics
from harness.hub import BINARY, end_with_parent, run_command
from harness.receiver import Receiver

PATIENCE_S = 30


class Terminal:
    """`carillon top` on a terminal of its own."""

    def __init__(self, hub, *options):
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.master, (40, 100))
        self.before = termios.tcgetattr(self.slave)
        self.text = ""
        self.process = subprocess.Popen(
            [BINARY, "top", "--data", hub.data, *options],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, preexec_fn=end_with_parent,
        )

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.text += os.read(self.master, 65536).decode()
            except OSError as error:
                if error.errno != errno.EIO:
                    raise

    def wait_for(self, pattern):
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < deadline, self.text
            self.read(0.1)
        return found

    def end(self):
        code = self.process.wait(PATIENCE_S)
        self.read(1)
        return code


@pytest.mark.parametrize("ending", ["q", "SIGINT", "SIGTERM"])
def test_on_a_terminal_it_goes_on_until_it_is_told_and_leaves_all_as_it_was(make_hub, ending):
    hub = make_hub()
    with Terminal(hub, "--interval", "0.1") as top:
        top.wait_for(r"carillon \S+   up .*well")
        assert top.text.startswith("\x1b[?1049h\x1b[?25l")
        assert not termios.tcgetattr(top.slave)[3] & termios.ECHO
        hub.submit()
        top.wait_for(r"road +[1-9]\d*(\.\d)?/s events|road +0\.[1-9]/s events")
        if ending == "q":
            os.write(top.master, b"q")
        else:
            top.process.send_signal(getattr(signal, ending))
        assert top.end() == 0
        assert top.text.endswith("\x1b[?25h\x1b[?1049l")
        assert termios.tcgetattr(top.slave) == top.before


def test_a_hub_that_goes_is_said_and_one_that_comes_back_is_seen(make_hub):
    hub = make_hub()
    with Terminal(hub, "--interval", "0.1") as top:
        top.wait_for("well")
        hub.stop()
        top.wait_for("THE HUB DOES NOT ANSWER")
        top.text = ""
        hub.start()
        top.wait_for(r"\x1b\[Hcarillon \S+   up .*well")
        os.write(top.master, b"q")
        assert top.end() == 0


def test_where_there_is_no_terminal_it_is_shown_once(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS)
    with Receiver(lambda received: 500 if "bad" in received.path else 204) as receiver:
        good = hub.add_webhook(receiver.url("/good"))
        bad = hub.add_webhook(receiver.url("/bad"))
        hub.finish(hub.submit())
        for outcome in ("delivered", "server_error"):
            counted = f'carillon_webhook_attempts_total{{outcome="{outcome}"}}'
            metrics.wait_for(hub, lambda samples: samples[counted] > 0)
        done = hub.command("top", "--interval", "0.2")
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"carillon \S+   up .* well", lines[0])
    endpoints = [line for line in lines if line.startswith("we_")]
    assert endpoints[0].startswith(bad["id"]) and "100 %" in endpoints[0] and endpoints[0].endswith(bad["url"])
    assert endpoints[1].startswith(good["id"]) and " 0 %" in endpoints[1]


def test_as_json(make_hub):
    hub = make_hub()
    figures = json.loads(hub.command("top", "--once", "--json", "--interval", "0.1").stdout)
    assert figures["writable"] is True and figures["stuck"] == [] and figures["endpoints"] == []
    assert figures["disk_free_bytes"] > 0 and figures["commit_p99_seconds"] is None
    top = subprocess.Popen([BINARY, "top", "--data", hub.data, "--json", "--interval", "0.1"],
                           stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent)
    lines = [json.loads(top.stdout.readline()) for _ in range(3)]
    assert [line["version"] for line in lines] == [figures["version"]] * 3
    top.send_signal(signal.SIGINT)
    assert top.wait(PATIENCE_S) == 0
    top.stdout.close()


def test_without_a_hub_it_says_so(make_hub, tmp_path):
    hub = make_hub()
    hub.stop()
    done = hub.command("top", check=False)
    assert done.returncode == 1 and hub.data in done.stderr and done.stderr.count("\n") == 1
    done = run_command("top", "--data", str(tmp_path / "none"), check=False)
    assert done.returncode == 1 and "none" in done.stderr
    done = hub.command("top", "--interval", "0", check=False)
    assert done.returncode == 2 and "--interval" in done.stderr
