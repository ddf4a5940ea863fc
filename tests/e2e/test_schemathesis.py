"""schemathesis (PyPI) makes up requests from the document of the HTTP API, sound ones and others, and holds the hub's
answers against it: no 5xx, no status, type, body or header that is not in it; what is sound is taken and what is not is
refused.

Which requests are made follows from a seed. CARILLON_SCHEMATHESIS_S has it go on for so many seconds with each key."""

import collections
import json
import os
import pathlib
import subprocess

import pytest
from harness import packages
from harness.hub import end_with_parent
from harness.openapi import DOCUMENT, Contract

CONFIG = pathlib.Path(__file__).parent / "clients/schemathesis.toml"
LONG_S = os.environ.get("CARILLON_SCHEMATHESIS_S")
EXAMPLES = 4
PATIENCE_S = 240

# What asks for a standing that nobody has by chance.
NEVER_GOOD = {"connectWebSocket"}


@pytest.mark.parametrize("role", ["client", "admin"])
def test_no_answer_is_unknown_to_the_document(make_hub, tmp_path, missing, role):
    python = packages.python(missing)
    hub = make_hub("--loops=2")
    key = hub.make_key(role)  # one of its own, so that what is done to the others leaves it alone
    report = tmp_path / "report.har"
    effort = ["--max-time", LONG_S] if LONG_S else ["--max-examples", str(EXAMPLES)]
    command = [
        str(pathlib.Path(python).parent / "schemathesis"),
        *("--config-file", str(CONFIG), "run", str(DOCUMENT), "--url", f"http://127.0.0.1:{hub.port}"),
        *("-H", f"X-API-Key: {key}", "--seed", "1", "--no-color", "--report", "har", "--report-har-path", str(report)),
        *effort,
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S + float(LONG_S or 0),
        check=False,
        cwd=tmp_path,
        preexec_fn=end_with_parent,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert hub.process.poll() is None, hub.log
    assert "Traceback" not in done.stderr

    # That the hub has been asked in earnest: what the key may call was answered well, time and again.
    contract = Contract.of_repository()
    answers = collections.defaultdict(collections.Counter)
    for entry in json.loads(report.read_text())["log"]["entries"]:
        request = entry["request"]
        path = "/" + request["url"].partition("://")[2].partition("/")[2]
        if operation := contract.operation(request["method"], path):
            answers[operation.id][entry["response"]["status"]] += 1
    for operation in contract.operations:
        statuses = answers[operation.id]
        assert statuses, operation
        if operation.id not in NEVER_GOOD and 403 not in statuses and 404 not in statuses:
            assert any(status < 400 for status in statuses), (operation, statuses)
    assert sum(statuses[200] for statuses in answers.values()) > 100
