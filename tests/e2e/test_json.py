"""JSON: each answer that docs/json.md decides, over real sockets."""

import uuid

import pytest
from harness.problems import assert_problem


def running(hub):
    job = hub.submit()
    hub.report(job, "running")
    return job


def succeed(hub, job, result):
    """With a result as these very bytes."""
    body = b'{"status":"succeeded","result":' + result + b"}"
    return hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", body)


def shown(hub, job):
    """The result, to the byte."""
    body = hub.http(hub.client).get(f"/api/v1/jobs/{job}").body
    return body.partition(b'"result":')[2].partition(b',"error":')[0]


def nested(depth):
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    "result",
    [
        b"null",
        b"true",
        b'"text"',
        b"[]",
        b'{ "a" : [ 1 , 2 ] }',
        nested(63),
        b'"\\ud83d\\ude00 \\u00e4 \\/ \\u0000"',
        "\"ä 😀 \u2028\"".encode(),
        b"1e999",
        b"-0",
        b"0.1000",
        b"123456789012345678901234567890",
        b"1E-400",
        b'{"a":1,"a":2}',
        b'{"":0}',
        b'"\x7f"',
    ],
)
def test_a_result_is_carried_as_it_was_written(hub, result):
    job = running(hub)
    answer = succeed(hub, job, result)
    assert answer.status == 200, answer
    assert shown(hub, job) == result


@pytest.mark.parametrize(
    "result",
    [
        b"",
        b"nul",
        b"NaN",
        b"Infinity",
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"0x10",
        b"'text'",
        b"[1,]",
        b'{"a":1,}',
        b"{a:1}",
        b"// word\n1",
        b'"\\x41"',
        b'"\\u12g4"',
        b'"a\nb"',
        b'"\x00"',
        nested(64),
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xff"',
        b'"\xc0\xaf"',
        b'"\xed\xa0\x80"',
        b'"\xf4\x90\x80\x80"',
        b'"\xe2\x82',
        b"1}{",
    ],
)
def test_what_is_no_json_is_refused_and_changes_nothing(hub, result):
    job = running(hub)
    before = hub.job(job)
    answer = succeed(hub, job, result)
    assert_problem(answer, 400, "invalid_json")
    assert "at byte" in answer.json["detail"]
    assert hub.job(job) == before


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"status":"succeeded","status":"failed"}', "stands twice"),
        (b'{"status":"succeeded","st\\u0061tus":"failed"}', "stands twice"),
        (b'\xef\xbb\xbf{"status":"succeeded"}', "no JSON value"),
        (b"", "empty"),
        (b"[]", "an object is wanted"),
        (b'"succeeded"', "an object is wanted"),
        (b'{"status":"succeeded"} {}', "behind the value"),
        (b"{" + b",".join(b'"%d":0' % i for i in range(300)) + b"}", "more than 256 members"),
    ],
)
def test_a_body_is_an_object_without_doubt(hub, body, word):
    job = running(hub)
    answer = hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", body)
    assert_problem(answer, 400, "invalid_json")
    assert word in answer.json["detail"]
    assert hub.job(job)["status"] == "running"


def test_the_place_of_what_is_wrong_is_told(hub):
    job = running(hub)
    body = b'{"status":"succeeded","result":[1,2,x]}'
    answer = hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", body)
    assert f"(at byte {body.index(b'x')})" in answer.json["detail"]


def test_an_escape_in_a_string_that_the_hub_reads_is_understood(hub):
    job = running(hub)
    assert hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", b'{"st\\u0061tus":"fail\\u0065d","error":"\\ud83d\\ude00"}').json[
        "error"
    ] == "😀"  # fmt: skip


@pytest.mark.parametrize("number", ["1e999", "1e2", "1.0", "-1", "9223372036854775808", "1" * 400])
def test_a_number_that_the_hub_reads_is_whole_and_in_its_range(hub, number):
    body = f'{{"account":"default","expires_in_s":{number}}}'.encode()
    answer = hub.http(hub.admin).post("/api/v1/admin/keys", body)
    assert_problem(answer, 422, "validation_error", "/expires_in_s")


def test_the_depth_counts_from_the_bodys_own_braces(hub):
    """64 in all: 63 within a result, 61 within that of a report among many."""
    ids = [running(hub) for _ in range(2)]
    updates = b",".join(
        b'{"job_id":"%s","status":"succeeded","result":%s}' % (job.encode(), nested(61)) for job in ids
    )
    answer = hub.http(hub.worker).post("/api/v1/jobs/updates", b'{"updates":[' + updates + b"]}")
    assert [one["status"] for one in answer.json["results"]] == [200, 200]
    deeper = b'{"updates":[{"job_id":"%s","result":%s}]}' % (str(uuid.uuid4()).encode(), nested(62))
    assert_problem(hub.http(hub.worker).post("/api/v1/jobs/updates", deeper), 400, "invalid_json")


def test_metadata_and_progress_are_carried_as_they_were_written(hub):
    job = str(uuid.uuid4())
    body = b'{"job_id":"%s","metadata":{"n": 1.50, "n":2}}' % job.encode()
    assert hub.http(hub.client).post("/api/v1/jobs", body).status == 201
    hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", b'{"status":"running","progress":[ 1e3 ]}')
    answer = hub.http(hub.client).get(f"/api/v1/jobs/{job}").body
    assert b'"metadata":{"n": 1.50, "n":2},' in answer and b'"progress":[ 1e3 ],' in answer
