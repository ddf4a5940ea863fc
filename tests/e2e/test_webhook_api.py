"""The calls on webhooks and their deliveries: every one, every wrong member, and who may see what."""

import datetime
import hashlib
import hmac
import time
import uuid

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.receiver import Receiver
from harness.waiting import wait_until

URL = "https://example.com/hook"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NO_RETRIES = ("--webhooks-retry-delays-s", "0")  # two attempts, one at once after the other
LONG_RETRIES = ("--webhooks-retry-delays-s", "3600")


def path_of(endpoint, call=""):
    return f"/api/v1/webhooks/{endpoint['id']}{call}"


def show(hub, endpoint, key=None):
    answer = hub.http(key or hub.client).get(path_of(endpoint))
    assert answer.status == 200, answer
    return answer.json


def deliveries(hub, endpoint, key=None, query=""):
    answer = hub.http(key or hub.client).get(path_of(endpoint, "/deliveries") + query)
    assert answer.status == 200, answer
    return answer.json["deliveries"]


def delivery(hub, delivery_id, key=None):
    answer = hub.http(key or hub.client).get(f"/api/v1/deliveries/{delivery_id}")
    assert answer.status == 200, answer
    return answer.json


def wait_for_status(hub, endpoint, status, count=1, key=None):
    """The deliveries, once so many of them have come to that."""
    return wait_until(
        lambda: (
            found if len(found := deliveries(hub, endpoint, key, f"?status={status}&limit=100")) >= count else None
        )
    )


def assert_wrong(answer, *pointers):
    assert (answer.status, answer.json["error"]) == (422, "validation_error"), answer
    assert [one["pointer"] for one in answer.json["errors"]] == list(pointers)


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


# --- what an endpoint says --------------------------------------------------------------------------------------------


def test_an_endpoint_is_all_that_it_was_made_with(hub):
    key = hub.make_key()
    wanted = {
        "description": "to the till",
        "events": ["job.running", "job.failed"],
        "headers": {"X-Till": "7", "Authorization": "Bearer abc"},
        "signing": "ed25519",
        "ordered": True,
        "max_per_second": 5,
        "legacy_signature": "X-Old-Signature",
    }
    made = hub.add_webhook(URL, key, **wanted)
    assert {name: made[name] for name in wanted} == wanted
    assert made["secret"].startswith("whsec_") and made["public_key"].startswith("whpk_")
    assert (made["kind"], made["owner"], made["status"]) == ("registered", key.id, "enabled")
    assert (made["disabled_reason"], made["failing_since"], made["held_until"]) == (None, None, None)
    made.pop("secret")
    assert show(hub, made, key) == made


def test_an_endpoint_has_defaults(hub):
    made = hub.add_webhook(URL, hub.make_key(), headers=None, signing=None, ordered=None, max_per_second=None)
    assert (made["headers"], made["signing"], made["ordered"], made["max_per_second"]) == ({}, "hmac", False, 0)
    assert made["legacy_signature"] is None and "public_key" not in made


def test_a_secret_of_ones_own_is_taken(hub):
    assert hub.add_webhook(URL, hub.make_key(), secret=SECRET)["secret"] == SECRET


def test_each_member_can_be_changed_and_taken_back(hub):
    key = hub.make_key()
    made = hub.add_webhook(URL, key)
    made.pop("secret")
    http = hub.http(key)
    changes = {
        "url": URL + "/2",
        "description": "another",
        "events": ["job.queued"],
        "headers": {"X-Till": "8"},
        "ordered": True,
        "max_per_second": 9,
        "legacy_signature": "X-Old",
    }
    for name, value in changes.items():
        before = show(hub, made, key)
        changed = http.patch(path_of(made), {name: value})
        assert changed.status == 200 and changed.json == {**before, name: value} == show(hub, made, key)
    cleared = http.patch(path_of(made), dict.fromkeys(changes.keys() - {"url"}))
    assert cleared.json == {**made, "url": URL + "/2"} == show(hub, made, key)
    assert http.patch(path_of(made), {}).json == cleared.json


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"headers": ["X-Till: 7"]}, ["/headers"]),
        ({"headers": {"X-Till": 7}}, ["/headers/X-Till"]),
        ({"headers": {"X-Till": ""}}, ["/headers/X-Till"]),
        ({"headers": {"X-Till": "7\r\nHost: b"}}, ["/headers/X-Till"]),
        ({"headers": {"X-Till": "x" * 1025}}, ["/headers/X-Till"]),
        ({"headers": {"x" * 129: "7"}}, ["/headers/" + "x" * 129]),
        ({"headers": {"X Till": "7"}}, ["/headers/X Till"]),
        ({"headers": {"a": "1", "A": "2"}}, ["/headers/A"]),
        ({"headers": {f"h{n}": "v" for n in range(21)}}, ["/headers"]),
        ({"headers": {"Connection": "close"}}, ["/headers/Connection"]),
        ({"headers": {"keep-alive": "5"}}, ["/headers/keep-alive"]),
        ({"headers": {"Proxy-Authorization": "x"}}, ["/headers/Proxy-Authorization"]),
        ({"headers": {"TE": "trailers"}}, ["/headers/TE"]),
        ({"headers": {"Trailer": "x"}}, ["/headers/Trailer"]),
        ({"headers": {"Transfer-Encoding": "chunked"}}, ["/headers/Transfer-Encoding"]),
        ({"headers": {"Upgrade": "h2c"}}, ["/headers/Upgrade"]),
        ({"headers": {"Host": "b.example"}}, ["/headers/Host"]),
        ({"headers": {"Content-Length": "1"}}, ["/headers/Content-Length"]),
        ({"headers": {"Content-Type": "text/plain"}}, ["/headers/Content-Type"]),
        ({"headers": {"Content-Encoding": "gzip"}}, ["/headers/Content-Encoding"]),
        ({"headers": {"Expect": "100-continue"}}, ["/headers/Expect"]),
        ({"headers": {"User-Agent": "me"}}, ["/headers/User-Agent"]),
        ({"headers": {"Webhook-Id": "1"}}, ["/headers/Webhook-Id"]),
        ({"headers": {"X-Old": "1"}, "legacy_signature": "x-old"}, ["/headers/X-Old"]),
        ({"ordered": "yes"}, ["/ordered"]),
        ({"max_per_second": -1}, ["/max_per_second"]),
        ({"max_per_second": 10001}, ["/max_per_second"]),
        ({"max_per_second": 0.5}, ["/max_per_second"]),
        ({"legacy_signature": ""}, ["/legacy_signature"]),
        ({"legacy_signature": "no name"}, ["/legacy_signature"]),
        ({"legacy_signature": "webhook-signature"}, ["/legacy_signature"]),
        ({"legacy_signature": "host"}, ["/legacy_signature"]),
        ({"ordered": 1, "colour": "red"}, ["/ordered", "/colour"]),
    ],
)
def test_wrong_members_are_named_and_nothing_is_made_or_changed(hub, body, pointers):
    key = hub.make_key()
    assert_wrong(hub.http(key).post("/api/v1/webhooks", {"url": URL, **body}), *pointers)
    assert hub.http(key).get("/api/v1/webhooks").json["webhooks"] == []
    made = hub.add_webhook(URL, key)
    made.pop("secret")
    assert_wrong(hub.http(key).patch(path_of(made), body), *pointers)
    assert show(hub, made, key) == made


def test_what_cannot_be_changed_says_so(hub):
    key = hub.make_key()
    made = hub.add_webhook(URL, key)
    http = hub.http(key)
    for body, words in [({"secret": SECRET}, "rotate-secret"), ({"signing": "ed25519"}, "cannot be changed")]:
        answer = http.patch(path_of(made), body)
        assert_wrong(answer, f"/{next(iter(body))}")
        assert words in answer.json["detail"]
    for body in ({"url": None}, {"status": None}, {"status": "gone"}, {"id": "we_1"}):
        assert_wrong(http.patch(path_of(made), body), f"/{next(iter(body))}")
    assert_wrong(http.post("/api/v1/webhooks", {"url": URL + "/2", "status": "disabled"}), "/status")
    assert_wrong(http.post("/api/v1/webhooks", {"url": URL + "/2", "signing": "rsa"}), "/signing")


def test_a_header_and_the_legacy_signature_may_not_be_one_even_in_turn(hub):
    key = hub.make_key()
    made = hub.add_webhook(URL, key, headers={"X-Till": "7"})
    assert_wrong(hub.http(key).patch(path_of(made), {"legacy_signature": "x-till"}), "/headers/X-Till")
    assert hub.http(key).patch(path_of(made), {"legacy_signature": "x-till", "headers": None}).status == 200
    assert_wrong(hub.http(key).patch(path_of(made), {"headers": {"X-Till": "7"}}), "/headers/X-Till")


def test_a_key_has_so_many_webhooks_and_no_more(make_hub):
    hub = make_hub("--webhooks-endpoints-per-key", "2")
    first, _ = hub.add_webhook(URL + "/1"), hub.add_webhook(URL + "/2")
    answer = hub.http(hub.client).post("/api/v1/webhooks", {"url": URL + "/3"})
    assert (answer.status, answer.json["error"]) == (409, "limit_reached")
    assert hub.http(hub.client).delete(path_of(first)).status == 204
    hub.add_webhook(URL + "/3")
    hub.add_webhook(URL, hub.make_key())


# --- who may ----------------------------------------------------------------------------------------------------------

CALLS = [
    ("GET", "", None),
    ("PATCH", "", {"description": "mine"}),
    ("PATCH", "", {"colour": "red"}),
    ("DELETE", "", None),
    ("POST", "/enable", None),
    ("POST", "/enable", {"colour": "red"}),
    ("POST", "/test", None),
    ("POST", "/rotate-secret", None),
    ("POST", "/rotate-secret", {"secret": "no"}),
    ("POST", "/replay", {"since": 0}),
    ("POST", "/replay", {}),
    ("GET", "/deliveries", None),
    ("GET", "/deliveries?limit=0", None),
]


@pytest.mark.parametrize(("method", "call", "body"), CALLS)
def test_a_foreign_webhook_answers_as_one_that_does_not_exist(hub, method, call, body):
    owner = hub.make_key()
    foreign = hub.add_webhook(URL, owner)
    foreign.pop("secret")
    answers = set()
    for endpoint in (foreign["id"], "we_1", "we_nonsense!", "dlv_1"):
        answer = hub.http(hub.client).request(method, f"/api/v1/webhooks/{endpoint}{call}", body)
        assert (answer.status, answer.json["error"]) == (404, "not_found"), answer
        answers.add(answer.body.replace(endpoint.encode(), b"<id>"))
    assert len(answers) == 1
    assert show(hub, foreign, owner) == foreign


def test_a_foreign_delivery_answers_as_one_that_does_not_exist(hub):
    owner = hub.make_key()
    endpoint = hub.add_webhook("https://127.0.0.1:1/", owner)
    foreign = hub.http(owner).post(path_of(endpoint, "/test")).json["id"]
    for method, call, body in [("GET", "", None), ("POST", "/redeliver", None), ("POST", "/redeliver", {"a": 1})]:
        answers = set()
        for name in (foreign, "dlv_99999999", "dlv_nonsense!", endpoint["id"]):
            answer = hub.http(hub.client).request(method, f"/api/v1/deliveries/{name}{call}", body)
            assert (answer.status, answer.json["error"]) == (404, "not_found"), answer
            answers.add(answer.body.replace(name.encode(), b"<id>"))
        assert len(answers) == 1
    assert delivery(hub, foreign, owner)["id"] == foreign


def test_the_deliveries_of_a_removed_webhook_are_not_shown(hub):
    key = hub.make_key()
    endpoint = hub.add_webhook("https://127.0.0.1:1/", key)
    made = hub.http(key).post(path_of(endpoint, "/test")).json
    assert hub.http(key).delete(path_of(endpoint)).status == 204
    assert hub.http(key).get(f"/api/v1/deliveries/{made['id']}").status == 404


def test_a_worker_may_nothing_and_an_administrator_all_but_own(hub):
    endpoint = hub.add_webhook("https://127.0.0.1:1/", hub.make_key())
    made = hub.http(hub.admin).post(path_of(endpoint, "/test"))
    assert made.status == 202
    paths = [(method, path_of(endpoint, call), body) for method, call, body in CALLS]
    paths += [("GET", f"/api/v1/deliveries/{made.json['id']}", None)]
    paths += [("POST", f"/api/v1/deliveries/{made.json['id']}/redeliver", None)]
    paths += [("GET", "/api/v1/webhook-secret", None), ("POST", "/api/v1/webhook-secret/rotate", None)]
    for method, path, body in paths:
        answer = hub.http(hub.worker).request(method, path, body)
        assert (answer.status, answer.json["error"]) == (403, "forbidden"), (method, path)
    for method, path, status in [
        ("GET", path_of(endpoint), 200),
        ("GET", path_of(endpoint, "/deliveries"), 200),
        ("GET", f"/api/v1/deliveries/{made.json['id']}", 200),
        ("POST", f"/api/v1/deliveries/{made.json['id']}/redeliver", 202),
        ("POST", path_of(endpoint, "/rotate-secret"), 200),
        ("POST", path_of(endpoint, "/enable"), 200),
        ("DELETE", path_of(endpoint), 204),
        ("GET", "/api/v1/webhook-secret", 403),
        ("POST", "/api/v1/webhook-secret/rotate", 403),
    ]:
        assert hub.http(hub.admin).request(method, path).status == status, (method, path)


def test_the_account_widens_whose_webhooks_are_seen(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, "--ownership", "account")
    owner, sibling, stranger = hub.make_key(), hub.make_key(), hub.make_key("client", hub.make_account())
    endpoint = hub.add_webhook("https://127.0.0.1:1/", owner)
    made = hub.http(sibling).post(path_of(endpoint, "/test"))
    assert made.status == 202
    assert show(hub, endpoint, sibling)["owner"] == owner.id
    assert delivery(hub, made.json["id"], sibling)["webhook_id"] == endpoint["id"]
    for path in (path_of(endpoint), path_of(endpoint, "/deliveries"), f"/api/v1/deliveries/{made.json['id']}"):
        assert hub.http(stranger).get(path).status == 404


# --- lists ------------------------------------------------------------------------------------------------------------


def all_pages(http, path, member, limit):
    found, cursor = [], ""
    while True:
        answer = http.get(f"{path}limit={limit}{cursor}")
        assert answer.status == 200 and answer.json.keys() == {member, "next_cursor"}
        assert len(answer.json[member]) <= limit
        found += answer.json[member]
        if answer.json["next_cursor"] is None:
            return found
        cursor = f"&cursor={answer.json['next_cursor']}"


def test_webhooks_come_in_pages(hub):
    key = hub.make_key()
    made = {hub.add_webhook(f"{URL}/{n}", key)["id"] for n in range(5)}
    for limit in (1, 2, 5, 6, 1000):
        listed = all_pages(hub.http(key), "/api/v1/webhooks?", "webhooks", limit)
        assert len(listed) == 5 and {one["id"] for one in listed} == made
        assert all("secret" not in one for one in listed)


def test_those_of_jobs_are_listed_apart_and_can_only_be_switched(hub):
    key = hub.make_key()
    registered = hub.add_webhook(URL, key)
    hub.submit(key, webhook_url=URL)
    http = hub.http(key)
    assert [one["id"] for one in http.get("/api/v1/webhooks").json["webhooks"]] == [registered["id"]]
    assert [one["id"] for one in http.get("/api/v1/webhooks?kind=registered").json["webhooks"]] == [registered["id"]]
    (of_jobs,) = http.get("/api/v1/webhooks?kind=jobs").json["webhooks"]
    assert (of_jobs["kind"], of_jobs["url"]) == ("jobs", URL)
    assert show(hub, of_jobs, key) == of_jobs
    for answer in (http.patch(path_of(of_jobs), {"description": "x"}), http.post(path_of(of_jobs, "/rotate-secret"))):
        assert (answer.status, answer.json["error"]) == (409, "webhook_of_jobs")
    assert http.patch(path_of(of_jobs), {"status": "disabled"}).json["status"] == "disabled"
    assert http.post(path_of(of_jobs, "/enable")).json["status"] == "enabled"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("kind=other", "?kind"),
        ("limit=0", "?limit"),
        ("limit=1001", "?limit"),
        ("limit=ten", "?limit"),
        ("cursor=we_!", "?cursor"),
        ("cursor=dlv_1", "?cursor"),
        ("colour=red", "?colour"),
        ("limit=5&limit=6", "?limit"),
    ],
)
def test_a_wrong_query_of_webhooks_is_named(hub, query, pointer):
    assert_wrong(hub.http(hub.client).get(f"/api/v1/webhooks?{query}"), pointer)
    assert_wrong(hub.http(hub.admin).get(f"/api/v1/admin/webhooks?{query}"), pointer)


def test_an_administrator_lists_everyones(hub):
    account = hub.make_account()
    one, two, other = hub.make_key("client", account), hub.make_key("client", account), hub.make_key()
    made = {key.id: hub.add_webhook(URL, key)["id"] for key in (one, two, other)}
    http = hub.http(hub.admin)

    def ids(query):
        return {one["id"] for one in all_pages(http, f"/api/v1/admin/webhooks?{query}", "webhooks", 2)}

    assert set(made.values()) <= ids("")
    assert ids(f"account={account}&") == {made[one.id], made[two.id]}
    assert ids(f"key={other.id}&") == {made[other.id]}
    assert ids(f"account={account}&key={other.id}&") == set()
    assert ids(f"account={account}&kind=jobs&") == set()
    (shown,) = http.get(f"/api/v1/admin/webhooks?key={two.id}").json["webhooks"]
    assert (shown["account"], shown["owner"]) == (account, two.id) and "secret" not in shown
    hub.ask_admin(f"/keys/{two.id}/revoke")
    for query in ("", f"&account={account}"):
        (shown,) = http.get(f"/api/v1/admin/webhooks?key={two.id}{query}").json["webhooks"]
        assert shown["account"] == account, "also of a key that is no more"
    assert_wrong(http.get("/api/v1/admin/webhooks?account=nobody"), "?account")
    assert_wrong(http.get("/api/v1/admin/webhooks?key=nonsense"), "?key")
    for key in (hub.client, hub.worker):
        assert hub.http(key).get("/api/v1/admin/webhooks").status == 403


# --- deliveries -------------------------------------------------------------------------------------------------------


def test_a_delivery_is_shown_with_its_attempts(make_hub):
    answers = iter([(500, {}, b"no \xff, not now"), (404, {}, b"x" * 5000)])
    with Receiver(lambda received: next(answers, 200)) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "0,0")
        endpoint = hub.add_webhook(receiver.url())
        job = hub.submit()
        done = hub.finish(job)
        (listed,) = wait_for_status(hub, endpoint, "delivered")
        hooks = receiver.wait_for_count(3)
    shown = delivery(hub, listed["id"])
    attempts = shown.pop("attempts")
    assert shown == listed
    assert shown == {
        "id": listed["id"], "webhook_id": endpoint["id"], "message_id": hooks[0].id, "event": "job.succeeded",
        "job_id": job, "seq": done["seq"], "status": "delivered", "attempt_count": 3, "next_attempt_at": None,
        "created_at": shown["created_at"],
    }  # fmt: skip
    assert [(one["number"], one["status"], one["error"]) for one in attempts] == [
        (1, 500, None), (2, 404, None), (3, 200, None)]  # fmt: skip
    assert attempts[0]["response"] == "no \N{REPLACEMENT CHARACTER}, not now"
    assert attempts[1]["response"] == "x" * 1024 and attempts[2]["response"] == ""
    assert all(0 <= one["duration_ms"] < 10_000 for one in attempts)
    assert all(abs(time_of(one["started_at"]) - time.time()) < 60 for one in attempts)


def test_an_attempt_that_got_no_answer_says_why(make_hub):
    with Receiver(listening=False) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, *LONG_RETRIES)
        endpoint = hub.add_webhook(receiver.url())
        hub.finish(hub.submit())
        (listed,) = wait_until(
            lambda: [one for one in deliveries(hub, endpoint, query="?status=pending") if one["attempt_count"] == 1]
        )
        (attempt,) = delivery(hub, listed["id"])["attempts"]
        assert (attempt["status"], attempt["response"]) == (None, "") and attempt["error"]
        assert 2000 < time_of(listed["next_attempt_at"]) - time.time() < 5000


def test_deliveries_come_in_pages_the_newest_first(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "3600")
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), events=["job.queued"])
        jobs = [hub.submit() for _ in range(7)]
        wait_for_status(hub, endpoint, "delivered", 7)
    http = hub.http(hub.client)
    for limit in (1, 3, 7, 8, 100):
        listed = all_pages(http, path_of(endpoint, "/deliveries?"), "deliveries", limit)
        assert [one["job_id"] for one in listed] == list(reversed(jobs))
    assert deliveries(hub, endpoint, query="?status=failed") == []
    assert deliveries(hub, endpoint, query="?status=pending") == []
    pages = all_pages(http, path_of(endpoint, "/deliveries?status=delivered&"), "deliveries", 2)
    assert len(pages) == 7


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("status=lost", "?status"),
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("cursor=we_1", "?cursor"),
        ("before=dlv_1", "?before"),
    ],
)
def test_a_wrong_query_of_deliveries_is_named(hub, query, pointer):
    endpoint = hub.add_webhook(URL, key := hub.make_key())
    assert_wrong(hub.http(key).get(path_of(endpoint, f"/deliveries?{query}")), pointer)


# --- trying, and sending again ----------------------------------------------------------------------------------------


def test_a_test_is_sent_at_once_whatever_the_filter_says(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key, events=["job.queued"])
        answer = hub.http(key).post(path_of(endpoint, "/test"))
        assert answer.status == 202
        made = answer.json
        assert answer.fields["location"] == f"/api/v1/deliveries/{made['id']}"
        assert (made["event"], made["job_id"], made["seq"]) == ("webhook.test", None, None)
        (hook,) = receiver.wait_for_count(1)
        assert hook.id == made["message_id"] and hook.is_signed_with(endpoint["secret"])
        assert hook.json["type"] == "webhook.test" and hook.json["data"] == {"webhook_id": endpoint["id"]}
        wait_for_status(hub, endpoint, "delivered", key=key)
    assert delivery(hub, made["id"], key)["status"] == "delivered"


def test_a_test_reaches_a_disabled_endpoint(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key)
        assert hub.http(key).patch(path_of(endpoint), {"status": "disabled"}).json["status"] == "disabled"
        assert hub.http(key).post(path_of(endpoint, "/test")).status == 202
        receiver.wait_for_count(1)
    assert show(hub, endpoint, key)["status"] == "disabled"


def test_one_delivery_is_sent_again(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key)
        hub.finish(hub.submit(key))
        (first,) = wait_for_status(hub, endpoint, "delivered", key=key)
        again = hub.http(key).post(f"/api/v1/deliveries/{first['id']}/redeliver")
        assert again.status == 202 and again.json["id"] == first["id"]
        assert again.fields["location"] == f"/api/v1/deliveries/{first['id']}"
        hooks = receiver.wait_for_count(2)
        assert hooks[0].id == hooks[1].id == first["message_id"] and hooks[0].body == hooks[1].body
        wait_until(lambda: delivery(hub, first["id"], key)["attempt_count"] == 2)
    assert [one["number"] for one in delivery(hub, first["id"], key)["attempts"]] == [1, 2]
    assert_wrong(hub.http(key).post(f"/api/v1/deliveries/{first['id']}/redeliver", {"now": True}), "/now")


def test_nothing_is_sent_again_to_a_disabled_endpoint(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key)
        hub.finish(hub.submit(key))
        (first,) = wait_for_status(hub, endpoint, "delivered", key=key)
        http = hub.http(key)
        http.patch(path_of(endpoint), {"status": "disabled"})
        for answer in (
            http.post(f"/api/v1/deliveries/{first['id']}/redeliver"),
            http.post(path_of(endpoint, "/replay"), {"since": 0, "status": "all"}),
        ):
            assert (answer.status, answer.json["error"]) == (409, "endpoint_disabled")
        assert answer.json["detail"]
        assert len(receiver.received) == 1


def test_what_failed_is_sent_again(make_hub):
    broken = [True]
    with Receiver(lambda received: 500 if broken[0] else 200) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, *NO_RETRIES)
        endpoint = hub.add_webhook(receiver.url())
        jobs = [hub.submit() for _ in range(20)]
        for job in jobs:
            hub.finish(job)
        failed = wait_for_status(hub, endpoint, "failed", len(jobs))
        broken[0] = False
        before = len(receiver.received)
        answer = hub.http(hub.client).post(path_of(endpoint, "/replay"), {"since": 0})
        assert (answer.status, answer.json) == (200, {"sent_again": len(jobs)})
        wait_for_status(hub, endpoint, "delivered", len(jobs))
        hooks = receiver.wait_for_count(before + len(jobs))[before:]
        assert {hook.id for hook in hooks} == {one["message_id"] for one in failed}
        # Nothing is left that failed; all of it can still be sent again.
        assert hub.http(hub.client).post(path_of(endpoint, "/replay"), {"since": 0}).json == {"sent_again": 0}
        everything = hub.http(hub.client).post(path_of(endpoint, "/replay"), {"since": 0, "status": "all"})
        assert everything.json == {"sent_again": len(jobs)}
        receiver.wait_for_count(before + 2 * len(jobs))


def test_a_replay_has_a_beginning_and_an_end(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key, events=["job.queued"])
        for _ in range(3):
            hub.submit(key)
        newest, middle, oldest = wait_for_status(hub, endpoint, "delivered", 3, key)

        def replay(**body):
            answer = hub.http(key).post(path_of(endpoint, "/replay"), {"status": "all", **body})
            assert answer.status == 200, answer
            wait_until(lambda: deliveries(hub, endpoint, key, "?status=pending") == [])
            return answer.json["sent_again"]

        made_at = [one["created_at"] for one in (oldest, middle, newest)]
        if len(set(made_at)) == 3:
            assert replay(since=made_at[1]) == 2
            assert replay(since=made_at[1], until=made_at[2]) == 1
            assert replay(since=0, until=made_at[0]) == 0
            assert replay(since=made_at[0].replace("Z", "+00:00")) == 3
        assert replay(since=int(time.time()) + 3600) == 0
        assert replay(since=int(time_of(made_at[0])), until=int(time.time()) + 3600) == 3


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/since"),
        ({"since": None}, "/since"),
        ({"since": "yesterday"}, "/since"),
        ({"since": "2026-11-23"}, "/since"),
        ({"since": -1}, "/since"),
        ({"since": 1.5}, "/since"),
        ({"since": 5, "until": 5}, "/until"),
        ({"since": 5, "until": "soon"}, "/until"),
        ({"since": 5, "status": "pending"}, "/status"),
        ({"since": 5, "limit": 10}, "/limit"),
    ],
)
def test_a_wrong_replay_is_named(hub, body, pointer):
    endpoint = hub.add_webhook(URL, key := hub.make_key())
    assert_wrong(hub.http(key).post(path_of(endpoint, "/replay"), body), pointer)


def test_what_a_disabled_endpoint_missed_can_be_sent_again(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key)
        http = hub.http(key)
        http.patch(path_of(endpoint), {"status": "disabled"})
        job = hub.submit(key)
        hub.finish(job)
        (missed,) = wait_for_status(hub, endpoint, "failed", key=key)
        assert missed["attempt_count"] == 0 and delivery(hub, missed["id"], key)["attempts"] == []
        assert http.post(path_of(endpoint, "/enable")).json["status"] == "enabled"
        assert http.post(path_of(endpoint, "/replay"), {"since": 0}).json == {"sent_again": 1}
        (hook,) = receiver.wait_for_count(1)
        assert hook.job == job


def test_a_long_replay_is_done_when_it_is_answered(make_hub):
    """Longer than what is looked at in one commit."""
    count = 1500
    with Receiver() as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS)
        endpoint = hub.add_webhook(receiver.url(), events=["job.queued"])
        http = hub.http(hub.client)
        http.patch(path_of(endpoint), {"status": "disabled"})
        connection = http.connect()
        for _ in range(count):
            connection.request("POST", "/api/v1/jobs", headers={"X-API-Key": hub.client})
            answer = connection.getresponse()
            assert answer.status == 201 and answer.read()
        connection.close()
        http.post(path_of(endpoint, "/enable"))
        assert http.post(path_of(endpoint, "/replay"), {"since": 0}).json == {"sent_again": count}
        hooks = receiver.wait_for_count(count)
    assert len({hook.id for hook in hooks}) == count


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_both_secrets_sign_after_a_rotation(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key)
        answer = hub.http(key).post(path_of(endpoint, "/rotate-secret"))
        assert answer.status == 200 and answer.fields["cache-control"] == "no-store"
        rotated = answer.json
        assert rotated["secret"].startswith("whsec_") and rotated["secret"] != endpoint["secret"]
        assert abs(time_of(rotated["previous_valid_until"]) - time.time() - 24 * 3600) < 60
        assert {"secret", "previous_valid_until"}.isdisjoint(show(hub, endpoint, key))
        hub.finish(hub.submit(key))
        (hook,) = receiver.wait_for_count(1)
        assert hook.is_signed_with(rotated["secret"]) and hook.is_signed_with(endpoint["secret"])
        assert len(hook.fields["webhook-signature"].split(" ")) == 2


def test_a_secret_that_was_seen_by_others_can_end_at_once(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key)
        rotated = hub.http(key).post(path_of(endpoint, "/rotate-secret"), {"secret": SECRET, "overlap_s": 0})
        assert rotated.json["secret"] == SECRET
        hub.finish(hub.submit(key))
        (hook,) = receiver.wait_for_count(1)
        assert hook.is_signed_with(SECRET) and not hook.is_signed_with(endpoint["secret"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"secret": "no"}, "/secret"),
        ({"secret": "whsec_c2hvcnQ="}, "/secret"),
        ({"overlap_s": -1}, "/overlap_s"),
        ({"overlap_s": 2592001}, "/overlap_s"),
        ({"previous": "x"}, "/previous"),
    ],
)
def test_a_wrong_rotation_is_named(hub, body, pointer):
    endpoint = hub.add_webhook(URL, key := hub.make_key())
    assert_wrong(hub.http(key).post(path_of(endpoint, "/rotate-secret"), body), pointer)
    assert_wrong(hub.http(key).post("/api/v1/webhook-secret/rotate", body), pointer)


def test_ed25519_signs_with_a_key_of_the_hubs_own(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key, signing="ed25519", legacy_signature="X-Old")
        hub.finish(hub.submit(key))
        (hook,) = receiver.wait_for_count(1)
        assert hook.is_signed_by(endpoint["public_key"])
        old = "sha256=" + hmac.new(endpoint["secret"].encode(), hook.body, hashlib.sha256).hexdigest()
        assert hook.fields["x-old"] == old
        rotated = hub.http(key).post(path_of(endpoint, "/rotate-secret")).json
        assert rotated["public_key"] != endpoint["public_key"]
        assert show(hub, endpoint, key)["public_key"] == rotated["public_key"]
        hub.finish(hub.submit(key))
        hook = receiver.wait_for_count(2)[1]
        assert hook.is_signed_by(rotated["public_key"]) and hook.is_signed_by(endpoint["public_key"])


def test_headers_of_the_owners_own_and_the_legacy_signature_are_sent(hub):
    key = hub.make_key()
    with Receiver() as receiver:
        headers = {"X-Till": "7 b", "Authorization": "Bearer abc"}
        endpoint = hub.add_webhook(receiver.url(), key, headers=headers, legacy_signature="X-Alterlab-Signature")
        hub.finish(hub.submit(key))
        (hook,) = receiver.wait_for_count(1)
        assert (hook.fields["x-till"], hook.fields["authorization"]) == ("7 b", "Bearer abc")
        # Keyed with the text of the secret, and not with its bytes.
        wanted = hmac.new(endpoint["secret"].encode(), hook.body, hashlib.sha256).hexdigest()
        assert hook.fields["x-alterlab-signature"] == "sha256=" + wanted
        assert hook.is_signed_with(endpoint["secret"])


def test_the_default_secret_signs_for_jobs_and_can_be_rotated(hub):
    account = hub.make_account()
    key, sibling, stranger = hub.make_key("client", account), hub.make_key("client", account), hub.make_key()
    answer = hub.http(key).get("/api/v1/webhook-secret")
    assert answer.status == 200 and answer.fields["cache-control"] == "no-store"
    secret = answer.json["secret"]
    assert answer.json == {"secret": secret} and secret.startswith("whsec_")
    # One an account, and the same each time.
    assert hub.http(sibling).get("/api/v1/webhook-secret").json["secret"] == secret
    assert hub.http(stranger).get("/api/v1/webhook-secret").json["secret"] != secret
    with Receiver() as receiver:
        hub.finish(hub.submit(key, webhook_url=receiver.url("/first")))
        (hook,) = receiver.wait_for_count(1)
        assert hook.is_signed_with(secret)

        answer = hub.http(key).post("/api/v1/webhook-secret/rotate")
        assert answer.status == 200 and answer.fields["cache-control"] == "no-store"
        fresh = answer.json["secret"]
        assert fresh != secret and abs(time_of(answer.json["previous_valid_until"]) - time.time() - 24 * 3600) < 60
        assert hub.http(key).get("/api/v1/webhook-secret").json == {"secret": fresh}
        hub.finish(hub.submit(key, webhook_url=receiver.url("/first")))
        hook = receiver.wait_for_count(2)[1]
        assert hook.is_signed_with(fresh) and hook.is_signed_with(secret)

        own = hub.http(key).post("/api/v1/webhook-secret/rotate", {"secret": SECRET, "overlap_s": 0})
        assert own.json["secret"] == SECRET
        hub.finish(hub.submit(key, webhook_url=receiver.url(f"/{uuid.uuid4()}")))
        hook = receiver.wait_for_count(3)[2]
        assert hook.is_signed_with(SECRET) and not hook.is_signed_with(fresh)


def test_the_overlap_is_a_setting(make_hub):
    hub = make_hub("--webhooks-secret-overlap-s", "60")
    endpoint = hub.add_webhook(URL)
    rotated = hub.http(hub.client).post(path_of(endpoint, "/rotate-secret")).json
    assert abs(time_of(rotated["previous_valid_until"]) - time.time() - 60) < 30


# --- methods ----------------------------------------------------------------------------------------------------------


def test_what_is_not_there_is_not_allowed(hub):
    endpoint = hub.add_webhook(URL, key := hub.make_key())
    http = hub.http(key)
    wrong = [("GET", "/test"), ("GET", "/replay"), ("PUT", ""), ("POST", "/deliveries"), ("GET", "/enable")]
    for method, path in wrong:
        assert http.request(method, path_of(endpoint, path)).status == 405
    assert http.post("/api/v1/webhook-secret").status == 405
    assert http.post(path_of(endpoint, "/disable")).status == 404
    for call in ("/enable", "/test"):
        assert_wrong(http.post(path_of(endpoint, call), {"colour": "red"}), "/colour")
        assert http.post(path_of(endpoint, call), b"{").status == 400
