"""What Standard Webhooks' own verifier makes of real deliveries."""

import hashlib
import hmac

import pytest
from conftest import LOCAL_WEBHOOKS
from harness.receiver import Receiver
from harness.standard_webhooks import Verifier

OTHER_SECRET = "whsec_" + "QUJD" * 8
NO_MATCH = "refused: No matching signature found"


@pytest.fixture
def verifier(missing):
    return Verifier(missing)


def rotate(hub, key, endpoint):
    answer = hub.http(key).post(f"/api/v1/webhooks/{endpoint['id']}/rotate-secret")
    assert answer.status == 200, answer
    return answer.json


def deliver(hub, key, receiver, result=None):
    """Finishes a job, and waits for what its webhook is sent."""
    job = hub.submit(key)
    hub.finish(job, result)
    return next(hook for hook in receiver.wait_for(lambda hooks: any(one.job == job for one in hooks)) if hook.job == job)


def versions(hook):
    return [one.split(",")[0] for one in hook.fields["webhook-signature"].split(" ")]


def test_a_delivery_is_accepted_and_a_forged_one_is_not(hub, verifier):
    key = hub.make_key()
    with Receiver() as receiver:
        secret = hub.add_webhook(receiver.url(), key)["secret"]
        for result in (None, {"text": "größer als 7 – \U0001f514", "quote": '"\\'}, ["x" * 200_000]):
            hook = deliver(hub, key, receiver, result)
            assert versions(hook) == ["v1"]
            assert verifier.judge(secret, hook) == "accepted"
    assert verifier.judge(OTHER_SECRET, hook) == NO_MATCH
    assert verifier.judge(secret, hook, body=hook.body + b" ") == NO_MATCH
    assert verifier.judge(secret, hook, webhook_id=hook.id + "x") == NO_MATCH
    sent_at = int(hook.fields["webhook-timestamp"])
    assert verifier.judge(secret, hook, webhook_timestamp=str(sent_at - 1)) == NO_MATCH
    assert verifier.judge(secret, hook, webhook_timestamp=str(sent_at - 3600)) == "refused: Message timestamp too old"


def test_a_secret_of_the_owners_own_is_accepted(hub, verifier):
    key = hub.make_key()
    with Receiver() as receiver:
        for secret in ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "A" * 84 + "AA=="):
            endpoint = hub.add_webhook(receiver.url(f"/{len(secret)}"), key, secret=secret)
            hook = deliver(hub, key, receiver)
            assert verifier.judge(secret, hook) == "accepted"
            assert hub.http(key).delete(f"/api/v1/webhooks/{endpoint['id']}").status == 204


def test_a_repeat_is_accepted_anew(make_hub, verifier):
    statuses = iter([503])
    with Receiver(lambda received: next(statuses, 200)) as receiver:
        hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", "0,1")
        secret = hub.add_webhook(receiver.url())["secret"]
        hub.finish(hub.submit())
        first, second = receiver.wait_for_count(2)
    assert first.id == second.id
    for hook in (first, second):
        assert verifier.judge(secret, hook) == "accepted"


def test_while_a_secret_is_replaced_both_are_accepted(hub, verifier):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key)
        old = endpoint["secret"]
        new = rotate(hub, key, endpoint)["secret"]
        assert new.startswith("whsec_") and new != old
        hook = deliver(hub, key, receiver)
    assert versions(hook) == ["v1", "v1"]
    assert verifier.judge(old, hook) == "accepted"
    assert verifier.judge(new, hook) == "accepted"
    assert verifier.judge(OTHER_SECRET, hook) == NO_MATCH


def test_a_signing_keys_public_key_checks(hub, verifier):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key, signing="ed25519")
        public_key = endpoint["public_key"]
        assert public_key.startswith("whpk_")
        hook = deliver(hub, key, receiver, {"text": "größer"})
        assert versions(hook) == ["v1a"]
        assert verifier.judge(public_key, hook) == "accepted"
        assert verifier.judge(public_key, hook, body=hook.body + b" ") == NO_MATCH
        # It is no longer what the secret says.
        assert verifier.judge(endpoint["secret"], hook) == NO_MATCH

        rotate(hub, key, endpoint)
        shown = hub.http(key).get(f"/api/v1/webhooks/{endpoint['id']}").json
        assert shown["public_key"].startswith("whpk_") and shown["public_key"] != public_key
        hook = deliver(hub, key, receiver)
        assert versions(hook) == ["v1a", "v1a"]
        assert verifier.judge(public_key, hook) == "accepted"
        assert verifier.judge(shown["public_key"], hook) == "accepted"


def test_a_test_delivery_is_accepted(hub, verifier):
    key = hub.make_key()
    with Receiver() as receiver:
        endpoint = hub.add_webhook(receiver.url(), key)
        assert hub.http(key).post(f"/api/v1/webhooks/{endpoint['id']}/test").status in (200, 202)
        (hook,) = receiver.wait_for_count(1)
    assert hook.json["type"] == "webhook.test" and hook.json["data"] == {"webhook_id": endpoint["id"]}
    assert verifier.judge(endpoint["secret"], hook) == "accepted"


def test_the_legacy_signature_stands_beside_it(hub, verifier):
    key = hub.make_key()
    with Receiver() as receiver:
        secret = hub.add_webhook(receiver.url(), key, legacy_signature="X-Alterlab-Signature")["secret"]
        hook = deliver(hub, key, receiver)
    wanted = hmac.new(secret.encode(), hook.body, hashlib.sha256).hexdigest()
    assert hook.fields["x-alterlab-signature"] == f"sha256={wanted}"
    assert verifier.judge(secret, hook) == "accepted"
