"""The command line: what each command prints, and its exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.commands import exits
from exporter.demo.servers import free_port

CONFIG = """
tsdb: {{url: "{url}", retries: 0}}
scoring: {{history: 3d, step: 10m}}
state: {{path: {state}}}
queries:
  - {{name: one, expr: "{expr}"}}
"""


def tidemark(*arguments: str | Path, **options: str) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it."""
    command = [sys.executable, "-m", "exporter", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)  # type: ignore[call-overload, no-any-return]


def config(directory: Path, url: str, expr: str = "up") -> Path:
    """A configuration file against `url`."""
    path = directory / "tidemark.yml"
    path.write_text(CONFIG.format(url=url, expr=expr, state=directory / "state"))
    return path


def nowhere() -> str:
    """A URL on which nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


def test_version_and_help_are_told() -> None:
    """The version is one line, and the help names every command."""
    assert tidemark("--version").stdout.startswith("tidemark, version 0.")
    help_text = tidemark("--help").stdout
    assert all(name in help_text for name in ("run", "once", "check", "healthcheck", "demo"))


@pytest.mark.parametrize("command", ["run", "once", "check"])
def test_a_bad_configuration_is_code_2_and_a_line_per_error(command: str, tmp_path: Path) -> None:
    """Whichever command reads it, a bad file is told the same way, and nothing is started."""
    path = tmp_path / "bad.yml"
    path.write_text("tsdb: {url: nowhere}\nqueries: []\n")
    done = tidemark(command, "--config.file", path)
    assert done.returncode == exits.CONFIG
    said = [line for line in (done.stdout + done.stderr).splitlines() if "bad.yml" in line]
    assert len(said) == 2
    assert "Traceback" not in done.stderr


def test_a_calm_that_is_no_duration_is_refused() -> None:
    """The demo says which duration it could not read before it starts anything."""
    done = tidemark("demo", "--calm", "soon")
    assert done.returncode == 2
    assert "expected a duration in Prometheus syntax" in done.stderr
    assert "found 'soon'" in done.stderr


def test_an_unknown_option_is_code_2() -> None:
    """A misspelled option is refused with a usage line."""
    done = tidemark("run", "--web.listen", ":1")
    assert done.returncode == exits.CONFIG
    assert "No such option" in done.stderr


def test_check_names_a_tsdb_that_does_not_answer(tmp_path: Path) -> None:
    """A TSDB that is down is code 5, with its address and what to look at."""
    url = nowhere()
    done = tidemark("check", "--config.file", config(tmp_path, url))
    assert done.returncode == exits.TSDB
    assert f"WRONG tsdb: {url}" in done.stdout
    assert "ok    configuration" in done.stdout


def test_check_names_a_state_directory_it_cannot_write(tmp_path: Path) -> None:
    """A state path below a file is code 3."""
    (tmp_path / "state").write_text("not a directory")
    path = config(tmp_path, nowhere())
    path.write_text(path.read_text().replace("/state}", "/state/deeper}"))
    done = tidemark("check", "--config.file", path, "--output", "json")
    assert done.returncode == exits.DISK
    findings = {it["what"]: it["ok"] for it in json.loads(done.stdout)["findings"]}
    assert findings == {"configuration": True, "state": False, "tsdb": False}


def test_once_against_a_dead_tsdb_is_code_5(tmp_path: Path) -> None:
    """When no query can be read because nothing answers, the exit code says so."""
    done = tidemark("once", "--config.file", config(tmp_path, nowhere()))
    assert done.returncode == exits.TSDB
    assert "tsdb.url" in done.stderr


def test_a_port_in_use_is_code_6_and_one_line(tmp_path: Path) -> None:
    """A port that somebody else has is named, with what to do."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        path = config(tmp_path, nowhere())
        done = tidemark("run", "--config.file", path, "--web.listen-address", address)
    assert done.returncode == exits.LISTEN
    assert f"cannot listen on {address}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.servers
def test_check_asks_the_tsdb_about_every_expression(prometheus_url: str, tmp_path: Path) -> None:
    """A good expression is well; a bad one is code 5 with the TSDB's own words."""
    done = tidemark("check", "--config.file", config(tmp_path, prometheus_url))
    assert (done.returncode, done.stderr) == (exits.OK, "")
    assert "answers as prometheus" in done.stdout
    done = tidemark("check", "--config.file", config(tmp_path, prometheus_url, expr="sum by (x"))
    assert done.returncode == exits.TSDB
    assert "WRONG query one" in done.stdout
    assert "parse error" in done.stdout


@pytest.mark.servers
def test_once_prints_json_for_machines(prometheus_url: str, tmp_path: Path) -> None:
    """With `--output json` standard output is one document, whatever was told beside it."""
    done = tidemark("once", "--config.file", config(tmp_path, prometheus_url), "--output", "json")
    document = json.loads(done.stdout)
    assert set(document) == {"time", "series", "groups", "drift", "forecasts", "limits", "failures"}
    assert document["failures"] == {}


@pytest.mark.servers
def test_check_tells_of_an_alertmanager_that_is_down_and_passes(prometheus_url: str, tmp_path: Path) -> None:
    """Scores do not wait for Alertmanager, so one that is down is shown and is no failure."""
    path = config(tmp_path, prometheus_url)
    path.write_text(path.read_text() + f'\nalertmanager: {{urls: ["{nowhere()}"]}}\n')
    done = tidemark("check", "--config.file", path)
    assert done.returncode == 0
    assert "WRONG alertmanager: http://127.0.0.1:" in done.stdout


@pytest.mark.servers
def test_a_backtest_is_one_document_for_machines(prometheus_url: str, tmp_path: Path) -> None:
    """With `--output json` each query has its counts and its worst happenings."""
    options = ["--config.file", config(tmp_path, prometheus_url), "--days", "0.2", "--output", "json"]
    (document,) = json.loads(tidemark("backtest", *options).stdout)
    assert document["query"] == "one"
    assert {"series", "points", "happenings", "per_week", "promised", "worst"} <= set(document)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--query", "nine"], "no query is called nine"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "--from must lie before --to"),
    ],
)
def test_a_backtest_of_nothing_is_code_2(options: list[str], words: str, tmp_path: Path) -> None:
    """One line says what is wrong, before anything is read."""
    done = tidemark("backtest", "--config.file", config(tmp_path, nowhere()), *options)
    assert (done.returncode, len(done.stderr.splitlines())) == (exits.CONFIG, 1)
    assert words in done.stderr


@pytest.mark.servers
def test_explain_says_why(prometheus_url: str, tmp_path: Path) -> None:
    """The one series that the labels name, in lines that fit 80 columns; JSON says the same."""
    path = config(tmp_path, prometheus_url, expr="load offset 3h")
    options = ["explain", "one", "service=api", "--config.file", path]
    done = tidemark(*options)
    assert done.returncode == exits.OK, done.stderr
    assert all(word in done.stdout for word in ("one service=api", "Score", "Model", "Edge", "Expression"))
    assert max(map(len, done.stdout.splitlines())) <= 80
    document = json.loads(tidemark(*options, "--output", "json").stdout)
    assert document["finding"]["series"]["labels"] == {"service": "api"}
    assert document["day"]["reach"] == 86_400


@pytest.mark.servers
def test_explain_names_what_there_is(prometheus_url: str, tmp_path: Path) -> None:
    """Labels that fit several series, or none, are code 1 and say so."""
    path = config(tmp_path, prometheus_url, expr="load offset 3h")
    several = tidemark("explain", "one", "--config.file", path)
    assert (several.returncode, several.stdout) == (exits.FAILED, "")
    assert "series have these labels; name one:" in several.stderr
    none = tidemark("explain", "one", "service=nobody", "--config.file", path)
    assert "no series has these labels now" in none.stderr


@pytest.mark.parametrize("arguments", [["nine"], ["one", "service"]])
def test_explain_of_what_cannot_be_is_code_2(arguments: list[str], tmp_path: Path) -> None:
    """An unknown query, or a label without a value."""
    done = tidemark("explain", *arguments, "--config.file", config(tmp_path, nowhere()))
    assert done.returncode == exits.CONFIG
