"""Listeners as users write them, each a program of its own: the repository's, and the two of the protocol page where
that is there."""

import json
import os
import pathlib
import subprocess

import pytest

from harness.hub import PATIENCE_S, REPOSITORY, end_with_parent

HERE = pathlib.Path(__file__).parent / "clients"
PAGE = REPOSITORY.parent / "shared" / "seed"


def listener(hub, program, *jobs):
    environment = {**os.environ, "API_KEY": hub.client, "WS_BASE": f"ws://127.0.0.1:{hub.port}"}
    return subprocess.Popen(["/usr/bin/python3", "-u", program, *jobs], env=environment, stdout=subprocess.PIPE,
                            text=True, preexec_fn=end_with_parent)




def programs(ours, page):
    """The page is no part of the repository: where it is not, its program is not asked for."""
    return [HERE / ours, *([PAGE / page] if PAGE.is_dir() else [])]


@pytest.mark.parametrize("program", programs("listen.py", "listen_for_updates.py"), ids=lambda program: program.name)
def test_a_listener_returns_the_result(hub, program):
    job = hub.submit()
    with listener(hub, program, job) as process:
        if program.parent == PAGE:
            assert "'type': 'connected'" in process.stdout.readline()
            assert process.stdout.readline() == f"Job {job}: queued\n"
        hub.finish(job, {"pages": 12})
        output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert json.loads(output.splitlines()[-1].removeprefix("RETURNED ")) == {"pages": 12}


@pytest.mark.parametrize("program", programs("robust_listener.py", "robust_listener.py"),
                         ids=lambda program: program.parent.name)
def test_a_robust_listener_survives_the_hub_being_killed_and_goes_on(make_hub, program):
    hub = make_hub()
    job = hub.submit()
    with listener(hub, program, job) as process:
        def update():
            """The next one; what the program says of its connection is passed over."""
            for line in process.stdout:
                if line.startswith("UPDATE "):
                    return line.split()[1]
            raise AssertionError("the listener has ended")

        assert update() == "queued"
        hub.report(job, "running")
        assert update() == "running"
        hub.kill()
        hub.start()
        assert update() == "running"  # the present state, when it has come back
        hub.report(job, "succeeded", result=1)
        assert update() == "succeeded"
        process.kill()
