"""What an alert does over time, as `promtool test rules` evaluates the shipped rules."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from exporter.demo.servers import find
from tests.rules.promql import RULES, groups

CHAIN = ("thresholds.yml", "recording.yml", "anomaly.yml")
SERVICE_PAGE = 'ALERTS{alertname="AnomalyService", severity="critical"}'
SIGNALS = ("request_rate", "error_ratio", "latency")
_UNITS = {"h": 3600, "m": 60, "s": 1}

Pulses = Sequence[tuple[int, int]]


def promtool_test(path: Path) -> subprocess.CompletedProcess[str]:
    """Run one file of rule tests."""
    command = [str(find("promtool")), "test", "rules", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def page_states(
    directory: Path, pulses: Pulses, *, interval: int, step: int, late: bool, end: int
) -> list[tuple[int, str]]:
    """When the page of a service changes its state: (seconds, "pending", "firing" or "") in order.

    All signals of the service have score 3 within `pulses` and 0.3 outside. Scores change every `step`
    seconds; scrapes and evaluations come every `interval`. `late` evaluates the groups in reverse: each sees
    what the one before it recorded one interval ago, which is the worst that concurrent groups can do.
    """
    path = directory / "timeline.yml"
    path.write_text(yaml.safe_dump(_test_file(_scores(pulses, interval, step, end), interval, late, end)))
    return _changes(_observed(promtool_test(path).stderr))


def _scores(pulses: Pulses, interval: int, step: int, end: int) -> str:
    times = (time // step * step for time in range(0, end + 1, interval))
    return " ".join("3" if any(a <= time < b for a, b in pulses) else "0.3" for time in times)


def _test_file(values: str, interval: int, late: bool, end: int) -> dict[str, Any]:
    order = [group["name"] for name in CHAIN for group in groups(RULES / name)]
    series = [
        {"series": f'anomaly_score{{query="{signal}", service="checkout"}}', "values": values}
        for signal in SIGNALS
    ]
    return {
        "rule_files": [str(RULES / name) for name in CHAIN],
        "evaluation_interval": f"{interval}s",
        "group_eval_order": order[::-1] if late else order,
        "tests": [
            {
                "interval": f"{interval}s",
                "input_series": series,
                "promql_expr_test": [_asked(time) for time in range(0, end + 1, interval)],
            }
        ],
    }


def _asked(time: int) -> dict[str, Any]:
    """A question whose expected answer is wrong on purpose, so that promtool prints the true one."""
    wrong = [{"labels": '{never="true"}', "value": -1}]
    return {
        "expr": f"count by (alertstate) ({SERVICE_PAGE})",
        "eval_time": f"{time}s",
        "exp_samples": wrong,
    }


def _observed(output: str) -> list[tuple[int, str]]:
    answers = re.findall(r"time: ([\dhms]+),\s*exp:.*?got:(.*?)(?=expr:|\Z)", output, re.DOTALL)
    return [(_seconds(time), _state(got)) for time, got in answers]


def _seconds(duration: str) -> int:
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([hms])", duration))


def _state(answer: str) -> str:
    return next((state for state in ("firing", "pending") if state in answer), "")


def _changes(observed: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    before = ["", *(state for _, state in observed)]
    return [now for now, state in zip(observed, before, strict=False) if now[1] != state]
