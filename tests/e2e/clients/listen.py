"""Waits for the end of a job and prints its result: what a user of the protocol page would write first."""

import asyncio
import json
import os
import sys

import websockets


async def listen(url, job):
    async with websockets.connect(url) as socket:
        assert json.loads(await socket.recv())["type"] == "connected"
        await socket.send(json.dumps({"action": "subscribe", "job_id": job}))
        async for text in socket:
            event = json.loads(text)
            if event["type"] == "error":
                raise SystemExit(event["message"])
            if event["type"] == "job_update" and event["status"] == "succeeded":
                return event["result"]


if __name__ == "__main__":
    hub = f"{os.environ['WS_BASE']}/api/v1/ws/jobs?api_key={os.environ['API_KEY']}"
    print("RETURNED", json.dumps(asyncio.run(listen(hub, sys.argv[1]))))
