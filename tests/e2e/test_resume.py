"""Many jobs in one message, all jobs of a key, and going on after a break, with the real `websockets` client."""

import asyncio
import json
import sqlite3
import uuid

import pytest
from harness.ws import Client, in_thread, run

NO_JOB = "Job not found or access denied: "


class Resuming(Client):
    """A client that asked to resume: welcomed, and aware of the epoch."""

    def __init__(self, hub, key=None, **options):
        key = key or hub.client
        super().__init__(hub, query=f"?resume=1&api_key={key}", **options)

    async def __aenter__(self):
        await super().__aenter__()
        self.epoch = (await self.expect("connected"))["epoch"]
        return self

    async def resume(self, job, after, epoch=None):
        """Subscribes after a number; returns whether that was recovered."""
        await self.send({"action": "subscribe", "job_id": job, "after": after, "epoch": epoch or self.epoch})
        subscribed = await self.expect("subscribed", job_id=job)
        assert subscribed.keys() == {"type", "job_id", "recovered", "ts"}
        return subscribed["recovered"]

    async def texts_until_pong(self):
        """What comes before the answer to a ping that is sent now."""
        await self.send({"action": "ping"})
        texts = []
        while True:
            texts.append(await self.receive_text())
            if json.loads(texts[-1])["type"] == "pong":
                return texts[:-1]

    async def seqs_until_pong(self):
        return [json.loads(text)["seq"] for text in await self.texts_until_pong()]


def history(hub, key=None, progress=3):
    """A job that runs and has reported; its id and the numbers of its events."""
    job = hub.submit(key)
    seqs = [hub.job(job, key)["seq"], hub.report(job, "running")["seq"]]
    seqs += [hub.report(job, progress={"n": n})["seq"] for n in range(progress)]
    return job, seqs


# --- many jobs in one message -----------------------------------------------------------------------------------------


def test_each_of_many_jobs_is_answered_as_if_sent_alone_and_in_order(hub):
    key = hub.make_key()
    one, two, foreign, nowhere = hub.submit(key), hub.submit(key), hub.submit(), str(uuid.uuid4())
    jobs = [two, foreign, one, "*", nowhere, "no id", "", two.upper()]

    async def answers(client, count):
        return [{**(await client.receive()), "ts": 0} for _ in range(count)]

    async def talk():
        async with Client(hub, key) as many, Client(hub, key) as alone:
            await many.expect("connected")
            await alone.expect("connected")
            for action, count in (("subscribe", 11), ("unsubscribe", 8)):
                await many.send({"action": action, "job_ids": jobs})
                for job in jobs:
                    await alone.send({"action": action, "job_id": job})
                told = await answers(many, count)
                assert told == await answers(alone, count)
                assert [one["type"] for one in told].count("error") == (4 if action == "subscribe" else 2)
            await in_thread(hub.report, one, "running")
            await many.send({"action": "ping"})
            await many.expect("pong")

    run(talk())


def test_a_message_names_as_many_jobs_as_are_allowed(make_hub):
    hub = make_hub("--websocket-job-ids", "2")
    job = hub.submit()

    async def talk():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            await client.send({"action": "subscribe", "job_ids": [job, job, job]})
            await client.expect("error", message="Too many job_ids: at most 2")
            await client.send({"action": "subscribe", "job_ids": [job], "job_id": job})
            await client.expect("error", message="Both job_id and job_ids: one of the two is wanted")
            await client.send({"action": "subscribe", "job_ids": [job, job]})
            for _ in range(2):
                await client.expect("subscribed", job_id=job)
                await client.expect("job_update", job_id=job)

    run(talk())


def test_a_thousand_jobs_that_resume_are_answered_over_several_turns_and_in_order(hub):
    """More than one turn of the loop reads: what is sent behind it is answered behind it."""
    job, seqs = history(hub, progress=10)

    async def talk():
        async with Resuming(hub) as client:
            await client.send({"action": "subscribe", "job_ids": [job] * 1000, "after": 0, "epoch": client.epoch})
            texts = await client.texts_until_pong()
            told = [json.loads(text) for text in texts]
            assert [one.get("seq", one["type"]) for one in told] == ["subscribed", *seqs] * 1000

    run(talk())


def test_much_more_than_may_wait_for_a_client_is_sent_as_it_reads(make_hub):
    hub = make_hub("--websocket-queue-bytes", "65536", "--limits-progress-bytes", "65536")
    job = hub.submit()
    hub.report(job, "running", progress={"pad": "x" * 40_000})

    async def talk():
        async with Client(hub, hub.client) as client:
            await client.expect("connected")
            await client.send({"action": "subscribe", "job_ids": [job] * 200})
            for _ in range(200):
                await client.expect("subscribed")
                await client.expect("job_update", job_id=job)
            await client.send({"action": "ping"})
            await client.expect("pong")

    run(talk())


# --- going on with a job ----------------------------------------------------------------------------------------------


def test_what_was_missed_comes_first_and_byte_for_byte_as_it_was_told(hub):
    job = hub.submit()

    async def talk():
        async with Resuming(hub) as live:
            state = await live.subscribe(job)
            await in_thread(hub.report, job, "running", progress={"page": 1})
            await in_thread(hub.report, job, progress=[1, "ä"])
            await in_thread(hub.report, job, "succeeded", result={"text": "<\u2028>"})
            told = [await live.receive_text() for _ in range(3)]
        for missed in range(4):
            async with Resuming(hub) as client:
                after = ([state] + [json.loads(text) for text in told])[3 - missed]["seq"]
                assert await client.resume(job, after) is True
                assert await client.texts_until_pong() == told[3 - missed :]

    run(talk())


def test_what_was_missed_of_a_failure_has_its_error(hub):
    job, seqs = history(hub)
    hub.report(job, "failed", error='no "luck"')

    async def talk():
        async with Resuming(hub) as client:
            assert await client.resume(job, seqs[-1]) is True
            await client.expect("job_update", status="failed", error='no "luck"', result=None)

    run(talk())


def test_live_events_follow_what_was_missed(hub):
    job, seqs = history(hub)

    async def talk():
        async with Resuming(hub) as client:
            assert await client.resume(job, seqs[1]) is True
            assert await client.seqs_until_pong() == seqs[2:]
            more = await in_thread(hub.report, job, progress={"n": "live"})
            await client.expect("job_update", seq=more["seq"], progress={"n": "live"})
            assert await client.resume(job, more["seq"]) is True, "nothing was missed"
            assert await client.seqs_until_pong() == []

    run(talk())


def test_a_number_of_another_job_will_do(hub):
    """A client may keep one number for all of its jobs."""
    job, _ = history(hub)
    _, later = history(hub)

    async def talk():
        async with Resuming(hub) as client:
            assert await client.resume(job, later[-1]) is True
            assert await client.seqs_until_pong() == []

    run(talk())


@pytest.mark.parametrize("other", ["another epoch", "a number of the future"])
def test_another_history_is_not_recovered_and_the_present_state_follows(hub, other):
    job, seqs = history(hub)

    async def talk():
        async with Resuming(hub) as client:
            if other == "another epoch":
                assert await client.resume(job, seqs[1], epoch="another") is False
            else:
                assert await client.resume(job, 1 << 60) is False
            await client.expect("job_update", job_id=job, seq=seqs[-1], progress={"n": 2})
            more = await in_thread(hub.report, job, progress=1)
            await client.expect("job_update", seq=more["seq"])

    run(talk())


def test_who_missed_too_much_is_told_so_and_the_present_state(make_hub):
    hub = make_hub("--websocket-replay-events", "3")
    job, seqs = history(hub)

    async def talk():
        async with Resuming(hub) as client:
            assert await client.resume(job, seqs[0]) is False
            assert await client.seqs_until_pong() == [seqs[-1]]
            assert await client.resume(job, seqs[1]) is True
            assert await client.seqs_until_pong() == seqs[2:]

    run(talk())


def test_what_is_no_longer_kept_is_no_silent_gap(make_hub):
    hub = make_hub()
    job, seqs = history(hub)
    with sqlite3.connect(f"{hub.data}/carillon.db") as database:
        database.execute("DELETE FROM events WHERE seq <= ?", (seqs[2],))
    database.close()

    async def talk():
        async with Resuming(hub) as client:
            assert await client.resume(job, seqs[1]) is False
            assert await client.seqs_until_pong() == [seqs[-1]]
            assert await client.resume("*", seqs[1]) is False
            assert await client.seqs_until_pong() == []
            assert await client.resume(job, seqs[2]) is True
            assert await client.seqs_until_pong() == seqs[3:]

    run(talk())


def test_a_foreign_job_answers_as_a_missing_one_also_to_who_resumes(hub):
    foreign, _ = history(hub, hub.make_key())
    nowhere = str(uuid.uuid4())

    async def talk():
        async with Resuming(hub) as client:
            for job in (foreign, nowhere):
                await client.send({"action": "subscribe", "job_id": job, "after": 0, "epoch": client.epoch})
                await client.expect("error", message=NO_JOB + job)
            await in_thread(hub.report, foreign, "succeeded")
            assert await client.texts_until_pong() == []

    run(talk())


def test_resuming_wants_a_connection_for_it(hub):
    job = hub.submit()

    async def talk():
        async with Client(hub, hub.client) as client:
            assert "epoch" not in await client.expect("connected")
            await client.send({"action": "subscribe", "job_id": job, "after": 0, "epoch": "e"})
            await client.expect("error", message="after and epoch want a connection that was opened with ?resume=1")
            await client.send({"action": "subscribe", "job_id": job, "after": 0})
            await client.expect("error", message="Missing epoch: after counts within one epoch")
            assert (await client.subscribe(job)).keys() == {"type", "job_id", "status", "result", "error", "ts"}

    run(talk())


def test_the_epoch_stays_over_a_kill_and_what_was_missed_meanwhile_comes(make_hub):
    hub = make_hub()
    job, seqs = history(hub)

    async def listen():
        async with Resuming(hub) as client:
            await client.subscribe(job)
            return client.epoch

    epoch = run(listen())
    seqs.append(hub.report(job, progress="missed")["seq"])
    hub.kill()
    hub.start()
    seqs.append(hub.report(job, "succeeded", result=7)["seq"])

    async def go_on():
        async with Resuming(hub) as client:
            assert client.epoch == epoch
            assert await client.resume(job, seqs[-3]) is True
            assert await client.seqs_until_pong() == seqs[-2:]

    run(go_on())


def test_carillon_v1_resumes_like_any_other(hub):
    job, seqs = history(hub)

    async def talk():
        async with Client(hub, query="?resume=1", subprotocols=["carillon.v1", hub.client]) as client:
            assert client.socket.subprotocol == "carillon.v1"
            epoch = (await client.expect("connected"))["epoch"]
            await client.send({"action": "subscribe", "job_ids": [job], "after": seqs[-2], "epoch": epoch})
            await client.expect("subscribed", job_id=job, recovered=True)
            await client.expect("job_update", seq=seqs[-1])

    run(talk())


# --- going on with all jobs -------------------------------------------------------------------------------------------


def test_all_jobs_of_the_key_are_gone_on_with_and_nobody_elses(hub):
    key = hub.make_key()
    first, seqs = history(hub, key)
    history(hub)
    second, more = history(hub, key)

    async def talk():
        async with Resuming(hub, key) as client:
            assert await client.resume("*", seqs[1]) is True
            assert await client.seqs_until_pong() == seqs[2:] + more
            last = await in_thread(hub.report, first, "succeeded")
            await client.expect("job_update", job_id=first, seq=last["seq"])
            assert await client.resume("*", last["seq"]) is True
            assert await client.seqs_until_pong() == []
            assert await client.resume("*", last["seq"], epoch="another") is False
            assert await client.seqs_until_pong() == []
            await in_thread(hub.report, second, "succeeded")
            await client.expect("job_update", job_id=second)

    run(talk())


def test_who_is_too_far_behind_all_jobs_is_told_so_and_hears_what_comes(make_hub):
    hub = make_hub("--websocket-replay-events", "4")
    job, seqs = history(hub)

    async def talk():
        async with Resuming(hub) as client:
            assert await client.resume("*", 0) is False
            assert await client.seqs_until_pong() == []
            seqs.append((await in_thread(hub.report, job, progress="live"))["seq"])
            await client.expect("job_update", seq=seqs[-1])
            assert await client.resume("*", seqs[-5]) is True
            assert await client.seqs_until_pong() == seqs[-4:]

    run(talk())


@pytest.mark.parametrize("order", [("job", "*"), ("*", "job")])
def test_a_job_resumed_both_ways_is_told_once(hub, order):
    key = hub.make_key()
    job, seqs = history(hub, key)
    other, more = history(hub, key)

    async def talk():
        async with Resuming(hub, key) as client:
            heard = []
            for what in order:
                assert await client.resume(job if what == "job" else "*", seqs[1]) is True
                heard += await client.seqs_until_pong()
            assert heard == seqs[2:] + more
            for name in (job, other):
                last = await in_thread(hub.report, name, "succeeded")
                await client.expect("job_update", job_id=name, seq=last["seq"])
            assert await client.seqs_until_pong() == []

    run(talk())


def test_what_all_jobs_did_not_cover_is_still_told_to_who_asks_for_it(hub):
    """ "*" from now on, and a job from before: what the job did before is missing otherwise."""
    key = hub.make_key()
    job, seqs = history(hub, key)

    async def talk():
        async with Resuming(hub, key) as client:
            await client.subscribe("*")
            assert await client.resume(job, seqs[1]) is True
            assert await client.seqs_until_pong() == seqs[2:]
            for n in range(3):
                more = await in_thread(hub.report, job, progress=n)
                await client.expect("job_update", seq=more["seq"])

    run(talk())


def test_resumptions_of_many_clients_at_once(hub):
    """Together they read more than one turn of the loop does: some wait for the next, and none for ever."""
    key = hub.make_key()
    job, seqs = history(hub, key, progress=100)

    async def one():
        async with Resuming(hub, key) as client:
            assert await client.resume(job, 0) is True
            assert await client.seqs_until_pong() == seqs

    async def all_of_them():
        await asyncio.gather(*[one() for _ in range(50)])

    run(all_of_them())
