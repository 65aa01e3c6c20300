"""What the default model makes of the shapes that metrics have."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.models import views
from exporter.models.seasonal import CHUNK
from tests.models.histories import DAY, daily, fresh, replay, scores, times


def test_a_weekly_rhythm_is_no_anomaly_once_it_is_known() -> None:
    """In the sixth week quiet weekends are expected; only the jump into one may still touch the edge."""
    at = times(42 * DAY)
    weekend = ((at - at[0]) // 86_400) % 7 >= 5
    values = daily(len(at))[:, 0] - 40 * weekend
    found = scores(replay(fresh("seasonal", 1), at, values[:, None]))
    assert (found[35 * DAY :] > 1).sum() <= 1
    assert found[35 * DAY :].max() < 1.1


def test_a_new_level_is_accepted_in_the_end() -> None:
    """A step up alarms, and two weeks later is the expected value."""
    at = times(20 * DAY)
    values = daily(len(at))
    values[5 * DAY :] += 50
    steps = replay(fresh("seasonal", 1), at, values)
    assert scores(steps)[5 * DAY] > 1
    assert scores(steps)[18 * DAY :].max() < 1
    assert abs(steps[-1].expected[0] - values[-1, 0]) < 10


def test_a_masked_outage_leaves_the_band_in_place() -> None:
    """Six hours at zero that may not be learnt do not move the expected value of the next day."""
    clean, masked = fresh("seasonal", 1), fresh("seasonal", 1)
    at, values = times(7 * DAY), daily(7 * DAY)
    before, outage, later = slice(0, 6 * DAY), slice(6 * DAY, 6 * DAY + 72), slice(6 * DAY + 72, 7 * DAY)
    replay(clean, at[before], values[before])
    replay(masked, at[before], values[before])
    down = scores(replay(masked, at[outage], np.zeros((72, 1)), learn=False))
    assert (down > 1).all()
    replay(clean, at[outage], np.full((72, 1), np.nan))
    one, two = replay(clean, at[later], values[later])[0], replay(masked, at[later], values[later])[0]
    assert one.expected == two.expected
    assert one.upper == two.upper


def test_a_learnt_outage_moves_the_season_little() -> None:
    """Even an hour at zero that is learnt shifts the next day's expected value by little."""
    at, values = times(7 * DAY), daily(7 * DAY)
    values[5 * DAY : 5 * DAY + 12] = 0
    steps = replay(fresh("seasonal", 1), at, values)
    expected = np.array([step.expected[0] for step in steps[6 * DAY : 6 * DAY + 12]])
    assert np.abs(expected - 100).mean() < 15


def test_sparse_counts_do_not_alarm_for_ever() -> None:
    """A count that is zero nine tenths of the time settles near its budget."""
    rng = np.random.default_rng(3)
    values = np.where(rng.random((21 * DAY, 10)) < 0.1, rng.poisson(3, (21 * DAY, 10)), 0).astype(float)
    found = scores(replay(fresh("seasonal", 10), times(len(values)), values))[14 * DAY :]
    starts = (found[1:] > 1) & ~(found[:-1] > 1)
    assert starts.sum() / 10 <= 2


def test_rare_bursts_do_not_alarm_each_time() -> None:
    """Nineteen points in twenty are 0: bursts as large as ever do not alarm, and neither does the rest."""
    rng = np.random.default_rng(1)
    size = (21 * DAY, 10)
    values = np.where(rng.random(size) < 0.05, rng.lognormal(2, 0.5, size), 0)
    found = scores(replay(fresh("seasonal", 10), times(len(values)), values))[14 * DAY :]
    assert (found[values[14 * DAY :] > 0] > 1).mean() < 0.001
    assert (found > 1).sum() <= 3


def test_quantised_flat_series_do_not_alarm() -> None:
    """A gauge that flickers between two neighbouring values is quiet."""
    values = 50 + (np.random.default_rng(4).random((7 * DAY, 5)) < 0.02).astype(float)
    found = scores(replay(fresh("seasonal", 5), times(len(values)), values))[4 * DAY :]
    assert (found > 1).mean() < 1e-3


def test_tiny_variation_on_a_huge_level_is_seen() -> None:
    """A change of a millionth part stands out where the noise is a hundred times smaller."""
    rng = np.random.default_rng(5)
    values = 1e12 + rng.normal(0, 1e4, (4 * DAY, 1)) + 1e6 * np.sin(np.arange(4 * DAY) / 40)[:, None]
    model = fresh("seasonal", 1)
    replay(model, times(len(values)), values)
    spike = model.step(int(times(4 * DAY + 1)[-1]), values[-1] + 2e7, np.ones(1, bool))
    assert spike.score[0] > 1


@pytest.mark.parametrize("step", [15, 60, 900, 3_600])
def test_steps_from_seconds_to_an_hour(step: int) -> None:
    """With two days of history at any step, a spike stands out and the rest is quiet."""
    points = 4 * 86_400 // step
    values = daily(points, 3, step=step)
    model = fresh("seasonal", 3, step=float(step))
    found = scores(replay(model, times(points, step=step), values))
    later = found[3 * 86_400 // step :]
    spike = model.step(int(times(points + 1, step=step)[-1]), np.full(3, 200.0), np.ones(3, bool))
    assert (later > 1).mean() < 2e-3
    assert (spike.score > 1).all()


def test_more_series_than_a_chunk() -> None:
    """Chunks are invisible: the last series of many has the scores it has alone."""
    size, points = CHUNK + 3, 40
    values = daily(points, 1) * np.ones(size)
    values[:, -1] += np.random.default_rng(6).normal(0, 9, points)
    many, alone = fresh("seasonal", size, warm_up=0.0), fresh("seasonal", 1, warm_up=0.0)
    together = scores(replay(many, times(points), values))[:, -1]
    assert np.array_equal(
        together, scores(replay(alone, times(points), values[:, [-1]]))[:, 0], equal_nan=True
    )


def test_a_fall_by_night_is_strange_in_the_root_of_a_rate() -> None:
    """Counts scatter less by night: their root sees a fall that is small in the scale of the busy hours."""
    at = times(12 * DAY + 26)
    rate = 12 + 8 * np.sin(2 * np.pi * at / 86_400 - np.pi / 2)
    rate[12 * DAY + 18 :] *= 0.12
    counted = np.random.default_rng(8).poisson(60 * rate[:, None], (len(at), 3)) / 60
    steps = replay(fresh("seasonal", 6), at, np.hstack((counted, np.sqrt(counted))))
    plain, root = np.hsplit(scores(steps)[-6:], 2)
    assert (root > 1.2).all()
    assert (root.mean(axis=0) > 1.3 * plain.mean(axis=0)).all()
    assert (steps[-1].deviation > 1).all()


def test_views_have_floors() -> None:
    """No view is sharper than a hundredth of the spread or a millionth of the level."""
    state = {
        "level": np.array([[1e6, 0.0], [1e6, 0.0]]),
        "scale": np.array([[0.0, 0.0]] * 3 + [[0.0, 5.0]], np.float32),
    }
    assert np.allclose(views.widths(state), [[1.0, 0.05]] * 3)


def test_long_runs_are_learnt_from_in_full() -> None:
    """The bound on what is learnt grows e-fold an hour in a run, so that a level that stays is accepted."""
    reach, run = np.ones((3, 2), np.float32), np.array([[0.0, 120.0]] * 3, np.float32)
    bound = views.bound(reach, run, 360.0)
    assert np.allclose(bound, [[views.CLIP, views.CLIP * np.exp(2)]] * 3)
