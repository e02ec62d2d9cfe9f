"""Random paths that end where they must: noise from a name, bridges between fixed points, extremes met exactly.

Everything is a function of (seed, names) alone, so that any piece can be made at any time, in any order and again, and
finer pieces always fit the coarser ones. Prices here are natural logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """The random numbers that belong to a name."""
    keys = [name if isinstance(name, int) else crc32(name.encode()) for name in names]
    return np.random.Generator(np.random.SFC64([seed, *keys]))


def clustered(noise: Floats, persistence: float) -> Floats:
    """White noise made persistent (first-order autoregression), of unit variance."""
    length = min(len(noise), 400)
    kernel = persistence ** np.arange(length) * np.sqrt(1 - persistence**2)
    return np.asarray(np.convolve(noise, kernel)[: len(noise)], np.float64)


def blend(common: Floats, own: Floats, correlation: float) -> Floats:
    """Noise of unit variance that has this correlation with `common`."""
    return correlation * common + float(np.sqrt(max(0.0, 1 - correlation**2))) * own


def steered(steps: Floats, anchors: Sequence[tuple[int, float]]) -> Floats:
    """The walk of `steps` bent to pass every anchor (index, level); beyond the outer anchors it runs free.

    The bend of a stretch is spread evenly over its steps, which leaves their noise as it is. `steps[i]` leads from
    i − 1 to i.
    """
    walk = np.cumsum(steps)
    index = np.array([at for at, _ in anchors])
    bend = np.array([level for _, level in anchors]) - walk[index]
    return np.asarray(walk + np.interp(np.arange(len(walk)), index, bend), np.float64)


def bridge(noise: Floats, deviation: Floats, pins: Sequence[tuple[int, float]]) -> Floats:
    """A path of len(noise) + 1 points with these step deviations through every pin (point, level), ends included."""
    walk = np.concatenate(([0.0], np.cumsum(noise * deviation)))
    clock = np.concatenate(([0.0], np.cumsum(deviation**2)))
    index = np.array([at for at, _ in pins])
    bend = np.array([level for _, level in pins]) - walk[index]
    return np.asarray(walk + np.interp(clock, clock[index], bend), np.float64)


def extremes(first: Floats, last: Floats, deviation: Floats, uniform: Floats) -> tuple[Floats, Floats]:
    """Highs and lows of Brownian bridges from `first` to `last`; `uniform` has two rows in (0, 1]."""
    spread = (last - first) ** 2
    reach = -2 * deviation**2 * np.log(uniform)
    high = (first + last + np.sqrt(spread + reach[0])) / 2
    low = (first + last - np.sqrt(spread + reach[1])) / 2
    return high, low


def squeeze(path: Floats, top: float, high: float, peak: float, bottom: float, low: float, trough: float) -> Floats:
    """What lies above `top` stretched so that `peak` becomes `high`, what lies below `bottom` so that `trough` becomes
    `low`; in between nothing changes."""
    up = (high - top) / (peak - top) if peak > top else 0.0
    down = (bottom - low) / (bottom - trough) if trough < bottom else 0.0
    above, below = np.maximum(path - top, 0.0), np.maximum(bottom - path, 0.0)
    return path + above * (up - 1) - below * (down - 1)


def touching(path: Floats, high: float, low: float) -> Floats:
    """A path of points that stays within [low, high] and touches both; its ends stay."""
    top, bottom = max(path[0], path[-1]), min(path[0], path[-1])
    fitted = squeeze(path, top, high, float(path.max()), bottom, low, float(path.min()))
    third = len(path) // 3
    if fitted.max() < high:
        fitted[third] = high
    if fitted.min() > low:
        fitted[2 * third] = low
    return fitted
