"""An online autoregression of order two: what the last two deviations say about the next."""

from __future__ import annotations

import numpy as np

from exporter.frame import Floats, Mask, Rows
from exporter.models.contract import State

FORGETTING = np.float32(0.9995)
_GROWTH = np.float32(1 / FORGETTING)
LARGEST = np.float32(1e4)
_LARGEST_LAG = np.float32(100)
_LARGEST_COEFFICIENT = np.float32(2)

FIELDS = {
    "lag": (2, np.float32, 0.0),
    "coefficient": (2, np.float32, 0.25),
    "variance": (2, np.float32, 100.0),
    "covariance": (0, np.float32, 0.0),
}
"""`variance` and `covariance` are those of the two coefficients in the recursive least squares."""


def predict(state: State) -> Floats:
    """The next deviation expected from the last two, shape (S,)."""
    both = state["coefficient"] * state["lag"]
    prediction: Floats = both[0]
    prediction += both[1]
    return prediction


def learn(state: State, error: Floats, scale: Floats, weight: Floats) -> None:
    """One step of recursive least squares with forgetting (Plackett 1950), in place.

    `error`: bounded error of the last prediction; `scale`: what deviations are measured in; both (S,).
    """
    variance, covariance = state["variance"], state["covariance"]
    scaled = np.empty((3, len(scale)), np.float32)
    np.divide(state["lag"], scale, out=scaled[:2])
    np.divide(error, scale, out=scaled[2])
    _bounded(scaled, _LARGEST_LAG)
    lag, correction = scaled[:2], scaled[2]
    gain = variance * lag
    gain += covariance * lag[::-1]
    lag *= gain
    spread = lag[0] + lag[1]
    spread += FORGETTING
    part = weight / spread
    correction *= part
    state["coefficient"] += gain * correction
    _bounded(state["coefficient"], _LARGEST_COEFFICIENT)
    part *= _GROWTH
    grow = weight * (_GROWTH - 1)
    grow += 1
    covariance *= grow
    covariance -= gain[0] * gain[1] * part
    variance *= grow
    gain *= gain
    gain *= part
    variance -= gain


def turn(state: State, rows: Rows | slice) -> None:
    """Rounding must not make the covariance of `rows` indefinite, nor a flat series make it grow for ever."""
    variance = state["variance"][:, rows].clip(np.float32(1e-6), LARGEST)
    state["variance"][:, rows] = variance
    state["covariance"][rows] = _bounded(state["covariance"][rows], np.sqrt(variance[0] * variance[1]))


def _bounded(array: Floats, limit: Floats | np.float32) -> Floats:
    """`array` kept within ±`limit`, in place."""
    return array.clip(-limit, limit, out=array)


def remember(state: State, deviation: Floats, recent: Mask, learnt: Mask) -> None:
    """Shift `deviation` (S,) into the lags; after a gap (`recent` False) both lags restart from it."""
    lag = state["lag"]
    np.copyto(lag[1], lag[0], where=learnt)
    np.copyto(lag[0], deviation, where=learnt)
    np.copyto(lag[1], deviation, where=learnt & ~recent)
