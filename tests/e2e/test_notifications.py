"""Whom the hub told of a job: GET /jobs/{id}/notifications and `carillon job trace`, by real clients of every channel,
those who do not read, those who are cut off, and one webhook that fails."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

from conftest import LOCAL_WEBHOOKS
from harness import metrics
from harness.http import RawConnection
from harness.receiver import Receiver
from harness.waiting import wait_until
from harness.ws import Client, in_thread, run
from test_slow_clients import report_until_dropped, running_job, subscribed

NOBODY = {"websocket": 0, "websocket_later": 0, "streams": 0, "polls": 0}


def notifications(hub, job, key=None, query=""):
    """On a machine that is busy a loop may take more than the second that it is given to answer."""

    def ask():
        answer = hub.http(key or hub.client).get(f"/api/v1/jobs/{job}/notifications{query}")
        assert answer.status == 200, answer
        assert answer.fields["cache-control"] == "private, no-store"
        return answer.json if answer.json["memory"]["complete"] else None

    return wait_until(ask)


def events_of(hub, job, key=None):
    """By their types."""
    return {event["type"]: event for event in notifications(hub, job, key)["events"]}


def sent(hub, job):
    return {kind: event["sent"] for kind, event in events_of(hub, job).items()}


def key_ids(hub):
    keys = hub.http(hub.admin).get("/api/v1/admin/keys").json["keys"]
    return {key["role"]: key["id"] for key in keys}


def stream(hub, key):
    connection = RawConnection(hub.port)
    connection.send(
        f"GET /api/v1/events?after=now HTTP/1.1\r\nHost: hub\r\nX-API-Key: {key}\r\nAccept: text/event-stream\r\n\r\n"
    )
    assert connection.head().status == 200
    while not connection.file.readline().startswith(b"retry:"):
        pass
    return connection


# --- what was sent ----------------------------------------------------------------------------------------------------


def test_nobody_was_there(hub):
    job = hub.submit()
    hub.report(job, "running", progress=7)
    hub.report(job, "succeeded", result={"large": "x" * 1000})
    said = notifications(hub, job)
    assert (said["job_id"], said["status"], said["last_poll"], said["next_cursor"]) == (job, "succeeded", None, None)
    assert [event["type"] for event in said["events"]] == ["job.queued", "job.running", "job.succeeded"]
    for event in said["events"]:
        assert (event["sent"], event["dropped"], event["webhooks"]) == (NOBODY, [], [])
    history = hub.http(hub.client).get(f"/api/v1/jobs/{job}/events").json["events"]
    assert [event["seq"] for event in history] == [event["seq"] for event in said["events"]]
    assert said["memory"]["complete"] and said["memory"]["events_after"] < said["events"][0]["seq"]
    assert said["memory"]["since"] == said["memory"]["polls_after"] < said["events"][0]["timestamp"]


def test_websockets_are_counted_on_every_loop(hub):
    """Connections go round the loops; what each of them told is added up."""

    async def listen():
        job = hub.submit()
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(Client(hub, hub.client)) for _ in range(5)]
            for n, client in enumerate(clients):
                await client.expect("connected")
                await client.subscribe("*" if n == 0 else job)
            await clients[1].subscribe("*")  # listens twice, and is told once
            await in_thread(hub.report, job, "running")
            for client in clients:
                await client.expect("job_update", job_id=job, status="running")
            await clients[2].send({"action": "unsubscribe", "job_id": job})
            await clients[2].expect("unsubscribed")
            await in_thread(hub.report, job, "succeeded")
            for client in (*clients[:2], *clients[3:]):
                await client.expect("job_update", job_id=job, status="succeeded")
        told = await in_thread(sent, hub, job)
        assert told["job.queued"] == NOBODY | {"websocket_later": 4}  # as the present state, when they subscribed
        assert told["job.running"] == NOBODY | {"websocket": 5}
        assert told["job.succeeded"] == NOBODY | {"websocket": 4}

    run(listen())


def test_who_resumes_is_told_later(hub):
    async def listen():
        job = hub.submit()
        async with Client(hub, query=f"?resume=1&api_key={hub.client}") as client:
            connected = await client.expect("connected")
            state = await client.subscribe(job)
        await in_thread(hub.finish, job)
        async with Client(hub, query=f"?resume=1&api_key={hub.client}") as client:
            await client.expect("connected")
            resume = {"after": state["seq"], "epoch": connected["epoch"]}
            await client.send({"action": "subscribe", "job_id": job, **resume})
            await client.expect("subscribed", recovered=True)
            await client.expect("job_update", status="running")
            await client.expect("job_update", status="succeeded")
            told = await in_thread(sent, hub, job)
            assert told["job.running"] == told["job.succeeded"] == NOBODY | {"websocket_later": 1}

    run(listen())


def test_polls_and_streams_are_counted(hub):
    job = running_job(hub)
    http = hub.http(hub.client)
    with stream(hub, hub.client) as streamed:
        first = http.get(f"/api/v1/jobs/{job}")
        http.get(f"/api/v1/jobs/{job}", If_None_Match=first.fields["etag"])
        http.get(f"/api/v1/jobs?ids={job}")

        with ThreadPoolExecutor() as pool:
            waiting = [
                pool.submit(http.get, f"/api/v1/jobs/{job}?wait=30"),
                pool.submit(http.get, f"/api/v1/events?after={first.json['seq']}&wait=30"),
            ]
            metrics.wait_for(hub, lambda samples: samples["carillon_polls_waiting"] == 2)
            hub.report(job, "succeeded")
            assert [one.result().status for one in waiting] == [200, 200]
        while b"job.succeeded" not in streamed.file.readline():
            pass
    http.get(f"/api/v1/events?after={first.json['seq']}")
    told = sent(hub, job)
    assert told["job.running"] == NOBODY | {"polls": 2}  # not the 304
    assert told["job.succeeded"] == NOBODY | {"polls": 3, "streams": 1}


def test_when_a_job_was_last_asked_for(hub):
    job = hub.submit()
    http = hub.http(hub.client)
    keys = key_ids(hub)
    assert notifications(hub, job)["last_poll"] is None
    seen = http.get(f"/api/v1/jobs/{job}")
    first = notifications(hub, job)["last_poll"]
    assert (first["seq"], first["key_id"]) == (seen.json["seq"], keys["client"])
    http.get(f"/api/v1/jobs/{job}", If_None_Match=seen.fields["etag"])
    second = notifications(hub, job)["last_poll"]
    assert second["at"] > first["at"] and second["seq"] == first["seq"]
    running = hub.report(job, "running")
    hub.http(hub.worker).get(f"/api/v1/jobs?ids={job}")
    # It was another key: which one, only administrators are told.
    third = notifications(hub, job)["last_poll"]
    assert third["at"] >= second["at"] and (third["seq"], third["key_id"]) == (running["seq"], None)
    assert notifications(hub, job, hub.admin)["last_poll"] == third | {"key_id": keys["worker"]}
    # To ask this is not to poll.
    assert notifications(hub, job)["last_poll"] == third


# --- who was dropped --------------------------------------------------------------------------------------------------


def test_a_slow_client_is_named_with_the_event_behind_which_it_was_dropped(make_hub):
    hub = make_hub("--websocket-slow-client-ms", "300")
    job, other = running_job(hub), running_job(hub)
    with subscribed(hub, job):
        report_until_dropped(hub, job)
    final = hub.report(job, "succeeded")["seq"]
    events, cursor = [], ""
    while not any(event["dropped"] for event in events):
        page = notifications(hub, job, query=f"?limit=100{cursor}")
        events, cursor = page["events"] + events, f"&cursor={page['next_cursor']}"
    at = [event["dropped"] != [] for event in events].index(True)
    if at == 0:  # what was before it is on the page before
        events = notifications(hub, job, query=f"?limit=100{cursor}")["events"] + events
    assert (events[-1]["seq"], events[-1]["sent"], events[-1]["dropped"]) == (final, NOBODY, [])
    (at,) = [n for n, event in enumerate(events) if event["dropped"]]
    (drop,) = events[at]["dropped"]
    assert drop.pop("at") >= events[at]["timestamp"]
    assert drop == {
        "channel": "websocket",
        "reason": "slow_by_age",
        "close_code": 1008,
        "key_id": key_ids(hub)["client"],
    }
    # What it was sent before counts as sent, whether or not it arrived; what came behind it was sent to nobody.
    assert events[at - 1]["sent"]["websocket"] == 1
    assert not any(event["sent"]["websocket"] for event in events[at + 1 :])
    assert not any(event["dropped"] for event in notifications(hub, other)["events"])


def test_who_was_lost_and_whose_key_ended_is_named_and_who_left_is_not(make_hub):
    hub = make_hub()
    key = hub.make_key()
    job = hub.submit(key)
    states = hub.report(job, "running")

    async def end_in_three_ways():
        async with Client(hub, key) as leaves, Client(hub, key) as lost, Client(hub, hub.worker) as others:
            for client in (leaves, lost, others):
                await client.expect("connected")
            for client in (leaves, lost):
                await client.subscribe(job)
            await others.subscribe(job)
            await leaves.socket.close()
            lost.socket.transport.abort()
            await lost.socket.wait_closed()
        async with Client(hub, key) as refused:
            await refused.expect("connected")
            await refused.subscribe("*")
            await in_thread(hub.ask_admin, f"/keys/{key.id}/disable")
            assert (await refused.closed())[0] == 4001

    run(end_in_three_ways())
    metrics.wait_for(hub, lambda samples: samples["carillon_websocket_connections"] == 0)
    event = events_of(hub, job, hub.admin)["job.running"]
    assert event["seq"] == states["seq"]
    drops = {(one["reason"], one["close_code"], one["key_id"]) for one in event["dropped"]}
    assert drops == {("lost", 1006, key.id), ("key_refused", 4001, key.id)} and len(event["dropped"]) == 2
    assert events_of(hub, job, hub.worker)["job.running"]["dropped"][0]["key_id"] is None


# --- webhooks ---------------------------------------------------------------------------------------------------------


def test_each_attempt_of_each_webhook_is_shown(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "0,0")
    with Receiver(lambda received: (500, {}, b"not today")) as fails, Receiver() as works:
        broken = hub.add_webhook(fails.url("/broken"), events=["job.succeeded"])
        sound = hub.add_webhook(works.url("/sound"), events=["job.running", "job.succeeded"])
        job = hub.submit()
        hub.finish(job)
        wait_until(
            lambda: {"failed", "delivered"}
            == {one["status"] for one in events_of(hub, job)["job.succeeded"]["webhooks"]}
        )
    events = events_of(hub, job)
    assert events["job.queued"]["webhooks"] == []
    (only,) = events["job.running"]["webhooks"]
    assert (only["webhook_id"], only["status"], only["url"]) == (sound["id"], "delivered", sound["url"])
    both = {one["webhook_id"]: one for one in events["job.succeeded"]["webhooks"]}
    assert set(both) == {broken["id"], sound["id"]}
    failed = both[broken["id"]]
    assert (failed["status"], failed["attempt_count"]) == ("failed", 3)
    assert [(one["number"], one["status"], one["response"]) for one in failed["attempts"]] == [
        (n, 500, "not today") for n in (1, 2, 3)
    ]
    shown = hub.http(hub.client).get(f"/api/v1/deliveries/{failed['id']}").json
    assert failed == shown | {"url": broken["url"]}
    # Webhooks are none of a worker's business; administrators see them.
    assert events_of(hub, job, hub.worker)["job.succeeded"]["webhooks"] is None
    assert events_of(hub, job, hub.admin) == events


# --- who may ask ------------------------------------------------------------------------------------------------------


def test_who_may_not_see_the_job_is_told_nothing(hub):
    job = hub.submit()
    stranger = hub.http(hub.make_key())
    there = stranger.get(f"/api/v1/jobs/{job}/notifications")
    nowhere = stranger.get("/api/v1/jobs/6c6f6c6c-6f6c-4c6f-8c6f-6c6f6c6c6f6c/notifications")
    assert (there.status, there.json["error"]) == (nowhere.status, nowhere.json["error"]) == (404, "not_found")
    assert there.json["detail"] == f"Job not found or access denied: {job}"
    assert hub.http("sk_live_none").get(f"/api/v1/jobs/{job}/notifications").status == 401
    for key in (hub.worker, hub.admin):
        assert notifications(hub, job, key)["job_id"] == job


def test_an_accounts_keys_see_no_webhook_of_a_key_that_they_do_not_see(make_hub):
    """With ownership by key, a webhook of the account's other key is another's, whatever it was told before."""
    with Receiver() as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, "--ownership", "account")
        sibling = hub.make_key()
        hub.add_webhook(receiver.url(), key=sibling)
        job = hub.submit()
        hub.finish(job)
        wait_until(lambda: events_of(hub, job)["job.succeeded"]["webhooks"])
        hub.stop()
        hub.options[hub.options.index("account")] = "key"
        hub.start()
        assert events_of(hub, job)["job.succeeded"]["webhooks"] == []
        assert len(events_of(hub, job, hub.admin)["job.succeeded"]["webhooks"]) == 1


# --- pages and memory -------------------------------------------------------------------------------------------------


def test_pages_go_back_to_the_first_event(hub):
    job = hub.submit()
    hub.report(job, "running")
    for n in range(5):
        hub.report(job, progress=n)
    whole = notifications(hub, job)["events"]
    pages, cursor = [], ""
    while True:
        page = notifications(hub, job, query=f"?limit=2{cursor}")
        pages = page["events"] + pages
        if not page["next_cursor"]:
            break
        assert len(page["events"]) == 2
        cursor = f"&cursor={page['next_cursor']}"
    assert pages == whole and len(whole) == 7
    for query in ("?limit=0", "?limit=101", "?cursor=7", "?colour=red"):
        assert hub.http(hub.client).get(f"/api/v1/jobs/{job}/notifications{query}").status == 422


def test_a_page_is_full_with_so_many_attempts_and_goes_on_behind_them(make_hub):
    """A hundred webhooks that fail at once, an event after the other: a page ends by what it has read."""
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "0,0,0,0,0,0,0,0")
    with Receiver(lambda received: 500) as receiver:
        for n in range(60):
            hub.add_webhook(receiver.url(f"/{n}"), events=["job.running", "job.succeeded"])
        job = hub.submit()
        hub.finish(job)
        receiver.wait_for_count(60 * 2 * 9)

    def ended():
        last = events_of(hub, job)["job.succeeded"]["webhooks"]
        return all(one["status"] == "failed" and len(one["attempts"]) == 9 for one in last)

    wait_until(ended)
    page = notifications(hub, job)
    assert [event["type"] for event in page["events"]] == ["job.running", "job.succeeded"]
    rest = notifications(hub, job, query=f"?cursor={page['next_cursor']}")
    assert [event["type"] for event in rest["events"]] == ["job.queued"] and rest["next_cursor"] is None


def test_what_is_pushed_out_of_memory_is_not_known(make_hub):
    hub = make_hub("--notifications-events", "1024")
    job = hub.submit()
    assert sent(hub, job)["job.queued"] == NOBODY
    updates = [{"job_id": hub.submit(), "status": "running"}] + [None] * 999
    for n in range(1, 1000):
        updates[n] = {"job_id": updates[0]["job_id"], "progress": n}
    last = hub.report(job, "running")["seq"]
    for _ in range(2):
        assert hub.http(hub.worker).post("/api/v1/jobs/updates", {"updates": updates}).status == 200
    said = notifications(hub, job)
    assert [event["sent"] for event in said["events"]] == [None, None]
    assert last < said["memory"]["events_after"]
    assert [event["dropped"] for event in said["events"]] == [[], []]  # of drops there were none since the start


def test_after_a_restart_it_says_that_it_does_not_know(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS)
    with Receiver() as receiver:
        hub.add_webhook(receiver.url())
        job, goes_on = hub.submit(), hub.submit()
        hub.finish(job)
        hub.http(hub.client).get(f"/api/v1/jobs/{job}")
        wait_until(lambda: events_of(hub, job)["job.succeeded"]["webhooks"][0]["status"] == "delivered")
    before = notifications(hub, job)
    assert before["events"][-1]["sent"] == NOBODY | {"polls": 1} and before["last_poll"]
    hub.kill()
    hub.start()
    after = notifications(hub, job)
    for event, was in zip(after["events"], before["events"]):
        assert event == was | {"sent": None, "dropped": None}
    assert after["last_poll"] is None
    memory = after["memory"]
    assert memory["complete"] and memory["events_after"] == memory["drops_after"] == after["events"][-1]["seq"]
    assert memory["since"] == memory["polls_after"] > before["memory"]["since"]
    hub.report(goes_on, "running")
    told = sent(hub, goes_on)
    assert told == {"job.queued": None, "job.running": NOBODY}


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_draws_a_time_line(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "0")
    with Receiver(lambda received: 503) as receiver:
        hub.add_webhook(receiver.url(), events=["job.succeeded"])
        job = hub.submit()

        async def listen():
            async with Client(hub, hub.client) as client:
                await client.expect("connected")
                await client.subscribe(job)
                await in_thread(hub.report, job, "running")
                await client.expect("job_update", status="running")
                client.socket.transport.abort()
                await client.socket.wait_closed()

        run(listen())
        metrics.wait_for(hub, lambda samples: metrics.closed(samples, "lost") == 1)
        hub.report(job, "succeeded")
        hub.http(hub.client).get(f"/api/v1/jobs/{job}")
        wait_until(lambda: events_of(hub, job)["job.succeeded"]["webhooks"][0]["status"] == "failed")
    done = hub.command("job", "trace", job)
    at, seq, dlv = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", r"(\d+)", r"dlv_\w+"
    url = re.escape(receiver.url())
    line = re.compile(
        rf"job {job} is succeeded\n"
        rf"last asked for at {at} by key_\w+, as of event {seq}\n\n"
        rf"{seq} job.queued\n"
        rf"{at}  websocket  nobody listened, and 1 more connection later\n\n"
        rf"{seq} job.running\n"
        rf"{at}  websocket  told 1 connection\n"
        rf"{at}  websocket  a connection of key_\w+ was dropped: lost, 1006\n\n"
        rf"{seq} job.succeeded\n"
        rf"{at}  websocket  nobody listened\n"
        rf"{at}  polling    told in 1 answer\n"
        rf"{at}  webhook    {dlv} to {url}, attempt 1: 503 in \d+ ms\n"
        rf"{at}  webhook    {dlv} to {url}, attempt 2: 503 in \d+ ms\n"
        rf"{at}  webhook    {dlv} to {url} is failed\n"
    )
    found = line.fullmatch(done.stdout)
    assert found, done.stdout
    assert found[1] == found[4] and done.stderr == ""

    whole = notifications(hub, job, hub.admin)
    del whole["next_cursor"]
    assert json.loads(hub.command("job", "trace", job, "--json").stdout) == whole
    some = hub.command("job", "trace", job, "--limit", "1")
    assert "job.succeeded" in some.stdout and "job.running" not in some.stdout
    assert some.stderr == "carillon: there are earlier events; --limit shows more\n"

    hub.stop()
    at_rest = hub.command("job", "trace", job)
    assert at_rest.stdout.count("not known, as are streams and polls: the hub does not remember it\n") == 3
    assert "\nnot asked for since " in at_rest.stdout and "attempt 2: 503" in at_rest.stdout


def test_the_command_reads_all_pages_in_order(hub):
    job = hub.submit()
    hub.report(job, "running")
    updates = [{"job_id": job, "progress": n} for n in range(240)]
    assert hub.http(hub.worker).post("/api/v1/jobs/updates", {"updates": updates}).status == 200
    for limit, count in ((1000, 242), (150, 150)):
        events = json.loads(hub.command("job", "trace", job, "--limit", str(limit), "--json").stdout)["events"]
        assert len(events) == count
        assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)


def test_the_command_says_what_is_wrong(hub):
    nowhere = hub.command("job", "trace", "none", check=False)
    assert (nowhere.returncode, nowhere.stdout) == (1, "")
    assert nowhere.stderr == "carillon: Job not found or access denied: none\n"
    assert hub.command("job", "trace", check=False).returncode == 2
