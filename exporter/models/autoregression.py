"""An online autoregression of order two: what the last two deviations say about the next."""

from __future__ import annotations

import numpy as np

from exporter.frame import Floats, Mask
from exporter.models.contract import State

FORGETTING = np.float32(0.9995)
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
    lag, coefficient = state["lag"], state["coefficient"]
    prediction: Floats = coefficient[0] * lag[0]
    prediction += coefficient[1] * lag[1]
    return prediction


def learn(state: State, error: Floats, scale: Floats, weight: Floats) -> None:
    """One step of recursive least squares with forgetting (Plackett 1950), in place.

    `error`: bounded error of the last prediction; `scale`: what deviations are measured in; both (S,).
    """
    (p11, p22), p12 = state["variance"], state["covariance"]
    first, second = _bounded(state["lag"] / scale, _LARGEST_LAG)
    gain1 = p11 * first + p12 * second
    gain2 = p12 * first + p22 * second
    spread = FORGETTING + first * gain1 + second * gain2
    correction = _bounded(error / scale, _LARGEST_LAG)
    correction *= weight / spread
    state["coefficient"][0] += gain1 * correction
    state["coefficient"][1] += gain2 * correction
    _bounded(state["coefficient"], _LARGEST_COEFFICIENT)
    shrink = weight / (spread * FORGETTING)
    grow = weight * np.float32(1 / FORGETTING - 1)
    p11 += grow * p11 - gain1 * gain1 * shrink
    p22 += grow * p22 - gain2 * gain2 * shrink
    p12 += grow * p12 - gain1 * gain2 * shrink
    _keep_sound(p11, p22, p12)


def _keep_sound(p11: Floats, p22: Floats, p12: Floats) -> None:
    """Rounding must not make the covariance indefinite, nor a flat series make it grow for ever."""
    for variance in (p11, p22):
        np.maximum(variance, np.float32(1e-6), out=variance)
        np.minimum(variance, LARGEST, out=variance)
    _bounded(p12, np.sqrt(p11 * p22))


def _bounded(array: Floats, limit: Floats | np.float32) -> Floats:
    """`array` kept within ±`limit`, in place."""
    np.minimum(array, limit, out=array)
    return np.maximum(array, -limit, out=array)


def remember(state: State, deviation: Floats, recent: Mask, learnt: Mask) -> None:
    """Shift `deviation` (S,) into the lags; after a gap (`recent` False) both lags restart from it."""
    lag = state["lag"]
    np.copyto(lag[1], np.where(recent, lag[0], deviation), where=learnt)
    np.copyto(lag[0], deviation, where=learnt)
