#!/usr/bin/env python3
"""A minute of mixed load with clients that do not read: what do the others notice, and what is left of it?

    tests/load/mixed.py [--seconds 60] [--readers 300] [--stalled 200] …

Starts a hub of its own. Ends with 0 if every reader got every update in order, p99 (report sent to frame received) was
under --p99-ms, clients that did not read were closed with 1008, and memory and descriptors are back where they were.
"""

import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import load, metrics  # noqa: E402
from harness.hub import Hub  # noqa: E402

JOBS = 50
MIB = 1 << 20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--readers", type=int, default=300)
    parser.add_argument("--stalled", type=int, default=200)
    parser.add_argument("--reports-per-s", type=float, default=1000)
    parser.add_argument("--polls-per-s", type=float, default=200)
    parser.add_argument("--subscribes-per-s", type=float, default=50)
    parser.add_argument("--pad-bytes", type=int, default=1000)
    parser.add_argument("--p99-ms", type=float, default=10)
    parser.add_argument("--margin-mib", type=float, default=8, help="by how much memory may be above where it was")
    wanted = parser.parse_args()

    steady = {
        "readers": wanted.readers,
        "reports_per_s": wanted.reports_per_s,
        "polls_per_s": wanted.polls_per_s,
        "subscribes_per_s": wanted.subscribes_per_s,
        "pad_bytes": wanted.pad_bytes,
    }
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(pathlib.Path(folder)).start()
        try:
            # Where it was: when the database's cache, which grows to its limit and stays, is full, and the same load
            # has run once without the clients that stall.
            load.fill_cache(hub)
            load.run(hub, load.running_jobs(hub, JOBS), 5, **steady)
            files = load.wait_until_calm(hub)["process_open_fds"]
            before = metrics.resident_bytes(hub.process)
            with load.Watch(hub) as watch:
                figures = load.run(hub, load.running_jobs(hub, JOBS), wanted.seconds, stalled=wanted.stalled, **steady)
            samples = load.wait_until_calm(hub, files)
            limit = before + int(wanted.margin_mib * MIB)
            at_end = metrics.resident_bytes(hub.process)
            after = load.wait_for_memory(hub, limit)
        finally:
            hub.close()

    slow = {why: int(metrics.closed(samples, f"slow_by_{why}")) for why in ("age", "bytes")}
    rows = [
        ("readers, reports/s", f"{wanted.readers}, {figures['reports'] / figures['seconds']:.0f}"),
        ("updates delivered", f"{figures['delivered']:.0f}"),
        ("missing, repeated, broken", f"{figures['missing']:.0f}, {figures['repeated']:.0f}, {figures['broken']:.0f}"),
        ("latency ms p50, p99, p99.9, max", ", ".join(f"{figures[f'latency_{q}_ms']:.2f}" for q in ("p50", "p99", "p999", "max"))),
        ("clients that stalled", f"{figures['stalls']:.0f}"),
        ("  closed for age, for bytes", f"{slow['age']}, {slow['bytes']}"),
        ("  read on, and found 1008", f"{figures['stalled_closed_1008']:.0f}"),
        ("polls, subscribes", f"{figures['polls']:.0f}, {figures['subscribes']:.0f}"),
        ("hub's CPU us per delivery", f"{figures['hub_cpu_us_per_delivery']:.1f}"),
        ("resident MiB before, most", f"{before / MIB:.1f}, {watch.resident_bytes / MIB:.1f}"),
        ("  at the end, then", f"{at_end / MIB:.1f}, {after / MIB:.1f}"),
        ("descriptors before, after", f"{files:.0f}, {samples['process_open_fds']:.0f}"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")

    failures = [
        f"updates missing: {figures['missing']:.0f}" if figures["missing"] else "",
        f"updates repeated: {figures['repeated']:.0f}" if figures["repeated"] else "",
        f"broken streams: {figures['broken']:.0f}" if figures["broken"] else "",
        f"readers that lost their connection: {figures['readers_ended']:.0f}" if figures["readers_ended"] else "",
        f"requests failed: {figures['reports_failed'] + figures['polls_failed']:.0f}"
        if figures["reports_failed"] + figures["polls_failed"]
        else "",
        "p99 is over the limit" if figures["latency_p99_ms"] > wanted.p99_ms else "",
        "no client was closed for being slow" if wanted.stalled and not slow["age"] else "",
        "memory did not return" if after > limit else "",
    ]
    for failure in filter(None, failures):
        print("FAILED:", failure)
    sys.exit(any(failures))


if __name__ == "__main__":
    main()
