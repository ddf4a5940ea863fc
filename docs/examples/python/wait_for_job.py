#!/usr/bin/python3
"""Waits until a job has ended, and prints its result.

    CARILLON_URL=http://127.0.0.1:8080 CARILLON_KEY=sk_live_... ./wait_for_job.py JOB
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

HUB = os.environ.get("CARILLON_URL", "http://127.0.0.1:8080") + "/api/v1"
KEY = os.environ["CARILLON_KEY"]
WAIT_S = 60


def wait_for(job):
    request = urllib.request.Request(f"{HUB}/jobs/{job}?wait={WAIT_S}", headers={"X-API-Key": KEY})
    while True:
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S + 15) as answer:
                found = json.load(answer)
            if found["status"] in ("succeeded", "failed"):
                return found
        except urllib.error.HTTPError as refusal:
            if refusal.code < 500 and refusal.code != 429:
                sys.exit(f"the hub refuses: {refusal.code} {refusal.read().decode()}")
            time.sleep(int(refusal.headers.get("Retry-After", "1")))
        except OSError as error:
            print(f"no answer ({error})", file=sys.stderr)
            time.sleep(1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: wait_for_job.py JOB")
    job = wait_for(sys.argv[1])
    if job["status"] == "failed":
        sys.exit(f"failed: {job['error']}")
    print(json.dumps(job["result"]))
