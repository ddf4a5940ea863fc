"""Waiting for what only asking tells."""

import time

PATIENCE_S = 30


def wait_until(holds, patience_s=PATIENCE_S):
    """Asks until it holds; returns what it held for."""
    deadline = time.monotonic() + patience_s
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found
