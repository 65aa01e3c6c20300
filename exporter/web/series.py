"""The page of one series: its band over the past, why it is strange, and by what it is judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias
from xml.etree.ElementTree import Element

from exporter.shown.portrait import Held, Joint, Picture, Portrait
from exporter.shown.status import Band
from exporter.web.addresses import dashboard, graph, runbook, series_parameters
from exporter.web.findings import distance
from exporter.web.markup import Node, tag
from exporter.web.pictures import chart
from exporter.web.shell import header, linked, page
from exporter.web.tables import label_set
from exporter.web.words import ago, clock, number, plural, span

SOURCES = {
    "scores": "Value and band as Tidemark exposed them, read from the TSDB.",
    "both": "Value and band as Tidemark exposed them, read from the TSDB; where it has none, the value "
    "alone, from the expression asked anew.",
    "expression": "The TSDB has no scores of this series, so the expression was asked anew; the band is the "
    "one in memory, of the last three hours at most.",
    "memory": "From memory: the last three hours at most, one point in five minutes.",
}
EFFECTS = {
    "sunday": "taken as a Sunday",
    "no_learn": "scored, not learnt",
    "no_score": "not scored",
}
VIEWS = {
    "usual": "its usual level at this hour",
    "recent": "its level of the last hour",
    "next": "the course of its last points",
}
DOUBTS = {
    "youth": "it is young",
    "completeness": "points of the last day are missing or not good",
    "settledness": "a new level was accepted a short while ago",
    "steadiness": "it drifts",
    "near misses": "it has often come near the edge",
}

Fact: TypeAlias = "tuple[str, Node | Iterable[Node]]"


def series_page(it: Portrait, pictures: Sequence[Picture]) -> bytes:
    """The page of a series, whose past is in `pictures`."""
    home = tag("a", "Tidemark", href="./")
    own = it.finding.series
    title = f"{own.query} {' '.join(own.labels.values())}".strip()[:120]
    main: list[Node] = [_now(it), *(_picture(one) for one in pictures)]
    main.append(
        tag("div", _section("Why", why(it)), _section("How it is judged", judged(it)), class_="columns")
    )
    main.append(_section("Where to look", _elsewhere(it)))
    foot = tag("footer", tag("p", tag("small", f"As of {clock(it.now)}")))
    return page(f"{title} – Tidemark", header(home, it.version, it.links), main, foot)


def _now(it: Portrait) -> Element:
    own = it.finding.series
    return tag(
        "section",
        tag("h2", own.query, " ", label_set(own.labels)),
        tag("p", _headline(it), class_="big"),
        tag("p", _numbers(it)) if it.state == "scored" else "",
    )


def _headline(it: Portrait) -> Iterator[Node]:
    own = it.finding.series
    if it.query_state in ("failing", "stale"):
        yield tag("span", f"Its query is {it.query_state}: ", class_="state failing")
        yield "what is shown here may be old."
    elif it.state != "scored":
        words = {"learning": "no score yet", "missing": "no point now", "paused": "a calendar says no_score"}
        yield tag("span", f"{it.state}: ", class_=f"state {it.state}")
        yield words[it.state]
    elif own.score > 1:
        since = it.finding.since
        yield tag("strong", f"Strange: score {own.score:.2f}", class_="over")
        yield f", {distance(own)}" + (f", for {span(it.now - since)}" if since == since else "")
    else:
        yield tag("strong", f"Normal: score {own.score:.2f}", class_="scored")
        yield f", {distance(own)}"


def _numbers(it: Portrait) -> str:
    own = it.finding.series
    band = f"{number(own.lower)} to {number(own.upper)}"
    return f"Value {number(own.value)}, expected {number(own.expected)}, normal from {band}."


def _picture(picture: Picture) -> Element:
    name = "The last day" if picture.reach <= 86_400 else "The last week"
    known = [it for it in picture.band.value if it == it]
    title = tag("h2", name)
    trouble = tag("p", f"The TSDB did not give its past: {picture.trouble}", class_="notice wait")
    drawing = chart(picture.band, f"{name}: {_outline(picture)}")
    if not known or drawing == "":
        nothing = tag("p", "Nothing is known of this time yet.", class_="soft")
        return tag("section", title, trouble if picture.trouble else "", nothing)
    return tag(
        "section",
        title,
        trouble if picture.trouble else "",
        drawing,
        _legend(picture.band),
        tag("p", SOURCES[picture.source], " Times in UTC.", class_="soft"),
    )


def _outline(picture: Picture) -> str:
    band = picture.band
    known = [it for it in band.value if it == it]
    rows = zip(band.value, band.lower, band.upper, strict=True)
    out = sum(value < lower or value > upper for value, lower, upper in rows)
    if not known:
        return "no values"
    ends = f"from {number(min(known))} to {number(max(known))}"
    return f"values {ends}, {plural(out, 'point')} of {len(known):,} outside of the band"


def _legend(band: Band) -> Element:
    names = {"value": "value"}
    if any(it == it for it in band.lower):
        names |= {"out": "outside of normal", "band": "normal"}
    if any(it == it for it in band.expected):
        names["expected"] = "expected"
    keys = (tag("span", tag("i", class_=f"key-{it}"), text) for it, text in names.items())
    return tag("p", keys, class_="legend soft", aria_hidden="true")


def _section(title: str, facts: Iterable[Fact]) -> Element:
    pairs = (part for name, content in facts for part in (tag("dt", name), tag("dd", content)))
    return tag("section", tag("h2", title), tag("dl", pairs))


def why(it: Portrait) -> Iterator[Fact]:
    """Why its score is what it is, a name and what is to be said each."""
    own = it.finding.series
    yield "Score", f"{number(own.score)} – 1 is the edge of normal"
    yield "Sustained", f"{number(it.deviation)} – rises slowly, and stays up while an incident lasts"
    yield "Distance", distance(own)
    if it.finding.since == it.finding.since:
        yield "Since", f"{clock(it.finding.since)}, {ago(it.now, it.finding.since)}"
    if it.views and it.state == "scored":
        yield "Compared with", _views(it)
    for joint in it.joint:
        yield f"Group {joint.group}", _shares(joint)
    if it.confidence == it.confidence:
        yield "Confidence", _confidence(it)
    if it.drift:
        yield "Drift", f"score {it.drift.score:.1f}; shift {it.drift.shift:+.4g}"
    else:
        yield "Drift", "none: below 3"


def _views(it: Portrait) -> Iterator[Node]:
    for place, view in enumerate(sorted(it.views, key=lambda view: -view.share)):
        if place:
            yield tag("br")
        yield from _meter(view.share, VIEWS.get(view.name, view.name))
        yield f", which expected {number(view.expected)}"


def _meter(share: float, name: str) -> Iterator[Node]:
    yield tag("meter", f"{share:.0%}", value=f"{share:.3f}", aria_label=name)
    yield f"{share:.0%} {name}"


def _shares(joint: Joint) -> Iterator[Node]:
    yield f"joint score {joint.score:.2f}, made of"
    for query, share in sorted(joint.shares.items(), key=lambda pair: -pair[1]):
        yield tag("br")
        yield from _meter(share, query)


def _confidence(it: Portrait) -> Iterator[Node]:
    yield f"{it.confidence:.2f}"
    against = {name: factor for name, factor in it.doubts.items() if factor < 0.995}
    if not against:
        yield " – nothing speaks against it"
    for name, factor in sorted(against.items(), key=lambda pair: pair[1]):
        yield tag("br")
        yield tag("span", f"× {factor:.2f}: {DOUBTS[name]}", class_="soft")


def judged(it: Portrait) -> Iterator[Fact]:
    """By what it is judged, a name and what is to be said each."""
    known = it.knowledge
    yield "Model", f"{known.model}, chosen by auto for this series" if known.chosen else known.model
    sides = {"both": "above and below", "up": "above only", "down": "below only"}
    yield "Sides", sides[known.direction]
    rate = known.false_alarms_per_week
    promised = f"{rate:.3g} false {'alarm' if rate == 1 else 'alarms'} per week"
    yield "Edge", f"{promised} (category {known.category})" if known.category else promised
    yield "Learnt", f"{known.points:,.0f} points" if known.points == known.points else "nothing yet"
    if known.trained_since:
        yield "Learnt since", clock(known.trained_since)
    if known.shift_time == known.shift_time:
        yield "New level", f"{clock(known.shift_time)}, {known.shift_size:+.4g}"
    for one in it.ahead:
        reach = f"{number(one.lower)} to {number(one.upper)}"
        yield f"In {one.horizon}", f"{number(one.value)}, nine in ten from {reach}"
    for limit, seconds in it.seconds_to_limit.items():
        yield f"Until {limit}", span(seconds)
    yield "Now", _windows(it.windows)


def _windows(windows: Sequence[Held]) -> Node | Iterable[Node]:
    if not windows:
        return "scored and learnt as usual"
    return [
        tag("div", f"{it.reason}: {EFFECTS[it.effect]}, from {clock(it.start)} to {clock(it.end)}")
        for it in windows
    ]


def _elsewhere(it: Portrait) -> Iterator[Fact]:
    own = it.finding.series
    yield "Expression", linked(tag("code", it.expr), graph(it.links, it.expr, "1d"))
    names = ", ".join(f'{name}="{value}"' for name, value in {"query": own.query, **own.labels}.items())
    expr = f'{{__name__=~"anomaly_(value|expected|lower|upper)", {names}}}'
    yield "Band", linked(tag("code", expr), graph(it.links, expr, "1d"))
    places = {
        "Dashboard": dashboard(it.links, own.query, own.labels),
        "Runbook": runbook(it.links, "AnomalySeries"),
        "JSON": f"api/v1/series?{series_parameters(own.query, own.labels)}",
    }
    links = (tag("a", text, href=href) for text, href in places.items() if href)
    yield "Pages", [part for link in links for part in (link, " ")]
