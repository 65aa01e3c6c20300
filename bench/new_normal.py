"""How a new level is taken: shares of points above 1 after planted steps, for each `adapts`.

    .venv/bin/python -m bench.new_normal

A daily wave of 20 around 100 with noise of 2, a point a minute, 22 days known; five series per case.
"""

from __future__ import annotations

import numpy as np

from exporter.durations import ADAPTS, parse_adapts
from exporter.models import MODELS
from exporter.models.contract import Settings

STEP, SERIES, KNOWN, AFTER = 60, 5, 22 * 1_440, 4 * 1_440
START = 1_704_067_200
SPANS = ((0, 2), (2, 6), (6, 12), (12, 24), (24, 48), (48, 72), (72, 94))
CASES = {"+60 from 02:00": (60.0, 2, None), "-30 from 14:00": (-30.0, 14, None), "+60 for 5 h": (60.0, 2, 5)}


def replayed(adapts: float, size: float, hour: int, lasts: int | None) -> tuple[np.ndarray, list[float]]:
    """Score and deviation from the step on, (2, T, S), and hours from there to each series' last event."""
    times = START + STEP * np.arange(KNOWN + AFTER)
    wave = 100 + 20 * np.sin(2 * np.pi * times / 86_400)
    values = wave[:, None] + np.random.default_rng(0).normal(0, 2, (len(times), SERIES))
    begin = KNOWN + hour * 60
    values[begin : None if lasts is None else begin + lasts * 60] += size
    model, everyone = MODELS["seasonal"](Settings(step=STEP, adapts=adapts), SERIES), np.ones(SERIES, bool)
    out = np.empty((2, len(times), SERIES))
    for i, time in enumerate(times.tolist()):
        scores = model.step(time, values[i], everyone, band=False)
        out[:, i] = scores.score, scores.deviation
    hours = (model.state["shift_time"] - times[begin]) / 3_600
    return out[:, begin:], [round(float(it), 1) for it in hours if it > 0]


def main() -> None:
    heads = " | ".join(f"{low}-{high} h" for low, high in SPANS)
    print(f"| level | `adapts` | {heads} | accepted after (h) |\n|{'---|' * (len(SPANS) + 3)}")
    for case, planted in CASES.items():
        for word in ADAPTS:
            found, events = replayed(parse_adapts(word), *planted)
            cells = []
            for low, high in SPANS:
                above = 100 * (found[:, low * 60 : high * 60] > 1).mean(axis=(1, 2))
                cells.append(f"{above[0]:.0f} / {above[1]:.0f}")
            told = f"{min(events):g}-{max(events):g}" if events else "–"
            print(f"| {case} | `{word}` | {' | '.join(cells)} | {told} |", flush=True)


if __name__ == "__main__":
    main()
