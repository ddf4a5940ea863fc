"""The document of the WebSocket protocol says what the hub says, and takes: each message that is sent here, by either side,
is one that it knows; and each that it knows is sent. Served it is in test_openapi.py."""

import asyncio
import json
import uuid

import jsonschema
import pytest
from harness import packages
from harness.hub import REPOSITORY
from harness.openapi import Pointed, validator
from harness.raw_ws import BINARY, CLOSE, TEXT, RawWebSocket, frame
from harness.ws import Client, in_thread, run

DOCUMENT = REPOSITORY / "docs/asyncapi.json"


@pytest.fixture(scope="module")
def document():
    return json.loads(DOCUMENT.read_text())


class Protocol:
    """The messages of the document, each by what it is told by: what a client sends by its action, what the hub says by
    its type."""

    def __init__(self, document):
        self.pointed = Pointed(document)
        self.of = {"receive": {}, "send": {}}
        for operation in document["operations"].values():
            for pointer in operation["messages"] + operation.get("reply", {}).get("messages", []):
                message = self.pointed.followed(pointer)
                direction = operation["action"]
                if pointer in operation.get("reply", {}).get("messages", []):
                    direction = "send"
                self.of[direction][message["name"]] = validator(self.pointed.closed(message["payload"]))
        self.seen = set()

    def judge(self, direction, message):
        name = message["action" if direction == "receive" else "type"]
        assert name in self.of[direction], message
        if error := jsonschema.exceptions.best_match(self.of[direction][name].iter_errors(message)):
            raise AssertionError(f"{message}: {error.json_path}: {error.message}")
        self.seen.add((direction, name))

    def all(self):
        return {(direction, name) for direction, names in self.of.items() for name in names}


class Judged(Client):
    """Judges what is said, in both directions."""

    def __init__(self, protocol, *arguments, **named):
        super().__init__(*arguments, **named)
        self.protocol = protocol

    async def send(self, message):
        if isinstance(message, dict) and message.get("action") != "nothing":
            self.protocol.judge("receive", message)
        await super().send(message)

    async def receive(self):
        message = await super().receive()
        self.protocol.judge("send", message)
        return message


def test_it_is_asyncapi(missing):
    """By the schema that the authors of AsyncAPI publish for it."""
    folder = packages.npm(missing, "@asyncapi/specs", "6.11.1")
    schema = folder / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"
    # Debian's jsonschema cannot find its way through this one.
    script = (
        "import json, sys, jsonschema\n"
        "schema, document = (json.load(open(name)) for name in sys.argv[1:])\n"
        "jsonschema.Draft7Validator(schema).validate(document)"
    )
    assert packages.run(packages.python(missing), "-c", script, str(schema), str(DOCUMENT)) is None


def test_every_message_is_used_and_every_example_is_one(document):
    protocol = Protocol(document)
    assert {name for _, name in protocol.all()} == set(document["components"]["messages"])
    assert set(document["channels"]["jobs"]["messages"]) == set(document["components"]["messages"])
    for message in document["components"]["messages"].values():
        schema = protocol.pointed.closed(message["payload"])
        validator(schema).check_schema(schema)
        for example in message["examples"]:
            validator(schema).validate(example["payload"])


def test_every_message_is_sent_and_no_other(make_hub, document):
    hub = make_hub("--websocket-heartbeat-s", "1")
    protocol = Protocol(document)
    job, other = hub.submit(), hub.submit()

    async def talk():
        async with Judged(protocol, hub, hub.client) as client:
            await client.expect("connected")
            await client.subscribe(job)
            await client.send({"action": "subscribe", "job_ids": [other, str(uuid.uuid4())]})
            for kind in ("subscribed", "job_update", "error"):
                await client.expect(kind)
            await in_thread(hub.report, job, "running", progress={"page": 1})
            await client.expect("job_update", progress={"page": 1})
            await in_thread(hub.report, job, "succeeded", result=[1, None])
            await client.expect("job_update", result=[1, None])
            await in_thread(hub.report, other, "failed", error="no")
            await client.expect("job_update", error="no")
            await client.send({"action": "unsubscribe", "job_id": job})
            await client.expect("unsubscribed")
            await client.send({"action": "ping"})
            await client.expect("pong")
            await client.send({"action": "nothing"})
            await client.expect("error")
            await client.expect("heartbeat")
        async with Judged(protocol, hub, hub.client, query=f"?resume=1&api_key={hub.client}") as client:
            epoch = (await client.expect("connected"))["epoch"]
            await client.send({"action": "subscribe", "job_id": job, "after": 0, "epoch": epoch})
            await client.expect("subscribed", recovered=True)
            for _ in range(3):
                assert (await client.expect("job_update"))["seq"] > 0
            await client.send({"action": "subscribe", "job_id": "*", "after": 0, "epoch": "another"})
            await client.expect("subscribed", job_id="*", recovered=False)

    run(talk())
    assert protocol.seen == protocol.all()


JOB = str(uuid.uuid4())
SOUND = [
    {"action": "ping"},
    {"action": "ping", "more": 1},
    {"action": "unsubscribe", "job_id": JOB},
    {"action": "unsubscribe", "job_ids": [JOB, "*"]},
    {"action": "subscribe", "job_id": "*"},
    {"action": "subscribe", "job_ids": ["*"], "after": 0, "epoch": "another"},
]
UNSOUND = [
    {"action": "subscribe"},
    {"action": "subscribe", "job_id": 7},
    {"action": "subscribe", "job_id": "none"},
    {"action": "subscribe", "job_ids": []},
    {"action": "subscribe", "job_ids": ["*"] * 1001},
    {"action": "subscribe", "job_id": "*", "job_ids": ["*"]},
    {"action": "subscribe", "job_id": "*", "after": 1},
    {"action": "subscribe", "job_id": "*", "epoch": "another"},
    {"action": "subscribe", "job_id": "*", "after": -1, "epoch": "another"},
    {"action": "unsubscribe"},
    {"action": "unsubscribe", "job_id": JOB, "job_ids": [JOB]},
]


def test_what_it_takes_for_a_message_the_hub_does_and_nothing_else(hub, document):
    protocol = Protocol(document)

    async def talk():
        async with Client(hub, query=f"?resume=1&api_key={hub.client}") as client:
            await client.expect("connected")
            for message in SOUND + UNSOUND:
                open_schema = protocol.pointed.whole(document["components"]["messages"][message["action"]]["payload"])
                assert validator(open_schema).is_valid(message) == (message in SOUND), message
                await client.send(message)
                answers = [(await client.receive())["type"]]
                await client.send({"action": "ping", "end": True})
                while answers[-1] != "pong" or message["action"] == "ping" and answers.count("pong") < 2:
                    answers.append((await client.receive())["type"])
                assert ("error" in answers) == (message in UNSOUND), (message, answers)

    run(talk())


# --- how it ends ------------------------------------------------------------------------------------------------------


def closed_with(hub, key, *frames):
    """The code and the reason of the close frame that answers those."""
    with RawWebSocket(hub.port) as socket:
        socket.open(hub.port, key)
        for one in frames:
            socket.send(one)
        code, reason, _ = socket.read_close(frames_max=20)
        return code, reason


def test_every_close_code_is_one_that_is_seen(make_hub, document):
    said = {one["code"]: one for one in document["channels"]["jobs"]["x-close-codes"]}
    hub = make_hub("--websocket-messages-per-second", "5")
    key = hub.client
    ping = frame(TEXT, '{"action":"ping"}')
    endings = [
        closed_with(hub, key, frame(CLOSE, (1000).to_bytes(2, "big"))),
        closed_with(hub, key, frame(TEXT, "{}", masked=False)),
        closed_with(hub, key, frame(BINARY, b"{}")),
        closed_with(hub, key, frame(TEXT, b"\xff")),
        closed_with(hub, key, ping * 12),
        closed_with(hub, key, frame(TEXT, "x" * 70_000)),
        closed_with(hub, "nonsense"),
        closed_with(hub, None),
    ]
    full = make_hub("--websocket-connections", "1")

    async def at_the_end():
        async with Client(full, full.client) as client:
            await client.expect("connected")
            endings.append(await in_thread(closed_with, full, full.client))
            await in_thread(full.stop)
            endings.append((await client.closed())[:2])

    run(at_the_end())
    assert {code for code, _ in endings} == set(said)
    for code, reason in endings:
        assert not said[code]["reasons"] or reason in said[code]["reasons"], (code, reason)
