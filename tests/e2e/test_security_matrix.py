"""Every route of the description, and who may: own, another's, none; without a key, with one that is disabled or whose
account is suspended; with the wrong role."""

import json
import pathlib
import uuid

import pytest
from harness.problems import assert_problem

API = "/api/v1"
DESCRIPTION = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/openapi.json").read_text())
OPEN = {f"{API}/openapi.json", f"{API}/asyncapi.json", "/healthz", "/readyz", "/metrics"}
UPGRADE = f"{API}/ws/jobs"  # what becomes of a key there: test_websocket.py, test_websocket_sessions.py
ROUTES = [
    (method.upper(), path)
    for path, operations in DESCRIPTION["paths"].items()
    for method in operations
    if method != "parameters" and path not in OPEN | {UPGRADE}
]

# What a client is told of its own, a worker, and an administrator; whose it is makes no difference to the latter two.
ALLOWED = {
    "GET /jobs": (200, 200, 200),
    "POST /jobs": (201, 201, 403),
    "POST /jobs/updates": (200, 200, 403),
    "GET /jobs/{id}": (200, 200, 200),
    "PATCH /jobs/{id}": (200, 200, 403),
    "DELETE /jobs/{id}": (409, 404, 409),  # it has not ended; a worker owns none
    "GET /jobs/{id}/events": (200, 200, 200),
    "GET /jobs/{id}/notifications": (200, 200, 200),
    "GET /events": (200, 200, 200),
    "GET /webhooks": (200, 403, 403),
    "POST /webhooks": (201, 403, 403),
    "GET /webhooks/{id}": (200, 403, 200),
    "PATCH /webhooks/{id}": (200, 403, 200),
    "DELETE /webhooks/{id}": (204, 403, 204),
    "POST /webhooks/{id}/enable": (200, 403, 200),
    "POST /webhooks/{id}/test": (202, 403, 202),
    "POST /webhooks/{id}/rotate-secret": (200, 403, 200),
    "POST /webhooks/{id}/replay": (200, 403, 200),
    "GET /webhooks/{id}/deliveries": (200, 403, 200),
    "GET /deliveries/{id}": (200, 403, 200),
    "POST /deliveries/{id}/redeliver": (202, 403, 202),
    "GET /webhook-secret": (200, 403, 403),
    "POST /webhook-secret/rotate": (200, 403, 403),
    "GET /admin/accounts": (403, 403, 200),
    "POST /admin/accounts": (403, 403, 201),
    "GET /admin/accounts/{name}": (403, 403, 200),
    "POST /admin/accounts/{name}/suspend": (403, 403, 200),
    "POST /admin/accounts/{name}/resume": (403, 403, 200),
    "GET /admin/keys": (403, 403, 200),
    "POST /admin/keys": (403, 403, 201),
    "GET /admin/keys/{id}": (403, 403, 200),
    "POST /admin/keys/{id}/disable": (403, 403, 200),
    "POST /admin/keys/{id}/enable": (403, 403, 200),
    "POST /admin/keys/{id}/rotate": (403, 403, 200),
    "POST /admin/keys/{id}/revoke": (403, 403, 200),
    "GET /admin/webhooks": (403, 403, 200),
}


class Thing:
    """What a route names, made anew for each call: its path, and the path of one that is not there."""

    def __init__(self, hub, path, owner):
        there, missing = "", ""
        if "/jobs/{id}" in path:
            there, missing = hub.submit(owner), str(uuid.uuid4())
        elif "/webhooks/{id}" in path:
            there, missing = self.webhook(hub, owner)["id"], "we_1"
        elif "/deliveries/{id}" in path:
            webhook = self.webhook(hub, owner)
            there = hub.http(owner).post(f"{API}/webhooks/{webhook['id']}/test").json["id"]
            missing = "dlv_99999999"
        elif "/accounts/{name}" in path:
            there, missing = hub.make_account(), "nobody"
        elif "/keys/{id}" in path:
            there, missing = hub.make_key(account=hub.make_account()).id, "key_1"
        self.path = path.replace("{id}", there).replace("{name}", there)
        self.missing = path.replace("{id}", missing).replace("{name}", missing)
        self.names = there and True

    @staticmethod
    def webhook(hub, owner):
        return hub.add_webhook(f"https://127.0.0.1:1/{uuid.uuid4()}", owner)


def body_of(method, path):
    bodies = {
        "PATCH /jobs/{id}": {"status": "running"},
        "POST /jobs/updates": {"updates": []},
        "POST /webhooks": {"url": f"https://127.0.0.1:1/{uuid.uuid4()}"},
        "PATCH /webhooks/{id}": {"description": "x"},
        "POST /webhooks/{id}/replay": {"since": "2020-01-01T00:00:00Z"},
        "POST /admin/accounts": {"name": f"account-{uuid.uuid4()}"},
        "POST /admin/keys": {"account": "default", "role": "client"},
    }
    return bodies.get(f"{method} {path.removeprefix(API)}", {} if method == "POST" else None)


@pytest.fixture(scope="module")
def refused(hub):
    """Keys that are let in nowhere, with the answer. Each has been let in before, and is remembered for that."""

    def known(key):
        hub.wait_for_key(key, None)
        return key

    disabled = known(hub.make_key())
    hub.ask_admin(f"/keys/{disabled.id}/disable")
    hub.wait_for_key(disabled, "api_key_disabled")
    account = hub.make_account()
    of_suspended = {role: known(hub.make_key(role, account)) for role in ("client", "worker", "admin")}
    hub.ask_admin(f"/accounts/{account}/suspend")
    for key in of_suspended.values():
        hub.wait_for_key(key, "account_suspended")
    revoked = known(hub.make_key("admin"))
    hub.ask_admin(f"/keys/{revoked.id}/revoke")
    hub.wait_for_key(revoked, "invalid_api_key")
    return [
        (None, 401, "missing_api_key"),
        ("sk_live_" + "x" * 32, 401, "invalid_api_key"),
        (revoked, 401, "invalid_api_key"),
        (disabled, 401, "api_key_disabled"),
        *((key, 403, "account_suspended") for key in of_suspended.values()),
    ]


def test_every_route_is_in_the_table():
    assert {f"{method} {path.removeprefix(API)}" for method, path in ROUTES} == set(ALLOWED)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_who_is_let_in(hub, refused, method, path):
    own, worker, admin = ALLOWED[f"{method} {path.removeprefix(API)}"]
    for key, status in ((hub.client, own), (hub.worker, worker), (hub.admin, admin)):
        answer = hub.http(key).request(method, Thing(hub, path, hub.client).path, body_of(method, path))
        assert answer.status == status, answer
        if status == 403:
            assert_problem(answer, 403, "forbidden")
    thing = Thing(hub, path, hub.client)
    for key, status, code in refused:
        assert_problem(hub.http(key).request(method, thing.path, body_of(method, path)), status, code)


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if "{id}" in route[1] and "/admin/" not in route[1]])
def test_what_is_anothers_is_as_if_it_were_not_there(hub, method, path):
    thing = Thing(hub, path, hub.client)
    sibling, stranger = hub.make_key(), hub.make_key(account=hub.make_account())
    for key in (sibling, stranger):
        theirs = hub.http(key).request(method, thing.path, body_of(method, path))
        missing = hub.http(key).request(method, thing.missing, body_of(method, path))
        assert_problem(theirs, 404, "not_found")
        assert theirs.body.replace(thing.path.split("/")[4].encode(), b"ID") == missing.body.replace(
            thing.missing.split("/")[4].encode(), b"ID"
        )


@pytest.mark.parametrize("path", ["/jobs", "/events", "/webhooks"])
def test_no_list_shows_what_is_anothers(hub, path):
    owner, stranger = hub.make_key(), hub.make_key()
    job = hub.submit(owner)
    webhook = Thing.webhook(hub, owner)["id"]
    mine, theirs = (hub.http(key).get(f"{API}{path}").body.decode() for key in (owner, stranger))
    assert job in mine or webhook in mine
    assert job not in theirs and webhook not in theirs
    asked = hub.http(stranger).get(f"{API}/jobs?ids={job}")
    assert asked.status == 200 and asked.json["jobs"] == []


def test_a_report_among_many_on_anothers_job_is_as_if_it_were_not_there(hub):
    job, nowhere = hub.submit(hub.make_key()), str(uuid.uuid4())
    updates = [{"job_id": one, "status": "failed", "error": "x"} for one in (job, nowhere)]
    results = hub.http(hub.client).post(f"{API}/jobs/updates", {"updates": updates}).json["results"]
    assert [one["status"] for one in results] == [404, 404]
    assert json.dumps(results[0]).replace(job, "ID") == json.dumps(results[1]).replace(nowhere, "ID")
