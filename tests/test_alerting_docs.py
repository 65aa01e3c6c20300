"""docs/alerting.md: its table has every alert, its blocks load, and its commands do what it says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import pytest
import yaml

from exporter.assets.receivers import kinds
from exporter.demo.servers import find
from exporter.packs import library
from tests.alertmanager.alerts import BY_SEVERITY
from tests.rules.promql import REPOSITORY, alerts, groups
from tests.rules.timeline import promtool_test

TEXT = (REPOSITORY / "docs" / "alerting.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
WRITES = [line for line in COMMANDS if line.startswith("tidemark assets write ")]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}


def offered(group: str) -> dict[str, Any]:
    """The rule file of the page that has this group."""
    (block,) = [it for it in BLOCKS if "groups" in it and it["groups"][0]["name"] == group]
    return dict(block)


def run(*command: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Run a command of the page."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the rules and their tests."""
    for name in ("rules", "tests/rules"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_table_has_every_alert() -> None:
    """Name, severity and priority of each row are those of the rule."""
    rows = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| ([\w, ]+) \| ([\w, ]+) \|", TEXT, re.MULTILINE)
    shown = {name: (severity, priority) for name, page, severity, priority in rows if name == page}
    labels = {name: rule["labels"] for name, rule in alerts().items()}
    written = {name: (it["severity"], it["priority"]) for name, it in labels.items()}
    both = ("critical, warning", "P2, P3")
    assert shown == written | dict.fromkeys(BY_SEVERITY, both)


def test_the_table_of_thresholds_is_that_of_the_file() -> None:
    """The defaults in the docs are those that are recorded."""
    rows = re.findall(r'^\| `([\w:]+:default)\{severity="(\w+)"\}` \| ([\d.]+) \|', TEXT, re.MULTILINE)
    rules = groups(REPOSITORY / "rules" / "thresholds.yml")[0]["rules"]
    recorded = [
        (rule["record"], rule["labels"]["severity"], rule["expr"].removeprefix("vector(").removesuffix(")"))
        for rule in rules
        if rule["record"].endswith(":default")
    ]
    assert rows == recorded


def test_the_scrape_job_loads(tmp_path: Path) -> None:
    """Prometheus accepts the block, and it keeps the labels of the source."""
    (block,) = [it for it in BLOCKS if "scrape_configs" in it]
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(block), encoding="utf-8")
    done = run(str(find("promtool")), "check", "config", "--syntax-only", str(path))
    assert done.returncode == 0, done.stderr
    assert block["scrape_configs"][0]["honor_labels"]


def written(directory: Path, command: str) -> Path:
    """Where `tidemark assets write` of the page wrote to, run in `directory`."""
    words = [sys.executable, "-m", "exporter", *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=directory, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return directory / "assets"


def test_every_kind_of_receiver_has_its_row() -> None:
    """The table of kinds is that of the files in alertmanager/receivers."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", TEXT.split("## Receivers")[1], re.MULTILINE)
    assert sorted(rows) == kinds()


def test_the_receivers_load(tmp_path: Path) -> None:
    """The command of the page writes receivers that Alertmanager accepts, and its other commands agree."""
    (command,) = [it for it in WRITES if "--receiver" in it]
    written(tmp_path, command)
    routed = [it for it in COMMANDS if it.startswith("amtool ")]
    assert len(routed) == 2
    for it in routed:
        done = run("sh", "-c", it.replace("amtool", str(find("amtool")), 1), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["page"]


def test_the_links_are_replaced_in_every_alert(tmp_path: Path) -> None:
    """After the command no link of an alert has its old base, and the files still load."""
    (command,) = [it for it in WRITES if "--runbook-url" in it]
    directory = written(tmp_path, command)
    text = "".join(path.read_text() for path in (directory / "rules").rglob("*.yml"))
    links = re.findall(r"(?:runbook|dashboard)_url: (https?://[^/]+/)", text)
    assert set(links) == {"https://wiki.example/", "https://grafana.example/"}
    assert len(links) == 2 * len(alerts())
    done = run("sh", "-c", f"{find('promtool')} check rules rules/*.yml rules/packs/*.yml", cwd=directory)
    assert done.returncode == 0, done.stderr


def in_order(chosen: re.Match[str]) -> str:
    """The labels of a series in an address with `app` for `service`, in the order of their names."""
    pairs = unquote_plus(chosen[0]).replace("service=", "app=").split(",")
    return quote_plus(",".join(sorted(pairs)))


def test_another_label_can_be_the_service(tmp_path: Path) -> None:
    """After the command, rules and Alertmanager work on `app`: the same rule tests pass with that label."""
    (command,) = [it for it in WRITES if "--service-label" in it]
    directory = written(tmp_path, command)
    for name in ("AnomalyService", "AnomalySeries", "thresholds", "DriftShare", "drift"):
        test = directory / "tests" / "rules" / f"{name}.yml"
        test.parent.mkdir(parents=True, exist_ok=True)
        text = (REPOSITORY / "tests" / "rules" / f"{name}.yml").read_text(encoding="utf-8")
        text = re.sub(r"(?<=&var-series=)\S+", in_order, re.sub(r"\bservice\b", "app", text))
        test.write_text(text, encoding="utf-8")
        done = promtool_test(test)
        assert done.returncode == 0, done.stdout + done.stderr
    path = directory / "alertmanager" / "alertmanager.yml"
    assert run(str(find("amtool")), "check-config", str(path)).returncode == 0
    for path in (directory / "grafana" / "dashboards").glob("*.json"):
        text = re.sub("|".join(library.names()), "", path.read_text(encoding="utf-8"))
        assert not re.search(r"\bservice\b", text)


@pytest.mark.parametrize(
    ("period", "sale", "threshold"), [("day", 0, 1.2), ("night", 0, 2.4), ("night", 1, 4.8)]
)
def test_a_threshold_may_hang_on_the_period_and_a_calendar(
    tmp_path: Path, period: str, sale: int, threshold: float
) -> None:
    """The rule that the page offers gives the threshold that it promises."""
    block = offered("tidemark-thresholds")
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(block), encoding="utf-8")
    case = {
        "interval": "1m",
        "input_series": [
            {"series": f'anomaly_period_info{{period="{period}", job="tidemark"}}', "values": "1x5"},
            {"series": 'calendar_active{calendar="sale", job="tidemark"}', "values": f"{sale}x5"},
        ],
        "promql_expr_test": [
            {
                "expr": "anomaly:score_threshold:default",
                "eval_time": "3m",
                "exp_samples": [
                    {"labels": 'anomaly:score_threshold:default{severity="critical"}', "value": threshold}
                ],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [case]}), encoding="utf-8")
    done = promtool_test(path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_team_may_have_thresholds_of_its_own(copy: Path) -> None:
    """The team's file loads beside the shipped ones, and its threshold is the one in use."""
    (copy / "rules" / "payments.yml").write_text(yaml.safe_dump(offered("thresholds-payments")))
    content = yaml.safe_load((copy / "tests" / "rules" / "thresholds.yml").read_text())
    effective = 'query_service:anomaly_score_threshold:effective{severity="critical", query="q"'
    case = {
        "interval": "15s",
        "input_series": [{"series": 'anomaly_score{query="q", service="checkout"}', "values": "0x9"}],
        "promql_expr_test": [
            {
                "expr": f"{effective}}}",
                "eval_time": "1m",
                "exp_samples": [{"labels": f'{effective}, service="checkout"}}', "value": 1.6}],
            }
        ],
    }
    content |= {"rule_files": [*content["rule_files"], "../../rules/payments.yml"], "tests": [case]}
    content["group_eval_order"].insert(0, "thresholds-payments")
    path = copy / "tests" / "rules" / "team.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    done = promtool_test(path)
    assert done.returncode == 0, done.stdout + done.stderr
