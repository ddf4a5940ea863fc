#!/usr/bin/python3
"""Follows jobs over WebSocket until each has ended. Tells all that happens to them, whatever cuts the connection.

    CARILLON_URL=http://127.0.0.1:8080 CARILLON_KEY=sk_live_... ./listen.py JOB...

Needs the package websockets (Debian: python3-websockets).
"""

import asyncio
import json
import os
import random
import sys

import websockets

URL = os.environ.get("CARILLON_URL", "http://127.0.0.1:8080").replace("http", "ws", 1) + "/api/v1/ws/jobs?resume=1"
KEY = os.environ["CARILLON_KEY"]
SILENCE_MAX_S = 60  # a heartbeat comes every 30 s: two that are missing mean that nobody is there
DELAY_MAX_S = 30
MESSAGE_MAX_BYTES = 16 << 20


async def follow(jobs, on_update):
    places = {job.lower(): {} for job in jobs}  # up to where each job that has not ended was heard
    delay_s = 1
    while places:
        try:
            # The key goes as a subprotocol, not in the URL: URLs are logged by every proxy on the way.
            async with websockets.connect(URL, subprotocols=["carillon.v1", KEY], max_size=MESSAGE_MAX_BYTES) as socket:
                epoch = json.loads(await socket.recv())["epoch"]  # of `connected`
                delay_s = 1
                for job, place in places.items():
                    await socket.send(json.dumps({"action": "subscribe", "job_id": job, **place}))
                while places:
                    message = json.loads(await asyncio.wait_for(socket.recv(), SILENCE_MAX_S))
                    if message["type"] == "error":
                        sys.exit(message["message"])
                    if message["type"] == "job_update":
                        on_update(message)
                        if message["status"] in ("succeeded", "failed"):
                            del places[message["job_id"]]
                        else:
                            places[message["job_id"]] = {"after": message["seq"], "epoch": epoch}
        except websockets.ConnectionClosed as end:
            if end.rcvd and end.rcvd.code == 4001:
                sys.exit(f"the hub refuses the key: {end.rcvd.reason}")
            why = end
        except (OSError, asyncio.TimeoutError, websockets.InvalidHandshake) as error:
            why = error
        if places:
            print(f"not connected ({why or 'nothing heard'}), again in {delay_s} s at most", file=sys.stderr)
            await asyncio.sleep(delay_s * random.uniform(0.5, 1))  # so that not all clients come at once
            delay_s = min(2 * delay_s, DELAY_MAX_S)


def show(update):
    line = [update["job_id"], update["status"]]
    if update["status"] == "succeeded":
        line.append(json.dumps(update["result"]))
    if update["status"] == "failed":
        line.append(str(update["error"]))
    print(*line, flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: listen.py JOB...")
    try:
        asyncio.run(follow(sys.argv[1:], show))
    except KeyboardInterrupt:
        pass
