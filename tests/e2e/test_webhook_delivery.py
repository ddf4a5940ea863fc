"""What an owner asked for of its deliveries: order, pace, size; and that the dead do not hold up the living."""

import socket
import threading

from conftest import LOCAL_WEBHOOKS
from harness.receiver import Receiver


def test_a_large_result_is_linked_to_instead_of_sent(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-max-body", "10000")
    small, large = {"text": "x" * 5_000}, {"text": "x" * 20_000}
    with Receiver() as receiver:
        made = hub.add_webhook(receiver.url())
        jobs = [hub.submit(), hub.submit()]
        hub.finish(jobs[0], result=small)
        hub.finish(jobs[1], result=large)
        hooks = {one.job: one for one in receiver.wait_for_count(2)}
    assert hooks[jobs[0]].json["data"]["result"] == small and "result_url" not in hooks[jobs[0]].json["data"]
    linked = hooks[jobs[1]]
    assert linked.is_signed_with(made["secret"]) and linked.json["data"]["result"] is None
    assert linked.json["data"]["status"] == "succeeded"
    answer = hub.http(hub.client).get(linked.json["data"]["result_url"])
    assert answer.status == 200 and answer.json["result"] == large


def test_a_link_to_a_result_says_where_clients_reach_the_hub(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-max-body", "10000", "--public-url", "https://hub.example.com")
    with Receiver() as receiver:
        hub.add_webhook(receiver.url())
        job = hub.submit()
        hub.finish(job, result={"text": "x" * 20_000})
        (hook,) = receiver.wait_for_count(1)
    assert hook.json["data"]["result_url"] == f"https://hub.example.com/api/v1/jobs/{job}"


def test_an_ordered_webhook_hears_in_order_whatever_fails_and_whoever_is_killed(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS, "--webhooks-retry-delays-s", ",".join(["0"] * 50))
    requests = iter(range(1_000_000))
    taken = []
    lock = threading.Lock()

    def answer(received):
        with lock:
            if next(requests) % 5 == 2:
                return 500
            taken.append(received)
            return 204

    with Receiver(answer) as receiver:
        hub.add_webhook(receiver.url(), ordered=True)
        jobs = []
        for kill in range(3):
            batch = [hub.submit() for _ in range(30)]
            for job in batch:
                hub.finish(job)
            jobs += batch
            receiver.wait_for(lambda received, least=20 * kill: len(received) > least)
            hub.kill()
            hub.start()
        receiver.wait_for(lambda _: {one.job for one in list(taken)} == set(jobs))
    seqs = [one.json["data"]["seq"] for one in taken]
    assert seqs == sorted(seqs), "what a crash repeats it repeats in its place"
    assert len(set(seqs)) == len(jobs)


def test_a_webhook_is_sent_no_more_a_second_than_it_takes(make_hub):
    hub = make_hub(*LOCAL_WEBHOOKS)
    with Receiver() as receiver:
        hub.add_webhook(receiver.url(), max_per_second=10)
        for _ in range(25):
            hub.finish(hub.submit())
        times = [one.at for one in receiver.wait_for_count(25)]
    # One more than in the second before may fall into a second that is measured where requests arrive, not where they leave.
    assert all(sum(begin <= time < begin + 1 for time in times) <= 12 for begin in times)
    assert times[-1] - times[0] >= 2.2


def test_dead_webhooks_hold_up_no_other_and_get_all_when_they_come_back(make_hub):
    # A request to one of them lasts longer than this test has patience.
    patient = ("--webhooks-connect-timeout-s", "60", "--webhooks-timeout-s", "60")
    hub = make_hub(*LOCAL_WEBHOOKS, *patient, "--webhooks-retry-delays-s", ",".join(["1"] * 60))
    # Its queue of connections is full: who connects to it hears nothing.
    dead = socket.socket()
    dead.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    dead.bind(("127.0.0.1", 0))
    dead.listen(0)
    port = dead.getsockname()[1]
    queued = [socket.socket() for _ in range(4)]
    for one in queued:
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
    endpoints = 80
    for number in range(endpoints):
        hub.add_webhook(f"http://127.0.0.1:{port}/{number}")
    with Receiver() as receiver:
        hub.add_webhook(receiver.url())
        jobs = [hub.submit() for _ in range(10)]
        for job in jobs:
            hub.finish(job)
        assert {one.job for one in receiver.wait_for_count(len(jobs))} == set(jobs), "while all others are dead"
    for one in (dead, *queued):
        one.close()
    with Receiver(listening=False, port=port) as back:
        back.listen()
        received = back.wait_for(lambda all_: len({one.id for one in all_}) == endpoints * len(jobs), 120)
    assert len(received) == endpoints * len(jobs), "none is sent twice"
    assert {(one.path, one.job) for one in received} == {(f"/{n}", job) for n in range(endpoints) for job in jobs}
