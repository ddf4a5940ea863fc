"""The commands, beside a running hub and without one."""

import asyncio
import json
import re
import time

import pytest
from harness.hub import PATIENCE_S, Hub, run_command
from harness.ws import Client, in_thread, run

KEY = re.compile(r"sk_live_[0-9A-Za-z]{32,}")


def keys_of(hub):
    return {one["id"]: one for one in json.loads(hub.command("key", "list", "--json").stdout)["keys"]}


# --- accounts and keys ------------------------------------------------------------------------------------------------


def test_a_key_is_printed_alone_and_works(tended):
    hub, back = tended
    made = hub.command("key", "create", "--account", "default", "--role", "worker", "--name", "night shift")
    assert KEY.fullmatch(made.stdout.removesuffix("\n"))
    assert made.stdout.count("\n") == 1
    (key_id,) = re.findall(r"key_\w+", made.stderr)
    assert not KEY.search(made.stderr)

    listed = keys_of(hub)[key_id]
    assert (listed["account"], listed["role"], listed["name"]) == ("default", "worker", "night shift")
    assert (listed["status"], listed["expires_at"]) == ("active", None)
    key = made.stdout.strip()
    for done in (hub.command("key", "list", "--json"), hub.command("key", "list")):
        assert key not in done.stdout and key_id in done.stdout
    assert back().http(key).post("/api/v1/jobs").status == 201


def test_accounts_are_made_listed_suspended_and_resumed(tended):
    hub, back = tended
    hub.command("account", "create", "tenant")
    key = hub.command("key", "create", "--account", "tenant").stdout.strip()
    hub.command("account", "suspend", "tenant")
    accounts = {one["name"]: one for one in json.loads(hub.command("account", "list", "--json").stdout)["accounts"]}
    assert {name: one["status"] for name, one in accounts.items()} == {"default": "active", "tenant": "suspended"}
    table = hub.command("account", "list").stdout.splitlines()
    assert table[0].split()[:2] == ["name", "status"] and len(table) == 3
    back().wait_for_key(key, "account_suspended")
    hub.command("account", "resume", "tenant")
    hub.wait_for_key(key, None)


def test_keys_are_disabled_enabled_and_revoked(tended):
    hub, back = tended
    made = json.loads(hub.command("key", "create", "--account", "default", "--json").stdout)
    hub.command("key", "disable", made["id"])
    assert keys_of(hub)[made["id"]]["status"] == "disabled"
    back().wait_for_key(made["key"], "api_key_disabled")
    hub.command("key", "enable", made["id"])
    hub.wait_for_key(made["key"], None)
    hub.command("key", "revoke", made["id"])
    hub.wait_for_key(made["key"], "invalid_api_key")
    assert made["id"] not in keys_of(hub)


def test_a_rotated_key_keeps_its_id_and_the_old_secret_for_a_while(tended):
    hub, back = tended
    made = json.loads(hub.command("key", "create", "--account", "default", "--json").stdout)
    rotated = hub.command("key", "rotate", made["id"])
    fresh = rotated.stdout.strip()
    assert KEY.fullmatch(fresh) and fresh != made["key"] and made["id"] in rotated.stderr
    hub = back()
    job = hub.submit(made["key"])
    assert hub.job(job, fresh)["status"] == "queued", "what the old secret submitted is the key's"
    hub.wait_for_key(made["key"], None)


def test_a_key_may_be_rotated_so_that_the_old_secret_ends_at_once(hub):
    key = hub.make_key()
    rotated = hub.ask_admin(f"/keys/{key.id}/rotate", {"overlap_s": 0})
    hub.wait_for_key(key, "invalid_api_key")
    hub.wait_for_key(rotated["key"], None)


def test_a_key_may_end_by_itself(tended):
    hub, back = tended
    made = json.loads(hub.command("key", "create", "--account", "default", "--expires-in", "1s", "--json").stdout)
    assert made["expires_at"]
    back()
    deadline = time.monotonic() + PATIENCE_S
    while hub.error_of(made["key"]) is None:
        assert time.monotonic() < deadline
    hub.wait_for_key(made["key"], "api_key_expired")
    assert keys_of(hub)[made["id"]]["status"] == "expired"


def test_a_change_takes_effect_in_the_running_hub_within_a_second(make_hub):
    hub = make_hub()
    key = hub.make_key()

    async def watch():
        async with Client(hub, key) as client:
            await client.expect("connected")
            await in_thread(hub.command, "key", "disable", key.id)
            changed_at = time.monotonic()
            assert await client.closed() == (4001, "API key disabled", [])
            await in_thread(hub.wait_for_key, key, "api_key_disabled")
            assert time.monotonic() - changed_at < 1

    run(watch())


def test_commands_may_run_at_once(tended):
    hub, back = tended

    async def create_all():
        commands = [in_thread(hub.command, "key", "create", "--account", "default") for _ in range(6)]
        return [done.stdout.strip() for done in await asyncio.gather(*commands)]

    keys = run(create_all())
    assert len(set(keys)) == 6
    back()
    assert [hub.error_of(key) for key in keys] == [None] * 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["account", "create", "default"], "default"),
        (["account", "create", "a b"], "name"),
        (["account", "suspend", "nobody"], "nobody"),
        (["key", "create", "--account", "nobody"], "nobody"),
        (["key", "disable", "key_nonsense"], "key_nonsense"),
        (["key", "rotate", "key_nonsense"], "key_nonsense"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(tended, arguments, words):
    hub, _ = tended
    done = hub.command(*arguments, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("carillon: ") and words in done.stderr and done.stderr.count("\n") == 1


# --- starts -----------------------------------------------------------------------------------------------------------


def test_the_version_is_told():
    done = run_command("version")
    assert re.fullmatch(r"carillon \d+\.\d+\.\d+\n", done.stdout)
    assert run_command("--version").stdout == done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve", "--lisen", "127.0.0.1:0"], ["--lisen", "--listen"]),
        (["serve", "--listen", "nowhere"], ["--listen", "nowhere"]),
        (["serve", "--websocket-heartbeat-s", "0"], ["--websocket-heartbeat-s", "from 1"]),
        (["serve", "--config", "/nowhere/carillon.toml"], ["/nowhere/carillon.toml"]),
        (["srve"], ["srve", "serve"]),
        (["key", "create"], ["--account"]),
        (["key", "create", "--account", "default", "--role", "king"], ["king"]),
        ([], ["--help"]),
    ],
)
def test_a_wrong_command_line_is_refused_with_a_word_on_what_is_wrong(tmp_path, arguments, words):
    data = ["--data", str(tmp_path / "data")] if arguments else []
    done = run_command(*arguments, *data, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert all(word in done.stderr for word in words), done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("# a hub\n\n[webhooks]\nallow_htp = true\n", 4, ["webhooks.allow_htp", "webhooks.allow_http"]),
        ("listen = '127.0.0.1:0'\nlimits.body_bytes = 'much'\n", 2, ["limits.body_bytes", "much"]),
        ("[websocket]\n\n\nheartbeat_s = 0\n", 4, ["websocket.heartbeat_s"]),
        ("listen = '127.0.0.1:0\n", 1, []),
    ],
)
def test_a_wrong_configuration_stops_the_start_and_names_the_line(tmp_path, text, place, words):
    config = tmp_path / "carillon.toml"
    config.write_text(text)
    done = run_command("serve", "--config", str(config), "--data", str(tmp_path / "data"), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{config}:{place}: " in done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert not (tmp_path / "data").exists()


def test_a_configuration_file_is_followed(tmp_path):
    config = tmp_path / "carillon.toml"
    config.write_text("[limits]\nprogress_bytes = 64\n\n[webhooks]\nallow_http = true # here\n")
    hub = Hub(tmp_path, "--config", str(config))
    try:
        hub.start()
        job = hub.submit(webhook_url="http://example.com/")
        hub.report(job, "running")
        assert hub.http(hub.worker).patch(f"/api/v1/jobs/{job}", {"progress": "x" * 64}).status == 413
    finally:
        hub.close()


def test_a_data_directory_has_one_hub(make_hub):
    hub = make_hub()
    done = run_command("serve", "--listen", "127.0.0.1:0", "--data", hub.data, check=False)
    assert done.returncode == 1
    assert hub.data in done.stderr and done.stdout == ""
    assert hub.http().get("/readyz").status == 200


def test_a_port_that_is_taken_stops_the_start(make_hub, tmp_path):
    hub = make_hub()
    done = run_command("serve", "--listen", f"127.0.0.1:{hub.port}", "--data", str(tmp_path / "data"), check=False)
    assert done.returncode == 1
    assert str(hub.port) in done.stderr and done.stdout == ""


# --- the demonstration ------------------------------------------------------------------------------------------------


def test_the_demonstration_needs_nothing(tmp_path):
    done = run_command("demo")
    for channel in ("websocket", "webhook", "polling"):
        assert f"{channel}: told that the job succeeded" in done.stdout
