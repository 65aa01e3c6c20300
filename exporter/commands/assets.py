"""`tidemark assets`: the rules, Alertmanager files and dashboards with the user's values, in a directory."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import click
import orjson

from exporter.assets import operator, plain
from exporter.assets.landing import NEW, Landed, land
from exporter.assets.receivers import Desk, Mail, Unfit, secrets
from exporter.assets.values import (
    ALERTMANAGER,
    GRAFANA,
    JOB,
    LABEL,
    PROMETHEUS,
    RUNBOOKS,
    STATUS,
    ZONE,
    Values,
)
from exporter.commands import exits
from exporter.commands.arguments import channels, fitting, packs, pairs, url, zone
from exporter.config.file import load

Form = Literal["plain", "operator"]
FORMS: dict[Form, Callable[[Values], plain.Files]] = {"plain": plain.files, "operator": operator.files}

WORD, NAME = r"[\w./:-]+", r"[a-zA-Z_][a-zA-Z0-9_]*"
HOST = r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d+"
NAMESPACE = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
KEY = r"([\w.-]+/)?[\w.-]+"


def _one(name: str, meaning: str, default: str = "", **more: Any) -> Callable[[Any], Any]:
    return click.option(name, default=default, help=meaning, show_default=bool(default), **more)


def _several(name: str, meaning: str, callback: Any) -> Callable[[Any], Any]:
    destination = name.strip("-").replace("-", "_") + "s"
    return click.option(name, destination, multiple=True, help=meaning, callback=callback)


@click.group()
def assets() -> None:
    """The rules, Alertmanager files and dashboards that travel with Tidemark."""


@assets.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMS)),
    default="plain",
    show_default=True,
    help="Files for servers, or resources for the Prometheus operator.",
)
@click.option(
    "--config.file",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take the packs with their parameters, and the time zone, from this configuration.",
)
@_several("--pack", "Rules of this pack; repeatable.  [default: the file's, or all]", packs)
@_one("--job", "The job that scrapes Tidemark.", JOB, callback=fitting(WORD, "a word"))
@_one("--service-label", "The label that says the service.", LABEL, callback=fitting(NAME, "a label"))
@_one("--runbook-url", "Where the pages of docs/runbooks are.", RUNBOOKS, callback=url)
@_one("--grafana-url", "Where people reach Grafana.", GRAFANA, callback=url)
@_one("--prometheus-url", "Where Grafana reaches Prometheus.", PROMETHEUS, callback=url)
@_one("--alertmanager-url", "Where Prometheus and people reach Alertmanager.", ALERTMANAGER, callback=url)
@_one("--status-url", "Where people reach the pages of Tidemark.", STATUS, callback=url)
@_one(
    "--target", "Where Prometheus reaches Tidemark.", "localhost:10063", callback=fitting(HOST, "HOST:PORT")
)
@_several("--external-label", "KEY=VALUE for all that this Prometheus sends; repeatable.", pairs(NAME))
@_one("--time-zone", "The zone of the office hours.  [default: the file's, or UTC]", callback=zone)
@_several("--receiver", "NAME=KIND[:ADDRESS], such as page=pagerduty; repeatable.", channels)
@_one("--secrets-dir", "Where Alertmanager finds keys and passwords.  [default: /etc/alertmanager/secrets]")
@_one("--mail-smarthost", "The server that takes e-mail.", callback=fitting(HOST, "HOST:PORT"))
@_one("--mail-from", "The sender of e-mail.")
@_one("--mail-user", "Who logs in to the mail server.")
@_one("--namespace", "The namespace of resources.", "monitoring", callback=fitting(NAMESPACE, "a namespace"))
@_several("--label", "KEY=VALUE of every resource, such as release=prometheus; repeatable.", pairs(KEY))
@click.option("--force", is_flag=True, help="Replace what was edited, too.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def write(directory: Path, form: Form, force: bool, output: Literal["table", "json"], **given: Any) -> None:
    """Write everything into DIRECTORY, with your values; what was edited there stays."""
    try:
        files = FORMS[form](values_of(given))
        landed = land(directory, files, force=force)
    except Unfit as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        click.echo(f"assets: {error.filename or directory}: {error.strerror}", err=True)
        sys.exit(exits.DISK)
    _tell(directory, landed, secrets("".join(files.values())), output)


def values_of(given: Mapping[str, Any]) -> Values:
    """What the options say, and the configuration where they are silent; ConfigError for a bad one."""
    own = Values(
        job=given["job"],
        service_label=given["service_label"],
        runbooks=given["runbook_url"],
        grafana=given["grafana_url"],
        prometheus=given["prometheus_url"],
        alertmanager=given["alertmanager_url"],
        status=given["status_url"],
        target=given["target"],
        external_labels=given["external_labels"],
        desk=_desk(given),
        namespace=given["namespace"],
        labels=given["labels"],
    )
    return _configured(own, given["config_file"], given["packs"], given["time_zone"])


def _desk(given: Mapping[str, Any]) -> Desk:
    mail = Mail(given["mail_smarthost"], given["mail_from"], given["mail_user"])
    desk = Desk(given["receivers"], mail)
    return (
        dataclasses.replace(desk, secrets=given["secrets_dir"].rstrip("/")) if given["secrets_dir"] else desk
    )


def _configured(own: Values, path: Path | None, chosen: Sequence[str], zone: str) -> Values:
    """`own` with packs and time zone: as chosen, else as in the file at `path`, else all and UTC."""
    config = load(path).config if path else None
    packs = {it.name: it.parameters for it in config.packs} if config else dict(own.packs)
    if chosen:
        packs = {it: packs.get(it, {}) for it in chosen}
    zone = zone or (config.scoring.time_zone if config else ZONE)
    return dataclasses.replace(own, packs=packs, time_zone=zone)


def _tell(
    directory: Path, landed: Sequence[Landed], needed: Sequence[str], output: Literal["table", "json"]
) -> None:
    if output == "json":
        document = {
            "directory": str(directory),
            "files": [dataclasses.asdict(it) for it in landed],
            "secrets": needed,
        }
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        return
    for it in landed:
        click.echo(f"{it.action:<10} {it.path}")
    for it in landed:
        if it.action == "beside":
            click.echo(f"edited here, so the new one is {it.path}{NEW}: merge it, or use --force")
    for name in needed:
        click.echo(f"Alertmanager reads a secret that you provide: {name}")
