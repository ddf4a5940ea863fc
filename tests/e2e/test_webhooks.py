"""Webhooks: their resource, and what is delivered, repeated and refused."""

import threading
import uuid

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.receiver import Receiver
from harness.waiting import wait_until

RETRY_SOON = ("--webhooks-retry-delays-s", "0,1,1,1,1,1")
URL = "https://example.com/hook"


def show(hub, endpoint, key=None):
    answer = hub.http(key or hub.client).get(f"/api/v1/webhooks/{endpoint['id']}")
    assert answer.status == 200, answer
    return answer.json


# --- the resource -----------------------------------------------------------------------------------------------------


def test_an_endpoint_is_made_shown_changed_and_removed(hub):
    key = hub.make_key()
    http = hub.http(key)
    answer = http.post("/api/v1/webhooks", {"url": URL, "description": "to the till"})
    made = answer.json
    assert answer.status == 201 and answer.fields["location"] == f"/api/v1/webhooks/{made['id']}"
    assert answer.fields["cache-control"] == "no-store"
    assert made.pop("secret").startswith("whsec_")
    assert made["events"] == ["job.succeeded", "job.failed"]
    assert (made["url"], made["description"], made["status"]) == (URL, "to the till", "enabled")

    # The secret is shown once.
    assert show(hub, made, key) == made
    assert http.get("/api/v1/webhooks").json == {"webhooks": [made], "next_cursor": None}

    path = f"/api/v1/webhooks/{made['id']}"
    changed = http.patch(path, {"events": ["job.running"], "url": URL + "/2"})
    assert changed.status == 200
    assert changed.json == {**made, "events": ["job.running"], "url": URL + "/2"} == show(hub, made, key)

    assert (removed := http.delete(path)).status == 204 and removed.body == b""
    assert [http.request(method, path, {}).status for method in ("GET", "PATCH", "DELETE")] == [404] * 3
    assert http.get("/api/v1/webhooks").json["webhooks"] == []


def test_an_url_is_taken_once_a_key(hub):
    key, other = hub.make_key(), hub.make_key()
    made = hub.add_webhook(URL, key)
    hub.add_webhook(URL + "/2", key)
    hub.add_webhook(URL, other)
    again = hub.http(key).post("/api/v1/webhooks", {"url": URL})
    assert (again.status, again.json["error"]) == (409, "already_exists")
    moved = hub.http(key).patch(f"/api/v1/webhooks/{made['id']}", {"url": URL + "/2"})
    assert moved.status == 409
    assert show(hub, made, key)["url"] == URL
    assert len(hub.http(key).get("/api/v1/webhooks").json["webhooks"]) == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": 17}, "/url"),
        ({"url": ""}, "/url"),
        ({"url": "example.com"}, "/url"),
        ({"url": "ftp://example.com/"}, "/url"),
        ({"url": "file:///etc/passwd"}, "/url"),
        ({"url": "https://user:word@example.com/"}, "/url"),
        ({"url": "https://example.com/#part"}, "/url"),
        ({"url": "https://example.com/a b"}, "/url"),
        ({"url": URL, "events": []}, "/events"),
        ({"url": URL, "events": "job.failed"}, "/events"),
        ({"url": URL, "events": ["job.failed", "job.lost"]}, "/events/1"),
        ({"url": URL, "secret": "whsec_c2hvcnQ="}, "/secret"),
        ({"url": URL, "secret": "not one"}, "/secret"),
        ({"url": URL, "description": "x" * 5000}, "/description"),
        ({"url": URL, "colour": "red"}, "/colour"),
    ],
)
def test_an_endpoint_with_wrong_members_is_not_made(hub, body, pointer):
    key = hub.make_key()
    answer = hub.http(key).post("/api/v1/webhooks", body)
    assert (answer.status, answer.json["error"]) == (422, "validation_error")
    assert [one["pointer"] for one in answer.json["errors"]] == [pointer]
    assert hub.http(key).get("/api/v1/webhooks").json["webhooks"] == []


def test_a_foreign_endpoint_answers_as_one_that_does_not_exist(hub):
    foreign = hub.add_webhook(URL, hub.make_key())
    nowhere = foreign["id"][:-8] + "".join(reversed(foreign["id"][-8:]))
    for method, path in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/enable")]:
        bodies = set()
        for endpoint in (foreign["id"], nowhere, "we_nonsense"):
            answer = hub.http(hub.client).request(method, f"/api/v1/webhooks/{endpoint}{path}", {})
            assert answer.status == 404, (method, endpoint, answer)
            bodies.add(answer.body.replace(endpoint.encode(), b"<id>"))
        assert len(bodies) == 1
    assert show(hub, foreign, hub.admin)["url"] == URL


def test_plain_http_is_refused_where_it_is_not_allowed(make_hub):
    hub = make_hub()
    for path, member in [("/webhooks", "url"), ("/jobs", "webhook_url")]:
        answer = hub.http(hub.client).post(f"/api/v1{path}", {member: "http://example.com/"})
        assert answer.status == 422
        assert [one["pointer"] for one in answer.json["errors"]] == [f"/{member}"]


# --- deliveries -------------------------------------------------------------------------------------------------------


def test_a_delivery_has_the_form_of_the_contract(hub):
    key = hub.make_key()
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    with Receiver() as receiver:
        hub.add_webhook(receiver.url("/a/b?c=d"), key, secret=secret)
        job = hub.submit(key)
        done = hub.finish(job, result={"n": [1, 2]})
        (hook,) = receiver.wait_for_count(1)
    assert hook.path == "/a/b?c=d"
    assert hook.fields["content-type"] == "application/json"
    assert hook.fields["user-agent"].startswith("carillon/")
    assert hook.id.startswith("msg_") and hook.is_signed_with(secret)
    assert hook.json.keys() == {"type", "timestamp", "data"}
    assert hook.json["type"] == "job.succeeded"
    assert hook.json["timestamp"] == done["updated_at"][:19] + "Z"
    assert hook.json["data"] == {
        "job_id": job, "status": "succeeded", "result": {"n": [1, 2]}, "error": None, "ts": done["ts"],
        "seq": done["seq"],
    }  # fmt: skip


def test_only_the_events_that_are_wanted_are_sent(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        hub.add_webhook(receiver.url("/default"), key)
        hub.add_webhook(receiver.url("/progress"), key, events=["job.progress", "job.queued"])
        job = hub.submit(key)
        hub.report(job, "running")
        hub.report(job, progress={"page": 1})
        hub.report(job, "failed", error="no")
        hooks = receiver.wait_for_count(3)
    told = {(hook.path, hook.json["type"]) for hook in hooks}
    assert told == {("/default", "job.failed"), ("/progress", "job.queued"), ("/progress", "job.progress")}
    (progress,) = [hook for hook in hooks if hook.json["type"] == "job.progress"]
    assert progress.json["data"]["progress"] == {"page": 1}


def test_a_failed_attempt_is_repeated_under_the_same_id(make_hub):
    statuses = iter([503, 500])
    with Receiver(lambda received: next(statuses, 200)) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "0,2")
        endpoint = hub.add_webhook(receiver.url())
        hub.finish(hub.submit())
        hooks = receiver.wait_for_count(3)
        assert len({hook.id for hook in hooks}) == 1
        assert len({hook.body for hook in hooks}) == 1
        assert all(hook.is_signed_with(endpoint["secret"]) for hook in hooks)
        # The attempt is the timestamp's, and so the signature's.
        assert int(hooks[2].fields["webhook-timestamp"]) > int(hooks[0].fields["webhook-timestamp"])
        # What was delivered is not sent again: the next that comes is another.
        hub.finish(hub.submit())
        assert receiver.wait_for_count(4)[3].id != hooks[0].id


def test_retry_after_is_honoured(make_hub):
    answers = iter([(503, {"Retry-After": "2"}), (429, {"Retry-After": "1"})])
    with Receiver(lambda received: next(answers, 200)) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "0,0,0,0")
        hub.add_webhook(receiver.url())
        hub.finish(hub.submit())
        first, second, third = receiver.wait_for_count(3)
        assert 1.9 < second.at - first.at < 10
        assert 0.9 < third.at - second.at < 10


def test_an_endpoint_that_does_not_answer_in_time_is_tried_again(make_hub):
    late = threading.Event()

    def answer(received):
        if not late.is_set():
            late.wait(30)
        return 200

    with Receiver(answer) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, *RETRY_SOON, "--webhooks-timeout-s", "1")
        endpoint = hub.add_webhook(receiver.url())
        hub.finish(hub.submit())
        wait_until(lambda: show(hub, endpoint)["failing_since"])
        late.set()
        hooks = receiver.wait_for_count(2)
        assert len({hook.id for hook in hooks}) == 1
        wait_until(lambda: not show(hub, endpoint)["failing_since"])


def test_gone_disables_an_endpoint_until_it_is_enabled(make_hub):
    statuses = iter([410])
    with Receiver(lambda received: next(statuses, 200)) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, *RETRY_SOON)
        endpoint = hub.add_webhook(receiver.url("/gone"))
        hub.add_webhook(receiver.url("/other"), hub.make_key())
        hub.finish(hub.submit())
        receiver.wait_for_count(1)
        wait_until(lambda: show(hub, endpoint)["status"] == "disabled")
        assert "410" in show(hub, endpoint)["disabled_reason"]
        missed = hub.submit()
        hub.finish(missed)

        answer = hub.http(hub.client).post(f"/api/v1/webhooks/{endpoint['id']}/enable")
        assert answer.status == 200
        assert (answer.json["status"], answer.json["disabled_reason"]) == ("enabled", None)
        heard = hub.submit()
        hub.finish(heard)
        hooks = receiver.wait_for_count(2)
        assert hooks[1].job == heard and missed not in {hook.job for hook in hooks}


def test_a_redirect_is_not_followed(make_hub):
    answers = iter([(302, {"Location": "/elsewhere"}), (307, {"Location": "/elsewhere"})])
    with Receiver(lambda received: next(answers, 200)) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, *RETRY_SOON)
        hub.add_webhook(receiver.url("/here"))
        hub.finish(hub.submit())
        hooks = receiver.wait_for_count(3)
        assert {hook.path for hook in hooks} == {"/here"} and len({hook.id for hook in hooks}) == 1


def test_a_removed_endpoint_gets_nothing_more(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        removed = hub.add_webhook(receiver.url("/removed"), key)
        hub.add_webhook(receiver.url("/kept"), key)
        assert hub.http(key).delete(f"/api/v1/webhooks/{removed['id']}").status == 204
        for _ in range(3):
            hub.finish(hub.submit(key))
        assert {hook.path for hook in receiver.wait_for_count(3)} == {"/kept"}


def test_a_changed_endpoint_is_told_by_its_new_terms(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url("/old"), key)
        path = f"/api/v1/webhooks/{endpoint['id']}"
        assert hub.http(key).patch(path, {"url": receiver.url("/new"), "events": ["job.running"]}).status == 200
        hub.finish(hub.submit(key))
        hub.finish(hub.submit(key))
        hooks = receiver.wait_for_count(2)
    assert {(hook.path, hook.json["type"]) for hook in hooks} == {("/new", "job.running")}
    assert all(hook.is_signed_with(endpoint["secret"]) for hook in hooks)


# --- of a single job --------------------------------------------------------------------------------------------------


def test_a_job_names_a_webhook_of_its_own(hub):
    key = hub.make_key()
    secret = "whsec_" + "QUJD" * 8
    with Receiver() as receiver:
        job = hub.submit(key, webhook_url=receiver.url("/own"), webhook_events=["job.running"], webhook_secret=secret)
        other = hub.submit(key, webhook_url=receiver.url("/default"), webhook_secret=secret)
        hub.submit(key)
        hub.finish(job)
        hub.finish(other)
        hooks = receiver.wait_for_count(2)
    assert {(hook.path, hook.job, hook.json["type"]) for hook in hooks} == {
        ("/own", job, "job.running"),
        ("/default", other, "job.succeeded"),
    }
    assert all(hook.is_signed_with(secret) for hook in hooks)
    # It is no endpoint of the key's.
    assert hub.http(key).get("/api/v1/webhooks").json["webhooks"] == []


def test_a_jobs_webhook_is_beside_those_of_its_key(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        hub.add_webhook(receiver.url("/endpoint"), key)
        job = hub.submit(key, webhook_url=receiver.url("/job"), webhook_secret="whsec_" + "QUJD" * 8)
        hub.report(job, "failed", error="no")
        hooks = receiver.wait_for_count(2)
    assert {hook.path for hook in hooks} == {"/endpoint", "/job"}
    assert len({hook.id for hook in hooks}) == 2


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"])
def test_a_private_address_is_refused_when_it_is_connected_to(make_hub, host):
    """It is recorded as a failure, and nothing arrives."""
    with Receiver() as receiver:
        hub = make_hub("--webhooks-allow-http")
        endpoint = hub.add_webhook(f"http://{host}:{receiver.port}/{uuid.uuid4()}")
        hub.finish(hub.submit())
        wait_until(lambda: show(hub, endpoint)["failing_since"])
        assert receiver.received == []


def test_only_the_networks_that_are_allowed_are_gone_to(make_hub):
    with Receiver() as receiver:
        hub = make_hub("--webhooks-allow-http", "--webhooks-allow-cidrs", "10.0.0.0/8,127.0.0.2/32")
        endpoint = hub.add_webhook(receiver.url())
        hub.finish(hub.submit())
        wait_until(lambda: show(hub, endpoint)["failing_since"])
        assert receiver.received == []
