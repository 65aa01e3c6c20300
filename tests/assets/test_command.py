"""`tidemark assets write`: what it prints, what it refuses, and what it takes from a configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from exporter.cli import tidemark
from exporter.commands import exits

CONFIG = """\
tsdb: {url: "http://localhost:9090"}
scoring: {time_zone: Europe/Berlin}
packs:
  - {name: ml-service, parameters: {predictions: scoring_decisions_total}}
"""


def write(directory: Path, *options: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(tidemark, ["assets", "write", str(directory), *options])


def test_it_lists_what_it_wrote_and_what_is_yours_to_provide(tmp_path: Path) -> None:
    """One line per file, then one per secret."""
    done = write(tmp_path, "--receiver", "page=pagerduty", "--secrets-dir", "/run/secrets/")
    lines = done.output.splitlines()
    assert done.exit_code == exits.OK
    assert lines[0] == "written    alertmanager/alertmanager.yml"
    assert "written    rules/thresholds.yml" in lines
    assert lines[-1] == "Alertmanager reads a secret that you provide: /run/secrets/page"


def test_it_says_where_the_new_one_of_an_edited_file_is(tmp_path: Path) -> None:
    """Thresholds that were edited stay, and the line says how to go on."""
    write(tmp_path)
    path = tmp_path / "rules" / "thresholds.yml"
    edited = path.read_text() + "# mine\n"
    path.write_text(edited)
    assert "kept       rules/thresholds.yml" in write(tmp_path).output.splitlines()
    lines = write(tmp_path, "--service-label=app").output.splitlines()
    assert "beside     rules/thresholds.yml" in lines
    assert lines[-1] == "edited here, so the new one is rules/thresholds.yml.new: merge it, or use --force"
    assert path.read_text() == edited
    assert "updated    rules/thresholds.yml" in write(tmp_path, "--force").output.splitlines()
    assert path.read_text() != edited


def test_json_holds_the_same(tmp_path: Path) -> None:
    """Directory, files with what became of each, and secrets."""
    done = write(tmp_path, "--format=operator", "--receiver=ticket=slack:#a", "--output=json")
    document = json.loads(done.output)
    assert document["directory"] == str(tmp_path)
    assert {"path": "servicemonitor.yaml", "action": "written"} in document["files"]
    assert document["secrets"] == ["/etc/alertmanager/secrets/tidemark-receivers/ticket"]


def test_packs_and_time_zone_come_from_the_configuration(tmp_path: Path) -> None:
    """The rules of its packs with their parameters, and office hours in its zone; options go first."""
    (tmp_path / "tidemark.yml").write_text(CONFIG)
    configured = f"--config.file={tmp_path / 'tidemark.yml'}"
    write(tmp_path / "a", configured)
    assert [it.name for it in (tmp_path / "a" / "rules" / "packs").iterdir()] == ["ml-service.yml"]
    assert "scoring_decisions_total" in (tmp_path / "a" / "rules" / "packs" / "ml-service.yml").read_text()
    tree = yaml.safe_load((tmp_path / "a" / "alertmanager" / "alertmanager.yml").read_text())
    assert tree["time_intervals"][0]["time_intervals"][0]["location"] == "Europe/Berlin"
    write(tmp_path / "b", configured, "--time-zone=Asia/Tokyo")
    assert "Asia/Tokyo" in (tmp_path / "b" / "alertmanager" / "alertmanager.yml").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--job=a b"], "expected a word, found 'a b'"),
        (["--service-label=a-b"], "expected a label, found 'a-b'"),
        (["--grafana-url=grafana"], "expected a URL such as http://localhost:9090, found 'grafana'"),
        (["--external-label=eu"], "expected KEY=VALUE, found 'eu'"),
        (["--target=localhost"], "expected HOST:PORT, found 'localhost'"),
        (["--time-zone=CET+1"], "expected an IANA time zone such as Europe/Berlin, found 'CET+1'"),
        (["--receiver=page=sms"], "no channel has the name 'sms'"),
        (["--receiver=pages=pagerduty"], "no receiver has the name 'pages'"),
        (["--receiver=inform=email:a@b.c"], "email needs --mail-smarthost HOST:PORT and --mail-from ADDRESS"),
        (["--pack=http"], "no pack has the name 'http'"),
        (["--format=operator", "--external-label=a=b"], "externalLabels of the Prometheus resource"),
        (["--namespace=A"], "expected a namespace, found 'A'"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, options: list[str], message: str) -> None:
    """With exit code 2, the reason, and nothing written."""
    done = write(tmp_path / "out", *options)
    assert done.exit_code == exits.CONFIG
    assert message in " ".join(done.output.split())
    assert not (tmp_path / "out").exists()


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With its own exit code, and one line that names the path."""
    (tmp_path / "rules").write_text("a file")
    done = write(tmp_path)
    assert done.exit_code == exits.DISK
    assert done.output.startswith(f"assets: {tmp_path / 'rules'}")
    assert [it.name for it in tmp_path.iterdir()] == ["rules"]
