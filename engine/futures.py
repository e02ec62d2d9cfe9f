"""Front-month futures as Yahoo splices them, and what takes the seams out again (METRICS §0, Futures).

A splice jumps where one contract follows another. Levels are rebuilt from returns that are clean of it; the newest
level stays, so that a live price joins on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

MULTIPLIERS: Final[Mapping[str, float]] = {"RTY=F": 50.0, "M2K=F": 5.0, "ES=F": 50.0, "MES=F": 5.0}
"""USD a point."""
INDEX_OF: Final[Mapping[str, str]] = {"RTY=F": "^RUT", "M2K=F": "^RUT", "ES=F": "^GSPC", "MES=F": "^GSPC"}
"""What a future's own return is told from."""
BACK: Final = 252
ROLL_MADS: Final = 4.0
LEAST: Final = 20
"""Differences that a median needs."""

_Days = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


def multiplier(symbol: str) -> float:
    """USD that one unit of a symbol is worth a point; 1 for all but futures."""
    return MULTIPLIERS.get(symbol, 1.0)


def roll_clean(days: _Days, future: _Floats, index: _Floats, back: int = BACK) -> _Floats:
    """A front-month splice with its rolls taken out: levels rebuilt from its own returns, newest level unchanged.

    In the week of an expiry (third Friday of March, June, September, December) a return that differs from the index's
    by more than 4·MAD of the `back` differences before it is the index's instead. Missing values stay missing.
    """
    known = np.flatnonzero(np.isfinite(future) & np.isfinite(index))
    out = future.copy()
    if len(known) < 3:
        return out
    r, ri = np.diff(np.log(future[known])), np.diff(np.log(index[known]))
    gap = r - ri
    weeks = np.flatnonzero(expiry_weeks(days[known[1:]]))
    early = weeks[(weeks >= LEAST) & (weeks < back)]
    seams = [i for i in early.tolist() if _stands_out(gap[:i], gap[i])]
    late = weeks[weeks >= back]
    if late.size:
        past = np.lib.stride_tricks.sliding_window_view(gap, back)[late - back]
        mad = np.median(np.abs(past - np.median(past, axis=1)[:, None]), axis=1)
        seams += late[(mad > 0) & (np.abs(gap[late]) > ROLL_MADS * mad)].tolist()
    r[seams] = ri[seams]
    total = np.concatenate([[0.0], np.cumsum(r)])
    factor = np.exp(total - total[-1]) * future[known[-1]] / future[known]
    # a row without an index lies between the seams of its neighbours: it moves with the one before
    before = np.maximum(np.searchsorted(known, np.arange(len(out)), side="right") - 1, 0)
    return np.asarray(out * factor[before])


def _stands_out(past: _Floats, gap: float) -> bool:
    mad = float(np.median(np.abs(past - np.median(past))))
    return mad > 0 and abs(gap) > ROLL_MADS * mad


def expiry_weeks(days: _Days) -> npt.NDArray[np.bool_]:
    """Which dates (days since 1970) lie in the Monday-to-Sunday week of a quarterly third Friday."""
    fridays = (days + 4 - (days + 3) % 7).astype("datetime64[D]")
    months = fridays.astype("datetime64[M]")
    day = (fridays - months).astype(np.int64) + 1
    return np.asarray((months.astype(np.int64) % 12 % 3 == 2) & (day >= 15) & (day <= 21))


def expiry_week(day: int) -> bool:
    """`expiry_weeks` of one date."""
    return bool(expiry_weeks(np.array([day], dtype=np.int64))[0])
