"""The webhook commands, beside a running hub and without one."""

import json
import time

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.receiver import Receiver
from harness.waiting import wait_until

SECRET_PREFIX = "whsec_"


def api(hub, method, path, body=None):
    answer = hub.http(hub.admin).request(method, f"/api/v1{path}", body)
    assert answer.status < 300, answer
    return answer.json


def as_json(hub, *arguments):
    return json.loads(hub.command("webhook", *arguments, "--json").stdout)


@pytest.fixture(params=["running", "at rest"])
def tended_webhook(request, make_hub):
    """A hub with one webhook that has failed twice, its receiver (which works by now), and back()."""
    broken = [True]
    with Receiver(lambda received: 500 if broken[0] else 200) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "0")
        endpoint = hub.add_webhook(receiver.url())
        for _ in range(2):
            hub.finish(hub.submit())
        path = f"/webhooks/{endpoint['id']}/deliveries?status=failed"
        wait_until(lambda: len(api(hub, "GET", path)["deliveries"]) == 2)
        broken[0] = False
        receiver.received.clear()
        if request.param == "at rest":
            hub.stop()

        def back():
            if hub.process.poll() is not None:
                hub.start()
            return hub

        yield hub, endpoint, receiver, back


def test_webhooks_are_listed(tended_webhook):
    hub, endpoint, _, back = tended_webhook
    table = hub.command("webhook", "list").stdout.splitlines()
    assert table[0].split() == ["id", "account", "owner", "status", "failing_since", "url"]
    assert len(table) == 2 and table[1].split()[0] == endpoint["id"] and endpoint["url"] in table[1]
    (listed,) = as_json(hub, "list")["webhooks"]
    assert (listed["id"], listed["account"]) == (endpoint["id"], "default")
    assert as_json(hub, "list", "--account", "default") == {"webhooks": [listed]}
    assert as_json(hub, "list", "--key", listed["owner"]) == {"webhooks": [listed]}
    assert as_json(hub, "list", "--key", "key_1") == {"webhooks": []}
    assert as_json(hub, "list", "--jobs") == {"webhooks": []}
    hub.command("account", "create", "tenant")
    assert as_json(hub, "list", "--account", "tenant") == {"webhooks": []}
    back().submit(webhook_url="http://127.0.0.1:1/")
    (of_jobs,) = as_json(hub, "list", "--jobs")["webhooks"]
    assert of_jobs["kind"] == "jobs"


def test_a_webhook_is_shown(tended_webhook):
    hub, endpoint, _, _ = tended_webhook
    shown = as_json(hub, "show", endpoint["id"])
    endpoint.pop("secret")
    assert {**endpoint, "failing_since": None} == {**shown, "failing_since": None}
    text = hub.command("webhook", "show", endpoint["id"]).stdout
    rows = dict(line.split(maxsplit=1) for line in text.splitlines())
    assert rows["id"] == endpoint["id"] and rows["url"] == endpoint["url"] and rows["ordered"] == "false"
    assert SECRET_PREFIX not in text


def test_deliveries_are_listed_and_shown(tended_webhook):
    hub, endpoint, _, _ = tended_webhook
    table = hub.command("webhook", "deliveries", endpoint["id"]).stdout.splitlines()
    assert table[0].split()[:2] == ["id", "status"] and len(table) == 3
    listed = as_json(hub, "deliveries", endpoint["id"])["deliveries"]
    assert [one["status"] for one in listed] == ["failed", "failed"]
    assert as_json(hub, "deliveries", endpoint["id"], "--limit", "1")["deliveries"] == listed[:1]
    assert as_json(hub, "deliveries", endpoint["id"], "--status", "failed")["deliveries"] == listed
    assert as_json(hub, "deliveries", endpoint["id"], "--status", "delivered")["deliveries"] == []
    shown = as_json(hub, "show", listed[0]["id"])
    assert [one["status"] for one in shown["attempts"]] == [500, 500]
    text = hub.command("webhook", "show", listed[0]["id"]).stdout
    assert listed[0]["message_id"] in text and text.count(" 500 ") == 2


def test_what_failed_is_sent_again(tended_webhook):
    hub, endpoint, receiver, back = tended_webhook
    early = hub.command("webhook", "replay", endpoint["id"], "--since", "2020-01-01T00:00:00Z", "--until", "1577836801")
    assert early.stdout == "0\n"
    done = hub.command("webhook", "replay", endpoint["id"], "--since", "1h")
    assert done.stdout == "2\n" and endpoint["id"] in done.stderr
    assert as_json(hub, "replay", endpoint["id"], "--since", "1h") == {"sent_again": 0}
    back()
    hooks = receiver.wait_for_count(2)
    assert len({hook.id for hook in hooks}) == 2


def test_all_of_it_is_sent_again(tended_webhook):
    hub, endpoint, receiver, back = tended_webhook
    hub.command("webhook", "replay", endpoint["id"], "--since", "0")
    back()
    receiver.wait_for_count(2)
    path = f"/webhooks/{endpoint['id']}/deliveries?status=delivered"
    wait_until(lambda: len(api(hub, "GET", path)["deliveries"]) == 2)
    assert hub.command("webhook", "replay", endpoint["id"], "--since", "0", "--all").stdout == "2\n"
    receiver.wait_for_count(4)


def test_one_delivery_is_sent_again(tended_webhook):
    hub, endpoint, receiver, back = tended_webhook
    one = as_json(hub, "deliveries", endpoint["id"])["deliveries"][0]
    done = hub.command("webhook", "redeliver", one["id"])
    assert done.stdout == one["id"] + "\n" and one["id"] in done.stderr
    back()
    (hook,) = receiver.wait_for_count(1)
    assert hook.id == one["message_id"]


def test_a_webhook_is_tried(tended_webhook):
    hub, endpoint, receiver, back = tended_webhook
    made = hub.command("webhook", "test", endpoint["id"]).stdout.strip()
    assert made.startswith("dlv_")
    back()
    (hook,) = receiver.wait_for_count(1)
    assert hook.json["type"] == "webhook.test"
    wait_until(lambda: as_json(hub, "show", made)["status"] == "delivered")


def test_a_webhook_is_switched_off_and_on(tended_webhook):
    hub, endpoint, receiver, back = tended_webhook
    done = hub.command("webhook", "disable", endpoint["id"])
    assert done.stdout == "" and done.stderr == f"{endpoint['id']} is disabled\n"
    assert as_json(hub, "show", endpoint["id"])["status"] == "disabled"
    refused = hub.command("webhook", "replay", endpoint["id"], "--since", "0", check=False)
    assert (refused.returncode, refused.stdout) == (1, "") and refused.stderr.startswith("carillon: ")
    assert as_json(hub, "enable", endpoint["id"])["status"] == "enabled"
    back()
    job = hub.submit()
    hub.finish(job)
    assert receiver.wait_for_count(1)[0].job == job


def test_a_secret_is_rotated(tended_webhook):
    hub, endpoint, receiver, back = tended_webhook
    done = hub.command("webhook", "rotate-secret", endpoint["id"])
    secret = done.stdout.strip()
    assert secret.startswith(SECRET_PREFIX) and secret != endpoint["secret"]
    assert endpoint["id"] in done.stderr and SECRET_PREFIX not in done.stderr
    back()
    hub.finish(hub.submit())
    (hook,) = receiver.wait_for_count(1)
    assert hook.is_signed_with(secret) and hook.is_signed_with(endpoint["secret"])
    last = as_json(hub, "rotate-secret", endpoint["id"], "--overlap", "0s")
    assert time.strptime(last["previous_valid_until"][:19], "%Y-%m-%dT%H:%M:%S") <= time.gmtime()
    hub.finish(hub.submit())
    hook = receiver.wait_for_count(2)[1]
    assert hook.is_signed_with(last["secret"]) and not hook.is_signed_with(secret)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "we_nonsense"], "we_nonsense"),
        (["show", "dlv_no"], "dlv_no"),
        (["enable", "we_nonsense"], "we_nonsense"),
        (["disable", "../admin/keys"], "not found"),
        (["test", "we_nonsense"], "we_nonsense"),
        (["deliveries", "we_nonsense"], "we_nonsense"),
        (["redeliver", "dlv_nonsense"], "dlv_nonsense"),
        (["replay", "we_nonsense", "--since", "0"], "we_nonsense"),
        (["rotate-secret", "we_nonsense"], "we_nonsense"),
        (["list", "--account", "nobody"], "account"),
        (["list", "--key", "nonsense"], "key"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(tended, arguments, words):
    hub, _ = tended
    done = hub.command("webhook", *arguments, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("carillon: ") and words in done.stderr and done.stderr.count("\n") == 1
