#!/usr/bin/python3
"""Follows the event feed by polling. Misses nothing, also of what happens while it does not run: it keeps its place in
a file.

    CARILLON_URL=http://127.0.0.1:8080 CARILLON_KEY=sk_live_... ./poll.py FILE
"""

import http.client
import json
import os
import pathlib
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HUB = os.environ.get("CARILLON_URL", "http://127.0.0.1:8080") + "/api/v1"
KEY = os.environ["CARILLON_KEY"]
WAIT_S = 60
DELAY_MAX_S = 30


def read_place(file):
    """Nothing in the beginning: then the feed is told from where it begins."""
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        return {}


def keep_place(file, place):
    """Whole or not at all, whenever the power goes."""
    new = file.with_name(file.name + ".new")
    with open(new, "w") as out:
        json.dump(place, out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(new, file)


def ask(place):
    """The next page, as soon as there is something; or an empty one after WAIT_S."""
    query = urllib.parse.urlencode({**place, "wait": WAIT_S})
    request = urllib.request.Request(f"{HUB}/events?{query}", headers={"X-API-Key": KEY})
    with urllib.request.urlopen(request, timeout=WAIT_S + 15) as answer:
        return json.load(answer)


def follow(file, on_event):
    place = read_place(file)
    delay_s = 1
    while True:
        pause_s = delay_s * random.uniform(0.5, 1)
        try:
            page = ask(place)
            for event in page["events"]:
                on_event(event)
            place = {"after": page["next_after"], "epoch": page["epoch"]}
            keep_place(file, place)  # behind the work: what a crash cuts off between is told again, and never lost
            delay_s = 1
            continue
        except urllib.error.HTTPError as refusal:
            if refusal.code in (409, 410):
                # 410: what comes next is no longer kept. 409: this is another history, from a backup.
                problem = json.load(refusal)
                print(f"a gap: {problem['detail']}", file=sys.stderr)
                place = {"after": problem["begins_after"], "epoch": problem["epoch"]}
                continue
            if refusal.code < 500 and refusal.code != 429:
                sys.exit(f"the hub refuses: {refusal.code} {refusal.read().decode()}")
            why = refusal
            retry_after = refusal.headers.get("Retry-After", "")
            if retry_after.isdigit():
                pause_s = int(retry_after)
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            why = error
        print(f"no answer ({why}), again in {pause_s:.1f} s", file=sys.stderr)
        time.sleep(pause_s)
        delay_s = min(2 * delay_s, DELAY_MAX_S)


def show(event):
    data = event["data"]
    print(event["seq"], event["type"], data.get("job_id", "-"), json.dumps(data.get("result")), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: poll.py FILE")
    try:
        follow(pathlib.Path(sys.argv[1]), show)
    except KeyboardInterrupt:
        pass
