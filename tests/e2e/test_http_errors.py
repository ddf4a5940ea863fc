"""Bad input gets a clear error, and changes nothing."""

import time
import uuid

import pytest
from harness.http import RawConnection

MIB = 1 << 20
NOWHERE = "550e8400-e29b-41d4-a716-446655440000"


def assert_problem(answer, status, code):
    """The members of RFC 9457, and the two that this family of APIs' clients read."""
    assert answer.status == status, answer
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.fields["x-request-id"]
    problem = answer.json
    assert problem.keys() - {"errors"} == {"type", "title", "status", "detail", "error", "message"}
    assert (problem["status"], problem["error"]) == (status, code)
    assert problem["detail"] == problem["message"] != ""
    assert problem["title"] and problem["type"].endswith(code)


def assert_pointers(answer, *pointers):
    assert [one["pointer"] for one in answer.json["errors"]] == list(pointers)
    assert all(one["detail"] for one in answer.json["errors"])


# --- keys -------------------------------------------------------------------------------------------------------------


def assert_key_refused(hub, key, status, code):
    job = hub.submit()
    before = hub.job(job)
    assert_problem(hub.http(key).get(f"/api/v1/jobs/{job}"), status, code)
    refused = hub.http(key).patch(f"/api/v1/jobs/{job}", {"status": "running"})
    assert_problem(refused, status, code)
    if status == 401:
        assert refused.fields["www-authenticate"].startswith("Bearer")
    other = str(uuid.uuid4())
    assert_problem(hub.http(key).post("/api/v1/jobs", {"job_id": other}), status, code)
    assert hub.job(job) == before
    assert hub.http(hub.worker).get(f"/api/v1/jobs/{other}").status == 404


def test_a_missing_key(hub):
    assert_key_refused(hub, None, 401, "missing_api_key")


@pytest.mark.parametrize("key", ["sk_live_" + "0" * 40, "sk_live_", "nonsense", "sk_live_" + "x" * 4000])
def test_an_invalid_key(hub, key):
    assert_key_refused(hub, key, 401, "invalid_api_key")


def test_a_key_in_the_query_is_no_key_in_http(hub):
    answer = hub.http().get(f"/api/v1/jobs/{hub.submit()}?api_key={hub.client}")
    assert_problem(answer, 401, "missing_api_key")


def test_a_disabled_key(hub):
    key = hub.make_key("worker")
    hub.ask_admin(f"/keys/{key.id}/disable")
    hub.wait_for_key(key, "api_key_disabled")
    assert_key_refused(hub, key, 401, "api_key_disabled")
    hub.ask_admin(f"/keys/{key.id}/enable")
    hub.wait_for_key(key, None)
    assert hub.http(key).post("/api/v1/jobs").status == 201


def test_a_revoked_key(hub):
    key = hub.make_key("worker")
    hub.ask_admin(f"/keys/{key.id}/revoke")
    hub.wait_for_key(key, "invalid_api_key")
    assert_key_refused(hub, key, 401, "invalid_api_key")


def test_an_expired_key(hub):
    key = hub.make_key("worker", expires_in_s=1)
    deadline = time.monotonic() + 10
    while hub.http(key).get(f"/api/v1/jobs/{uuid.uuid4()}").status == 404:
        assert time.monotonic() < deadline
    assert_key_refused(hub, key, 401, "api_key_expired")


def test_a_suspended_account(hub):
    account = hub.make_account()
    key = hub.make_key("worker", account)
    hub.ask_admin(f"/accounts/{account}/suspend")
    hub.wait_for_key(key, "account_suspended")
    assert_key_refused(hub, key, 403, "account_suspended")
    hub.ask_admin(f"/accounts/{account}/resume")
    hub.wait_for_key(key, None)
    assert hub.http(key).post("/api/v1/jobs").status == 201


# --- roles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("client", "POST", "/admin/accounts"),
        ("client", "GET", "/admin/keys"),
        ("worker", "GET", "/admin/keys"),
        ("worker", "POST", "/admin/keys"),
        ("worker", "POST", "/webhooks"),
        ("worker", "GET", "/webhooks"),
        ("admin", "POST", "/jobs"),
        ("admin", "PATCH", f"/jobs/{NOWHERE}"),
        ("admin", "POST", "/webhooks"),
    ],
)
def test_a_wrong_role(hub, role, method, path):
    assert_problem(hub.http(hub.keys[role]).request(method, f"/api/v1{path}", {}), 403, "forbidden")


# --- jobs that are not there, or not yours ----------------------------------------------------------------------------


def test_a_job_that_is_not_yours_answers_as_one_that_does_not_exist(hub):
    foreign = hub.submit(hub.make_key("client"))
    nowhere = str(uuid.uuid4())
    malformed = "550e8400"
    for method, body in [("GET", None), ("PATCH", {"status": "running"})]:
        answers = {}
        for job in (foreign, nowhere, malformed):
            answer = hub.http(hub.client).request(method, f"/api/v1/jobs/{job}", body, X_Request_Id="same")
            assert_problem(answer, 404, "not_found")
            assert answer.json["detail"] == f"Job not found or access denied: {job}"
            fields = {name: value for name, value in answer.fields.items() if name not in ("date", "content-length")}
            answers[job] = (fields, answer.body.replace(job.encode(), b"<id>"))
        assert answers[foreign] == answers[nowhere] == answers[malformed]
    assert hub.job(foreign, hub.worker)["status"] == "queued"


def test_a_worker_reports_on_no_job_that_does_not_exist(hub):
    job = str(uuid.uuid4())
    answer = hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", {"status": "running"})
    assert_problem(answer, 404, "not_found")
    assert hub.http(hub.worker).get(f"/api/v1/jobs/{job}").status == 404


# --- reports ----------------------------------------------------------------------------------------------------------


def in_status(hub, status):
    job = hub.submit()
    if status != "queued":
        hub.report(job, "running")
    if status in ("succeeded", "failed"):
        hub.report(job, status)
    return job


def assert_report_refused(hub, job, body, status, code):
    """With the worker's key; the job is then as it was, to its last byte."""
    path = f"/api/v1/jobs/{job}"
    before = hub.http(hub.client).get(path).body
    answer = hub.http(hub.worker).patch(path, body)
    assert_problem(answer, status, code)
    assert hub.http(hub.client).get(path).body == before
    return answer


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"status": "succeeded", "colour": "red"}, ["/colour"]),
        ({"status": "succeeded", "a/b~c": 1}, ["/a~1b~0c"]),
        ({"status": "done"}, ["/status"]),
        ({"status": "Running"}, ["/status"]),
        ({"status": 1}, ["/status"]),
        ({"status": None}, ["/status"]),
        ({}, ["/status"]),
        ({"result": {}}, ["/status", "/result"]),
        ({"status": "running", "result": {}}, ["/result"]),
        ({"status": "failed", "result": {}}, ["/result"]),
        ({"status": "succeeded", "error": "no"}, ["/error"]),
        ({"status": "failed", "error": {"code": 1}}, ["/error"]),
        ({"status": "succeeded", "progress": {"page": 1}}, ["/progress"]),
        ({"status": "done", "colour": "red"}, ["/status", "/colour"]),
    ],
)
def test_a_report_with_wrong_members(hub, body, pointers):
    job = in_status(hub, "running")
    assert_pointers(assert_report_refused(hub, job, body, 422, "validation_error"), *pointers)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"running",
        b"{",
        b'{"status":"running"',
        b'{"status":"succeeded"}}',
        b'{"status":"succeeded",}',
        b"{'status':'succeeded'}",
        b'["succeeded"]',
        b'"succeeded"',
        b"null",
        b'{"status":"running","status":"succeeded"}',
        b'{"status":"succeeded","result":' + b"[" * 64 + b"]" * 64 + b"}",
        b'{"status":"succeeded","result":NaN}',
        b'{"status":"succeeded","result":01}',
        b'{"status":"succeeded","result":"\xff"}',
        b'{"status":"succeeded","result":"\\ud800"}',
        b'{"status":"succeeded","result":"a\nb"}',
        b'\xef\xbb\xbf{"status":"succeeded"}',
    ],
    ids=range(18),
)
def test_a_report_that_is_no_sound_json(hub, body):
    assert_report_refused(hub, in_status(hub, "running"), body, 400, "invalid_json")


def test_json_as_deep_as_the_limit_is_taken(hub):
    job = in_status(hub, "running")
    body = b'{"status":"succeeded","result":' + b"[" * 63 + b"]" * 63 + b"}"
    assert hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", body).status == 200


@pytest.mark.parametrize(
    ("now", "to"),
    [
        ("queued", "succeeded"),
        ("running", "queued"),
        ("succeeded", "queued"),
        ("succeeded", "running"),
        ("succeeded", "failed"),
        ("failed", "queued"),
        ("failed", "running"),
        ("failed", "succeeded"),
    ],
)
def test_a_step_that_is_none(hub, now, to):
    assert_report_refused(hub, in_status(hub, now), {"status": to}, 409, "invalid_transition")


@pytest.mark.parametrize("now", ["queued", "succeeded", "failed"])
def test_progress_of_a_job_that_does_not_run(hub, now):
    assert_report_refused(hub, in_status(hub, now), {"progress": {"page": 1}}, 409, "job_not_running")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"status": "succeeded", "result": "x" * (4 * MIB)}, "/result"),
        ({"status": "running", "progress": "x" * 4095}, "/progress"),
        ({"status": "failed", "error": "x" * (64 * 1024 + 1)}, "/error"),
    ],
    ids=["result", "progress", "error"],
)
def test_a_member_that_is_too_large(hub, body, pointer):
    job = in_status(hub, "running")
    assert_pointers(assert_report_refused(hub, job, body, 413, "too_large"), pointer)


def test_a_result_as_large_as_the_limit_is_taken(hub):
    job = in_status(hub, "running")
    result = "x" * (4 * MIB - 2)
    hub.report(job, "succeeded", result=result)
    assert hub.job(job)["result"] == result


@pytest.mark.parametrize("framing", ["Content-Length: 8388609", "Transfer-Encoding: chunked"])
def test_a_body_that_is_too_large(hub, framing):
    """Refused before it comes, where its length is told; and the connection ends."""
    job = in_status(hub, "running")
    before = hub.job(job)
    with RawConnection(hub.port) as connection:
        connection.send(
            f"PATCH /api/v1/jobs/{job} HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.worker}\r\n{framing}\r\n\r\n"
        )
        if framing.startswith("Transfer"):
            connection.send("800001\r\n")
        answer = connection.answer()
        assert_problem(answer, 413, "body_too_large")
        assert answer.fields["connection"] == "close" and connection.ended()
    assert hub.job(job) == before


# --- submissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"job_id": "17"}, "/job_id"),
        ({"job_id": 17}, "/job_id"),
        ({"metadata": "text"}, "/metadata"),
        ({"metadata": [1]}, "/metadata"),
        ({"priority": 1}, "/priority"),
        ({"owner": "nobody"}, "/owner"),
        ({"webhook_url": 5}, "/webhook_url"),
        ({"webhook_url": "ftp://example.com/"}, "/webhook_url"),
        ({"webhook_events": ["job.failed"]}, "/webhook_events"),
        ({"webhook_url": "https://example.com/", "webhook_events": ["job.lost"]}, "/webhook_events/0"),
        ({"webhook_url": "https://example.com/", "webhook_secret": "short"}, "/webhook_secret"),
        ({"webhook_colour": "red"}, "/webhook_colour"),
    ],
)
def test_a_submission_with_wrong_members(hub, body, pointer):
    job = str(uuid.uuid4())
    answer = hub.http(hub.client).post("/api/v1/jobs", {"job_id": job, **body})
    assert_problem(answer, 422, "validation_error")
    assert_pointers(answer, pointer)
    assert hub.http(hub.worker).get(f"/api/v1/jobs/{job}").status == 404


def test_a_client_names_no_other_owner(hub):
    answer = hub.http(hub.client).post("/api/v1/jobs", {"owner": hub.make_key("client").id})
    assert_problem(answer, 422, "validation_error")
    assert_pointers(answer, "/owner")


def test_a_worker_names_an_owner_that_is_a_client_key(hub):
    for owner in (hub.make_key("worker").id, "key_" + "0" * 22):
        answer = hub.http(hub.worker).post("/api/v1/jobs", {"owner": owner})
        assert_problem(answer, 422, "validation_error")
        assert_pointers(answer, "/owner")


def test_a_job_id_is_taken_once(hub):
    job = in_status(hub, "running")
    before = hub.job(job)
    for key in (hub.client, hub.worker, hub.make_key("client")):
        assert_problem(hub.http(key).post("/api/v1/jobs", {"job_id": job}), 409, "already_exists")
    assert hub.job(job) == before


# --- routes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/api/v1", "/api/v1/job", "/api/v1/jobs/", "/api/v1/jobs/a/b", "/api/v2/jobs"])
def test_a_resource_that_is_none(hub, path):
    assert_problem(hub.http(hub.client).get(path), 404, "no_such_resource")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", f"/api/v1/jobs/{NOWHERE}", {"GET", "HEAD", "PATCH"}),
        ("BREW", f"/api/v1/jobs/{NOWHERE}", {"GET", "HEAD", "PATCH"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
        ("POST", "/api/v1/ws/jobs", {"GET", "HEAD"}),
        ("PUT", "/api/v1/webhooks", {"GET", "HEAD", "POST"}),
    ],
)
def test_a_method_that_is_not_allowed(hub, method, path, allowed):
    answer = hub.http(hub.client).request(method, path)
    assert_problem(answer, 405, "method_not_allowed")
    assert allowed <= set(answer.fields["allow"].split(", "))
    assert method not in answer.fields["allow"]


# --- administration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/accounts", {}, "/name"),
        ("/accounts", {"name": "a b"}, "/name"),
        ("/accounts", {"name": "fine", "plan": "gold"}, "/plan"),
        ("/keys", {"role": "client"}, "/account"),
        ("/keys", {"account": "nobody-of-that-name"}, "/account"),
        ("/keys", {"account": "default", "role": "king"}, "/role"),
        ("/keys", {"account": "default", "expires_in_s": 0}, "/expires_in_s"),
    ],
)
def test_an_administrators_body_with_wrong_members(hub, path, body, pointer):
    answer = hub.http(hub.admin).post(f"/api/v1/admin{path}", body)
    assert_problem(answer, 422, "validation_error")
    assert_pointers(answer, pointer)


def test_an_account_is_made_once(hub):
    assert_problem(hub.http(hub.admin).post("/api/v1/admin/accounts", {"name": "default"}), 409, "already_exists")


@pytest.mark.parametrize("path", ["/accounts/nobody/suspend", "/keys/nothing/disable", f"/keys/key_{'0' * 22}/revoke"])
def test_what_an_administrator_names_must_be_there(hub, path):
    assert_problem(hub.http(hub.admin).post(f"/api/v1/admin{path}"), 404, "not_found")


# --- every answer -----------------------------------------------------------------------------------------------------


def test_every_answer_carries_the_request_id(hub):
    http = hub.http(hub.client)
    own = {http.get(path).fields["x-request-id"] for path in ("/healthz", "/healthz", "/nothing")}
    assert len(own) == 3
    assert http.get("/nothing", X_Request_Id="trace-17").fields["x-request-id"] == "trace-17"
    assert http.get("/nothing", X_Request_Id="two words").fields["x-request-id"] != "two words"
