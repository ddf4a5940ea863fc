"""The real `websockets` client, with a little convenience."""

import asyncio
import json
import logging

import websockets

PATIENCE_S = 30

# What the library says of connections that end is what the tests look at themselves.
logging.getLogger("websockets").addHandler(logging.NullHandler())


class Client:
    """`async with Client(hub, key) as client: …`"""

    def __init__(self, hub, key=None, query=None, **options):
        if query is None:
            query = f"?api_key={key}" if key else ""
        options.setdefault("ping_interval", None)
        options.setdefault("max_size", 64 << 20)
        self._connecting = websockets.connect(hub.ws_url(query), **options)

    async def __aenter__(self):
        self.socket = await self._connecting.__aenter__()
        return self

    async def __aexit__(self, *ignored):
        await self._connecting.__aexit__(*ignored)

    async def send(self, message):
        await self.socket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    async def receive_text(self):
        return await asyncio.wait_for(self.socket.recv(), PATIENCE_S)

    async def receive(self):
        return json.loads(await self.receive_text())

    async def expect(self, kind, **members):
        """The next message, which must be of this kind and have these members."""
        message = await self.receive()
        assert message["type"] == kind and members.items() <= message.items(), (kind, members, message)
        return message

    async def subscribe(self, job):
        """Subscribes; returns the present state, or nothing for "*"."""
        await self.send({"action": "subscribe", "job_id": job})
        await self.expect("subscribed", job_id=job)
        return None if job == "*" else await self.expect("job_update", job_id=job)

    async def closed(self):
        """Waits for the end; returns code, reason, and what came before it."""
        before = []
        try:
            while True:
                before.append(await self.receive_text())
        except websockets.ConnectionClosed as end:
            assert end.rcvd is not None, end
            return end.rcvd.code, end.rcvd.reason, before


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 4 * PATIENCE_S))


async def in_thread(function, *arguments, **named):
    """A blocking call beside what else goes on."""
    return await asyncio.to_thread(function, *arguments, **named)
