"""Accounts and keys over HTTP: made, shown, listed in pages, rotated, ended; and when a key was last used."""

import datetime
import json

import pytest
from harness import metrics
from harness.problems import assert_problem
from harness.waiting import wait_until

NO_KEY = "key_" + "0" * 10 + "1"


def admin(hub):
    return hub.http(hub.admin)


def show_key(hub, key_id):
    answer = admin(hub).get(f"/api/v1/admin/keys/{key_id}")
    assert answer.status == 200, answer
    return answer.json


def pages(hub, what, query, limit):
    """All elements, page by page; no page is longer than asked for, and only the last is shorter."""
    elements, cursor, sizes = [], "", []
    while True:
        answer = admin(hub).get(f"/api/v1/admin/{what}?{query}&limit={limit}{cursor}")
        assert answer.status == 200, answer
        assert answer.json.keys() == {what, "next_cursor"}
        elements += answer.json[what]
        sizes.append(len(answer.json[what]))
        if answer.json["next_cursor"] is None:
            assert all(size == limit for size in sizes[:-1]) and sizes[-1] <= limit
            return elements
        cursor = f"&cursor={answer.json['next_cursor']}"


def assert_in_order(listed):
    """That in which they were made; those of one millisecond in any."""
    made = [one["created_at"] for one in listed]
    assert made == sorted(made)


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def in_future(**delta):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_an_account_is_shown_by_its_name(hub):
    name = hub.make_account()
    shown = admin(hub).get(f"/api/v1/admin/accounts/{name}").json
    assert shown.keys() == {"id", "name", "status", "created_at"}
    assert (shown["name"], shown["status"]) == (name, "active")
    hub.ask_admin(f"/accounts/{name}/suspend")
    assert admin(hub).get(f"/api/v1/admin/accounts/{name}").json["status"] == "suspended"
    assert_problem(admin(hub).get("/api/v1/admin/accounts/nobody"), 404, "not_found")


def test_accounts_are_listed_in_pages_and_by_what_they_are(make_hub):
    hub = make_hub()
    names = [f"tenant-{i}" for i in range(7)]
    for name in names:
        hub.make_account(name)
    hub.ask_admin("/accounts/tenant-3/suspend")
    listed = pages(hub, "accounts", "", 3)
    assert_in_order(listed)
    assert {one["name"] for one in listed} == {"default", *names} and len(listed) == 8
    assert [one["name"] for one in pages(hub, "accounts", "status=suspended", 3)] == ["tenant-3"]
    active = pages(hub, "accounts", "status=active", 7)
    assert {one["name"] for one in active} == {"default", *names} - {"tenant-3"} and len(active) == 7
    assert [one["name"] for one in pages(hub, "accounts", "name=tenant-5", 3)] == ["tenant-5"]
    assert pages(hub, "accounts", "name=tenant", 3) == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=x", "status=gone", "colour=red"])
def test_a_query_of_accounts_that_is_wrong(hub, query):
    pointer = "?" + query.partition("=")[0]
    assert_problem(admin(hub).get(f"/api/v1/admin/accounts?{query}"), 422, "validation_error", pointer)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/name"]),
        ({"name": None}, ["/name"]),
        ({"name": 5}, ["/name"]),
        ({"name": ""}, ["/name"]),
        ({"name": "a/b"}, ["/name"]),
        ({"name": ".."}, ["/name"]),
        ({"name": "x" * 65}, ["/name"]),
        ({"name": "fine", "plan": "gold", "a/b": 1}, ["/plan", "/a~1b"]),
    ],
)
def test_an_account_with_wrong_members(hub, body, pointers):
    answer = admin(hub).post("/api/v1/admin/accounts", body)
    assert_problem(answer, 422, "validation_error", *pointers)
    assert admin(hub).get("/api/v1/admin/accounts/fine").status == 404


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_key_is_shown_by_its_id_and_never_its_secret(hub):
    key = hub.make_key("worker", name="night shift")
    shown = show_key(hub, key.id)
    assert shown.keys() == {"id", "account", "role", "name", "status", "created_at", "expires_at", "last_used_at"}
    assert (shown["id"], shown["account"], shown["role"]) == (key.id, "default", "worker")
    assert (shown["name"], shown["status"]) == ("night shift", "active")
    assert shown["expires_at"] is None and shown["last_used_at"] is None
    assert key not in json.dumps(shown)
    hub.ask_admin(f"/keys/{key.id}/disable")
    assert show_key(hub, key.id)["status"] == "disabled"
    hub.ask_admin(f"/keys/{key.id}/revoke")
    for gone in (key.id, NO_KEY, "nonsense"):
        assert_problem(admin(hub).get(f"/api/v1/admin/keys/{gone}"), 404, "not_found")


def test_keys_are_listed_in_pages_and_by_what_they_are(make_hub):
    hub = make_hub()
    account = hub.make_account()
    made = [hub.make_key(role, account, name=f"{role} {i % 2}") for i, role in enumerate(["client", "worker"] * 4)]
    revoked = hub.make_key("client", account)
    hub.ask_admin(f"/keys/{revoked.id}/revoke")
    of_account = pages(hub, "keys", f"account={account}", 3)
    assert_in_order(of_account)
    assert sorted(one["id"] for one in of_account) == sorted(key.id for key in made)
    assert {one["account"] for one in of_account} == {account}
    everyone = pages(hub, "keys", "", 2)
    assert len({one["id"] for one in everyone}) == len(everyone) == 3 + len(made)
    workers = pages(hub, "keys", f"account={account}&role=worker", 3)
    assert {one["id"] for one in workers} == {key.id for key in made[1::2]} and len(workers) == 4
    assert len(pages(hub, "keys", "role=admin", 3)) == 1
    assert {one["id"] for one in pages(hub, "keys", "name=client%200", 1000)} == {key.id for key in made[::2]}


def test_a_page_goes_on_where_it_was_whatever_happens_meanwhile(make_hub):
    hub = make_hub()
    made = [hub.make_key() for _ in range(4)]
    first = admin(hub).get("/api/v1/admin/keys?limit=5").json
    hub.ask_admin(f"/keys/{first['keys'][-1]['id']}/revoke")
    later = hub.make_key()
    rest = admin(hub).get(f"/api/v1/admin/keys?limit=5&cursor={first['next_cursor']}").json
    seen = {one["id"] for one in first["keys"]}
    assert {one["id"] for one in rest["keys"]} == {key.id for key in made if key.id not in seen} | {later.id}
    assert len(rest["keys"]) == 3


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "cursor=we_1", "role=king", "account=nobody", "name=a&name=b", "colour=red"]
)
def test_a_query_of_keys_that_is_wrong(hub, query):
    pointer = "?" + query.partition("=")[0]
    assert_problem(admin(hub).get(f"/api/v1/admin/keys?{query}"), 422, "validation_error", pointer)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/account"]),
        ({"account": 5}, ["/account"]),
        ({"account": "nobody"}, ["/account"]),
        ({"account": "default", "role": "king"}, ["/role"]),
        ({"account": "default", "role": 1}, ["/role"]),
        ({"account": "default", "name": "x" * 129}, ["/name"]),
        ({"account": "default", "name": "two\nlines"}, ["/name"]),
        ({"account": "default", "expires_in_s": 0}, ["/expires_in_s"]),
        ({"account": "default", "expires_in_s": 1.5}, ["/expires_in_s"]),
        ({"account": "default", "expires_in_s": "1"}, ["/expires_in_s"]),
        ({"account": "default", "expires_in_s": 10**30}, ["/expires_in_s"]),
        ({"account": "default", "expires_at": "tomorrow"}, ["/expires_at"]),
        ({"account": "default", "expires_at": 1730451148}, ["/expires_at"]),
        ({"account": "default", "expires_at": "2020-01-01T00:00:00Z"}, ["/expires_at"]),
        ({"account": "default", "expires_at": "9999-01-01T00:00:00Z"}, ["/expires_at"]),
        ({"account": "default", "expires_at": "2100-01-01T00:00:00Z", "expires_in_s": 5}, ["/expires_at"]),
        ({"account": "default", "colour": "red"}, ["/colour"]),
    ],
)
def test_a_key_with_wrong_members(hub, body, pointers):
    before = len(pages(hub, "keys", "", 1000))
    answer = admin(hub).post("/api/v1/admin/keys", body)
    assert_problem(answer, 422, "validation_error", *pointers)
    assert len(pages(hub, "keys", "", 1000)) == before


def test_a_key_ends_when_it_was_told_to(hub):
    end = in_future(seconds=2).replace(microsecond=0)
    key = hub.make_key(expires_at=end.isoformat())
    assert time_of(show_key(hub, key.id)["expires_at"]) == end
    assert hub.error_of(key) is None
    wait_until(lambda: hub.error_of(key) == "api_key_expired")
    assert show_key(hub, key.id)["status"] == "expired"
    in_an_hour = hub.make_key(expires_in_s=3600)
    ends_in = time_of(show_key(hub, in_an_hour.id)["expires_at"]) - in_future()
    assert datetime.timedelta(minutes=59) < ends_in < datetime.timedelta(minutes=61)


# --- rotation ---------------------------------------------------------------------------------------------------------


def test_a_rotated_secret_is_taken_for_the_overlap(hub):
    key = hub.make_key()
    rotated = hub.ask_admin(f"/keys/{key.id}/rotate", {"overlap_s": 1})
    assert rotated["id"] == key.id and rotated["key"] != key
    assert time_of(rotated["previous_valid_until"]) < in_future(seconds=2)
    assert hub.error_of(rotated["key"]) is None
    wait_until(lambda: hub.error_of(key) == "invalid_api_key")
    assert hub.error_of(rotated["key"]) is None


def test_without_an_overlap_the_old_secret_ends_at_once(hub):
    key = hub.make_key()
    new = hub.ask_admin(f"/keys/{key.id}/rotate", {"overlap_s": 0})["key"]
    hub.wait_for_key(key, "invalid_api_key")
    assert hub.error_of(new) is None


def test_unless_said_otherwise_it_is_a_day(hub):
    key = hub.make_key()
    rotated = hub.ask_admin(f"/keys/{key.id}/rotate")
    overlap = time_of(rotated["previous_valid_until"]) - in_future()
    assert datetime.timedelta(hours=23) < overlap <= datetime.timedelta(hours=24)
    hub.wait_for_key(key, None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"overlap_s": -1}, "/overlap_s"), ({"overlap_s": 30 * 86400 + 1}, "/overlap_s"), ({"overlap": 5}, "/overlap"),
     ({"overlap_s": "1h"}, "/overlap_s")],
)  # fmt: skip
def test_a_rotation_with_wrong_members(hub, body, pointer):
    key = hub.make_key()
    answer = admin(hub).post(f"/api/v1/admin/keys/{key.id}/rotate", body)
    assert_problem(answer, 422, "validation_error", pointer)
    assert hub.error_of(key) is None


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/accounts", "/accounts/default", "/keys", "/keys/" + NO_KEY])
def test_only_an_administrator_may_look(hub, path):
    for key in (hub.client, hub.worker):
        assert_problem(hub.http(key).get(f"/api/v1/admin{path}"), 403, "forbidden")
    assert_problem(hub.http().get(f"/api/v1/admin{path}"), 401, "missing_api_key")


# --- last used --------------------------------------------------------------------------------------------------------


def test_when_a_key_was_last_used(make_hub):
    hub = make_hub("--store-key-uses-s", "1")
    key = hub.make_key()
    other = hub.make_key()
    assert show_key(hub, key.id)["last_used_at"] is None
    assert hub.error_of(key) is None
    first = wait_until(lambda: show_key(hub, key.id)["last_used_at"])
    assert abs(time_of(first) - in_future()) < datetime.timedelta(seconds=10)

    # Also on one connection that stays, where the key is not looked up each time.
    connection = hub.http(key).connect()

    def used_after(time):
        connection.request("GET", "/api/v1/jobs/x", headers={"X-API-Key": key})
        connection.getresponse().read()
        used_at = show_key(hub, key.id)["last_used_at"]
        return used_at if used_at > time else None

    second = wait_until(lambda: used_after(first))
    assert wait_until(lambda: used_after(second))
    connection.close()
    assert show_key(hub, other.id)["last_used_at"] is None
    listed = {one["id"]: one for one in pages(hub, "keys", "", 1000)}
    assert listed[key.id]["last_used_at"] and listed[other.id]["last_used_at"] is None


def test_uses_cost_no_commit_each(make_hub):
    hub = make_hub("--store-key-uses-s", "3600")
    commits = "carillon_commit_changes_count"
    before = metrics.read(hub)
    key = hub.make_key()
    for _ in range(50):
        assert hub.error_of(key) is None
    after = metrics.read(hub)
    assert after[commits] - before[commits] <= 1, "the key that was made, and nothing else"
    # What is noted is written when the hub ends.
    hub.stop()
    hub.start()
    assert show_key(hub, key.id)["last_used_at"]


def test_a_refused_key_is_not_used(make_hub):
    hub = make_hub("--store-key-uses-s", "1")
    key, good = hub.make_key(), hub.make_key()
    hub.ask_admin(f"/keys/{key.id}/disable")
    hub.wait_for_key(key, "api_key_disabled")
    assert hub.error_of(good) is None
    wait_until(lambda: show_key(hub, good.id)["last_used_at"])
    assert show_key(hub, key.id)["last_used_at"] is None


# --- the commands -----------------------------------------------------------------------------------------------------


def test_the_commands_have_all_of_it(make_hub):
    hub = make_hub("--store-key-uses-s", "1")
    account = hub.make_account()
    end = in_future(days=3).replace(microsecond=0)
    made = hub.command("key", "create", "--account", account, "--expires-at", end.isoformat(), "--json")
    made = json.loads(made.stdout)
    assert time_of(made["expires_at"]) == end
    assert hub.error_of(made["key"]) is None
    wait_until(lambda: show_key(hub, made["id"])["last_used_at"])
    listed = json.loads(hub.command("key", "list", "--account", account, "--json").stdout)["keys"]
    assert [one["id"] for one in listed] == [made["id"]] and listed[0]["last_used_at"]
    assert "last_used_at" in hub.command("key", "list").stdout
    assert json.loads(hub.command("key", "list", "--account", account, "--role", "worker", "--json").stdout) == {
        "keys": []
    }
    new = hub.command("key", "rotate", made["id"], "--overlap", "0s").stdout.strip()
    hub.wait_for_key(made["key"], "invalid_api_key")
    assert hub.error_of(new) is None


def test_a_list_may_be_longer_than_a_page(make_hub):
    hub = make_hub()
    for i in range(1010):
        hub.make_account(f"tenant-{i}")
    listed = json.loads(hub.command("account", "list", "--json").stdout)["accounts"]
    assert len(listed) == 1011
    assert {one["name"] for one in listed} == {"default", *(f"tenant-{i}" for i in range(1010))}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["create", "--account", "default", "--expires-at", "tomorrow"], "tomorrow"),
        (["create", "--account", "default", "--expires-at", "2100-01-01T00:00:00Z", "--expires-in", "5s"], "excludes"),
        (["rotate", NO_KEY, "--overlap", "soon"], "soon"),
        (["list", "--role", "king"], "king"),
    ],
)
def test_a_misused_command(make_hub, arguments, word):
    hub = make_hub()
    done = hub.command("key", *arguments, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and word in done.stderr, done
