"""What the hub says beside its answers: to pages of other origins, to clients that take gzip, to those who call too often,
and to whoever reads its log."""

import gzip
import json
import re
import subprocess
import time
import urllib.request
import uuid

import pytest
from harness.http import PATIENCE_S, RawConnection

PAGE = "https://app.example"
NOWHERE = uuid.uuid4()


def big_result(bytes_of_it):
    return {"text": "All work and no play. " * (bytes_of_it // 22 + 1)}


# --- methods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/v1/jobs/{job}", "/api/v1/jobs/none"])
def test_head_is_get_without_the_body(hub, path):
    path = path.format(job=hub.submit())
    http = hub.http(hub.client)
    got = http.get(path)
    # What passes through no client: http.client would not tell a body that must not be there.
    with RawConnection(hub.port) as connection:
        connection.send(f"HEAD {path} HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.client}\r\n\r\n")
        head = connection.answer(to="HEAD")
        connection.send("GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert connection.answer().json == {"status": "ok"}
    assert head.status == got.status
    assert set(head.fields) == set(got.fields)
    ever_new = {"date", "x-request-id", *({"content-length"} if path == "/metrics" else ())}
    for name in set(got.fields) - ever_new:
        assert head.fields[name] == got.fields[name], name


def test_options_needs_no_key_and_says_what_there_is(hub):
    answer = hub.http().request("OPTIONS", f"/api/v1/jobs/{NOWHERE}")
    assert answer.status == 204 and answer.body == b""
    assert {"GET", "HEAD", "PATCH", "OPTIONS"} <= set(answer.fields["allow"].split(", "))
    assert hub.http().request("OPTIONS", "/api/v1/nothing").status == 404


# --- pages of other origins -------------------------------------------------------------------------------------------


def test_a_page_of_an_allowed_origin_can_use_the_hub(make_hub):
    hub = make_hub("--http-cors-origins", PAGE)
    path = f"/api/v1/jobs/{hub.submit()}"
    preflight = hub.http().request(
        "OPTIONS",
        path,
        Origin=PAGE,
        Access_Control_Request_Method="PATCH",
        Access_Control_Request_Headers="content-type, x-api-key",
    )
    assert preflight.status == 204
    assert preflight.fields["access-control-allow-origin"] == PAGE
    assert "PATCH" in preflight.fields["access-control-allow-methods"].split(", ")
    allowed = preflight.fields["access-control-allow-headers"].lower().split(", ")
    assert {"x-api-key", "authorization", "content-type", "if-none-match", "prefer", "idempotency-key"} <= set(allowed)

    for key, status in ((hub.client, 200), (None, 401)):
        answer = hub.http(key).get(path, Origin=PAGE)
        assert (answer.status, answer.fields["access-control-allow-origin"]) == (status, PAGE)
        assert "access-control-allow-credentials" not in answer.fields
        assert "X-Request-Id" in answer.fields["access-control-expose-headers"].split(", ")
    other = hub.http(hub.client).get(path, Origin="https://evil.example")
    assert other.status == 200 and "access-control-allow-origin" not in other.fields
    assert other.fields["vary"] == "Origin"


def test_nothing_is_said_to_pages_unless_some_are_allowed(hub):
    answer = hub.http(hub.client).get(f"/api/v1/jobs/{hub.submit()}", Origin=PAGE)
    assert not [name for name in answer.fields if name.startswith("access-control")]
    assert "vary" not in answer.fields


# --- large answers ----------------------------------------------------------------------------------------------------


def test_a_large_answer_is_compressed_for_who_takes_it(hub):
    job = hub.submit()
    hub.finish(job, big_result(50_000))
    http, path = hub.http(hub.client), f"/api/v1/jobs/{job}"
    plain = http.get(path)
    packed = http.get(path, Accept_Encoding="gzip, br")
    assert "content-encoding" not in plain.fields and packed.fields["content-encoding"] == "gzip"
    assert plain.fields["vary"] == packed.fields["vary"] == "Accept-Encoding"
    assert len(packed.body) < len(plain.body) / 20 and gzip.decompress(packed.body) == plain.body
    assert packed.fields["etag"] == "W/" + plain.fields["etag"]
    for tag in (plain.fields["etag"], packed.fields["etag"]):
        unchanged = http.get(path, Accept_Encoding="gzip", If_None_Match=tag)
        assert (unchanged.status, unchanged.fields["etag"], unchanged.body) == (304, tag, b"")
    refused = http.get(path, Accept_Encoding="gzip;q=0, *")
    assert "content-encoding" not in refused.fields and refused.body == plain.body


@pytest.mark.parametrize("setting", [("--http-gzip-min-bytes", "0"), ("--http-gzip-max-bytes", "4000")])
def test_no_more_is_compressed_than_is_wanted(make_hub, setting):
    hub = make_hub(*setting)
    job = hub.submit()
    hub.finish(job, big_result(5_000))
    answer = hub.http(hub.client).get(f"/api/v1/jobs/{job}", Accept_Encoding="gzip")
    assert "content-encoding" not in answer.fields and answer.json["result"] == big_result(5_000)


def test_a_result_of_megabytes_arrives_whole_also_slowly(hub):
    job = hub.submit()
    result = big_result(3_900_000)
    hub.finish(job, result)
    with RawConnection(hub.port) as connection:
        request = f"GET /api/v1/jobs/{job} HTTP/1.1\r\nHost: hub\r\nX-API-Key: {hub.client}\r\n\r\n"
        connection.send(request * 3)
        for _ in range(3):
            assert connection.answer().json["result"] == result


# --- those who call too often -----------------------------------------------------------------------------------------


def numbers(field):
    """`"polls";r=4;t=1` as its name and its parameters."""
    name, *parameters = field.split(";")
    return name, {key: int(value) for key, _, value in (one.partition("=") for one in parameters)}


def test_a_key_that_asks_too_often_is_told_when_to_ask_again(make_hub):
    hub = make_hub("--limits-polls-per-second", "2", "--limits-burst-s", "5")
    other = hub.make_key()
    path = f"/api/v1/jobs/{hub.submit()}"
    answers = []
    for i in range(20):  # each on a connection of its own, so on one loop after the other
        answers.append(hub.http(hub.client).get(path))
        name, left = numbers(answers[-1].fields["ratelimit"])
        assert name == '"polls"'
        assert numbers(answers[-1].fields["ratelimit-policy"]) == ('"polls"', {"q": 10, "w": 5})
        if answers[-1].status == 429:
            break
        assert answers[-1].status == 200
        assert left["r"] >= 9 - i
    limited = answers[-1]
    assert limited.status == 429 and len(answers) > 10, len(answers)
    assert limited.json["error"] == "rate_limited" and limited.fields["retry-after"] == "1" and left["r"] == 0

    # Of another class, and another key: none of theirs is used up.
    assert hub.http(hub.worker).patch(path, {"status": "running"}).status == 200
    assert "ratelimit" not in hub.http(hub.worker).patch(path, {"status": "running"}).fields
    assert hub.http(other).get(path).status == 404
    deadline = time.monotonic() + PATIENCE_S
    while hub.http(hub.client).get(path).status == 429:
        assert time.monotonic() < deadline


def test_reports_and_the_administrator_have_limits_of_their_own(make_hub):
    hub = make_hub("--limits-writes-per-second", "1", "--limits-burst-s", "1", "--limits-admin-per-second", "1")
    path = f"/api/v1/jobs/{hub.submit()}"

    def until_limited(ask):
        deadline = time.monotonic() + PATIENCE_S
        while (answer := ask()).status != 429:
            assert time.monotonic() < deadline
        return answer

    report = until_limited(lambda: hub.http(hub.worker).patch(path, {"status": "running"}))
    assert numbers(report.fields["ratelimit-policy"]) == ('"writes"', {"q": 1, "w": 1})
    admin = until_limited(lambda: hub.http(hub.admin).get("/api/v1/admin/keys"))
    assert admin.fields["ratelimit"].startswith('"admin";r=0;t=')
    assert hub.command("key", "list").returncode == 0, "the control socket has no limits"


def test_calls_from_one_address_are_limited_whatever_they_are(make_hub):
    hub = make_hub("--limits-calls-per-second-per-address", "1", "--limits-burst-s", "12")
    calls = [
        lambda: hub.http(hub.client).get("/api/v1/jobs"),
        lambda: hub.http().get("/api/v1/jobs"),
        lambda: hub.http(hub.client).post("/api/v1/jobs", {}),
        lambda: hub.http(hub.client).get("/api/v1/ws/jobs"),
    ]
    statuses = [call().status for call in calls]
    assert statuses == [200, 401, 201, 426]
    deadline = time.monotonic() + PATIENCE_S
    for call in calls:
        while (answer := call()).status != 429:
            assert numbers(answer.fields["ratelimit-policy"]) == ('"address"', {"q": 12, "w": 12})
            assert time.monotonic() < deadline
        assert (answer.status, answer.json["error"]) == (429, "rate_limited")
        assert "This address" in answer.json["detail"] and answer.fields["retry-after"] == "1"
        assert numbers(answer.fields["ratelimit"])[1]["r"] == 0
    # What watches the hub is not counted, nor who comes in by the control socket.
    assert hub.http().get("/healthz").status == 200 and "ratelimit" not in hub.http().get("/metrics").fields
    assert hub.command("key", "list").returncode == 0


def test_refused_keys_from_one_address_are_limited_and_good_ones_never(make_hub):
    hub = make_hub("--limits-refusals-per-address", "3")
    path = f"/api/v1/jobs/{hub.submit()}"
    bad = hub.http("sk_live_" + "x" * 40)
    assert [bad.get(path).status for _ in range(3)] == [401] * 3
    limited = bad.get(path)
    assert (limited.status, limited.json["error"], limited.fields["retry-after"]) == (429, "too_many_refusals", "1")
    assert "Invalid API key" in limited.json["detail"]
    assert [int(bad.get(path).fields["retry-after"]) for _ in range(6)] == [1, 1, 2, 4, 5, 5]
    assert hub.http(hub.client).get(path).status == 200


# --- the log ----------------------------------------------------------------------------------------------------------


def lines_of(hub, *ids):
    """The lines of these requests, once all are there."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        lines = {}
        for line in hub.log.splitlines():
            entry = json.loads(line)
            if entry["message"] == "request":
                lines[entry["id"]] = entry
        if set(ids) <= set(lines):
            return [lines[one] for one in ids]
        assert time.monotonic() < deadline, hub.log
        time.sleep(0.01)


def test_every_request_has_its_line_and_no_secret_is_in_it(make_hub):
    hub = make_hub("--log-access", "--log-format", "json")
    job = hub.submit()
    path = f"/api/v1/jobs/{job}"
    hub.http(hub.client).get(path, X_Request_Id="poll")
    hub.http("sk_live_" + "x" * 40).get(f"{path}?api_key=other-secret", X_Request_Id="refused")
    hub.http().request("HEAD", "/healthz", X_Request_Id="head")
    hub.http().get("/api/v1/ws/jobs?api%5Fkey=my-secret", X_Request_Id="socket")
    with RawConnection(hub.port) as connection:
        connection.send("GET /healthz HTTP/1.1\r\n\r\n")
        unread = connection.answer().fields["x-request-id"]
    hub.command("key", "list")

    poll, refused, head, ws, unread = lines_of(hub, "poll", "refused", "head", "socket", unread)
    assert poll["method"] == "GET" and poll["path"] == path and poll["status"] == 200
    assert poll["bytes"] > 100 and poll["us"] >= 0 and poll["peer"] == "127.0.0.1" and poll["level"] == "info"
    assert poll["key"].startswith("key_")
    assert (refused["status"], refused["key"], refused["path"]) == (401, "-", path)
    assert (head["method"], head["status"], head["bytes"]) == ("HEAD", 200, 0)
    assert (ws["path"], ws["status"]) == ("/api/v1/ws/jobs", 426)
    assert (unread["method"], unread["path"], unread["status"]) == ("-", "-", 400)
    for secret in ("secret", "sk_live_", *hub.keys.values()):
        assert secret not in hub.log


def test_no_request_has_a_line_unless_that_is_wanted(hub):
    hub.http(hub.client).get("/healthz", X_Request_Id="never-logged")
    hub.http(hub.client).get("/healthz")
    assert "never-logged" not in hub.log


def test_a_request_id_is_taken_where_it_is_sound(hub):
    http = hub.http()
    for sound in ("trace-17", 'a"b\\{}', "x" * 128):
        assert http.get("/healthz", X_Request_Id=sound).fields["x-request-id"] == sound
    for unsound in ("", "x" * 129, "two words"):
        assert re.fullmatch("[0-9a-f]{14}", http.get("/healthz", X_Request_Id=unsound).fields["x-request-id"])


def test_answers_say_how_long_they_took_where_that_is_wanted(make_hub, hub):
    assert "server-timing" not in hub.http().get("/healthz").fields
    timed = make_hub("--http-server-timing").http().get("/healthz")
    assert re.fullmatch(r"total;dur=\d+\.\d{3}", timed.fields["server-timing"])


def test_curl_and_urllib_need_say_no_type(hub):
    url = f"http://127.0.0.1:{hub.port}/api/v1/jobs"
    fields = {"X-API-Key": hub.client}
    done = subprocess.run(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", url, "-H", f"X-API-Key: {hub.client}", "-d", "{}"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert done.stdout == "201"
    with urllib.request.urlopen(urllib.request.Request(url, b"{}", fields), timeout=30) as answer:
        assert answer.status == 201
