#!/usr/bin/env python3
"""What does a GET of a job cost, beside nginx serving the same bytes from a static file?

    tests/load/gets.py [--rounds 5] [--seconds 4]

By turns, wrk -t1 -c64: nginx' file; the job, with a key that owns it; nginx' 304; the job's 304. CPU is that of the server
alone. Ends with 0 if the job takes at most 0.75 of the file's CPU, and its 304 less than it, by the medians of the rounds.
Needs nginx and wrk.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness.http import Http  # noqa: E402
from harness.hub import Hub  # noqa: E402
from peer import cpu_s, start_nginx  # noqa: E402

RATIO_MAX = 0.75


def cost_us(process, url, seconds, status, fields):
    """CPU of the server for each request, and how many there were a second."""
    headers = [word for name, value in fields.items() for word in ("-H", f"{name}: {value}")]
    before = cpu_s(process)
    done = subprocess.run(
        ["wrk", "-t1", "-c64", f"-d{seconds}s", *headers, url], capture_output=True, text=True, check=True
    )
    spent = cpu_s(process) - before
    requests = int(re.search(r"(\d+) requests in", done.stdout)[1])
    assert "Non-2xx" not in done.stdout or status == 304, done.stdout
    return spent / requests * 1e6, requests / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    wanted = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        hub = Hub(folder, "--log-level", "warning").start()
        job = hub.submit()
        hub.finish(job, {"pages": 12})
        path = f"/api/v1/jobs/{job}"
        answer = hub.http(hub.client).get(path)
        nginx, port = start_nginx(folder, answer.body)
        try:
            file = Http(port, of_a_hub=False).get("/job.json")
            assert file.body == answer.body
            ours, theirs = f"http://127.0.0.1:{hub.port}{path}", f"http://127.0.0.1:{port}/job.json"
            key = {"X-API-Key": hub.client}
            works = {
                "nginx": (nginx, theirs, 200, {}),
                "hub": (hub.process, ours, 200, key),
                "nginx 304": (nginx, theirs, 304, {"If-None-Match": file.fields["etag"]}),
                "hub 304": (hub.process, ours, 304, {**key, "If-None-Match": answer.fields["etag"]}),
            }
            costs = {work: [] for work in works}
            for _ in range(wanted.rounds):
                told = []
                for work, (process, url, status, fields) in works.items():
                    cost, per_s = cost_us(process, url, wanted.seconds, status, fields)
                    costs[work].append(cost)
                    told.append(f"{work} {cost:5.2f} us ({per_s:7,.0f}/s)")
                print("   ".join(told))
        finally:
            hub.close()
            nginx.terminate()
            nginx.wait()
    ratio = statistics.median(ours / theirs for ours, theirs in zip(costs["hub"], costs["nginx"]))
    ratio_304 = statistics.median(ours / theirs for ours, theirs in zip(costs["hub 304"], costs["nginx 304"]))
    cheaper = statistics.median(costs["hub 304"]) < statistics.median(costs["hub"])
    print(f"the job to the file, median of the rounds: {ratio:.2f} (at most {RATIO_MAX}); their 304s {ratio_304:.2f}")
    print(f"the 304 is {'cheaper' if cheaper else 'NOT cheaper'} than the job")
    sys.exit(ratio > RATIO_MAX or not cheaper)


if __name__ == "__main__":
    main()
