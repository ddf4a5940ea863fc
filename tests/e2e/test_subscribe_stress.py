"""Subscriptions that race with their jobs, and clients that drop and resume: by the programs of tests/stress/, which are
fast enough to hit the microseconds in question. CARILLON_STRESS_SUBSCRIPTIONS sets how many they are.

Every run prints its seed; CARILLON_STRESS_SEED sets it.
"""

import os
import pathlib
import random
import subprocess
import time

import pytest
from harness.hub import BINARY, PATIENCE_S, end_with_parent

SUBSCRIPTIONS = int(os.environ.get("CARILLON_STRESS_SUBSCRIPTIONS") or 100_000)
STRESS = pathlib.Path(os.environ.get("CARILLON_STRESS_PROGRAMS") or pathlib.Path(BINARY).parents[1] / "tests/stress")

# So that whoever was away for as long as a restart takes is never too far behind.
LONG_MEMORY = ("--websocket-replay-events", "1000000")


@pytest.fixture
def seed():
    chosen = int(os.environ.get("CARILLON_STRESS_SEED") or random.SystemRandom().randrange(1, 1_000_000))
    print(f"seed {chosen}")
    return chosen


def start(program, missing, **options):
    path = STRESS / program
    if not path.exists():
        missing(f"{path} is not built")
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return subprocess.Popen([path, *words], stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent)


def finish(process, timeout_s):
    try:
        said, _ = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    print(said)
    assert process.returncode == 0, said


def test_subscribing_to_jobs_that_move_and_finish_meanwhile_misses_and_repeats_nothing(make_hub, missing, seed):
    hub = make_hub("--loops", "2")
    keys = [hub.make_key() for _ in range(12)]
    process = start(
        "stress_subscribe_race", missing,
        port=hub.port, worker=hub.worker, keys=",".join(keys), count=SUBSCRIPTIONS, seed=seed,
    )  # fmt: skip
    finish(process, 10 * PATIENCE_S)


@pytest.mark.parametrize("kills", [0, 3])
def test_clients_that_drop_and_resume_hear_everything_once(make_hub, missing, seed, kills):
    hub = make_hub("--loops", "2", *LONG_MEMORY)
    process = start(
        "stress_resume_storm", missing,
        port=hub.port, key=hub.client, worker=hub.worker, database=f"{hub.data}/carillon.db",
        reporters=4, clients=9, seconds=6 if kills else 4, seed=seed,
    )  # fmt: skip
    assert "begun" in process.stdout.readline()
    moments = random.Random(seed)
    for _ in range(kills):
        time.sleep(moments.uniform(0.5, 1.5))  # of full work between two kills
        hub.kill()
        hub.start()
    finish(process, 3 * PATIENCE_S)
