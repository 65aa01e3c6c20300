"""The world of the demo and its stories, without the servers."""

from __future__ import annotations

import re
from pathlib import Path

import click
import numpy as np
import pytest

from exporter.cli import tidemark
from exporter.commands.demo import STORIES, Tale
from exporter.config.file import parse
from exporter.demo.setting import THREE
from exporter.demo.stage import configuration, rules_for
from exporter.demo.three import EXPECTED, Expected
from exporter.demo.world import QUEUE, SERVICES, Incident, World
from tests.alertmanager.alerts import labels_of
from tests.rules.promql import RULES
from tests.test_alertmanager import ROUTES

NOW, HOUR = 1_800_000_000.0, 3_600
SEARCH = [it.name for it in SERVICES].index("search")


def seconds_per_request(world: World) -> np.ndarray:
    """Of `search`, by step of the history."""
    _, counters = world.history(days=3)
    answered, failed, seconds = np.diff(counters[SEARCH, :3], axis=-1)
    return np.asarray(seconds / (answered + failed))


def test_a_ramp_grows_and_then_stays() -> None:
    """An incident with a ramp has half of its effect in the middle of it, and all of it from its end on."""
    start = NOW - 30 * HOUR
    slow = Incident("search", start, NOW + HOUR, latency=2, ramp=24 * HOUR)
    ratio = seconds_per_request(World(NOW, incidents=[slow])) / seconds_per_request(World(NOW))
    per_hour = ratio[: len(ratio) // 120 * 120].reshape(-1, 120).mean(axis=1)
    assert per_hour[:40] == pytest.approx(1, abs=0.02)
    assert per_hour[-18] == pytest.approx(1.5, abs=0.05)
    assert per_hour[-5:] == pytest.approx(2, abs=0.04)


def test_a_hushed_metric_is_gone_and_the_others_stay() -> None:
    """An input dies without taking the rest of the scrape along."""
    world = World(NOW)
    assert QUEUE in world.scrape(NOW + 10).decode()
    world.hushed.add(QUEUE)
    text = world.scrape(NOW + 20).decode()
    assert QUEUE not in text
    assert "http_requests_total{" in text


def test_only_the_time_that_drift_must_last_is_shortened(tmp_path: Path) -> None:
    """The copy of the rules differs from the shipped ones in nothing else, and the shipped ones stay."""
    copy = rules_for(tmp_path, THREE)
    changed = [
        path.name for path in RULES.glob("*.yml") if path.read_text() != (copy / path.name).read_text()
    ]
    assert changed == ["drift.yml"]
    shipped = (RULES / "drift.yml").read_text()
    assert (copy / "drift.yml").read_text() == re.sub("for: 1h", f"for: {THREE.drift_for}", shipped)


@pytest.mark.parametrize("it", EXPECTED, ids=lambda it: it.kind)
def test_what_is_expected_is_what_the_routes_say(it: Expected) -> None:
    """Each notification that the demo waits for is that of the routing table."""
    alert = it.labels["alertname"]
    severities = {
        severity for name, severity in ROUTES if name == alert and ROUTES[name, severity] == it.receiver
    }
    assert severities
    labels = labels_of(alert, severities.pop()) | it.labels
    assert it.is_told_by(it.receiver, {"status": "firing", "labels": labels})
    assert not it.is_told_by(it.receiver, {"status": "resolved", "labels": labels})
    assert not it.is_told_by("nobody", {"status": "firing", "labels": labels})


def test_every_story_can_be_chosen() -> None:
    """The choices of the command are the stories that there are."""
    (choice,) = [it.type for it in tidemark.commands["demo"].params if it.name == "story"]
    assert isinstance(choice, click.Choice)
    assert list(choice.choices) == list(STORIES)


@pytest.mark.parametrize("story", STORIES)
def test_every_story_has_a_configuration_that_says_what_is_measured(story: Tale, tmp_path: Path) -> None:
    """The exporter of each story starts, and patterns have traffic, errors and latency."""
    setting, _ = STORIES[story]
    queries = parse(configuration("http://127.0.0.1:8428", tmp_path, setting)).queries
    assert {"traffic", "errors", "latency"} <= {it.signal for it in queries}
