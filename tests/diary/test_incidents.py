"""Past incidents: from the alerts that the TSDB remembers, and from lists in files."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pytest

from exporter.calendars.timetable import Incidents
from exporter.calendars.windows import Window
from exporter.diary.incidents import expression, fired, listed
from exporter.frame import Frame
from exporter.matchers import Matcher

STEP = 60
UTC = ZoneInfo("UTC")


def frame(**alerts: str) -> Frame:
    """Alerts by name, `x` where one fires and `.` where it does not; all are about service `a`."""
    keys = [orjson.dumps({"alertname": name, "service": "a"}) for name in alerts]
    values = np.array([[1.0 if it == "x" else np.nan for it in row] for row in alerts.values()])
    return Frame(keys, np.arange(values.shape[1]) * STEP, values)


def spans(settings: Incidents, found: Frame) -> list[tuple[int, int]]:
    """Begin and end in points."""
    return [(it.start // STEP, it.end // STEP) for it in fired(found, STEP, settings)]


def test_the_expression_asks_for_alerts_that_matter() -> None:
    """Firing, critical by default, and none of Tidemark's own."""
    assert expression(Incidents()) == (
        'ALERTS{alertstate="firing", severity="critical", '
        'alertname!~"(Alert|Anomaly|Drift|Forecast|Input|Model|Pattern|Tidemark)[A-Z].*"}'
    )


def test_an_alert_is_a_window_while_it_fires() -> None:
    """From its first firing point to a step after its last, for the series of its service."""
    (window,) = fired(frame(Down="..xxx..."), STEP, Incidents())
    assert window == Window(2 * STEP, 5 * STEP, (Matcher("service", "=", "a"),), "alert")


def test_alerts_of_one_service_are_one_incident() -> None:
    """Alerts that overlap, or fire again within a quarter of an hour, are one window."""
    assert spans(Incidents(), frame(Down="x.........x", Slow=".xx........")) == [(0, 11)]
    assert spans(Incidents(), frame(Down="x" + "." * 20 + "x")) == [(0, 1), (21, 22)]


def test_what_fires_for_ever_is_no_incident_any_more() -> None:
    """After `longest` an alert is how things are, and they are learnt."""
    settings = Incidents.model_validate({"longest": "3m"})
    assert spans(settings, frame(Down="xxxxxxxx")) == [(0, 3)]


def test_an_alert_about_nobody_is_no_window() -> None:
    """An alert without any of the labels in `by` could be about everything, and so is about nothing."""
    assert spans(Incidents.model_validate({"by": ["cluster"]}), frame(Down="xxx")) == []


def test_lists_may_be_json_or_csv() -> None:
    """The same incidents, once as a list and once as a table; a date alone is its whole day."""
    table = "from,to,service,region,reason\n"
    table += "2026-11-01T10:00Z,2026-11-01T12:00Z,a,eu,disk\n2026-11-03,2026-11-03,,,\n"
    labels = {"service": "a", "region": "eu"}
    document = [
        {"from": "2026-11-01T10:00Z", "to": "2026-11-01T12:00Z", "labels": labels},
        {"from": "2026-11-03", "to": "2026-11-03"},
    ]
    found = listed(table, UTC)
    assert found == listed(orjson.dumps(document).decode(), UTC)
    assert [it.end - it.start for it in found] == [7_200, 86_400]
    assert found[0].matchers == (Matcher("service", "=", "a"), Matcher("region", "=", "eu"))
    assert found[1].matchers == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from,to\nmonday,2026-11-01\n", "entry 1: expected a time"),
        ("from,to\n2026-11-01,2026-11-02\n2026-11-05,2026-11-01\n", "entry 2: expected from before to"),
        ("begin,end\n2026-11-01,2026-11-02\n", "entry 1: expected a time"),
        ("[1, 2]", "expected a list"),
        ("[{", "expected a list"),
    ],
)
def test_what_is_no_list_of_incidents_is_refused(text: str, words: str) -> None:
    """The first entry that cannot be read is named."""
    with pytest.raises(ValueError, match=words):
        listed(text, UTC)
