"""The files for servers that people start themselves: they load, and hold the user's own words."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from exporter.assets import plain
from exporter.assets.landing import land
from exporter.assets.receivers import Desk, Mail, channel_of
from exporter.assets.values import ALERTMANAGER, GRAFANA, PROMETHEUS, RUNBOOKS, STATUS, Values
from exporter.demo.servers import find
from exporter.packs import library
from tests.rules.promql import REPOSITORY

OWN = Values(
    job="detector",
    service_label="app",
    runbooks="https://wiki.example/runbooks",
    grafana="https://grafana.example/ops",
    prometheus="https://prometheus.example",
    alertmanager="https://alerts.example/am",
    status="https://tidemark.example/own",
    target="[::1]:10063",
    time_zone="Europe/Berlin",
    external_labels={"cluster": "eu-1"},
    desk=Desk(
        dict(map(channel_of, ("page=pagerduty", "ticket=slack:#alerts", "inform=email:team@example.org"))),
        Mail("mail.example:587", "alertmanager@example.org", "alertmanager"),
    ),
)


def ran(*command: object, cwd: Path) -> str:
    """What a command prints; it must succeed."""
    words = [str(it) for it in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("values", [Values(), OWN], ids=["shipped", "own"])
def test_everything_loads(tmp_path: Path, values: Values) -> None:
    """promtool, vmalert and amtool accept what was written, each in its directory."""
    land(tmp_path, plain.files(values), force=False)
    ran(find("promtool"), "check", "config", "prometheus.yml", cwd=tmp_path)
    ran(find("vmalert"), "-dryRun", "-rule=rules/*.yml", "-rule=rules/packs/*.yml", cwd=tmp_path)
    told = ran(find("amtool"), "check-config", "alertmanager/alertmanager.yml", cwd=tmp_path)
    assert "1 templates" in told


def test_without_options_it_is_what_is_shipped() -> None:
    """Rules, routing and dashboards are the files of the repository, byte for byte."""
    for path, text in plain.files(Values()).items():
        if path != "prometheus.yml":
            assert text == (REPOSITORY / path).read_text(encoding="utf-8"), path


def test_nothing_of_what_was_replaced_is_left() -> None:
    """No address, job or label of the shipped files remains in any text."""
    text = "".join(plain.files(OWN).values())
    for gone in (RUNBOOKS, GRAFANA, PROMETHEUS, ALERTMANAGER, STATUS, 'job="tidemark"', "location: UTC"):
        assert gone not in text
    named = "|".join(library.names())
    assert set(re.findall(rf"(?:{named})|\bservice\b", text)) <= set(library.names())
    for there in (
        OWN.runbooks,
        f"{OWN.grafana}/d/",
        OWN.status,
        OWN.prometheus,
        'job="detector"',
        "Europe/Berlin",
    ):
        assert there in text


def test_prometheus_gets_job_target_labels_and_alertmanager() -> None:
    """The scrape job keeps the labels of the source; a path of Alertmanager's address is kept, too."""
    content = yaml.safe_load(plain.files(OWN)["prometheus.yml"])
    (job,) = content["scrape_configs"]
    (alertmanager,) = content["alerting"]["alertmanagers"]
    assert job["job_name"] == "detector"
    assert job["honor_labels"] is True
    assert job["static_configs"] == [{"targets": ["[::1]:10063"]}]
    assert content["global"]["external_labels"] == {"cluster": "eu-1"}
    assert alertmanager["scheme"] == "https"
    assert alertmanager["path_prefix"] == "/am"
    assert alertmanager["static_configs"] == [{"targets": ["alerts.example"]}]


def test_notifications_are_titled_with_the_own_label() -> None:
    """The template, too, reads the label that says the service."""
    assert "{{ with .CommonLabels.app }}" in plain.templates(OWN)["tidemark.tmpl"]


def test_only_the_rules_of_chosen_packs_are_written() -> None:
    """What is not used would record series of metrics that there are not."""
    assert {it for it in plain.rules(Values()) if it.startswith("packs/")} == {
        f"packs/{path.name}" for path in (REPOSITORY / "rules" / "packs").glob("*.yml")
    }
    assert not any(it.startswith("packs/") for it in plain.rules(dataclasses.replace(OWN, packs={})))


def test_the_dashboard_of_a_pack_chooses_by_the_own_label() -> None:
    """A machine that is called host is chosen as host, also in the links of the pack's alerts."""
    values = dataclasses.replace(Values(), packs={"node": {"instance": "host"}})
    text = plain.dashboards(values)["node.json"]
    assert 'host=~\\"$host\\"' in text
    assert "instance" not in text
    assert "tidemark-node/{{ with $labels.host }}?var-host=" in plain.rules(values)["packs/node.yml"]


def test_the_rules_of_a_pack_read_the_same_names_as_its_queries() -> None:
    """Parameters of the configuration reach the rules; the label of the service follows its own option."""
    given = {
        "predictions": "scoring_decisions_total",
        "probability": "scoring_probability",
        "class": "verdict",
        "positive": 'reject|re"view',
        "service": "app",
    }
    values = dataclasses.replace(Values(), packs={"ml-service": given})
    text = plain.rules(values)["packs/ml-service.yml"]
    shipped = (REPOSITORY / "rules" / "packs" / "ml-service.yml").read_text()
    assert "rate(scoring_decisions_total{verdict=~" in text or "scoring_decisions_total[1h]" in text
    assert "scoring_probability_bucket[1h]" in text
    assert not re.search(r"model_predictions_total|model_prediction_probability|\bclass\b", text)
    assert "by (service, verdict)" in text
    assert 'reject|re\\"view' in text
    assert re.findall(r"record: (\S+)", text) == re.findall(r"record: (\S+)", shipped)
    assert re.findall(r"alert: (\S+)", text) == re.findall(r"alert: (\S+)", shipped)


def test_dashboards_stay_documents() -> None:
    """Every dashboard is JSON with the uid that links lead to."""
    for text in plain.dashboards(OWN).values():
        assert json.loads(text)["uid"].startswith("tidemark-")
