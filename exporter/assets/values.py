"""What differs from one user to the next, and how it gets into the texts that are shipped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from exporter.assets.receivers import Desk
from exporter.packs import library

RUNBOOKS = "https://github.com/tidemark/tidemark/blob/main/docs/runbooks"
GRAFANA = "http://localhost:3000"
PROMETHEUS = "http://prometheus:9090"
ALERTMANAGER = "http://localhost:9093"
STATUS = "http://localhost:10063"
ZONE = "UTC"
JOB = "tidemark"
LABEL = "service"

_JOB = re.compile(rf'\bjob=(~?)(\\?"){JOB}\2')
_AFTER_METRIC = r"(?=(?:_bucket|_count|_sum)?(?![\w:]))"


@dataclass(frozen=True, slots=True)
class Values:
    """The user's own words: `packs` are names with their parameters, `desk` is who hears."""

    job: str = JOB
    service_label: str = LABEL
    runbooks: str = RUNBOOKS
    grafana: str = GRAFANA
    prometheus: str = PROMETHEUS
    alertmanager: str = ALERTMANAGER
    status: str = STATUS
    target: str = "localhost:10063"
    time_zone: str = ZONE
    external_labels: Mapping[str, str] = field(default_factory=dict)
    packs: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: {name: {} for name in library.names()}
    )
    desk: Desk = field(default_factory=Desk)
    namespace: str = "monitoring"
    labels: Mapping[str, str] = field(default_factory=dict)

    def in_rules(self, text: str) -> str:
        """Rules, or a dashboard, with the user's job, label and addresses."""
        for shipped, own in (
            (RUNBOOKS, self.runbooks),
            (GRAFANA, self.grafana),
            (ALERTMANAGER, self.alertmanager),
            (STATUS, self.status),
        ):
            text = text.replace(shipped, own.rstrip("/"))
        return self.in_labels(_JOB.sub(rf"job=\1\2{self.job}\2", text))

    def in_pack(self, name: str, text: str) -> str:
        """The rules of a pack with the parameters of its queries, too."""
        return self.in_rules(_renamed(text, library.pack(name), self.packs[name]))

    def in_dashboard(self, name: str, text: str) -> str:
        """A dashboard; that of a pack with the user's name of the label that can be chosen in it."""
        if name in self.packs:
            subject = library.pack(name).subject
            text = re.sub(rf"\b{subject}\b", self._subject(name, subject), text)
        return self.in_rules(text)

    def _subject(self, name: str, shipped: str) -> str:
        parameters = library.pack(name).parameters
        given = (self.packs[name].get(key) for key, it in parameters.items() if it.default == shipped)
        return next(filter(None, given), shipped)

    def in_labels(self, text: str) -> str:
        """Any text with the user's label in place of `service`; the names of packs stay."""
        if self.service_label == LABEL:
            return text
        named = [re.escape(it) for it in library.names() if re.search(rf"\b{LABEL}\b", it)]
        words = re.compile("|".join([*(rf"\b{it}\b" for it in named), rf"\b({LABEL})\b"]))
        return words.sub(lambda it: self.service_label if it[1] else it[0], text)

    def in_alertmanager(self, text: str) -> str:
        """The tree with the user's label and office hours; receivers are composed elsewhere."""
        return self.in_labels(text).replace(f"location: {ZONE}", f"location: {self.time_zone}")

    def in_provisioning(self, text: str) -> str:
        """Grafana's data source with the user's Prometheus."""
        return text.replace(PROMETHEUS, self.prometheus.rstrip("/"))


def _renamed(text: str, pack: library.Pack, given: Mapping[str, str]) -> str:
    changed = [
        (it, given[key])
        for key, it in pack.parameters.items()
        if it.default not in (LABEL, given.get(key, it.default))
    ]
    if not changed:
        return text
    words = re.compile("|".join(f"({_word(it)})" for it, _ in changed))
    return words.sub(lambda it: _own(changed, it.lastindex or 1), text)


def _own(changed: Sequence[tuple[library.Parameter, str]], group: int) -> str:
    parameter, value = changed[group - 1]
    return parameter.written(value)


def _word(parameter: library.Parameter) -> str:
    """Where the default of a parameter stands in rules, as a regular expression without groups."""
    name = re.escape(parameter.default)
    if parameter.kind == "pattern":
        return name
    return rf"(?<![\w:]){name}" + (_AFTER_METRIC if parameter.kind == "metric" else r"(?!\w|:\w)")
