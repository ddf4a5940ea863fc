"""Backup, restore and migrate: beside a hub that serves and without one, killed at any moment."""

import base64
import hashlib
import json
import os
import pathlib
import pty
import shutil
import sqlite3
import stat
import subprocess
import threading
import time
import uuid

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.files import database, is_whole, jobs_in, kill, look, make_large, start_command, wait_for_size
from harness.hub import BINARY, REPOSITORY, Hub, run_command
from harness.receiver import Receiver
from harness.waiting import wait_until
from harness.ws import run
from test_resume import Resuming

SCHEMA = len(list((REPOSITORY / "migrations").glob("*.sql")))


def refused(done, *words, code=1):
    assert done.returncode == code, done
    assert done.stdout == "" and done.stderr.startswith("carillon: ") and len(done.stderr.splitlines()) == 1, done
    for word in words:
        assert word in done.stderr, done


@pytest.fixture
def at_rest(make_hub):
    """A hub with a job, which serves no more."""
    hub = make_hub(*LOCAL_WEBHOOKS)
    hub.job_id = hub.submit()
    hub.stop()
    return hub


# --- backup -----------------------------------------------------------------------------------------------------------


def test_a_backup_holds_what_there_is(tended, tmp_path):
    hub, _ = tended
    file = tmp_path / "backup.db"
    done = hub.command("backup", str(file))
    assert done.stdout == "" and str(file) in done.stderr and f"schema {SCHEMA}" in done.stderr
    assert "\r" not in done.stderr, "no progress where there is no terminal"
    assert is_whole(file) and look(file, "SELECT count(*) FROM api_keys") == (3,)
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert os.listdir(tmp_path) == ["backup.db"]
    refused(hub.command("backup", str(file), check=False), str(file), "--force")
    said = json.loads(hub.command("backup", str(file), "--force", "--json").stdout)
    assert said.pop("took_ms") >= 0
    assert said == {"file": str(file), "bytes": os.stat(file).st_size, "schema": SCHEMA,
                    "secrets_encrypted": False, "secret_key_file": None}


def test_a_backup_under_load_loses_nothing(make_hub, tmp_path):
    hub = make_hub()
    hub.stop()
    make_large(hub, 60)
    hub.start()
    done, reported = threading.Event(), []

    def report():
        while not done.is_set():
            reported.append(hub.submit())

    reporter = threading.Thread(target=report)
    reporter.start()
    try:
        before = len(reported)
        hub.command("backup", str(tmp_path / "backup.db"))
        during = len(reported) - before
    finally:
        done.set()
        reporter.join()
    assert during > 0 and is_whole(tmp_path / "backup.db")
    assert before <= jobs_in(tmp_path / "backup.db") <= len(reported)
    for job in reported:
        assert hub.job(job)["status"] == "queued"


def test_a_killed_backup_leaves_nothing_and_the_one_before_as_it_was(at_rest, tmp_path):
    make_large(at_rest, 100)
    file = tmp_path / "backup.db"
    for existed in (False, True):
        process = start_command("backup", str(file), "--force", "--data", at_rest.data)
        assert wait_for_size(f"{file}.partial", 1 << 20, process), process.communicate()
        kill(process)
        assert file.exists() == existed
        if existed:
            assert is_whole(file) and jobs_in(file) == 1
        at_rest.command("backup", str(file), "--force")
        assert sorted(os.listdir(tmp_path)) == ["backup.db"]
    at_rest.start()
    assert at_rest.job(at_rest.job_id)


def test_two_backups_to_one_file_do_not_meet(at_rest, tmp_path):
    make_large(at_rest, 100)
    file = tmp_path / "backup.db"
    process = start_command("backup", str(file), "--data", at_rest.data)
    assert wait_for_size(f"{file}.partial", 1 << 20, process)
    refused(at_rest.command("backup", str(file), check=False), "another process is just writing")
    assert process.wait(60) == 0 and is_whole(file)


def test_the_key_of_the_secrets_goes_along_where_that_is_wanted(make_hub, tmp_path):
    hub = make_hub(*LOCAL_WEBHOOKS)
    hub.add_webhook("http://127.0.0.1:1/hook")
    file = tmp_path / "backup.db"
    done = hub.command("backup", str(file))
    assert "webhook-secrets.key" in done.stderr and "--with-secret-key" in done.stderr
    assert os.listdir(tmp_path) == ["backup.db"]
    said = json.loads(hub.command("backup", str(file), "--force", "--with-secret-key", "--json").stdout)
    key = pathlib.Path(said["secret_key_file"])
    assert key == tmp_path / "backup.db.webhook-secrets.key" and said["secrets_encrypted"]
    assert key.read_bytes() == (pathlib.Path(hub.data) / "webhook-secrets.key").read_bytes()
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600


def test_what_cannot_be_backed_up_is_said_in_a_line(at_rest, tmp_path):
    own = str(database(at_rest))
    for name in (own, own + "-wal", os.path.relpath(own)):
        refused(at_rest.command("backup", name, "--force", check=False), "is the database itself")
    refused(at_rest.command("backup", str(tmp_path / "no/such"), check=False), "no/such", "No such file or directory")
    refused(run_command("backup", str(tmp_path / "b"), "--data", str(tmp_path / "none"), check=False), "there is none")
    (tmp_path / "empty").mkdir()
    refused(run_command("backup", str(tmp_path / "b"), "--data", str(tmp_path / "empty"), check=False), "no database")
    refused(at_rest.command("backup", check=False), "FILE", code=2)


def test_a_terminal_is_shown_how_far_it_is(at_rest, tmp_path):
    make_large(at_rest, 20)
    ours, theirs = pty.openpty()
    shown = b""
    process = subprocess.Popen([BINARY, "backup", str(tmp_path / "c"), "--data", at_rest.data], stderr=theirs,
                               stdout=subprocess.DEVNULL)
    os.close(theirs)
    while True:
        try:
            more = os.read(ours, 4096)
        except OSError:  # its end is closed
            break
        if not more:
            break
        shown += more
    os.close(ours)
    assert process.wait(30) == 0
    assert b"copying  [####################] 100 %" in shown and b"checking" in shown
    assert shown.rpartition(b"\x1b[K")[2].startswith(b"'"), "the bar is gone at the end"


# --- restore ----------------------------------------------------------------------------------------------------------


def test_a_restore_brings_back_what_was_and_clients_are_told(make_hub, tmp_path):
    hub = make_hub()
    job = hub.submit()
    seen = hub.report(job, "running")["seq"]
    hub.command("backup", str(tmp_path / "b"))
    later = hub.submit()
    last = hub.finish(job)["seq"]
    epoch = hub.http(hub.client).get("/api/v1/events").json["epoch"]

    refused(hub.command("restore", str(tmp_path / "b"), "--force", check=False), "a hub serves it", "stop it")
    hub.stop()
    refused(hub.command("restore", str(tmp_path / "b"), check=False), str(database(hub)), "--force")
    said = json.loads(hub.command("restore", str(tmp_path / "b"), "--force", "--json").stdout)
    assert said["database"] == str(database(hub)) and said["schema"] == SCHEMA and not said["secret_key_missing"]
    assert jobs_in(said["kept_aside"]) == 2 and said["kept_aside"].startswith(str(database(hub)) + ".replaced-")
    hub.start()

    http = hub.http(hub.client)
    assert hub.job(job)["status"] == "running" and http.get(f"/api/v1/jobs/{later}").status == 404
    page = http.get("/api/v1/events").json
    assert page["epoch"] == said["epoch"] != epoch
    assert http.get(f"/api/v1/events?after={last}").json["error"] == "other_history"
    answer = http.get(f"/api/v1/events?after=1&epoch={epoch}")
    assert (answer.status, answer.json["error"]) == (409, "other_history")

    async def talk():
        async with Resuming(hub) as client:
            assert client.epoch == said["epoch"]
            assert not await client.resume(job, seen, epoch)
            assert (await client.expect("job_update"))["status"] == "running"
            assert await client.resume(job, seen)

    run(talk())


def test_a_restore_on_another_machine_takes_its_key_along(make_hub, tmp_path):
    with Receiver() as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS)
        hub.add_webhook(receiver.url())
        hub.command("backup", str(tmp_path / "b"), "--with-secret-key")
        hub.stop()
        other = Hub(tmp_path, *LOCAL_WEBHOOKS)
        said = json.loads(other.command("restore", str(tmp_path / "b"), "--json").stdout)
        assert said["kept_aside"] is None and not said["secret_key_missing"]
        other.keys = hub.keys
        other.port = hub.port
        try:
            other.start()
            other.finish(other.submit())
            receiver.wait_for_count(1)
        finally:
            other.close()


def test_without_its_key_or_with_another_that_is_said(make_hub, tmp_path):
    hub = make_hub(*LOCAL_WEBHOOKS)
    hub.add_webhook("http://127.0.0.1:1/hook")
    hub.command("backup", str(tmp_path / "b"))
    hub.stop()
    done = run_command("restore", str(tmp_path / "b"), "--data", str(tmp_path / "new"))
    assert "put the key" in done.stderr and str(tmp_path / "new/webhook-secrets.key") in done.stderr
    another = tmp_path / "another"
    another.mkdir(mode=0o700)
    (another / "webhook-secrets.key").write_bytes(base64.b64encode(bytes(32)) + b"\n")
    os.chmod(another / "webhook-secrets.key", 0o600)
    refused(run_command("restore", str(tmp_path / "b"), "--data", str(another), check=False), "another key",
            "nothing was changed")
    assert not (another / "carillon.db").exists()


def test_what_is_no_backup_is_refused_and_nothing_is_touched(at_rest, tmp_path):
    before = database(at_rest).read_bytes()
    (tmp_path / "words").write_text("words " * 1000)
    sqlite3.connect(tmp_path / "other").execute("CREATE TABLE contacts (name)").connection.close()
    at_rest.command("backup", str(tmp_path / "damaged"))
    with open(tmp_path / "damaged", "r+b") as file:
        file.seek(4096 * 4)
        file.write(b"Z" * 4096)
    at_rest.command("backup", str(tmp_path / "later"))
    later = sqlite3.connect(tmp_path / "later")
    with later:
        later.execute("INSERT INTO schema_migrations VALUES (1000, '1000_later', '', 0)")
    later.execute("PRAGMA journal_mode = DELETE")
    later.close()
    for name, words in (("words", ["is no database"]), ("other", ["none of Carillon's"]), ("damaged", ["damaged"]),
                        ("later", ["schema 1000", f"up to {SCHEMA}"]), ("none", ["is no file"])):
        path = str(tmp_path / name)
        refused(at_rest.command("restore", path, "--force", check=False), path, *words)
        assert database(at_rest).read_bytes() == before
    assert sorted(os.listdir(at_rest.data)) == ["carillon.db", "control.sock", "lock", "webhook-secrets.key"]


def test_a_restore_that_is_killed_leaves_the_old_or_the_new(at_rest, tmp_path):
    """At moments over all of its time, of which a whole run tells how long it is."""
    at_rest.command("backup", str(tmp_path / "b"))
    make_large(at_rest, 30)
    old = 1
    saved = tmp_path / "saved"
    shutil.copytree(at_rest.data, saved, ignore=shutil.ignore_patterns("*.sock"))
    grown = sqlite3.connect(tmp_path / "b")
    with grown:
        grown.execute("CREATE TABLE ballast (x)")
        for _ in range(30):
            grown.execute("INSERT INTO ballast VALUES (randomblob(1048576))")
        grown.execute("DELETE FROM job_states")
        grown.execute("DELETE FROM jobs")
    grown.execute("PRAGMA journal_mode = DELETE")
    grown.close()

    def restored_in():
        begun = time.monotonic()
        at_rest.command("restore", str(tmp_path / "b"), "--force")
        return time.monotonic() - begun

    took = restored_in()
    seen = set()
    for round_ in range(24):
        shutil.rmtree(at_rest.data)
        shutil.copytree(saved, at_rest.data)
        process = start_command("restore", str(tmp_path / "b"), "--force", "--data", at_rest.data)
        try:
            process.wait(took * (round_ + 1) / 20)
        except subprocess.TimeoutExpired:
            pass  # still at it
        kill(process)
        database_file = database(at_rest)
        assert not pathlib.Path(f"{database_file}-wal").exists() or os.stat(f"{database_file}-wal").st_size == 0
        assert is_whole(database_file)
        found = jobs_in(database_file)
        assert found in (0, old)
        seen.add(found)
        aside = list(pathlib.Path(at_rest.data).glob("carillon.db.replaced-*"))
        if found == 0:
            assert len(aside) == 1 and jobs_in(aside[0]) == old, "the old one is kept"
    assert seen == {0, old}
    at_rest.command("restore", str(tmp_path / "b"), "--force")
    at_rest.start()
    assert at_rest.http(at_rest.client).get(f"/api/v1/jobs/{at_rest.job_id}").status == 404


# --- migrate ----------------------------------------------------------------------------------------------------------


def old_database(folder, number):
    """A data directory as the version with that many migrations has left it, with a key of each kind and a job."""
    folder.mkdir(mode=0o700)
    connection = sqlite3.connect(folder / "carillon.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE schema_migrations ( number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, "
        "applied_at INTEGER NOT NULL) STRICT"
    )
    now = int(time.time() * 1000) - 60_000
    for path in sorted((REPOSITORY / "migrations").glob("*.sql"))[:number]:
        sql = path.read_text()
        connection.executescript(sql)
        with connection:
            connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?, ?)",
                               (int(path.name[:4]), path.stem, hashlib.sha256(sql.encode()).hexdigest(), now))
    keys = {}
    job = uuid.uuid4()
    with connection:
        connection.execute("INSERT INTO meta VALUES ('epoch', 'old')")
        connection.execute("INSERT INTO accounts (id, name, status, created_at) VALUES (1, 'default', 0, ?)", (now,))
        for at, role in enumerate(("client", "worker", "admin")):
            keys[role] = "sk_live_" + uuid.uuid4().hex
            connection.execute(
                "INSERT INTO api_keys (id, account, role, status, name, created_at, hash) VALUES (?, 1, ?, 0, '', ?, ?)",
                (at + 1, at, now, hashlib.sha256(keys[role].encode()).digest()))
        row = {"n": 1, "id": job.bytes, "owner_key": 1, "owner_account": 1, "created_at": now, "hook_events": 0,
               "metadata": '{"a":1}'}
        state = {"status": 1, "seq": 2, "updated_at": now}
        if number < 3:
            insert(connection, "jobs", {**row, **state, "progress": '{"at":1}'})
        else:
            insert(connection, "jobs", row)
            insert(connection, "job_states", {"n": 1, **state, "progress": 2})
        for seq in (1, 2):
            event = {"seq": seq, "job": 1, "kind": seq - 1, "status": seq - 1, "at": now,
                     "progress": '{"at":1}' if seq == 2 else None}
            if number >= 2:
                event["previous"] = seq - 1
            if number >= 5:
                event |= {"owner_account": 1, "owner_key": 1}
            insert(connection, "events", event)
        if number >= 5:
            connection.execute("INSERT INTO owner_spans VALUES (0, 1, 1, 0)")
    connection.close()
    return keys, str(job)


def insert(connection, table, row):
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


@pytest.mark.parametrize("number", range(1, SCHEMA))
def test_a_database_of_each_earlier_version_is_served(tmp_path, number):
    keys, job = old_database(tmp_path / "data", number)
    hub = Hub(tmp_path)
    status = json.loads(hub.command("migrate", "status", "--json").stdout)
    assert (status["schema"], status["known"]) == (number, SCHEMA)
    assert len(status["applied"]) == number and len(status["missing"]) == SCHEMA - number
    table = hub.command("migrate", "status")
    assert table.stdout.count("missing") == SCHEMA - number and "migrate up" in table.stderr

    hub.keys = dict(keys)
    try:
        hub.start()
        wait_until(lambda: "the database was brought up to date" in hub.log)
        found = hub.job(job)
        assert (found["status"], found["seq"], found["progress"], found["metadata"]) == ("running", 2, {"at": 1}, {"a": 1})
        assert [event["seq"] for event in hub.http(hub.client).get("/api/v1/events").json["events"]] == [1, 2]
        assert hub.report(job, "succeeded", result=1)["seq"] == 3
        assert hub.job(hub.submit())["seq"] == 4
        backup = tmp_path / "data" / f"carillon.db.before-{number + 1:04}"
        assert is_whole(backup) and stat.S_IMODE(os.stat(backup).st_mode) == 0o600
        assert look(backup, "SELECT max(number) FROM schema_migrations") == (number,)
        refused(hub.command("restore", str(backup), "--force", check=False), "a hub serves it")
        assert json.loads(hub.command("migrate", "up", "--json").stdout) == {"from": SCHEMA, "schema": SCHEMA, "backup": None}
    finally:
        hub.close()


def test_migrate_up_without_a_start(tmp_path):
    _, job = old_database(tmp_path / "data", 3)
    hub = Hub(tmp_path)
    done = json.loads(hub.command("migrate", "up", "--json").stdout)
    assert done == {"from": 3, "schema": SCHEMA, "backup": f"{hub.data}/carillon.db.before-0004"}
    done = hub.command("migrate", "up")
    assert "up to date already" in done.stderr
    # And back, as one does who goes back to the version before.
    hub.command("restore", f"{hub.data}/carillon.db.before-0004", "--force")
    assert json.loads(hub.command("migrate", "status", "--json").stdout)["schema"] == 3


def test_a_later_version_is_refused_with_both_numbers_and_what_to_do(at_rest):
    connection = sqlite3.connect(database(at_rest))
    with connection:
        connection.execute("INSERT INTO schema_migrations VALUES (1000, '1000_later', '', 0)")
    connection.close()
    for command in (("migrate", "status"), ("migrate", "up"), ("serve", "--listen", "127.0.0.1:0")):
        refused(at_rest.command(*command, check=False), "schema 1000", f"up to {SCHEMA}", "install that one",
                "restore a backup")


def test_no_room_for_the_backup_is_a_refusal_to_start(tmp_path, missing):
    if os.geteuid() != 0:
        missing("a small file system can only be made by root")
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small], check=False, capture_output=True).returncode:
        missing("tmpfs cannot be mounted here")
    try:
        old_database(small / "data", SCHEMA - 1)
        hub = Hub(small)
        make_large(hub, 3)
        ballast = small / "ballast"
        ballast.write_bytes(bytes(3 << 20))
        refused(hub.command("serve", "--listen", "127.0.0.1:0", check=False), f"from schema {SCHEMA - 1} to {SCHEMA}",
                "MiB are free", "nothing was changed", "make room")
        assert look(database(hub), "SELECT max(number) FROM schema_migrations") == (SCHEMA - 1,)
        ballast.unlink()
        assert json.loads(hub.command("migrate", "up", "--json").stdout)["schema"] == SCHEMA
    finally:
        subprocess.run(["umount", "-l", small], check=True)
