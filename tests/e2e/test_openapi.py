"""The document of the HTTP API says what the hub does: each of its examples is what it says it is, each answer it promises
is given, and none is given that it does not know. That it has every route, and no other, is held by
tests/unit/app/descriptions_test.cpp; and every answer that any test here gets is judged by it (harness/http.py)."""

import contextlib
import gzip
import json
import re
import sqlite3
import subprocess
import threading
import uuid

import pytest
from harness import packages
from harness.http import PATIENCE_S, Http, RawConnection
from harness.hub import REPOSITORY, end_with_parent
from harness.openapi import DOCUMENT, Contract, formats, validator
from harness.receiver import Receiver
from harness.waiting import wait_until

JOBS = "/api/v1/jobs"
HOOKS = "/api/v1/webhooks"
ADMIN = "/api/v1/admin"
OPENAPI = "/api/v1/openapi.json"


@pytest.fixture(scope="module")
def document():
    return json.loads(DOCUMENT.read_text())


@pytest.fixture
def contract(document, monkeypatch):
    """One that has seen nothing yet, and sees all that is answered from now on."""
    fresh = Contract(document)
    monkeypatch.setattr(Http, "judge", fresh.judge)
    return fresh


def walk(value, path=""):
    yield path, value
    if isinstance(value, dict):
        for name, one in value.items():
            yield from walk(one, f"{path}/{name}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from walk(one, f"{path}/{index}")


# --- the document -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["openapi", "asyncapi"])
def test_the_hub_serves_the_document_to_the_byte(hub, name):
    path = f"/api/v1/{name}.json"
    plain = hub.http().get(path)
    assert plain.body == (REPOSITORY / f"docs/{name}.json").read_bytes()
    packed = hub.http().get(path, Accept_Encoding="gzip")
    assert packed.fields["content-encoding"] == "gzip" and gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    etag = plain.fields["etag"]
    assert packed.fields["etag"] == f"W/{etag}"
    for tag in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        same = hub.http().get(path, If_None_Match=tag)
        assert (same.status, same.body) == (304, b""), tag
    assert hub.http().get(path, If_None_Match='"other"').status == 200
    head = hub.http().request("HEAD", path)
    assert (head.status, head.fields["content-length"]) == (200, str(len(plain.body)))


def test_both_say_the_version_of_the_hub(hub):
    said = hub.command("version").stdout
    for path in (OPENAPI, "/api/v1/asyncapi.json"):
        assert hub.http().get(path).json["info"]["version"] in said.split()


def test_every_example_is_what_it_is_an_example_of(document):
    pointed = Contract(document).document
    examples = 0
    for path, value in walk(document):
        if not isinstance(value, dict) or "/example" in path:
            continue
        schema = value.get("schema", value if "/schemas/" in path else None)
        given = [value["example"]] if "example" in value else []
        if isinstance(value.get("examples"), list):
            given += value["examples"]
        elif isinstance(value.get("examples"), dict) and "schema" in value:
            given += [one["value"] for one in value["examples"].values()]
        for example in given:
            examples += 1
            validator(pointed.closed(schema)).validate(example)
    assert examples > 100


def test_every_schema_is_one_and_every_component_is_used(document):
    text = json.dumps(document)
    for kind, components in document["components"].items():
        for name in components:
            if kind == "securitySchemes":
                assert any(name in one for path, value in walk(document) if path.endswith("/security") for one in value)
            else:
                assert f'"#/components/{kind}/{name}"' in text, (kind, name)
    pointed = Contract(document).document
    for path, value in walk(document):
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            pointed.at(value["$ref"])
        if isinstance(value, dict) and "schema" in value:
            schema = pointed.whole(value["schema"])
            validator(schema).check_schema(schema)
            unknown = {
                one["format"] for _, one in walk(schema) if isinstance(one, dict) and isinstance(one.get("format"), str)
            }
            assert unknown <= set(formats.checkers), path


def test_every_operation_says_what_it_is(document):
    tags = {tag["name"] for tag in document["tags"]}
    operations = Contract(document).operations
    assert len({one.id for one in operations}) == len(operations)
    for one in operations:
        assert one.said["summary"] and one.said["description"] and set(one.said["tags"]) <= tags, one
        in_path = set(re.findall(r"\{(\w+)\}", one.path))
        assert {p["name"] for p in one.parameters if p["in"] == "path"} == in_path, one
        assert all(p["description"] for p in one.parameters), one
        assert all(response["description"] for response in one.responses.values()), one


def test_an_independent_judge_takes_it_for_openapi(missing):
    python = packages.python(missing)
    done = subprocess.run(
        [python, "-m", "openapi_spec_validator", "--schema", "3.1", str(DOCUMENT)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=end_with_parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_path_has_the_methods_it_is_said_to_have(hub, document):
    contract = Contract(document)
    for path in document["paths"]:
        path = path.replace("{", "").replace("}", "")
        methods = {name for name in ("GET", "PUT", "POST", "PATCH", "DELETE") if contract.operation(name, path)}
        allowed = set(hub.http().request("OPTIONS", path).fields["allow"].split(", "))
        assert allowed - {"HEAD", "OPTIONS"} == methods, path
        assert "OPTIONS" in allowed and ("HEAD" in allowed) == ("GET" in methods), path
        for method in {"GET", "PUT", "POST", "PATCH", "DELETE"} - methods:
            answer = hub.http(hub.admin).request(method, path)
            assert (answer.status, answer.json["error"]) == (405, "method_not_allowed"), (method, path)


# --- every promise is kept --------------------------------------------------------------------------------------------

# What needs a store that fails, a full queue, or a hub that ends; see storage.StoreTest, test_listeners.py,
# test_websocket_limits.py, test_restarts.py, test_watchdog.py and others.
ELSEWHERE = {
    (503, "store_unavailable"),
    (503, "overloaded"),
    (503, "going_away"),
    (503, "stuck"),
    (503, "disk_low"),
    (503, "too_many_handshakes"),
    (503, "too_many_refusals"),
    (403, "origin_not_allowed"),
    (409, "idempotency_key_in_use"),
}


class Caller:
    """Calls operations by their names, on things that are there."""

    def __init__(self, hub, contract):
        self.hub = hub
        self.contract = contract
        self.by_id = {one.id: one for one in contract.operations}
        self.standing = {}

    def key_for(self, operation):
        return self.hub.admin if operation.path.startswith(ADMIN) else self.hub.client

    def path_of(self, operation, **places):
        """With what stands there, where no other place is named."""
        path = operation.path
        for name, value in {**self.standing, **places}.items():
            kind, _, member = name.partition("_")
            if f"/{kind}/" in path:
                path = path.replace(f"{{{member}}}", value)
        return path

    def __call__(self, name, body=None, key=None, status=None, query="", fields=None, **places):
        operation = self.by_id[name]
        http = self.hub.http(key if key is not None else self.key_for(operation))
        path = self.path_of(operation, **places) + query
        answer = http.request(operation.method.upper(), path, body, **(fields or {}))
        assert status is None or answer.status == status, (name, answer)
        return answer


def nowhere():
    return {
        "jobs_id": str(uuid.uuid4()),
        "webhooks_id": "we_1",
        "deliveries_id": "dlv_zzzz",
        "keys_id": "key_1",
        "accounts_name": "nobody",
    }


def all_goes_well(call, hub, url):
    """Every operation, with every good answer it has. Leaves something standing for the rest."""
    job = call("submitJob", {"metadata": {"page": 7}}, fields={"Idempotency-Key": '"first"'}, status=201).json["job_id"]
    call("submitJob", {"metadata": {"page": 7}}, fields={"Idempotency-Key": "first"}, status=201)
    call("submitJob", status=201)
    call("submitJob", {"owner": call.standing["keys_id"], "job_id": None}, key=hub.worker, status=201)
    webhook = call("createWebhook", {"url": url, "events": ["job.succeeded", "webhook.disabled"]}, status=201).json[
        "id"
    ]
    call(
        "createWebhook",
        {
            "url": url + "?2",
            "signing": "ed25519",
            "headers": {"X-Mine": "a"},
            "legacy_signature": "X-Old",
            "events": None,
        },
        status=201,
    )
    call.standing.update(jobs_id=job, webhooks_id=webhook)

    call("getJob", status=200)
    unchanged = {"If-None-Match": call("getJob", fields={"Prefer": "wait=0"}, status=200).fields["etag"]}
    call("getJob", fields=unchanged, status=304)
    call("getJob", fields=unchanged, query="?wait=1", status=304)
    call("reportJob", {"status": "running", "progress": {"page": 1}}, status=200)
    call("reportJob", {"progress": {"page": 2}}, status=200)
    updates = [
        {"job_id": job, "status": "succeeded", "result": {"pages": 12}},
        {"job_id": str(uuid.uuid4()), "status": "running"},
        {"job_id": "none"},
        7,
    ]
    results = call("reportJobs", {"updates": updates}, key=hub.worker, status=200).json["results"]
    assert [one["status"] for one in results] == [200, 404, 422, 422]
    call("listJobs", query="?limit=1&status=succeeded", status=200)
    call("listJobs", query=f"?ids={job},none", status=200)
    call("listJobEvents", query="?limit=2", status=200)
    call("listJobNotifications", query="?limit=2", status=200)
    call("readEvents", query="?limit=2&after=0", status=200)
    call("readEvents", fields={"Prefer": "wait=1"}, query="?after=now", status=200)
    with RawConnection(hub.port) as stream:
        stream.send(
            f"GET /api/v1/events?after=0 HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.client}\r\n"
            "Accept: text/event-stream\r\n\r\n"
        )
        call.contract.judge("GET", "/api/v1/events", stream.head())

    delivery = wait_until(
        lambda: call("listDeliveries", query="?status=delivered&limit=1", status=200).json["deliveries"]
    )[0]
    call.standing["deliveries_id"] = delivery["id"]
    assert call("getDelivery", status=200).json["attempts"]
    assert call("listJobNotifications", status=200).json["events"][-1]["webhooks"]
    call("redeliver", status=202)
    call("listWebhooks", query="?kind=registered&limit=1", status=200)
    call("getWebhook", status=200)
    call("changeWebhook", {"description": "mine", "events": ["job.succeeded", "job.failed"]}, status=200)
    call("testWebhook", {}, status=202)
    call("enableWebhook", status=200)
    call("rotateWebhookSecret", {"overlap_s": 60}, status=200)
    call("replayWebhook", {"since": 0, "until": "2026-01-01T00:00:00Z", "status": "all"}, status=200)
    call("getDefaultSecret", status=200)
    call("rotateDefaultSecret", status=200)

    call("listAccounts", query="?limit=1", status=200)
    call("createAccount", {"name": "acme"}, status=201)
    call.standing["accounts_name"] = "acme"
    call("getAccount", status=200)
    call("suspendAccount", status=200)
    call("resumeAccount", status=200)
    key = call("createKey", {"account": "acme", "role": "worker", "name": "a", "expires_in_s": 3600}, status=201).json[
        "id"
    ]
    call("listKeys", query="?role=client&limit=1", status=200)
    for name in ("getKey", "disableKey", "enableKey", "rotateKey"):
        call(name, keys_id=key, status=200)
    call("revokeKey", keys_id=key, status=200)
    call("listAllWebhooks", query="?account=default", status=200)

    for name in ("getHealth", "getReadiness", "getMetrics", "getOpenApi", "getAsyncApi"):
        answer = call(name, key="", status=200)
        if "etag" in answer.fields:
            call(name, key="", fields={"If-None-Match": answer.fields["etag"]}, status=304)
    call("connectWebSocket", status=426)
    with RawConnection(hub.port) as socket:
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nHost: hub\r\n"
        socket.send(f"GET /api/v1/ws/jobs HTTP/1.1\r\n{upgrade}\r\n")
        call.contract.judge("GET", "/api/v1/ws/jobs", socket.answer())
        socket.send(
            f"GET /api/v1/ws/jobs?resume=1 HTTP/1.1\r\n{upgrade}"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: carillon.v1, {hub.client}\r\n\r\n"
        )
        call.contract.judge("GET", "/api/v1/ws/jobs", socket.answer())


def all_is_refused_that_may_be(call, hub, url):
    """By rules: 404, 409, 413 and the like."""
    for operation in call.contract.operations:
        if 404 in operation.responses and operation.needs_key:
            call(
                operation.id,
                (
                    {"since": 0, "status": None}
                    if operation.id == "replayWebhook"
                    else {"status": "running"} if operation.id == "reportJob" else {} if operation.takes_body else None
                ),
                status=404,
                **nowhere(),
            )
        if 422 in operation.responses:
            if operation.takes_body or operation.id == "eraseJob":
                call(operation.id, {"colour": "red"}, status=422)
                call(operation.id, b"{", status=400)
            else:
                call(operation.id, query="?colour=red", status=422)
        if 415 in operation.responses:
            call(operation.id, b"{}", fields={"Content-Type": "text/xml"}, status=415)
            call(operation.id, b"{}", fields={"Content-Encoding": "gzip"}, status=415)
    job = call.standing["jobs_id"]
    call("submitJob", {"job_id": job}, status=409)
    call("submitJob", {}, fields={"Idempotency-Key": "a b"}, status=400)
    call("submitJob", {}, fields={"Idempotency-Key": "first"}, status=422)
    call("submitJob", {"metadata": {"a": "x" * 70_000}}, status=413)
    call("reportJob", {"status": "failed", "error": "x" * 70_000}, status=413)
    call("reportJobs", {"updates": [{}] * 1001}, status=413)
    call("reportJob", {"status": "running"}, status=409)
    queued = call("submitJob", status=201).json["job_id"]
    call("reportJob", {"progress": 1}, jobs_id=queued, status=409)
    call("eraseJob", jobs_id=queued, status=409)
    call("eraseJob", status=204)
    call("readEvents", query="?after=999999", status=409)
    call("createWebhook", {"url": url}, status=409)
    call("changeWebhook", {"url": url + "?2"}, status=409)
    call("createAccount", {"name": "default"}, status=409)
    hook = {"webhook_url": url + "?job"}
    call("submitJob", hook, status=201)
    of_jobs = call("listWebhooks", query="?kind=jobs", status=200).json["webhooks"][0]["id"]
    call("changeWebhook", {"description": "a"}, webhooks_id=of_jobs, status=409)
    call("rotateWebhookSecret", webhooks_id=of_jobs, status=409)
    call("changeWebhook", {"status": "disabled"}, status=200)
    call("replayWebhook", {"since": 0}, status=409)
    call("redeliver", status=409)
    call("deleteWebhook", status=204)


def full_is_full(make_hub):
    """What an owner may have only so many of."""
    hub = make_hub(
        "--webhooks-allow-http", "--webhooks-allow-cidrs", "127.0.0.0/8", "--webhooks-endpoints-per-key", "1"
    )
    go_on = threading.Event()
    with Receiver(lambda received: 204 if go_on.wait(PATIENCE_S) else 500) as receiver:
        webhook = hub.add_webhook(receiver.url())["id"]
        http = hub.http(hub.client)
        assert http.post(HOOKS, {"url": receiver.url() + "?2"}).status == 409
        statuses = [http.post(f"{HOOKS}/{webhook}/test").status for _ in range(11)]
        go_on.set()
    assert statuses == [202] * 10 + [409]


def what_is_gone_is_gone(make_hub):
    hub = make_hub()
    hub.finish(hub.submit())
    hub.stop()
    with contextlib.closing(sqlite3.connect(f"{hub.data}/carillon.db")) as database, database:
        database.execute("DELETE FROM events WHERE seq <= 2")
        database.execute("UPDATE meta SET value = '2' WHERE name = 'events_gone_to'")
    hub.start()
    assert hub.http(hub.client).get("/api/v1/events?after=1").status == 410


def every_key_is_judged(call, hub):
    expired = hub.make_key(expires_in_s=1)
    disabled = hub.make_key()
    hub.ask_admin(f"/keys/{disabled.id}/disable")
    account = hub.make_account()
    suspended = hub.make_key(account=account)
    hub.ask_admin(f"/accounts/{account}/suspend")
    hub.wait_for_key(suspended, "account_suspended")
    hub.wait_for_key(disabled, "api_key_disabled")
    wait_until(lambda: hub.error_of(expired) == "api_key_expired")
    for operation in call.contract.operations:
        if 401 not in operation.responses:
            continue
        for key in ("", "nonsense", disabled, expired):
            call(operation.id, key=key, status=401, **nowhere())
        call(operation.id, key=suspended, status=403, **nowhere())
        answers = [call(operation.id, key=key, **nowhere()) for key in (hub.worker, hub.admin, hub.client)]
        forbidden = (403, "forbidden") in operation.promised()
        assert (403 in [answer.status for answer in answers]) == forbidden, operation


def framing_is_judged(call, make_hub):
    """What is refused before anyone looks at what is asked for, at every operation."""
    hub = make_hub("--limits-head-timeout-s", "1", "--limits-head-bytes", "2048")
    faults = {
        "Host: hub\r\nHost: hub\r\n\r\n": 400,
        "Host: hub\r\nContent-Length: 99999999\r\n\r\n": 413,
        "Host: hub\r\nExpect: the unexpected\r\n\r\n": 417,
        f"Host: hub\r\nX-Long: {'x' * 3000}\r\n\r\n": 431,
        "Host: hub\r\nTransfer-Encoding: br\r\n\r\n": 501,
    }
    slow = []
    for operation in call.contract.operations:
        path = operation.path.replace("{", "").replace("}", "")
        line = f"{operation.method.upper()} {path}"
        bytes_of = {f"{line} HTTP/1.1\r\n{rest}": status for rest, status in faults.items()}
        bytes_of[f"{line}?{'x' * 3000} HTTP/1.1\r\n\r\n"] = 414
        bytes_of[f"{line} HTTP/2.0\r\nHost: hub\r\n\r\n"] = 505
        for text, status in bytes_of.items():
            with RawConnection(hub.port) as connection:
                connection.send(text)
                answer = connection.answer()
                assert answer.status == status, (text, answer)
                call.contract.judge(operation.method.upper(), path, answer)
        connection = RawConnection(hub.port)
        connection.send(f"{line} HTTP/1.1\r\n")
        slow.append((operation.method.upper(), path, connection))
    for method, path, connection in slow:
        with connection:
            answer = connection.answer()
            assert answer.status == 408
            call.contract.judge(method, path, answer)


def connected(hub):
    """A connection that is in: until those of before have gone, there may be no room for it."""

    def attempt():
        connection = RawConnection(hub.port)
        try:
            connection.send("GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
            answer = connection.answer()
        except OSError:
            answer = None
        if answer and answer.status == 200:
            return connection
        connection.__exit__()
        return None

    return wait_until(attempt)


def limits_are_judged(call, make_hub):
    limits = [f"--limits-{kind}-per-second=1" for kind in ("writes", "polls", "lists", "admin")]
    hub = make_hub(
        "--loops=1", "--limits-burst-s=1", "--limits-refusals-per-address=1", "--limits-connections=2", *limits
    )
    for operation in call.contract.operations:
        if 429 not in operation.responses or operation.id == "connectWebSocket":  # it asks for no key first
            continue
        key = hub.admin if operation.path.startswith(ADMIN) else hub.client
        path = operation.path.replace("{", "").replace("}", "")
        for http in (hub.http(key), hub.http("nonsense")):
            wait_until(lambda: http.request(operation.method.upper(), path).status == 429)
    held = [connected(hub) for _ in range(2)]
    with RawConnection(hub.port) as refused:
        answer = refused.answer()
    assert (answer.status, answer.json["error"]) == (503, "over_capacity")
    for operation in call.contract.operations:
        call.contract.judge(operation.method.upper(), operation.path.replace("{", "").replace("}", ""), answer)
    for connection in held:
        connection.__exit__()


def addresses_are_judged(make_hub):
    hub = make_hub("--limits-calls-per-second-per-address=1", "--limits-burst-s=1")
    for path in (JOBS, "/api/v1/ws/jobs"):
        wait_until(lambda: hub.http().get(path).status == 429)


def health_may_be_elsewhere(make_hub):
    hub = make_hub("--metrics-listen", "127.0.0.1:0")
    for path in ("/healthz", "/readyz", "/metrics"):
        assert hub.http().get(path).status == 404


def waiting_is_judged(make_hub):
    for option, status in (("--polling-waiting-max", 503), ("--polling-waiting-per-key", 429)):
        hub = make_hub("--loops=1", option, "1")
        with RawConnection(hub.port) as waiting:
            waiting.send(f"GET /api/v1/events?after=0&wait=60 HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.worker}\r\n\r\n")
            metrics = hub.http()
            wait_until(lambda: b"\ncarillon_polls_waiting 1" in metrics.get("/metrics").body)
            job = str(uuid.uuid4())
            http = hub.http(hub.worker)
            assert http.get("/api/v1/events?after=now&wait=60").status == status
            waiting_job = hub.http(hub.client).post(JOBS, {"job_id": job})
            assert waiting_job.status == 201 and waiting.answer().status == 200
            waiting.send(
                f"GET /api/v1/events?after=now&wait=60 HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.worker}\r\n\r\n"
            )
            wait_until(lambda: b"\ncarillon_polls_waiting 1" in metrics.get("/metrics").body)
            assert http.get(f"{JOBS}/{job}?wait=60").status == status


def test_every_promise_is_kept_and_no_other_answer_is_given(make_hub, contract):
    hub = make_hub("--webhooks-allow-http", "--webhooks-allow-cidrs", "127.0.0.0/8")
    call = Caller(hub, contract)
    own = call("listKeys", query="?role=client", status=200).json["keys"][0]["id"]
    call.standing["keys_id"] = own
    with Receiver() as receiver:
        all_goes_well(call, hub, receiver.url())
        all_is_refused_that_may_be(call, hub, receiver.url())
    every_key_is_judged(call, hub)
    framing_is_judged(call, make_hub)
    limits_are_judged(call, make_hub)
    addresses_are_judged(make_hub)
    health_may_be_elsewhere(make_hub)
    waiting_is_judged(make_hub)
    full_is_full(make_hub)
    what_is_gone_is_gone(make_hub)
    # Too much to be put in order takes 10,000 deliveries: storage.OrderedTest has it.
    contract.seen["changeWebhook"].add((409, "limit_reached"))
    unseen = {
        one.id: left for one in contract.operations if (left := set(one.promised()) - contract.seen[one.id] - ELSEWHERE)
    }
    assert unseen == {}
