#!/usr/bin/env python3
"""What does a webhook cost, and how soon does it arrive?

    tests/load/webhooks.py [--rounds 3] [--backlog 50000]

Three measurements, each on a hub of its own, beside curl_floor (what the same requests cost libcurl alone) in the same
minutes. Cost is CPU time of the hub's process:

  cost     every report is owed to one webhook, as fast as 16 reporters can: the hub's CPU for a report with its webhook,
           less that for a report without one. That is: outbox row, signature, request, attempt and outcome on disk.
  backlog  so many deliveries are pending when the hub starts, and go out 64 at a time: CPU for each, how long the start
           took, and the memory.
  latency  1,000 reports a second: from just before the report is written to its socket until its webhook has come.
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

from harness import load, many_jobs  # noqa: E402
from harness.hub import Hub  # noqa: E402

LOCAL = ("--webhooks-allow-http=true", "--webhooks-allow-cidrs", "127.0.0.0/8")
IN_FLIGHT = 64
JOBS = 64


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(folder):
    return Hub(folder, *LOCAL, "--webhooks-in-flight-per-endpoint", str(IN_FLIGHT), "--log-level", "warning").start()


def add_webhook(hub, port, **body):
    hub.add_webhook(**{"url": f"http://127.0.0.1:{port}/hook", "events": ["job.progress"], **body})


def floor(count):
    """CPU of libcurl alone for a request, against the same receiver."""
    port = free_port()
    sink = subprocess.Popen(
        [load.client_binary(), "--sink-port", str(port), "--sink-only-for", "1000000000"], stdout=subprocess.DEVNULL
    )
    try:
        binary = pathlib.Path(load.client_binary()).with_name("curl_floor")
        while True:
            done = subprocess.run([binary, str(port), str(count), str(IN_FLIGHT)], capture_output=True, check=False)
            if done.returncode == 0:
                return json.loads(done.stdout)["cpu_us_per_request"]
            assert sink.poll() is None, "no receiver"
    finally:
        sink.kill()
        sink.wait()


def cost(seconds):
    per_report = {}
    for name, hooks in (("without", 0), ("with", 1)):
        with tempfile.TemporaryDirectory() as folder:
            hub = started(pathlib.Path(folder))
            try:
                port = free_port()
                if hooks:
                    add_webhook(hub, port)
                options = {"readers": 0, "reports_per_s": 0, "pad_bytes": 200}
                if hooks:
                    options["sink_port"] = port
                figures = load.run(hub, load.running_jobs(hub, JOBS), seconds, **options)
                assert figures["reports_failed"] == figures["hooks_missing"] == figures["hooks_repeated"] == 0, figures
                per_report[name] = figures["hub_cpu_us_per_report"]
                if hooks:
                    per_report["per_s"] = figures["hooks"] / figures["seconds"]
            finally:
                hub.close()
    return per_report


def backlog(count):
    with tempfile.TemporaryDirectory() as folder:
        hub = started(pathlib.Path(folder))
        try:
            port = free_port()
            add_webhook(hub, port, events=["job.succeeded"])
            hub.stop()
            many_jobs.store(hub, count)
            many_jobs.owe(hub)
            sink = subprocess.Popen(
                [load.client_binary(), "--sink-port", str(port), "--sink-only-for", str(count)],
                stdout=subprocess.PIPE,
            )
            began = time.monotonic()
            hub.start()
            drained = {"start_s": time.monotonic() - began}
            with load.Watch(hub) as watch:
                figures = json.loads(sink.communicate()[0])
            assert figures["hooks_missing"] == figures["hooks_repeated"] == 0, figures
            ticks = pathlib.Path(f"/proc/{hub.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            drained["cpu_us"] = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") * 1e6 / count
            drained["per_s"] = count / (time.monotonic() - began - drained["start_s"])
            drained["resident_mib"] = watch.resident_bytes / 2**20
            return drained
        finally:
            hub.close()


def latency(seconds, rate):
    with tempfile.TemporaryDirectory() as folder:
        hub = started(pathlib.Path(folder))
        try:
            port = free_port()
            add_webhook(hub, port)
            options = {"readers": 0, "reports_per_s": rate, "pad_bytes": 200, "sink_port": port}
            figures = load.run(hub, load.running_jobs(hub, JOBS), seconds, **options)
            assert figures["reports_failed"] == figures["hooks_missing"] == 0, figures
            return figures
        finally:
            hub.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--backlog", type=int, default=50_000)
    parser.add_argument("--rate", type=float, default=1_000)
    wanted = parser.parse_args()

    ratios = {"cost": [], "backlog": []}
    for _ in range(wanted.rounds):
        bare = floor(50_000)
        live = cost(wanted.seconds)
        hook = live["with"] - live["without"]
        drained = backlog(wanted.backlog)
        ratios["cost"].append(hook / bare)
        ratios["backlog"].append(drained["cpu_us"] / bare)
        print(
            f"libcurl alone {bare:5.1f} us | report {live['without']:5.1f}, with its webhook {live['with']:5.1f} "
            f"at {live['per_s']:.0f}/s: webhook {hook:5.1f} us, {hook / bare:.2f} x | "
            f"backlog {drained['cpu_us']:5.1f} us, {drained['cpu_us'] / bare:.2f} x",
            flush=True,
        )
        print(
            f"backlog of {wanted.backlog}: start {drained['start_s']:.2f} s, {drained['per_s']:.0f}/s, "
            f"at most {drained['resident_mib']:.0f} MiB resident",
            flush=True,
        )
        seen = latency(wanted.seconds, wanted.rate)
        print(
            f"latency at {wanted.rate:.0f}/s: p50 {seen['hook_latency_p50_ms']:.2f} ms, "
            f"p99 {seen['hook_latency_p99_ms']:.2f} ms, most {seen['hook_latency_max_ms']:.1f} ms",
            flush=True,
        )
    for name, all_of in ratios.items():
        print(f"median {name}: {statistics.median(all_of):.2f} x libcurl alone")


if __name__ == "__main__":
    main()
