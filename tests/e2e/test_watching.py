"""The dashboard, the alerts and the page about them speak of metrics that there are."""

import json
import re
import shutil
import subprocess

import pytest
from conftest import LOCAL_WEBHOOKS
from harness import metrics
from harness.hub import REPOSITORY, Hub
from harness.http import Http
from harness.receiver import Receiver
from harness.tls import Certificate
from harness.waiting import wait_until

RULES = REPOSITORY / "etc/prometheus/carillon.rules.yml"
RULES_TEST = REPOSITORY / "tests/prometheus/rules_test.yml"
DASHBOARD = REPOSITORY / "etc/grafana/carillon.json"
PAGE = REPOSITORY / "docs/watching.md"


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    """All metrics that a hub can have, by name with their types and labels."""
    folder = tmp_path_factory.mktemp("watched")
    hub = Hub(folder, *LOCAL_WEBHOOKS)
    text = ""
    try:
        with Receiver() as receiver:
            hub.start()
            hub.add_webhook(receiver.url("/"))
            hub.finish(hub.submit())
            receiver.wait_for_count(1)
            metrics.wait_for(hub, lambda samples: any("endpoint_attempts" in name for name in samples))
            text = metrics.read_text(hub)
            hub.stop()
        certificate = Certificate(folder)
        hub.options += ["--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key), "--metrics-listen", "127.0.0.1:0"]
        hub.start()
        port = wait_until(lambda: re.search(r"metrics_port=([1-9]\d*)", hub.log))[1]
        text += Http(int(port)).get("/metrics").body.decode()
    finally:
        hub.close()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    labels = {name: set() for name in types}
    for sample, members in re.findall(r"^(\w+)(?:\{(.*)\})? ", text, re.M):
        name = sample if sample in types else re.sub(r"_(bucket|sum|count)$", "", sample)
        labels[name] |= set(re.findall(r'(\w+)="', members or "")) - {"le"}
    return {name: (kind, labels[name]) for name, kind in types.items()}


def samples_of(families):
    names = set()
    for name, (kind, _) in families.items():
        names |= {name + end for end in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return names


def asked_for(expression):
    return set(re.findall(r"\b(?:carillon|process)_\w+\b", expression))


def dashboard_expressions():
    dashboard = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def expressions_of_rules():
    return re.findall(r"^ +expr: (.+)$", RULES.read_text(), re.M)


def test_the_page_has_every_metric_with_its_type_and_labels(families):
    told = {}
    for names, kind, labels in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (\w+) \| ((?:`\w+`(?:, )?)*) ?\|", PAGE.read_text(), re.M):
        for name in re.findall(r"`(\w+)`", names):
            told[name] = (kind, set(re.findall(r"`(\w+)`", labels)))
    assert told.keys() == families.keys()
    for name, (kind, labels) in families.items():
        if name == "carillon_webhook_endpoint_attempt_seconds_total":
            labels = labels | {"outcome"}  # stands in a row with the one that has it
        assert told[name] == (kind, labels), name


def test_the_dashboard_asks_for_what_there_is(families):
    expressions = dashboard_expressions()
    assert len(expressions) > 30
    for expression in expressions:
        assert asked_for(expression) and asked_for(expression) <= samples_of(families), expression


def test_the_dashboard_is_one_that_grafana_reads():
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["schemaVersion"] >= 36 and dashboard["uid"] == "carillon" and dashboard["id"] is None
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] == "row":
            continue
        assert panel["type"] in ("timeseries", "stat") and panel["description"] and panel["targets"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))
    for expression in dashboard_expressions():
        assert set(re.findall(r"\$(\w+)", expression)) <= variables | {"__rate_interval"}, expression


@pytest.fixture
def promtool(missing):
    if not shutil.which("promtool"):
        missing("there is no promtool (Debian's package prometheus)")

    def run(*arguments):
        done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_dashboards_expressions_are_prometheus_own(promtool, tmp_path):
    rules = [
        {"record": f"dashboard:{number}", "expr": re.sub(r"\$__rate_interval", "5m", expression).replace("$instance", ".*")}
        for number, expression in enumerate(dashboard_expressions())
    ]
    file = tmp_path / "dashboard.yml"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(file))


def test_the_alerts_are_rules(promtool):
    assert "SUCCESS" in promtool("check", "rules", str(RULES))


def test_each_alert_fires_when_it_should_and_not_otherwise(promtool):
    promtool("test", "rules", str(RULES_TEST))
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
    tested = re.findall(r"alertname: (\w+)\n +eval_time: \w+\n +exp_alerts", RULES_TEST.read_text())
    assert set(tested) == set(alerts)


def test_the_alerts_ask_for_what_there_is(families):
    expressions = expressions_of_rules()
    assert len(expressions) == RULES.read_text().count("- alert:")
    for expression in expressions:
        assert asked_for(expression) <= samples_of(families), expression


def test_each_alert_has_its_runbook():
    page = PAGE.read_text()
    for name, runbook in re.findall(r"- alert: (\w+)\n(?:.+\n)+? +runbook: docs/watching.md#(\w+)", RULES.read_text()):
        assert runbook == name.lower() and f"### {name}\n" in page
    assert RULES.read_text().count("runbook:") == RULES.read_text().count("- alert:") == page.count("\n### Carillon")
