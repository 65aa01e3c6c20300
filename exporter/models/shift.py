"""A new normal: a level that persists is accepted, and what was learnt from the way there is taken back.

Every half hour the fast level is compared with the slow one. Where it has stood off by more than the slow
view's quantile, on one side, for as long as the query says, the slow level moves over at once, that view's
law becomes again what it was before, and the season gives back what it took over from the difference.
"""

from __future__ import annotations

import math

import numpy as np

from exporter.frame import Floats, Mask, Rows
from exporter.models import profile, views
from exporter.models.contract import State
from exporter.models.views import FAST, SLOW, VIEWS
from exporter.seasons import HOURS, SLOT, SLOTS, Season

EVERY = 1_800.0
STRANGE = np.float32(3.0)
"""With more strange points in a row than these, the slow view's law no longer counts as that of before."""

APART = np.float32(1.5)
"""A level stands off when it is farther than this many quantiles of the slow view: nearer is no news."""

YOUNG, YOUNG_FACTOR = 22 * 86_400.0, np.float32(12)
"""Until it has shown three weekends, a series' levels must last so many times longer to be accepted."""

RETURN, RETURN_WITHIN = 3_600.0, 7 * 86_400.0
"""A return to the level before the last shift is accepted sooner, if it comes within a week."""

PRECISION = np.float32(0.01)
"""What is taken back is known to this share of the shift: the slow view is no sharper."""

REST = 0.1
"""What is corrected within a week by less than this share of the last shift is no event of its own."""

_KEPT: tuple[tuple[str, int], ...] = (
    ("scale", SLOW),
    ("log_quantile", SLOW),
    ("excess", SLOW),
    ("exceedances", SLOW),
    *((name, row) for name in ("side_excess", "side_exceedances") for row in (SLOW, VIEWS + SLOW)),
)
"""The slow view's law, by name and row of the state."""

FIELDS = {
    "before": (len(_KEPT) + 1, np.float32, 0.0),
    "quiet_level": (0, np.float64, 0.0),
    "apart": (0, np.float32, 0.0),
    "shift_time": (0, np.float64, 0.0),
    "shift_size": (0, np.float32, 0.0),
}
"""`before`: the slow view's law when it was last quiet, and the farthest that a value had then been from the
expected one; `quiet_level`: the slow level then; `apart`: seconds since the levels parted, negative below;
`shift_time` (Unix seconds, 0: none), `shift_size` (unit of the query): the last level that was accepted."""


def turn(state: State, rows: Rows | slice, at: Season, time: int, step: float, adapts: float) -> None:
    """Look at the levels of `rows`, in place; accept those that have stood off for `adapts` seconds."""
    gap = (state["level"][FAST, rows] - state["level"][SLOW, rows]).astype(np.float32)
    reach = _reach_before(state, rows)
    away = np.abs(gap) > APART * reach
    latest = (state["lag"][0, rows] + state["lag"][1, rows]) / 2
    apart = state["apart"][rows]
    apart *= away & (apart * gap >= 0)
    apart += (away & (latest * gap > gap * gap / 2)) * np.copysign(np.float32(max(EVERY, step)), gap)
    state["apart"][rows] = apart
    _keep_quiet(state, rows, ~away)
    longest = (np.abs(apart) >= min(adapts, RETURN)).nonzero()[0]
    if len(longest):
        each = np.arange(len(state["apart"]))[rows][longest]
        gap, reach, latest = gap[longest], reach[longest], latest[longest]
        lasting = np.abs(apart[longest]) >= _needed(state, each, gap, time, step, adapts)
        lasting &= np.abs(latest - gap) < np.maximum(reach, np.abs(gap) / 4)
        move = np.where(np.abs(latest - gap) < reach, gap, latest)
        _accept(state, each[lasting], move[lasting], at, time, step, adapts)


def _keep_quiet(state: State, rows: Rows | slice, near: Mask) -> None:
    """Remember the slow view's law of those `rows` that are `near` their level and in no strange run."""
    quiet = np.zeros(len(state["apart"]), bool)
    quiet[rows] = near & (state["run"][SLOW, rows] <= STRANGE)
    before = state["before"]
    np.copyto(state["quiet_level"], state["level"][SLOW], where=quiet)
    for number, (name, row) in enumerate(_KEPT):
        np.copyto(before[number], state[name][row], where=quiet)
    np.copyto(before[-1], state["record"], where=quiet)


def _reach_before(state: State, rows: Rows | slice) -> Floats:
    """The quantile of the slow view when it was last quiet, (R,), in the unit of the query."""
    scale, log_quantile = state["before"][:2, rows]
    reach: Floats = np.maximum(scale, views.floor(state)[rows]) * np.exp(log_quantile)
    return reach


def _needed(state: State, rows: Rows | slice, gap: Floats, time: int, step: float, adapts: float) -> Floats:
    """How long the levels must have been apart to be accepted, (R,), in seconds."""
    young = state["count"][rows] * step < YOUNG
    needed = np.where(young, YOUNG_FACTOR, 1) * np.float32(adapts)
    back = np.abs(gap + state["shift_size"][rows]) < np.abs(state["shift_size"][rows]) / 2
    back &= time - state["shift_time"][rows] < RETURN_WITHIN
    needed[back] = min(adapts, RETURN)
    return needed


def _accept(state: State, rows: Rows, gap: Floats, at: Season, time: int, step: float, adapts: float) -> None:
    """Move both levels to `gap` (R,) from the slow one, and make the slow view's law what it was before."""
    if not len(rows):
        return
    season = _season(state, rows, at)
    _give_back(state, rows, gap, at, step, adapts)
    state["lag"][:, rows] -= gap
    gap = gap + season - _season(state, rows, at)
    _note(state, rows, gap, time)
    state["level"][:, rows] = state["level"][SLOW, rows] + gap
    for number, (name, row) in enumerate(_KEPT):
        state[name][row, rows] = state["before"][number, rows]
    state["record"][rows] = state["before"][-1, rows]
    state["scale"][SLOW, rows] = np.maximum(
        state["before"][0, rows], PRECISION * np.abs(state["shift_size"][rows])
    )
    state["run"][SLOW, rows] = 0
    state["apart"][rows] = 0


def _note(state: State, rows: Rows, gap: Floats, time: int) -> None:
    """Mark the event; a further part of a move is added to the last one, a small rest of it is none."""
    last, since = state["shift_size"][rows], time - state["shift_time"][rows]
    rest = (since < RETURN_WITHIN) & (np.abs(gap) < REST * np.abs(last))
    further = (since <= 2 * np.abs(state["apart"][rows])) & (gap * last > 0)
    whole = state["level"][SLOW, rows] + gap - state["quiet_level"][rows]
    state["shift_size"][rows] = np.where(rest, last, np.where(further, last + gap, whole))
    state["shift_time"][rows] = np.where(rest, state["shift_time"][rows], time)


def _season(state: State, rows: Rows, at: Season) -> Floats:
    return profile.value({name: state[name][..., rows] for name in profile.FIELDS}, at.part(rows))


def _give_back(state: State, rows: Rows, gap: Floats, at: Season, step: float, adapts: float) -> None:
    """Take out of the season what it learnt of `gap`, quarter hour by quarter hour back to its begin.

    How much that was follows from the season's gain, and from the bound that grew while the run lasted.
    """
    patience = views.PATIENCE * adapts
    lasted = np.abs(state["apart"][rows]) + np.float32(patience)
    reach = _reach_before(state, rows)
    bound = views.bound(reach, state["run"][SLOW, rows], adapts / step)
    bound /= np.maximum(np.abs(gap), np.float32(1e-30))
    today, _ = at.cells(len(state["apart"]), rows)
    quarter = at.slot + (at.weight >= 0.5)
    for back in range(1, int(lasted.max() // SLOT) + 1):
        since = lasted - np.float32(back * SLOT)
        share = np.minimum(bound * np.float32(math.exp(-back * SLOT / patience)), 1)
        share *= (since >= 0) * np.float32(1 - profile.DAY_GAIN) ** (since // np.float32(SLOT * SLOTS))
        hour = today - (back - quarter % 4 + 3) // 4
        profile.unlearn(state, rows, (quarter - back) % SLOTS, hour % HOURS, share * gap, step)
