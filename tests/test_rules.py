"""The rule files: they load, every alert is tested and documented, and each expression names what exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from exporter.demo.servers import find
from exporter.durations import parse_duration
from exporter.packs import library
from tests.grafana.dashboards import load, variables
from tests.rules.promql import (
    RULE_FILES,
    Rule,
    alerts,
    groups,
    known_names,
    metric_names,
    recorded,
    rules,
)
from tests.rules.timeline import promtool_test

CASES = sorted((Path(__file__).parent / "rules").glob("*.yml"))
RUNBOOK_BASE = "https://github.com/tidemark/tidemark/blob/main/docs/runbooks/"
DASHBOARD_BASE = "http://localhost:3000/d/tidemark-"
ALERTS = alerts()
PREFIX = (
    r"Maintenance$|(Alert|Anomaly|Drift|Fleet|Forecast|Http|Input|Kube|Model|Node|Objective|Pattern|Postgres|Probe"
    r"|Prometheus|Queue|Redis|Security|Tidemark)[A-Z]"
)
DASHBOARD_OF = {
    "Alert": "alerts",
    "AnomalySeries": "series",
    "AnomalyService": "services",
    "AnomalyStorm": "overview",
    "Drift": "drift",
    "Forecast": "series",
    "Input": "input",
    "Maintenance": "services",
    "Model": "models",
    "Objective": "services",
    "Pattern": "services",
    "Tidemark": "exporter",
}
"""First word of an alert, or all of it -> dashboard; alerts of packs lead to the one of their pack."""
NEVER_SILENT = {"TidemarkWatchdog"}


class Plain(yaml.SafeLoader):
    """Reads `0x60` as promtool means it, sixty zeros more, and not as the number 96."""


Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:int"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Plain.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9][0-9]*)$"), list("-0123456789"))


def cases(alert: str) -> list[dict[str, Any]]:
    """The promtool test cases of one alert."""
    path = Path(__file__).parent / "rules" / f"{alert}.yml"
    return list(yaml.safe_load(path.read_text(encoding="utf-8"))["tests"])


def kind(case: dict[str, Any]) -> str:
    """The word before the colon in the name of a test case."""
    return str(case["name"]).partition(":")[0]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a checking program."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_prometheus_loads_every_rule_file() -> None:
    """promtool accepts all rule files together and finds no duplicate."""
    done = run(str(find("promtool")), "check", "rules", *map(str, RULE_FILES))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "duplicate" not in done.stdout + done.stderr


def test_vmalert_loads_every_rule_file() -> None:
    """vmalert 1.79 accepts the same files."""
    done = run(str(find("vmalert")), "-dryRun", *(f"-rule={path}" for path in RULE_FILES))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_rule_cases_pass(path: Path, tmp_path: Path) -> None:
    """promtool evaluates the rules to what the cases expect; a stale case is of an alert that had fired."""
    content = yaml.load(path.read_text(encoding="utf-8"), Plain)
    content["rule_files"] = [str((path.parent / name).resolve()) for name in content["rule_files"]]
    for case in content["tests"]:
        if kind(case) == "stale":
            case.setdefault("promql_expr_test", []).append(fired(path.stem, case))
    copy = tmp_path / path.name
    copy.write_text(yaml.safe_dump(content), encoding="utf-8")
    done = promtool_test(copy)
    assert done.returncode == 0, done.stdout + done.stderr


def fired(alert: str, case: dict[str, Any]) -> dict[str, Any]:
    """What promtool is to find at the end of a stale case: it proves nothing if the alert never fired."""
    end = max((it["eval_time"] for it in case["alert_rule_test"]), key=parse_duration)
    series = f'ALERTS{{alertname="{alert}", alertstate="firing"}}'
    expr = f"count(group by (alertname) (count_over_time({series}[{end}])))"
    return {"expr": expr, "eval_time": end, "exp_samples": [{"labels": "{}", "value": 1}]}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_cases_name_rule_files_and_alerts_that_exist(path: Path) -> None:
    """promtool passes silently on a missing rule file and on a misspelt alert, so neither may be there."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name in content["rule_files"]:
        assert (path.parent / name).is_file(), name
    named = {it["alertname"] for case in content["tests"] for it in case.get("alert_rule_test", [])}
    assert named <= ({path.stem} & set(ALERTS))


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_fires_stays_silent_and_has_a_stale_case(alert: str) -> None:
    """Each alert has a case of every kind, and its firing case expects the alert with its annotations."""
    wanted = {"fires", "stale"} | ({"silent"} - ({"silent"} if alert in NEVER_SILENT else set()))
    assert wanted <= {kind(case) for case in cases(alert)}
    fired = [it for case in cases(alert) if kind(case) == "fires" for it in case.get("alert_rule_test", [])]
    assert any(expected["exp_annotations"] for it in fired for expected in it["exp_alerts"])


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_its_labels(alert: str) -> None:
    """Severity, priority and team are there, with the words of the routing table, and nothing volatile."""
    labels = ALERTS[alert]["labels"]
    assert set(labels) == {"severity", "priority", "team"}
    assert (
        set(re.findall(r"critical|warning|info", labels["severity"]))
        or "$labels.severity" in labels["severity"]
    )
    assert set(re.findall(r"P\d", labels["priority"])) <= {"P1", "P2", "P3", "P4"}
    assert labels["team"] in {"oncall", "platform", "ml", "security"}
    assert "$value" not in str(labels)
    assert re.match(PREFIX, alert)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_its_annotations(alert: str) -> None:
    """Summary, description and both links are there; the links start with the two bases that docs replace."""
    annotations = ALERTS[alert]["annotations"]
    assert list(annotations) == ["summary", "description", "runbook_url", "dashboard_url"]
    assert annotations["summary"]
    assert annotations["description"]
    assert annotations["runbook_url"] == f"{RUNBOOK_BASE}{alert}.md"
    assert annotations["dashboard_url"].startswith(DASHBOARD_BASE)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_leads_to_its_dashboard(alert: str) -> None:
    """The link names a dashboard that there is, and gives only variables that it has."""
    url = ALERTS[alert]["annotations"]["dashboard_url"]
    name, _, parameters = url.removeprefix(DASHBOARD_BASE).partition("/")
    expected = {word: it for word, it in DASHBOARD_OF.items() if re.match(rf"{word}($|[A-Z])", alert)}
    assert name in {*expected.values(), *library.names()} if expected else name in library.names()
    assert set(re.findall(r"var-(\w+)=", parameters)) <= set(variables(load(name)))
    assert parameters.count("=") >= parameters.count("var-")


def test_the_alert_about_a_series_chooses_exactly_that_one() -> None:
    """The variable holds all labels of the series, as the dashboard puts them between the braces."""
    (case,) = [it for it in cases("AnomalySeries") if "its labels need quoting" in it["name"]]
    ((expected,),) = [it["exp_alerts"] for it in case["alert_rule_test"]]
    url = expected["exp_annotations"]["dashboard_url"]
    chosen = parse_qs(urlsplit(url).query)
    assert chosen["var-query"] == ["latency"]
    assert chosen["var-service"] == ["checkout"]
    assert chosen["var-series"] == ['path="/a\\"b\\\\c é",query="latency",service="checkout"']


@pytest.mark.parametrize("rule", list(rules()), ids=lambda rule: rule.get("alert") or rule["record"])
def test_expressions_name_metrics_that_exist(rule: Rule) -> None:
    """Every metric name is in the catalogue, recorded by a rule, or Prometheus' own."""
    assert metric_names(rule["expr"]) <= known_names()


@pytest.mark.parametrize("rule", ALERTS.values(), ids=list(ALERTS))
def test_annotations_ask_for_metrics_that_exist(rule: Rule) -> None:
    """The queries inside the annotations name known metrics, too."""
    asked = set(re.findall(r"[\w:]*\b(?:anomaly|drift|tidemark|ALERTS)_[\w:]+", str(rule["annotations"])))
    assert asked <= known_names()


def test_no_group_reads_what_it_records() -> None:
    """vmalert promises no order inside a group, so what is recorded is read in another one."""
    for path in RULE_FILES:
        for group in groups(path):
            written = {rule["record"] for rule in group["rules"] if "record" in rule}
            read = set().union(*(metric_names(rule["expr"]) for rule in group["rules"]))
            assert not written & read, group["name"]


def test_recorded_names_follow_the_convention() -> None:
    """Recorded names read level:metric:operations."""
    assert all(re.fullmatch(r"[a-z_]+:[a-z_0-9]+:[a-z_0-9]+", name) for name in recorded())


def test_no_rule_uses_what_older_evaluators_refuse() -> None:
    """keep_firing_for is unknown to Prometheus 2.41 and vmalert 1.79; hysteresis is recorded instead."""
    assert all("keep_firing_for" not in rule for rule in rules())


def test_group_names_are_unique() -> None:
    """Two groups of one name confuse the rules page and vmalert's metrics."""
    names = [group["name"] for path in RULE_FILES for group in groups(path)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        ('sum by (a) (rate(x_total{b="c d"}[5m])) / y > bool 3', {"x_total", "y"}),
        ("a:b:c offset 4m unless on (query) group_left (e) f", {"a:b:c", "f"}),
        ("quantile_over_time(0.5, up[1m]) >= 1e3 or vector(1)", {"up"}),
    ],
)
def test_metric_names_are_found(expr: str, names: set[str]) -> None:
    """The reader of expressions sees metric names and nothing else."""
    assert metric_names(expr) == names
