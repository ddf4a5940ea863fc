"""15,000 idle WebSockets on a default configuration, and a hub that still serves."""

import pathlib
import resource

from harness.raw_ws import TEXT, RawWebSocket, frame, request

COUNT = 15_000
AT_ONCE = 200


def resident_bytes(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def test_fifteen_thousand_idle_connections(make_hub, missing):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < COUNT + 500:
        missing(f"this process may have {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    hub = make_hub()
    before = resident_bytes(hub.process)
    sockets = []
    try:
        while len(sockets) < COUNT:
            new = [RawWebSocket(hub.port) for _ in range(AT_ONCE)]
            for one in new:
                one.send(request(hub.port, hub.client))
            for one in new:
                assert one.read_head().startswith(b"HTTP/1.1 101 ")
                assert one.read_message()["type"] == "connected"
            sockets += new
        print(f"{(resident_bytes(hub.process) - before) / COUNT:.0f} bytes resident a connection")

        job = hub.submit()
        for one in (sockets[0], sockets[COUNT // 2], sockets[-1]):
            one.send(frame(TEXT, f'{{"action":"subscribe","job_id":"{job}"}}'))
            assert one.read_message()["type"] == "subscribed"
            assert one.read_message()["status"] == "queued"
        hub.report(job, "running")
        for one in (sockets[0], sockets[COUNT // 2], sockets[-1]):
            assert one.read_message()["status"] == "running"
    finally:
        for one in sockets:
            one.socket.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
