"""What a hub says of itself at /metrics."""

import re
import time

PATIENCE_S = 30


def read_text(hub):
    answer = hub.http().get("/metrics")
    assert answer.status == 200, answer
    return answer.body.decode()


def read(hub):
    """Every sample by its name with its labels, as written: 'carillon_events_total{kind="job.queued"}'."""
    samples = {}
    for line in read_text(hub).splitlines():
        if not line.startswith("#"):
            sample, value = re.fullmatch(r"(\S+) (\S+)", line).groups()
            samples[sample] = float(value)
    return samples


def closed(samples, reason):
    """How many WebSockets have ended for that reason, with whatever code."""
    return sum(value for name, value in samples.items() if name.startswith("carillon_websocket_closed_total{")
               and f'reason="{reason}"' in name)


def wait_for(hub, holds, patience_s=PATIENCE_S):
    """Reads until `holds` for the samples; returns them."""
    deadline = time.monotonic() + patience_s
    while not holds(samples := read(hub)):
        assert time.monotonic() < deadline, samples
        time.sleep(0.02)
    return samples


def resident_bytes(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(status.read().split("VmRSS:")[1].split()[0]) * 1024
