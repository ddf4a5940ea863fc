"""Idempotency-Key on POST /jobs: a submission that is sent again is made once."""

import sqlite3
import threading
import uuid

import pytest
from harness import metrics
from harness.http import RawConnection
from harness.problems import assert_problem
from harness.waiting import wait_until


def submit(hub, key, body=None, api_key=None):
    return hub.http(api_key or hub.client).post("/api/v1/jobs", body, Idempotency_Key=key)


def assert_replay(again, first):
    assert again.status == first.status == 201
    assert again.body == first.body
    for field in ("location", "etag", "content-type"):
        assert again.fields[field] == first.fields[field]
    assert "idempotency-replayed" not in first.fields
    assert again.fields["idempotency-replayed"] == "true"


def test_the_first_answer_again(hub):
    body = {"metadata": {"page": 7}}
    first = submit(hub, "first-answer", body)
    assert first.fields["location"] == f"/api/v1/jobs/{first.json['job_id']}"
    assert_replay(submit(hub, "first-answer", body), first)
    assert_replay(submit(hub, '"first-answer"', body), first)
    # Whatever has become of the job since.
    hub.finish(first.json["job_id"], result=1)
    again = submit(hub, "first-answer", body)
    assert_replay(again, first)
    assert again.json["status"] == "queued"


def test_without_a_body_too(hub):
    first = submit(hub, "no-body")
    assert_replay(submit(hub, "no-body"), first)
    assert_problem(submit(hub, "no-body", {}), 422, "idempotency_key_reused")


def test_another_body_is_refused(hub):
    first = submit(hub, "other-body", {"metadata": {"a": 1}})
    assert_problem(submit(hub, "other-body", {"metadata": {"a": 2}}), 422, "idempotency_key_reused")
    # To the byte: who repeats a request has it as it was.
    assert_problem(submit(hub, "other-body", b'{"metadata":{"a":1}}'), 422, "idempotency_key_reused")
    assert_replay(submit(hub, "other-body", {"metadata": {"a": 1}}), first)


def test_a_key_is_its_callers_own(hub):
    first, second = submit(hub, "mine", {}), submit(hub, "mine", {}, api_key=hub.make_key())
    assert first.status == second.status == 201
    assert first.json["job_id"] != second.json["job_id"]


def test_a_refused_submission_leaves_the_key_free(hub):
    taken = hub.submit()
    assert_problem(submit(hub, "free", {"job_id": taken}), 409, "already_exists")
    assert_problem(submit(hub, "free", {"colour": "red"}), 422, "validation_error", "/colour")
    first = submit(hub, "free", {})
    assert first.status == 201 and "idempotency-replayed" not in first.fields


def test_on_behalf_of_another_with_all_that_a_submission_may_say(hub):
    owner = hub.make_key()
    body = {"job_id": str(uuid.uuid4()), "owner": owner.id, "metadata": {"page": [1, 2]}}
    first = submit(hub, "behalf", body, api_key=hub.worker)
    assert first.status == 201, first
    assert (first.json["job_id"], first.json["metadata"]) == (body["job_id"], body["metadata"])
    assert first.fields["location"] == f"/api/v1/jobs/{body['job_id']}"
    assert hub.job(body["job_id"], owner) == first.json
    assert hub.http(hub.client).get(first.fields["location"]).status == 404
    assert_replay(submit(hub, "behalf", body, api_key=hub.worker), first)


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("", "is empty"),
        ('""', "is empty"),
        ('"open', "RFC 8941"),
        ('"a"b"', "RFC 8941"),
        ('"a\\b"', "RFC 8941"),
        ("two words", "characters"),
        ("a,b", "characters"),
        ("x" * 256, "has 256 characters; at most 255 are taken"),
        ('"' + "x" * 256 + '"', "has 256 characters; at most 255 are taken"),
    ],
)
def test_a_key_that_is_none(hub, key, word):
    job = str(uuid.uuid4())
    answer = submit(hub, key, {"job_id": job})
    assert_problem(answer, 400, "invalid_idempotency_key")
    assert word in answer.json["detail"]
    assert hub.http(hub.worker).get(f"/api/v1/jobs/{job}").status == 404


def test_a_key_that_stands_twice(hub):
    with RawConnection(hub.port) as connection:
        connection.send(
            f"POST /api/v1/jobs HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.client}\r\n"
            "Idempotency-Key: a\r\nIdempotency-Key: a\r\nContent-Length: 0\r\n\r\n"
        )
        assert_problem(connection.answer(), 400, "invalid_idempotency_key")


def test_the_longest_key(hub):
    first = submit(hub, "x" * 255)
    assert_replay(submit(hub, '"' + "x" * 255 + '"'), first)


def test_many_at_once_are_one_job(hub):
    """Each is told of the one job, or that the first is still under way."""
    answers = []
    barrier = threading.Barrier(16)

    def ask():
        barrier.wait()
        for _ in range(20):
            answers.append(submit(hub, "at-once", {"metadata": {"a": 1}}))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [one for one in answers if one.status == 201]
    assert len({one.json["job_id"] for one in made}) == 1
    assert sum("idempotency-replayed" not in one.fields for one in made) == 1
    for one in answers:
        if one.status != 201:
            assert_problem(one, 409, "idempotency_key_in_use")
            assert one.fields["retry-after"] == "1"


def test_while_the_first_is_under_way(make_hub):
    """The first waits for its commit, which another writer holds up."""
    hub = make_hub()
    other = sqlite3.connect(f"{hub.data}/carillon.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = []
    first = threading.Thread(target=lambda: answers.append(submit(hub, "slow", {})))
    first.start()
    metrics.wait_for(hub, lambda samples: samples["carillon_store_queue"] == 1)
    in_use = submit(hub, "slow", {})
    assert_problem(in_use, 409, "idempotency_key_in_use")
    assert in_use.fields["retry-after"] == "1"
    other.execute("COMMIT")
    first.join()
    assert answers[0].status == 201
    assert_replay(submit(hub, "slow", {}), answers[0])


def test_kills_between_the_job_and_its_replay(make_hub):
    hub = make_hub()
    firsts = {}
    for round_ in range(3):
        for i in range(20):
            key = f"kill-{round_}-{i}"
            firsts[key] = submit(hub, key, {"metadata": {"key": key}})
        hub.kill()
        hub.start()
        for key, first in firsts.items():
            assert_replay(submit(hub, key, {"metadata": {"key": key}}), first)
    assert_problem(submit(hub, "kill-0-0", {}), 422, "idempotency_key_reused")


def test_kills_while_submissions_come(make_hub):
    """Who got no answer asks again, and there is one job for each key: no more, and none lost."""
    hub = make_hub()
    jobs = {}
    for round_ in range(4):
        keys = [f"round-{round_}-{i}" for i in range(200)]

        def ask(some):
            for key in some:
                try:
                    answer = submit(hub, key, {"metadata": {"key": key}})
                    assert answer.status == 201, answer
                    jobs[key] = answer.json["job_id"]
                except (OSError, ValueError, EOFError):
                    return

        threads = [threading.Thread(target=ask, args=(keys[i::4],)) for i in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: sum(key in jobs for key in keys) > 20 * (round_ + 1))
        hub.kill()
        for thread in threads:
            thread.join()
        hub.start()
        for key in keys:
            answer = submit(hub, key, {"metadata": {"key": key}})
            assert answer.status == 201, answer
            assert jobs.setdefault(key, answer.json["job_id"]) == answer.json["job_id"], "acknowledged, it is that one"
    assert len(set(jobs.values())) == len(jobs)
    made = {job for job in jobs.values() if hub.http(hub.client).get(f"/api/v1/jobs/{job}").status == 200}
    assert made == set(jobs.values())
    last = hub.http(hub.client).get(f"/api/v1/jobs/{hub.submit()}").json["seq"]
    assert last == len(jobs) + 1, "each was made once: there are no other events"


def test_after_its_time_a_key_is_free(make_hub):
    hub = make_hub("--store-idempotency-keep-s", "1")
    first = submit(hub, "short", {})
    anew = wait_until(lambda: (answer := submit(hub, "short", {"metadata": {}})).status == 201 and answer)
    assert anew.json["job_id"] != first.json["job_id"]
    assert "idempotency-replayed" not in anew.fields


def test_of_a_job_that_was_erased_the_metadata_is_gone(hub):
    body = {"metadata": {"private": "yes"}}
    first = submit(hub, "erased", body)
    job = first.json["job_id"]
    hub.report(job, "failed")
    assert hub.http(hub.client).delete(f"/api/v1/jobs/{job}").status == 204
    again = submit(hub, "erased", body)
    assert again.status == 201 and again.fields["idempotency-replayed"] == "true"
    assert again.json == {**first.json, "metadata": None}
