#!/usr/bin/env python3
"""Does a delivered message cost more when there is much that has nothing to do with it?

    tests/load/cost.py [--rounds 5] [--idle 15000] [--jobs-stored 1000000]

Measures the hub's CPU time for a delivery (10 jobs with 100 subscribers each), by turns: alone, with idle connections
beside, and with a store full of jobs. Ends with 0 if either costs at most 1.2 times as much as alone, by the median of
the rounds: the machine's own moods come and go within a round, and hit all three.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import load, many_jobs  # noqa: E402
from harness.hub import Hub  # noqa: E402

RATIO_MAX = 1.2
SUBSCRIBED_JOBS = 10
READERS = 1000


def started(folder, jobs_stored=0):
    hub = Hub(folder).start()
    if jobs_stored:
        hub.stop()
        many_jobs.store(hub, jobs_stored)
        hub.start()
    return hub


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--reports-per-s", type=float, default=200)
    parser.add_argument("--idle", type=int, default=15_000)
    parser.add_argument("--jobs-stored", type=int, default=1_000_000)
    wanted = parser.parse_args()

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        hubs = []
        try:
            empty = started(pathlib.Path(one))
            hubs.append(empty)
            full = started(pathlib.Path(other), wanted.jobs_stored)
            hubs.append(full)
            costs = {"alone": [], "idle": [], "stored": []}
            for _ in range(wanted.rounds):
                for name, hub, idle in (("alone", empty, 0), ("idle", empty, wanted.idle), ("stored", full, 0)):
                    figures = load.run(
                        hub,
                        load.running_jobs(hub, SUBSCRIBED_JOBS),
                        wanted.seconds,
                        readers=READERS,
                        idle=idle,
                        reports_per_s=wanted.reports_per_s,
                        pad_bytes=200,
                    )
                    assert figures["missing"] == figures["repeated"] == figures["reports_failed"] == 0, figures
                    costs[name].append(figures["hub_cpu_us_per_delivery"])
                    load.wait_until_calm(hub)
        finally:
            for hub in hubs:
                hub.close()

    rows = {
        "alone": "alone",
        "idle": f"with {wanted.idle} idle connections",
        "stored": f"with {wanted.jobs_stored} jobs stored",
    }
    width = max(map(len, rows.values()))
    print(f"{'CPU us per delivery':{width}}  median  to alone  rounds")
    too_much = False
    for name, label in rows.items():
        ratio = statistics.median(cost / alone for cost, alone in zip(costs[name], costs["alone"]))
        too_much = too_much or ratio > RATIO_MAX
        rounds = " ".join(f"{cost:.2f}" for cost in costs[name])
        print(f"{label:{width}}  {statistics.median(costs[name]):6.2f}  {ratio:8.2f}  {rounds}")
    sys.exit(too_much)


if __name__ == "__main__":
    main()
