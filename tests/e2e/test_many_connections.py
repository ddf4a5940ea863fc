"""15,000 idle WebSockets on a default configuration, and a hub that still serves."""

import pathlib

import pytest

from harness.many import many_connected
from harness.raw_ws import TEXT, frame

pytestmark = pytest.mark.plain_binary

COUNT = 15_000


def resident_bytes(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def test_fifteen_thousand_idle_connections(make_hub, missing):
    hub = make_hub()
    before = resident_bytes(hub.process)
    with many_connected(hub, COUNT, missing) as sockets:
        print(f"{(resident_bytes(hub.process) - before) / COUNT:.0f} bytes resident a connection")

        job = hub.submit()
        for one in (sockets[0], sockets[COUNT // 2], sockets[-1]):
            one.send(frame(TEXT, f'{{"action":"subscribe","job_id":"{job}"}}'))
            assert one.read_message()["type"] == "subscribed"
            assert one.read_message()["status"] == "queued"
        hub.report(job, "running")
        for one in (sockets[0], sockets[COUNT // 2], sockets[-1]):
            assert one.read_message()["status"] == "running"
