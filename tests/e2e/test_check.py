"""carillon check: whether a hub could serve here."""

import json
import os
import socket
import sqlite3

from harness.hub import run_command
from harness.tls import Certificate


def findings(*options, code=0):
    done = run_command("check", "--json", *options, check=False)
    assert done.returncode == code, done
    told = json.loads(done.stdout)
    assert told["ok"] == (code == 0)
    return {one["subject"]: (one["verdict"], one["detail"]) for one in told["findings"]}


def test_it_changes_nothing(tmp_path):
    found = findings("--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0")
    assert found["data"] == ("ok", f"{tmp_path}/data will be made")
    assert found["database"] == ("ok", "will be made")
    assert not list(tmp_path.iterdir())


def test_beside_a_hub_that_serves(make_hub):
    hub = make_hub()
    found = findings("--data", hub.data, "--listen", f"127.0.0.1:{hub.port}")
    assert found["listen"] == ("ok", "a hub serves this data directory")
    assert found["database"][0] == "ok" and found["database"][1].endswith(", in use")
    assert found["secrets"][0] == "ok"


def test_a_port_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = findings("--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{port}", code=1)
    assert found["listen"] == ("problem", f"cannot listen on 127.0.0.1:{port}: Address already in use")


def test_a_certificate_is_looked_at(tmp_path):
    certificate = Certificate(tmp_path)
    options = ("--data", str(tmp_path / "data"), "--listen=127.0.0.1:0")
    pair = (f"--tls-cert={certificate.cert}", f"--tls-key={certificate.key}")
    assert findings(*options, *pair)["certificate"][0] in ("ok", "warning")
    half = run_command("check", *options, pair[0], check=False)
    assert half.returncode == 2 and half.stderr.endswith(", but no tls_key: TLS takes both\n")
    certificate.expire()
    verdict, detail = findings(*options, *pair, code=1)["certificate"]
    assert verdict == "problem" and detail.startswith("has expired, ")


def test_a_disk_that_is_too_full(tmp_path):
    found = findings("--data", str(tmp_path), "--listen=127.0.0.1:0", f"--store-disk-free-min-bytes={2**40}", code=1)
    assert found["disk"][0] == "problem" and "below store.disk_free_min_bytes" in found["disk"][1]


def test_a_database_that_is_none(tmp_path):
    (tmp_path / "carillon.db").write_bytes(b"no database, and long enough to be looked at" * 100)
    found = findings("--data", str(tmp_path), "--listen=127.0.0.1:0", code=1)
    assert found["database"][0] == "problem" and "carillon.db" in found["database"][1]


def test_a_database_of_a_later_version(make_hub):
    hub = make_hub()
    hub.stop()
    with sqlite3.connect(f"{hub.data}/carillon.db") as database:
        database.execute("INSERT INTO schema_migrations SELECT 9999, 'later', checksum, applied_at FROM schema_migrations LIMIT 1")
    database.close()
    found = findings("--data", hub.data, "--listen=127.0.0.1:0", code=1)
    assert found["database"][0] == "problem" and "9999" in found["database"][1]


def test_what_others_could_read_is_said(make_hub):
    hub = make_hub()
    hub.stop()
    os.chmod(f"{hub.data}/webhook-secrets.key", 0o644)
    os.chmod(hub.data, 0o755)
    found = findings("--data", hub.data, "--listen=127.0.0.1:0")
    assert found["data"][0] == "warning" and "chmod 700" in found["data"][1]
    assert found["secrets"][0] == "warning" and "chmod 600" in found["secrets"][1]


def test_wrong_settings_are_told_first(tmp_path):
    file = tmp_path / "carillon.toml"
    file.write_text("loops = 3\nlimit = 4\n")
    done = run_command("check", "--config", str(file), check=False)
    assert done.returncode == 2 and done.stderr.startswith(f"carillon: {file}:2: unknown key 'limit'")
