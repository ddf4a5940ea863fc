#!/usr/bin/env python3
"""How many single reports a second are taken from 64 connections, beside nginx and its static files?

    tests/load/patches.py [--rounds 5] [--seconds 4] [--jobs 1000]

By turns: wrk -t1 -c64 for a small static file of nginx's, and for PATCHes of progress, each answered when it is on disk.
Ends with 0 if the hub takes at least 15,000/85,000 of nginx's rate, by the median of the rounds. Needs nginx and wrk.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import load  # noqa: E402
from harness.hub import Hub  # noqa: E402
from peer import cpu_s, start_nginx  # noqa: E402

RATIO_MIN = 15_000 / 85_000
SCRIPT = pathlib.Path(__file__).with_suffix(".lua")
def wrk(url, seconds, script, *arguments):
    command = ["wrk", "-t1", "-c64", f"-d{seconds}s", "-s", str(script), url, "--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["failed"] == 0, figures
    return figures


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
        nginx, port = start_nginx(folder, b'{"status":"running"}' + b" " * 280)
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
