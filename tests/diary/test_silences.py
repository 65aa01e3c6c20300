"""Silences and alerts as windows: which of them speak of series, and for how long."""

from __future__ import annotations

import pytest

from exporter.matchers import fits
from exporter.tsdb.errors import TsdbError
from tests.fake_alertmanager import FakeAlertmanager

NOW = 1_700_000_000
HOUR = 3_600
SERIES = {"query": "rate", "service": "payments", "code": "500"}


def applies(*matchers: str) -> bool:
    """Whether a silence with these matchers is about SERIES."""
    it = FakeAlertmanager()
    it.silence(NOW, NOW + HOUR, *matchers)
    return any(fits(window.matchers, SERIES) for window in it.client().read(NOW).values())


@pytest.mark.parametrize(
    ("matchers", "about"),
    [
        (["service=payments"], True),
        (["service=~pay.*"], True),
        (["service=~pay"], False),
        (["service=cart"], False),
        (["query=rate"], True),
        (["service=payments", "code!=404"], True),
        (["service=payments", "code!=~4..|5.."], False),
        (["service=payments", "instance=host-1"], False),
        (["service=payments", "region="], True),
        (["alertname=HighErrorRate", "severity=critical", "service=payments"], True),
        (["alertname=Watchdog"], False),
        (["severity=~warning|info"], False),
        (["service!=cart"], False),
        (["service=~.*"], False),
        (["service=~(?P<x", "query=rate"], False),
    ],
)
def test_a_silence_is_about_the_series_it_names(matchers: list[str], about: bool) -> None:
    """All matchers on series' labels must fit, and one name something; those on alerts' own say nothing."""
    assert applies(*matchers) is about


def test_a_silence_lasts_as_long_as_it_says_up_to_a_limit() -> None:
    """Begin and end are those of the silence; one of three months counts for a week."""
    it = FakeAlertmanager()
    it.silence(NOW, NOW + HOUR, "service=a")
    it.silence(NOW, NOW + 90 * 24 * HOUR, "service=b", id="two")
    found = it.client(longest="1w").read(NOW)
    assert {name: (window.start, window.end) for name, window in found.items()} == {
        "silence one": (NOW, NOW + HOUR),
        "silence two": (NOW, NOW + 7 * 24 * HOUR),
    }


def test_a_silence_that_ended_before_it_began_is_nothing() -> None:
    """One that was taken back while it was pending has no time in it."""
    it = FakeAlertmanager()
    it.silence(NOW, NOW, "service=a")
    assert it.client().read(NOW) == {}


def test_an_alert_that_matters_holds_until_the_next_round() -> None:
    """A critical alert of a service is a window from its begin; others, and Tidemark's, are none."""
    it = FakeAlertmanager()
    it.alert(NOW - HOUR, alertname="Down", severity="critical", service="payments", instance="x")
    it.alert(NOW - HOUR, alertname="Slow", severity="warning", service="payments")
    it.alert(NOW - HOUR, alertname="AnomalyService", severity="critical", service="payments")
    it.alert(NOW - HOUR, alertname="Down", severity="critical", node="n")
    (window,) = it.client().read(NOW + 120).values()
    assert (window.start, window.end, window.reason) == (NOW - HOUR, NOW + 120, "alert")
    assert fits(window.matchers, SERIES)


@pytest.mark.parametrize("status", [401, 503])
def test_an_answer_that_is_none_is_an_error(status: int) -> None:
    """The path and the status are told."""
    it = FakeAlertmanager(status=status)
    with pytest.raises(TsdbError, match=f"/api/v2/silences answered {status}"):
        it.client().read(NOW)


def test_something_else_at_the_address_is_an_error() -> None:
    """JSON that is not Alertmanager's is refused as malformed."""
    it = FakeAlertmanager(silences=[{"status": "ok"}])
    with pytest.raises(TsdbError) as caught:
        it.client().read(NOW)
    assert caught.value.reason == "malformed"
