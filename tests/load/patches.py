#!/usr/bin/env python3
"""How many single reports a second are taken from 64 connections, beside nginx and its static files?

    tests/load/patches.py [--rounds 5] [--seconds 4] [--jobs 1000]

By turns: wrk -t1 -c64 for a small static file of nginx's, and for PATCHes of progress, each answered when it is on disk.
Ends with 0 if the hub takes at least 15,000/85,000 of nginx's rate, by the median of the rounds. Needs nginx and wrk.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import load  # noqa: E402
from harness.hub import Hub, end_with_parent  # noqa: E402

RATIO_MIN = 15_000 / 85_000
SCRIPT = pathlib.Path(__file__).with_suffix(".lua")
NGINX = """
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; open_file_cache max=10;
  server {{ listen 127.0.0.1:{port}; location / {{ root {folder}/files; }} }} }}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_nginx(folder):
    port = free_port()
    (folder / "files").mkdir()
    (folder / "files/job.json").write_text('{"status":"running"}' + " " * 280)
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(NGINX.format(folder=folder, port=port, user=user))
    command = ["nginx", "-e", f"{folder}/error.log", "-c", str(config)]
    process = subprocess.Popen(command, preexec_fn=end_with_parent)
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, "nginx does not start"
            time.sleep(0.02)


def wrk(url, seconds, script, *arguments):
    command = ["wrk", "-t1", "-c64", f"-d{seconds}s", "-s", str(script), url, "--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["failed"] == 0, figures
    return figures


def cpu_s(process):
    """User and system time of all its threads."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        return sum(map(int, stat.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=1_000)
    wanted = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        only_figures = folder / "static.lua"
        only_figures.write_text("".join(SCRIPT.read_text().partition("function done")[1:]))
        nginx, port = start_nginx(folder)
        hub = Hub(folder, "--log-level", "warning").start()
        try:
            ids = folder / "jobs"
            ids.write_text("\n".join(load.running_jobs(hub, wanted.jobs)) + "\n")
            ratios = []
            for _ in range(wanted.rounds):
                static = wrk(f"http://127.0.0.1:{port}/job.json", wanted.seconds, only_figures)
                before = cpu_s(hub.process)
                taken = wrk(f"http://127.0.0.1:{hub.port}", wanted.seconds, SCRIPT, str(ids), hub.worker)
                cost = (cpu_s(hub.process) - before) / (taken["per_s"] * wanted.seconds) * 1e6
                ratios.append(taken["per_s"] / static["per_s"])
                print(
                    f"nginx {static['per_s']:7,.0f}/s   hub {taken['per_s']:7,.0f}/s, {cost:5.1f} us CPU each, "
                    f"p50 {taken['p50_ms']:.1f} ms, p99 {taken['p99_ms']:.1f} ms   {ratios[-1]:.3f}"
                )
        finally:
            hub.close()
            nginx.terminate()
            nginx.wait()
    ratio = statistics.median(ratios)
    print(f"the hub to nginx, median: {ratio:.3f} (at least {RATIO_MIN:.3f})")
    sys.exit(ratio < RATIO_MIN)


if __name__ == "__main__":
    main()
