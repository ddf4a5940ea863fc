"""What a service manager and the hub tell each other: readiness, life signs, reload and end; a port that is handed over."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness.hub import BINARY, PATIENCE_S, end_with_parent
from harness.http import Http


@pytest.fixture
def manager(tmp_path):
    """The socket that a service manager listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE_S)
        yield listening


def heard(manager):
    """The next message, as a dict."""
    return dict(line.split("=", 1) for line in manager.recv(4096).decode().splitlines())


def heard_besides_life_signs(manager):
    while (message := heard(manager)) == {"WATCHDOG": "1"}:
        pass
    return message


def start(folder, *options, environment=None, pass_fds=(), handed_over=None):
    """A hub as a service manager starts it. A socket that is handed over is descriptor 3, and meant for this process."""
    command = [BINARY, "serve", "--data", str(folder / "data"), *options]
    if handed_over is not None:
        prefix = f'exec 3<&{handed_over.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
        command = ["bash", "-c", prefix, "bash", *command]
        pass_fds = (handed_over.fileno(),)
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=pass_fds,
        env={**os.environ, **(environment or {})},
        preexec_fn=end_with_parent,
    )


def end(process):
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    return out, err


def test_it_is_told_of_every_turn_of_a_life(tmp_path, manager):
    process = start(
        tmp_path,
        "--listen=127.0.0.1:0",
        environment={"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "2000000"},
    )
    try:
        ready = heard(manager)
        assert ready["READY"] == "1"
        assert ready["STATUS"].startswith("Serving on http://127.0.0.1:")
        assert heard(manager) == {"WATCHDOG": "1"}
        began = time.monotonic()
        assert heard(manager) == {"WATCHDOG": "1"}
        assert time.monotonic() - began < 2, "at least once within its time"

        process.send_signal(signal.SIGHUP)
        reloading = heard_besides_life_signs(manager)
        assert reloading["RELOADING"] == "1"
        assert int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        assert heard_besides_life_signs(manager)["READY"] == "1"
    finally:
        end(process)
    ending = heard_besides_life_signs(manager)
    assert ending["STOPPING"] == "1"
    assert int(ending["EXTEND_TIMEOUT_USEC"]) > 0


def test_nobody_is_told_where_nobody_asks(tmp_path, manager):
    """And a watchdog that is meant for another process is not fed."""
    process = start(
        tmp_path,
        "--listen=127.0.0.1:0",
        environment={"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
    )
    assert heard(manager)["READY"] == "1"
    end(process)
    assert heard(manager)["STOPPING"] == "1", "with no life sign between"


def test_a_port_that_is_handed_over_outlives_the_hub(tmp_path):
    """Who connects while it is restarted waits, and is not refused."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        address = port.getsockname()
        first = start(tmp_path, "--listen=127.0.0.1:1", handed_over=port)
        assert f"is listening on http://127.0.0.1:{address[1]}\n" in first.stdout.readline()
        assert Http(address[1]).get("/readyz").status == 200
        end(first)

        answers = []
        waiting = threading.Thread(target=lambda: answers.append(Http(address[1]).get("/readyz").status))
        waiting.start()
        with socket.create_connection(address, timeout=PATIENCE_S) as idle:
            second = start(tmp_path, handed_over=port)
            waiting.join(PATIENCE_S)
            assert answers == [200]
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
            assert idle.recv(4096).startswith(b"HTTP/1.1 200 ")
        end(second)


def test_what_is_handed_over_must_be_a_port(tmp_path):
    with open(tmp_path / "file", "w", encoding="utf-8") as file:
        process = start(tmp_path, handed_over=file)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert err.startswith("carillon: the inherited descriptor 3 is no socket: "), err


def test_first_keys_are_not_written_to_the_journal(tmp_path):
    """The hub knows the journal by the device and inode of its standard output (systemd.exec(5))."""
    read, write = os.pipe()
    out = os.fstat(write)
    process = subprocess.Popen(
        [BINARY, "serve", "--data", str(tmp_path / "data"), "--listen=127.0.0.1:0"],
        stdout=write,
        stderr=write,
        env={**os.environ, "JOURNAL_STREAM": f"{out.st_dev}:{out.st_ino}"},
        preexec_fn=end_with_parent,
    )
    os.close(write)
    journal = open(read, encoding="utf-8")
    for line in journal:
        if "its keys are in a file" in line:
            break
    process.send_signal(signal.SIGTERM)
    rest = journal.read()
    journal.close()
    assert process.wait(PATIENCE_S) == 0
    assert "sk_live_" not in line + rest
    keys = tmp_path / "data" / "first-keys.txt"
    assert keys.stat().st_mode & 0o777 == 0o600
    assert keys.read_text().count("sk_live_") > 3
