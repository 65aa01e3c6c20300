"""Reports as one HTML file each: nothing in it needs the network, and every text is escaped."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from exporter import __version__
from exporter.reports import bars
from exporter.reports.drift import DriftReport, QueryDrift, SeriesDrift
from exporter.reports.weekly import AlertWeek, Pictured, WeeklyReport
from exporter.web import shell
from exporter.web.markup import Node, tag
from exporter.web.pictures import drawn, scale_of
from exporter.web.tables import cell, heading, label_set, row, table
from exporter.web.words import clock, number, plural, span

WIDE, HIGH = 640.0, 140.0
FIGURES = ("Series", "False alarms", "Model age", "Quality", "Present", "Reads", "Left out", "Drift")


def drift_page(report: DriftReport) -> bytes:
    """The drift report as UTF-8 HTML."""
    drifting = sum(len(it.series) for it in report.queries)
    compared = sum(it.compared for it in report.queries)
    words = (
        f"{plural(drifting, 'series', 'series')} of {compared:,} drift: the last day lies far from its past."
    )
    main = [_summary(words), *map(_query, report.queries), _services(report), _without(report.without)]
    return _page("Drift report", report.time, main)


def weekly_page(report: WeeklyReport) -> bytes:
    """The weekly report as UTF-8 HTML."""
    share = f"{report.told - report.false_alarms} of {report.told}" if report.told else "none"
    words = (
        f"{plural(report.told, 'anomaly', 'anomalies')} told as a page or a ticket; "
        f"another alert of the same service confirmed {share}."
    )
    main = [_summary(words), _alerts(report), _episodes(report.pictured), _queries(report)]
    period = f"{clock(report.start)} to {clock(report.end)}"
    return _page(f"Week of Tidemark, {period}", report.end, main)


def _page(title: str, at: float, main: Sequence[Node]) -> bytes:
    header = tag("header", tag("h1", title), tag("span", f"Tidemark {__version__}", class_="soft"))
    footer = tag("footer", tag("p", tag("small", f"As of {clock(at)}")))
    return shell.page(title, header, main, footer)


def _summary(words: str) -> Element:
    return tag("section", tag("p", words))


def _query(it: QueryDrift) -> Element:
    age = f"learnt up to {clock(it.learnt)}"
    valid = "" if it.valid else " It is NOT what was learnt."
    about = f"Reference {it.sha256[:12]}, {age}.{valid} {plural(it.compared, 'series', 'series')} compared."
    parts: list[Node] = [tag("h2", it.name), tag("p", tag("code", it.expr)), tag("p", about, class_="soft")]
    if not it.series:
        parts.append(tag("p", "None drifts."))
    parts += [_series(one) for one in it.series if one.hourly]
    rest = [one for one in it.series if not one.hourly]
    if rest:
        parts.append(_rest(it.name, rest))
    return tag("section", parts)


def _series(it: SeriesDrift) -> Element:
    found = it.found
    words = [f"Score {found.score:.1f}", _since(found.since)]
    if not math.isnan(found.shift):
        words.append(f"level {number(found.shift)} from like hours")
    if not math.isnan(found.movement_ratio):
        words.append(f"movement {number(found.movement_ratio)} times what it was")
    note = "Left: hourly means of the reference as an area, of the window as bars. Right: 30 days."
    return tag(
        "figure",
        tag("figcaption", label_set(found.labels), tag("br"), ", ".join(filter(None, words)) + "."),
        tag("div", bars.histogram(it.histogram), bars.hours(it.hourly, found.since), class_="pair"),
        tag("p", note, class_="soft"),
    )


def _since(at: float) -> str:
    return "" if math.isnan(at) else f"since {clock(at)}"


def _rest(query: str, rest: Sequence[SeriesDrift]) -> Element:
    rows = (
        row(
            heading(label_set(it.found.labels)),
            cell("Score", f"{it.found.score:.1f}", "number"),
            cell("Since", _since(it.found.since).removeprefix("since "), "when"),
        )
        for it in rest
    )
    name = f"rest-{query}"
    title = tag("h3", f"And {plural(len(rest), 'more series', 'more series')}", id=name)
    return tag("div", title, table(name, ("Series", "Score", "Since"), rows))


def _services(report: DriftReport) -> Node:
    if not report.services:
        return ""
    rows = (
        row(
            heading(label_set(it.labels)),
            cell("Score", f"{it.score:.1f}", "number over" if it.score >= 3 else "number"),
        )
        for it in report.services[:50]
    )
    title = tag("h2", "Services, jointly", id="services")
    return tag("section", title, table("services", ("Service", "Score"), rows))


def _without(names: Sequence[str]) -> Node:
    if not names:
        return ""
    words = "Not compared, because drift is off for them or less than 10 days are known: "
    return tag("section", tag("p", words, ", ".join(names), class_="soft"))


def _alerts(report: WeeklyReport) -> Element:
    title = tag("h2", "Alerts", id="alerts")
    if not report.alerts:
        return tag("section", title, tag("p", "No alert fired, or the TSDB has no ALERTS.", class_="soft"))
    per_day = [sum(it.per_day[day] for it in report.alerts) for day in range(7)]
    names = [time.strftime("%a %d", time.gmtime(report.start + 86_400 * day)) for day in range(7)]
    columns = ("Alert", "Severity", "Episodes", "Firing", "Confirmed", *names)
    rows = (_alert(it, names) for it in report.alerts)
    return tag("section", title, bars.days(per_day, names), table("alerts", columns, rows))


def _alert(it: AlertWeek, names: Sequence[str]) -> Element:
    confirmed = "–" if it.confirmed is None else f"{it.confirmed} of {it.episodes}"
    days = (cell(name, str(count or ""), "number") for name, count in zip(names, it.per_day, strict=True))
    return row(
        heading(it.alert),
        cell("Severity", it.severity),
        cell("Episodes", f"{it.episodes:,}", "number"),
        cell("Firing", span(it.seconds), "number"),
        cell("Confirmed", confirmed, "number"),
        *days,
    )


def _episodes(pictured: Sequence[Pictured]) -> Element:
    title = tag("h2", "Episodes")
    if not pictured:
        return tag("section", title, tag("p", "None of an anomaly alert.", class_="soft"))
    return tag("section", title, (_episode(it) for it in pictured))


def _episode(it: Pictured) -> Element:
    episode = it.episode
    severity = episode.labels.get("severity", "")
    what = f"{episode.alert} ({severity}) from {clock(episode.start)}, {span(episode.seconds)}"
    outcome = f"confirmed by {episode.confirmed}" if episode.confirmed else "confirmed by no other alert"
    scale = scale_of(it.band, WIDE, HIGH)
    label = f"Value and band of {it.series.get('query', '')} around the episode"
    box = f"0 0 {WIDE:.0f} {HIGH:.0f}"
    picture: Node = (
        tag("svg", drawn(it.band, scale), viewBox=box, role="img", aria_label=label, class_="wide")
        if scale
        else ""
    )
    caption = (label_set(it.series), tag("br"), f"{what}. Highest score {number(it.score)}; {outcome}.")
    return tag("figure", tag("figcaption", caption), picture)


def _queries(report: WeeklyReport) -> Element:
    title = tag("h2", "Queries", id="queries")
    if not report.figures:
        words = "The TSDB has no metrics of Tidemark: does it scrape it, and is this the right one?"
        return tag("section", title, tag("p", words, class_="notice"))
    columns = (
        "Query",
        "Series",
        "False alarms",
        "Model age",
        "Quality",
        "Present",
        "Reads",
        "Left out",
        "Drift",
    )
    rows = (_figures(name, it, report.end) for name, it in report.figures.items())
    note = (
        "False alarms: happenings above score 1 over those that the sensitivity promised. Quality and "
        "presence of the input, reads that succeeded: over the week. Left out: share of points not learnt."
    )
    return tag("section", title, tag("p", note, class_="soft"), table("queries", columns, rows))


def _figures(name: str, it: Mapping[str, float], end: int) -> Element:
    def told(figure: str, form: str) -> str:
        return format(it[figure], form) if figure in it else "–"

    promised = f" of {it['promised_per_week']:.3g} a week" if "promised_per_week" in it else ""
    age = span(end - it["trained"]) if "trained" in it else "–"
    texts = (
        told("series", ",.0f"),
        f"{told('false_alarm_ratio', '.0%')}{promised}",
        age,
        told("quality", ".1%"),
        told("available", ".1%"),
        told("success", ".1%"),
        told("excluded", ".1%"),
        told("drift", ".1f"),
    )
    cells = (cell(label, text, "number") for label, text in zip(FIGURES, texts, strict=True))
    return row(heading(name), *cells)
