"""The `tidemark` command: arguments and exit codes; the work is in `commands/`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Literal

import click

from exporter import __version__, logs
from exporter.commands.arguments import seconds, url_or_none
from exporter.commands.assets import assets
from exporter.commands.options import config_file, moment, output, to, unix
from exporter.config.problems import ConfigError

Format = Literal["logfmt", "json"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tidemark")
@click.option(
    "--log.level",
    "log_level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="Log lines below this level are left out.",
)
@click.option(
    "--log.format",
    "log_format",
    type=click.Choice(["logfmt", "json"]),
    default="logfmt",
    show_default=True,
    help="How log lines look.",
)
def tidemark(log_level: str, log_format: Format) -> None:
    """Anomaly and drift scores for Prometheus and VictoriaMetrics, as ordinary gauge series."""
    logs.configure(log_level, log_format)


@tidemark.command()
@config_file
@click.option(
    "--web.listen-address",
    "listen",
    multiple=True,
    help="HOST:PORT, :PORT or [IPv6]:PORT; may be given several times.  [default: :10063]",
)
@click.option(
    "--web.config.file",
    "web_config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TLS and basic authentication for the endpoints.",
)
@click.option(
    "--web.enable-lifecycle", "lifecycle", is_flag=True, default=None, help="Allow /-/reload and /-/quit."
)
@click.option(
    "--web.external-url",
    "external_url",
    callback=url_or_none,
    help="The URL under which people reach the status page.",
)
def run(
    config_file: Path,
    listen: tuple[str, ...],
    web_config: Path | None,
    lifecycle: bool | None,
    external_url: str | None,
) -> None:
    """Score on every interval and serve /metrics until SIGTERM; SIGHUP reloads the configuration."""
    from exporter.commands.run import WebFlags, run

    sys.exit(run(config_file, WebFlags(listen, web_config, lifecycle, external_url)))


@tidemark.command()
@config_file
@output
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Rows of the table.")
def once(config_file: Path, output: Literal["table", "json"], top: int) -> None:
    """Score every query once, print the strangest series, and exit."""
    from exporter.commands.once import once

    sys.exit(once(config_file, output, top))


@tidemark.command()
@config_file
@output
def check(config_file: Path, output: Literal["table", "json"]) -> None:
    """Validate the configuration and ask the TSDB to parse every expression."""
    from exporter.commands.check import check

    sys.exit(check(config_file, output))


@tidemark.command()
@config_file
@click.option(
    "--output",
    type=click.Choice(["yaml", "json", "table"]),
    default="yaml",
    show_default=True,
    help="How the time intervals are printed; the first two are what Alertmanager reads.",
)
@click.option(
    "--ahead",
    callback=seconds,
    default="1y",
    show_default=True,
    help="How far dates are looked up; what recurs weekly needs none.",
)
def calendars(config_file: Path, output: Literal["yaml", "json", "table"], ahead: float) -> None:
    """Print calendars and time periods as the time_intervals of Alertmanager."""
    from exporter.commands.calendars import calendars

    sys.exit(calendars(config_file, output, ahead))


@tidemark.command()
@click.option(
    "--url",
    default="http://127.0.0.1:10063/-/healthy",
    show_default=True,
    help="What to ask; /-/ready asks for the first cycle too.",
)
@click.option(
    "--timeout", type=click.FloatRange(0.1), default=5.0, show_default=True, help="Seconds to wait."
)
def healthcheck(url: str, timeout: float) -> None:
    """Exit with 0 if a running exporter answers, for container health checks."""
    from exporter.commands.healthcheck import run as healthy

    sys.exit(healthy(url, timeout))


@tidemark.command()
@click.option(
    "--tsdb",
    type=click.Choice(["victoriametrics", "prometheus"]),
    default="victoriametrics",
    show_default=True,
    help="Which TSDB holds the services' metrics.",
)
@click.option(
    "--story",
    type=click.Choice(["incident", "three", "storm"]),
    default="incident",
    show_default=True,
    help="One incident; three of different kinds at once; or all services at once.",
)
@click.option(
    "--calm",
    callback=seconds,
    default="20s",
    show_default=True,
    help="How long the services behave before the incident; a page in that time is a failure.",
)
@click.option("--exit-after-alert", is_flag=True, help="End once the page was delivered.")
@click.option(
    "--keep", is_flag=True, help="Leave everything running, with all addresses printed, until Ctrl-C."
)
def demo(
    tsdb: Literal["victoriametrics", "prometheus"],
    story: Literal["incident", "three", "storm"],
    calm: float,
    exit_after_alert: bool,
    keep: bool,
) -> None:
    """Run the whole thing on this machine with real servers, and watch an incident become a page."""
    from exporter.commands.demo import demo

    sys.exit(demo(tsdb, story, calm=calm, exit_after_alert=exit_after_alert, keep=keep))


@tidemark.command()
@config_file
@output
@click.option("--from", "start", type=moment, help="Begin, UTC.  [default: --days before the end]")
@click.option("--to", "end", type=moment, help="End, UTC.  [default: now]")
@click.option("--days", type=click.FloatRange(0.01), default=7, show_default=True, help="Length of the past.")
@click.option("--query", "queries", multiple=True, help="Only this query; may be repeated.")
@click.option("--top", type=click.IntRange(0), default=5, show_default=True, help="Happenings per query.")
def backtest(
    config_file: Path,
    output: Literal["table", "json"],
    start: datetime | None,
    end: datetime | None,
    days: float,
    queries: tuple[str, ...],
    top: int,
) -> None:
    """Score a past as if it were live, and print what would have been above the edge."""
    from exporter.commands.backtest import Asked, run

    asked = Asked(unix(start), unix(end), days * 86_400, queries, top, output)
    sys.exit(run(config_file, asked))


@tidemark.command()
@click.argument("query")
@click.argument("labels", nargs=-1, metavar="[LABEL=VALUE]...")
@config_file
@output
@click.option("--at", type=moment, help="Explain the score of this time, UTC.  [default: now]")
def explain(
    query: str,
    labels: tuple[str, ...],
    config_file: Path,
    output: Literal["table", "json"],
    at: datetime | None,
) -> None:
    """Say why the series of QUERY with these labels has the score it has."""
    from exporter.commands.explain import explain

    pairs = [it.partition("=") for it in labels]
    if wrong := [name for name, equals, _ in pairs if not name or not equals]:
        raise click.BadParameter(f"expected LABEL=VALUE, found {wrong[0]!r}")
    sys.exit(explain(config_file, query, {name: value for name, _, value in pairs}, unix(at), output))


@tidemark.group()
def report() -> None:
    """Write what drifted, or how the week was, as one HTML file and the same as JSON."""


@report.command("drift")
@config_file
@to("tidemark-drift")
def report_drift(config_file: Path, to: Path) -> None:
    """Score every query once, and write what drifts from its past, with histograms."""
    from exporter.commands.report import drift

    sys.exit(drift(config_file, to))


@report.command("weekly")
@config_file
@to("tidemark-weekly")
@click.option("--end", type=moment, help="End of the week, UTC.  [default: now]")
@click.option("--url", help="The TSDB that scrapes Tidemark, where it is not the one of the configuration.")
def report_weekly(config_file: Path, to: Path, end: datetime | None, url: str | None) -> None:
    """Write the alerts of a week and their outcome, its episodes as pictures, and how every query did."""
    from exporter.commands.report import week

    sys.exit(week(config_file, to, unix(end), url))


tidemark.add_command(assets)


def main() -> None:
    """Entry point: what is wrong with the configuration is told in one line each, with exit code 2."""
    from exporter.commands import exits

    try:
        tidemark(standalone_mode=True)
    except ConfigError as error:
        for line in error.lines():
            click.echo(line, err=True)
        sys.exit(exits.CONFIG)
