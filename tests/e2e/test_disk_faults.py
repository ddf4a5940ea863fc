"""A full disk and a read-only one stop acknowledgements, not reading, and the hub goes on by itself when it can."""

import subprocess
import uuid

import pytest
from conftest import LOCAL_WEBHOOKS
from harness import metrics
from harness.hub import BINARY, PATIENCE_S, Hub
from harness.receiver import Receiver
from harness.small_disk import NoDisk, SmallDisk
from harness.waiting import wait_until
from harness.world import World
from harness.ws import Client, in_thread, run

SIZE_BYTES = 24 << 20
# Soon again, and for long: what fails while the receiver is away is sent when it is there.
EAGER = ("--webhooks-retry-delays-s", "0," + ",".join(["1"] * 60))
OPTIONS = (*LOCAL_WEBHOOKS, *EAGER, "--store-disk-free-min-bytes", "0")
BIG = "x" * (64 << 10)


@pytest.fixture
def disk(tmp_path, missing):
    try:
        made = SmallDisk(tmp_path, SIZE_BYTES)
    except NoDisk as why:
        missing(str(why))
    yield made
    made.close()


@pytest.fixture
def hub(disk):
    """One whose data are on the small disk."""
    made = Hub(disk.path, *OPTIONS)
    made.prefix = disk.prefix
    yield made.start()
    made.close()


class Reporter:
    """Reports, and remembers what was acknowledged."""

    def __init__(self, hub):
        self.hub = hub
        self.seen = {}  # the job as it was answered, by its id
        self.taken = []  # every event that was acknowledged: job, status

    def call(self, method, path, body):
        answer = self.hub.http(self.hub.worker).request(method, f"/api/v1{path}", body)
        if answer.status == 503:
            expect_refused(answer)
            return False
        assert answer.status in (200, 201), answer
        self.seen[answer.json["job_id"]] = answer.json
        self.taken.append((answer.json["job_id"], answer.json["status"]))
        return True

    def submit(self, job):
        return self.call("POST", "/jobs", {"job_id": job, "owner": key_id(self.hub)})

    def finish(self, job):
        return (self.call("PATCH", f"/jobs/{job}", {"status": "running"}) and
                self.call("PATCH", f"/jobs/{job}", {"status": "succeeded", "result": BIG}))

    def until_refused(self, calls_max=2000):
        """More and more, until the hub cannot take any; a small report is refused then too."""
        for _ in range(calls_max):
            job = str(uuid.uuid4())
            if not (self.submit(job) and self.finish(job)) and not self.submit(str(uuid.uuid4())):
                return
        raise AssertionError("the disk is never full")

    def expect_all_kept(self):
        """All of it, in its order and with nothing between that was not acknowledged."""
        for job, shown in self.seen.items():
            assert self.hub.job(job) == shown
        events, after = [], 0
        while True:
            page = self.hub.http(self.hub.client).get(f"/api/v1/events?after={after}").json
            events += page["events"]
            if not page["events"]:
                break
            after = page["events"][-1]["seq"]
        assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
        assert [(event["data"]["job_id"], event["data"]["status"]) for event in events] == self.taken


def key_id(hub):
    return next(key["id"] for key in hub.http(hub.admin).get("/api/v1/admin/keys").json["keys"] if key["role"] == "client")


def expect_refused(answer):
    assert answer.status == 503 and answer.json["error"] == "store_unavailable", answer
    assert answer.json["detail"] == "The store cannot write now; nothing was changed."
    assert answer.fields["retry-after"] == "5"
    assert answer.fields["content-type"] == "application/problem+json"


def expect_nothing_is_taken(hub, queued, final):
    """By no call that would change something; each says the same."""
    worker, client = hub.http(hub.worker), hub.http(hub.client)
    expect_refused(client.post("/api/v1/jobs", {"metadata": {"text": BIG[:60000]}}))
    expect_refused(client.post("/api/v1/jobs", {}, Idempotency_Key="once"))
    expect_refused(worker.patch(f"/api/v1/jobs/{queued}", {"status": "running", "progress": {"text": BIG[:4000]}}))
    expect_refused(worker.post("/api/v1/jobs/updates", {"updates": [{"job_id": queued, "status": "running"}]}))
    expect_refused(client.delete(f"/api/v1/jobs/{final}"))
    expect_refused(client.post("/api/v1/webhooks", {"url": "https://example.com/other"}))
    expect_refused(hub.http(hub.admin).post("/api/v1/admin/accounts", {"name": "other"}))
    assert hub.job(queued)["status"] == "queued"


def expect_reading_goes_on(hub, queued, final):
    client = hub.http(hub.client)
    assert hub.job(final)["status"] == "succeeded"
    assert client.get(f"/api/v1/jobs/{queued}?wait=1").json["status"] == "queued"
    assert client.get("/api/v1/jobs?limit=5").status == 200
    assert client.get(f"/api/v1/jobs/{final}/events").json["events"][-1]["type"] == "job.succeeded"
    assert client.get("/api/v1/events?after=0&limit=5").json["events"]
    assert client.get("/api/v1/webhooks").status == 200
    assert hub.http(hub.admin).get("/api/v1/admin/keys").status == 200

    async def watch():
        async with Client(hub, hub.client) as socket:
            await socket.expect("connected")
            assert (await socket.subscribe(final))["status"] == "succeeded"
            assert (await socket.subscribe(queued))["status"] == "queued"

    run(watch())


def expect_it_says_so(hub):
    answer = wait_until(lambda: (found := hub.http().get("/readyz")).status == 503 and found)
    assert answer.json["error"] == "store_unavailable"
    assert answer.json["checks"]["store"]["ok"] is False
    assert hub.http().get("/healthz").status == 200, "a restart would help nobody"
    assert metrics.read(hub)["carillon_store_writable"] == 0
    wait_until(lambda: "error the store cannot write: reports are refused until it can" in hub.log)


def expect_it_says_that_it_is_over(hub):
    """Without anybody reporting anything."""
    wait_until(lambda: hub.http().get("/readyz").status == 200)
    assert metrics.read(hub)["carillon_store_writable"] == 1
    wait_until(lambda: "info the store can write again" in hub.log)


def test_a_full_disk(disk, hub):
    with Receiver(listening=False) as receiver:
        hub.add_webhook(receiver.url(), events=["job.running", "job.succeeded"])
        reporter = Reporter(hub)
        queued, final = str(uuid.uuid4()), str(uuid.uuid4())
        assert reporter.submit(queued) and reporter.submit(final) and reporter.finish(final)

        async def a_watcher_stays():
            async with Client(hub, hub.client) as socket:
                await socket.expect("connected")
                await socket.subscribe(queued)
                await in_thread(disk.fill)
                await in_thread(reporter.until_refused)
                await in_thread(expect_it_says_so, hub)
                await in_thread(expect_nothing_is_taken, hub, queued, final)
                await in_thread(expect_reading_goes_on, hub, queued, final)
                await in_thread(disk.empty)
                await in_thread(expect_it_says_that_it_is_over, hub)
                assert await in_thread(reporter.finish, queued)
                # And it is told of nothing that was refused.
                await socket.expect("job_update", job_id=queued, status="running")
                await socket.expect("job_update", job_id=queued, status="succeeded")

        run(a_watcher_stays())
        receiver.listen()
        owed = {one for one in reporter.taken if one[1] != "queued"}
        received = receiver.wait_for(lambda all_: len({one.id for one in all_}) >= len(owed), 2 * PATIENCE_S)
        assert {(one.job, one.json["data"]["status"]) for one in received} == owed
    reporter.expect_all_kept()
    hub.stop()


def test_what_is_sent_while_nothing_can_be_noted_is_noted_later(disk, hub):
    """Under one id, should it be sent twice."""
    with Receiver() as receiver:
        hook = hub.add_webhook(receiver.url())
        reporter = Reporter(hub)
        disk.fill()
        reporter.until_refused()
        disk.empty()
        owed = {job for job, status in reporter.taken if status == "succeeded"}
        received = receiver.wait_for(lambda all_: len({one.id for one in all_}) >= len(owed))
        assert {one.job for one in received} == owed and len({one.id for one in received}) == len(owed)

        def pending():
            path = f"/api/v1/webhooks/{hook['id']}/deliveries?status=pending"
            return hub.http(hub.client).get(path).json["deliveries"]

        wait_until(lambda: not pending())


def test_a_kill_while_the_disk_is_full(disk, hub):
    """It starts where it can only read."""
    reporter = Reporter(hub)
    disk.fill()
    reporter.until_refused()
    hub.kill()
    disk.fill()  # with what the hub's end has given back
    hub.start()
    reporter.expect_all_kept()
    reporter.until_refused()
    expect_it_says_so(hub)
    disk.empty()
    expect_it_says_that_it_is_over(hub)  # though nobody asks: here are no webhooks
    assert reporter.submit(str(uuid.uuid4()))
    reporter.expect_all_kept()
    hub.stop()


def refused_start(disk, data):
    """What a hub says in its one line that does not start."""
    command = [*disk.prefix, BINARY, "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done
    return done.stderr


def test_a_first_start_on_a_full_disk(disk):
    """Leaves nothing that the next start would stumble over."""
    disk.fill()
    data = disk.path / "data"
    line = refused_start(disk, data)
    assert str(data) in line and ("full" in line or "No space left on device" in line), line
    disk.empty()
    hub = Hub(disk.path)
    hub.prefix = disk.prefix
    try:
        hub.start()
        hub.finish(hub.submit())
        hub.stop()
    finally:
        hub.close()


# --- a disk that has become read-only ---------------------------------------------------------------------------------


@pytest.mark.plain_binary
def test_a_disk_that_becomes_read_only(tmp_path):
    """Under open files, as a file system does that has found an error; and is writable again after that is mended."""
    world = World(tmp_path)
    hub = Hub(tmp_path, *OPTIONS)
    hub.environment = world.environment
    hub.start()
    try:
        with Receiver(listening=False) as receiver:
            hub.add_webhook(receiver.url(), events=["job.running", "job.succeeded"])
            reporter = Reporter(hub)
            queued, final = str(uuid.uuid4()), str(uuid.uuid4())
            assert reporter.submit(queued) and reporter.submit(final) and reporter.finish(final)
            world.set_read_only(True)
            expect_nothing_is_taken(hub, queued, final)
            expect_it_says_so(hub)
            expect_reading_goes_on(hub, queued, final)
            world.set_read_only(False)
            expect_it_says_that_it_is_over(hub)
            assert reporter.finish(queued)
            receiver.listen()
            received = receiver.wait_for(lambda all_: len({one.id for one in all_}) >= 4)
            assert {one.job for one in received} == {queued, final}
        reporter.expect_all_kept()
        hub.stop()
    finally:
        hub.close()


def test_a_start_on_a_read_only_disk(disk, hub):
    """Is refused: one that could take nothing helps nobody, and another machine may have to step in."""
    reporter = Reporter(hub)
    job = str(uuid.uuid4())
    assert reporter.submit(job) and reporter.finish(job)
    hub.stop()
    disk.set_read_only(True)
    line = refused_start(disk, hub.data)
    assert hub.data in line and "Read-only file system" in line, line
    disk.set_read_only(False)
    hub.start()
    reporter.expect_all_kept()
