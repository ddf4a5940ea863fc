"""bench/run measures what it says, on real servers, and compares only what was the same work. How fast anything is, is
not asked here."""

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from harness.hub import BINARY, REPOSITORY

sys.path.insert(0, str(REPOSITORY / "bench"))

from compare import chart, judge, machine, measuring, results, servers, workloads  # noqa: E402

pytestmark = pytest.mark.plain_binary

SVG = "{http://www.w3.org/2000/svg}"
SAME = {"operations": 1000, "failed": 0, "connections": 64, "received_bytes": 380.0, "paced_operations": 40}
RESULTS = REPOSITORY / "bench/results"
ORDER = [kind.key for kind in workloads.ALL]


@pytest.fixture
def tools(missing):
    tools = servers.Tools()
    if lacking := [*tools.missing(), *([] if tools.path("poco_server").exists() else ["poco_server"])]:
        missing(f"{', '.join(lacking)}: not built")
    return tools


# --- what is the same work --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        {"operations": 999},
        {"operations": 1001},
        {"operations": 0},
        {"connections": 63},
        {"received_bytes": 360.0},
        {"received_bytes": 400.0},
        {"paced_operations": 39},
        {"failed": 1},
        {"failed": 1000, "operations": 0},
    ],
    ids=str,
)
def test_other_work_is_not_compared(other):
    assert judge.differences(SAME, {**SAME, **other}) != []
    assert judge.differences({**SAME, **other}, SAME) != []


def test_what_is_not_told_is_not_taken_for_the_same():
    for what in ("connections", "received_bytes", "paced_operations"):
        other = {name: value for name, value in SAME.items() if name != what}
        assert judge.differences(SAME, other) == [f"{what} is not told"]
        assert judge.differences(SAME, other, unknown=(what,)) == []
    assert judge.differences(SAME, {"error": "the server does not let all in"}) != []


def test_the_same_work_is_compared_though_numbers_have_more_digits():
    assert judge.differences(SAME, dict(SAME)) == []
    assert judge.differences(SAME, {**SAME, "received_bytes": 381.2, "cpu_us": 99.0}) == []


# --- a run ------------------------------------------------------------------------------------------------------------


def test_a_quick_run_leaves_figures_a_table_and_a_chart_of_each_workload(tools, tmp_path):
    wanted = ["fan-out", "get", "patch", "polls"]
    options = ["--quick", "--servers", "poco,sqlite", "--output", tmp_path]
    done = subprocess.run(
        [sys.executable, REPOSITORY / "bench/run", *options, *wanted],
        env={**os.environ, "CARILLON_BINARY": BINARY},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = (tmp_path / "README.md").read_text()
    for key in wanted:
        result = results.Result.read(tmp_path / f"{key}.json")
        assert result.rows[0]["label"] == "Carillon"
        for row in result.rows:
            (figures,) = row["rounds"]
            assert figures["operations"] > 0 and figures["failed"] == 0 and figures["cpu_us"] > 0, figures
            assert 0 <= figures["p50_ms"] <= figures["p99_ms"]
            assert f"{row['label']}" in report
        picture = xml.etree.ElementTree.parse(tmp_path / f"{key}.svg").getroot()
        texts = [element.text for element in picture.iter(f"{SVG}text")]
        assert [label for label in texts if label in {row["label"] for row in result.rows}][0] == "Carillon"
        assert any("µs of server CPU per" in text for text in texts)
    assert len(results.Result.read(tmp_path / "get.json").rows) == 2  # Poco
    assert len(results.Result.read(tmp_path / "patch.json").rows) == 2  # SQLite
    assert "prefers-color-scheme: dark" in (tmp_path / "get.svg").read_text()
    assert str(tmp_path) not in report and str(REPOSITORY) not in report


def test_a_peer_that_did_less_is_told_of_and_not_compared(tools, tmp_path):
    class Uneven(workloads.Get):
        servers = (servers.Carillon, servers.Poco)

        def measure(self, server):
            if isinstance(server, servers.Poco):
                self.size = dataclasses.replace(self.size, operations=self.size.operations - 1)
            return super().measure(server)

    said = []
    result = measuring.measure(Uneven(tools, tmp_path, Uneven.quick), 1, "test", say=said.append)
    assert [row["refused"] for row in result.rows] == ["", "operations: 999, not 1000"]
    assert any("Poco HTTPServer is not compared: operations: 999, not 1000" in line for line in said)
    assert "| Poco HTTPServer | not compared: operations: 999, not 1000 |" in results.table(result)
    assert "Poco" not in chart.draw(result) and "Poco" not in results.overview([result])


def test_a_peer_that_does_not_start_is_told_of(tools, tmp_path):
    class Broken(servers.Poco):
        def start(self):
            self.port = servers.free_port()
            self.spawn(["false"])

    class WithBroken(workloads.Get):
        servers = (servers.Carillon, Broken)

    result = measuring.measure(WithBroken(tools, tmp_path, WithBroken.quick), 1, "test")
    assert [row["name"] for row in result.rows] == ["carillon"]
    assert "*Not measured*: Poco HTTPServer: does not start." in results.report([result])


def test_answers_that_are_not_as_they_should_be_are_failures(tools, tmp_path):
    class Refused(workloads.Get):
        servers = (servers.Carillon,)
        status = 304  # without a condition nobody is answered so

    with pytest.raises(RuntimeError, match="did nothing"):
        measuring.measure(Refused(tools, tmp_path, Refused.quick), 1, "test")


# --- what is kept and shown -------------------------------------------------------------------------------------------


def test_every_row_that_is_shown_was_measured():
    """All that is shown comes out again from the figures that are kept: `bench/run --show`."""
    kept = results.ordered(RESULTS, ORDER)
    assert [result.key for result in kept] == ORDER
    assert (RESULTS / "README.md").read_text() == results.report(kept)
    readme = (REPOSITORY / "README.md").read_text()
    assert readme == results.put_into(readme, kept)
    for result in kept:
        assert (RESULTS / f"{result.key}.svg").read_text() == chart.draw(result)
        for row in result.measured:
            assert judge.differences(result.rows[0]["rounds"][0], row["rounds"][0], unknown_to(row["name"])) == []


def unknown_to(name):
    (server,) = {server for kind in workloads.ALL for server in kind.servers if server.name == name}
    return server.unknown


def test_results_name_neither_the_host_nor_a_folder():
    assert not re.search(rf"\b{re.escape(os.uname().nodename)}\b", machine.describe())
    for file in RESULTS.iterdir():
        text = file.read_text()
        assert "/home/" not in text and str(pathlib.Path.home()) + "/" not in text, file
    for file in RESULTS.glob("*.json"):
        assert json.loads(file.read_text())["machine"]
