"""Prints every status of some jobs, over whatever cuts its connection."""

import asyncio
import json
import os
import sys

import websockets


async def listen(url, jobs):
    delay_s = 0.05
    while True:
        try:
            async with websockets.connect(url) as socket:
                delay_s = 0.05
                await socket.recv()
                for job in jobs:
                    await socket.send(json.dumps({"action": "subscribe", "job_id": job}))
                async for text in socket:
                    event = json.loads(text)
                    if event["type"] == "job_update":
                        print("UPDATE", event["status"], flush=True)
        except (websockets.ConnectionClosed, OSError):
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, 2)


if __name__ == "__main__":
    hub = f"{os.environ['WS_BASE']}/api/v1/ws/jobs?api_key={os.environ['API_KEY']}"
    asyncio.run(listen(hub, sys.argv[1:]))
