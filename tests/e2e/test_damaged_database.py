"""A database that is damaged is not served as if it were whole: a start says what it is and what to do; a hub that comes
upon it takes nothing more, tells what it can still read, and says so."""

import os
import subprocess

import pytest
from harness import metrics
from harness.hub import BINARY, PATIENCE_S, Hub
from harness.waiting import wait_until

PAGE_BYTES = 4096
WHAT_TO_DO = "it is damaged; 'carillon restore BACKUP --force' puts a backup in its place and keeps this one aside"


def overwrite(path, at, size, content=os.urandom):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(content(size))


def cut_in_half(path):
    os.truncate(path, os.path.getsize(path) // 2 // PAGE_BYTES * PAGE_BYTES)


DAMAGE = {
    "other bytes": lambda path: overwrite(path, 0, os.path.getsize(path)),
    "no head": lambda path: overwrite(path, 0, 100),
    "half of it": cut_in_half,
    "no page but the first": lambda path: overwrite(path, PAGE_BYTES, os.path.getsize(path) - PAGE_BYTES),
    "zeros": lambda path: overwrite(path, PAGE_BYTES, os.path.getsize(path) - PAGE_BYTES, bytes),
}


@pytest.fixture
def filled(tmp_path):
    """A hub with some jobs, and what it shows of them."""
    hub = Hub(tmp_path)
    hub.start()
    jobs = [hub.submit() for _ in range(300)]
    for job in jobs:
        hub.finish(job, result="x" * 1000)
    yield hub, {job: hub.job(job) for job in jobs}
    hub.close()


def database_of(hub):
    return f"{hub.data}/carillon.db"


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_start(filled, damage, tmp_path):
    hub, jobs = filled
    backup = str(tmp_path / "backup.db")
    hub.command("backup", backup)
    hub.stop()
    DAMAGE[damage](database_of(hub))
    command = [BINARY, "serve", "--data", hub.data, "--listen", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done
    assert done.stderr.startswith(f"carillon: cannot open the database {database_of(hub)}: "), done.stderr
    assert done.stderr.endswith(f": {WHAT_TO_DO}\n"), done.stderr

    said = hub.command("check", check=False)
    line = next(line for line in said.stdout.splitlines() if "database" in line)
    assert said.returncode == 1 and line.startswith("problem") and line.endswith(WHAT_TO_DO), said

    hub.command("restore", backup, "--force")
    hub.start()
    assert {job: hub.job(job) for job in jobs} == jobs


def test_a_hub_that_comes_upon_it(filled):
    """Here its pages are overwritten under it. Which of them it has in memory is its own affair: what it answers is
    right, or it is 503."""
    hub, jobs = filled
    hub.stop()
    hub.start()  # what it held is in the file now, and not in its log
    overwrite(database_of(hub), PAGE_BYTES, os.path.getsize(database_of(hub)) - PAGE_BYTES)

    def read_all():
        answers = {job: hub.http(hub.client).get(f"/api/v1/jobs/{job}") for job in jobs}
        assert {answer.status for answer in answers.values()} <= {200, 503}
        assert all(answer.json == jobs[job] for job, answer in answers.items() if answer.status == 200)
        return [answer.json for answer in answers.values() if answer.status == 503]

    refused = read_all()
    assert refused and {one["error"] for one in refused} == {"store_unavailable"}

    answer = hub.http().get("/readyz")
    assert answer.status == 503 and answer.json["error"] == "store_unavailable"
    assert answer.json["checks"]["store"]["detail"] == "The database is damaged: a backup has to be restored."
    wait_until(lambda: "error the database is damaged: nothing is taken any more; stop the hub and restore a backup" in
               hub.log)
    assert metrics.read(hub)["carillon_store_writable"] == 0
    assert hub.http().get("/healthz").status == 200, "a restart would help nobody"

    # Also what would seem to work: it would be lost with the database.
    for _ in range(3):
        answer = hub.http(hub.client).post("/api/v1/jobs", {})
        assert answer.status == 503 and answer.json["error"] == "store_unavailable" and answer.fields["retry-after"]
    read_all()
    assert hub.http().get("/readyz").status == 503
    assert hub.log.count("is damaged") == 1, hub.log
    hub.stop()
