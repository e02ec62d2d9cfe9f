"""Series for the engine's proofs: seeded random ones, and the real history of `../shared/data` where it is there."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from engine.bars import BarBook
from engine.model import Bars
from engine.tables import BARS
from engine.view import Session
from tests.realdata import DATA

DAY = 86_400


@dataclass(frozen=True)
class Weekdays:
    """A calendar made for a test."""

    sessions: tuple[Session, ...]


def calendar_of(days: pd.DatetimeIndex) -> Weekdays:
    """Sessions of 14:30–21:00 UTC on the given dates."""
    numbers = days.to_numpy().astype("datetime64[D]").astype(np.int64)
    return Weekdays(tuple(Session(int(n), n * DAY + 52_200.0, n * DAY + 75_600.0) for n in numbers))


def weekdays(start: str, count: int) -> pd.DatetimeIndex:
    """`count` weekdays from `start` on."""
    return pd.bdate_range(start, periods=count)


def bars(frame: pd.DataFrame, symbol: str, source: str = "test", *, replace: bool = False) -> Bars:
    """A pandas frame indexed by date, with any of the BARS columns, as the engine's bars."""
    columns: dict[str, Any] = {"time": frame.index.to_numpy().astype("datetime64[us]")}
    for name in BARS.names()[1:]:
        fallback = frame["close"] if name != "volume" else pd.Series(np.nan, frame.index)
        columns[name] = frame.get(name, fallback).to_numpy(dtype=float)
    made = pl.DataFrame(columns).with_columns(pl.col("time").dt.replace_time_zone("UTC"))
    return Bars(symbol, "1d", source, "USD", made.cast(BARS), replace)


def book_of(**frames: pd.DataFrame) -> BarBook:
    """A book of daily bars; `BTC_USD` stands for BTC/USD."""
    book = BarBook()
    for name, frame in frames.items():
        book.merge(bars(frame, name.replace("_", "/")))
    return book


def walk(seed: int, count: int, sd: float = 0.012, start: float = 100.0) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A seeded geometric random walk."""
    steps = np.random.default_rng(seed).normal(0.0002, sd, count)
    return np.asarray(start * np.exp(np.cumsum(steps)), dtype=np.float64)


def ohlcv(seed: int, days: pd.DatetimeIndex, sd: float = 0.012, start: float = 100.0) -> pd.DataFrame:
    """Seeded daily bars with sane highs, lows and volumes."""
    rng = np.random.default_rng(seed)
    close = walk(seed, len(days), sd, start)
    opened = np.concatenate([[start], close[:-1]]) * np.exp(rng.normal(0, sd / 4, len(days)))
    top = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, sd / 2, len(days))))
    bottom = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, sd / 2, len(days))))
    volume = rng.lognormal(17, 0.3, len(days))
    return pd.DataFrame(
        {"open": opened, "high": top, "low": bottom, "close": close, "adj_close": close, "volume": volume}, index=days
    )


def real(symbol: str) -> pd.DataFrame:
    """Real daily bars of `iwm`, `spy`, `qqq` or `eem`; adjusted close = close × price and split factor.

    Open, high, low and close are adjusted for splits, as Yahoo's are.
    """
    folder = DATA / "equities_daily"
    if not (folder / f"{symbol}.zip").exists():
        pytest.skip(f"no real history: {folder} is not there")
    with zipfile.ZipFile(folder / f"{symbol}.zip") as archive, archive.open(archive.namelist()[0]) as file:
        raw = pd.read_csv(file, names=["time", "open", "high", "low", "close", "volume"])
    raw.index = pd.DatetimeIndex(pd.to_datetime(raw.pop("time"), format="%Y%m%d %H:%M"))
    factors = pd.read_csv(folder / f"{symbol}_factor.csv", names=["date", "price", "split", "reference"])
    dates = pd.to_datetime(factors["date"].astype(str), format="%Y%m%d").to_numpy()
    at = np.searchsorted(dates, raw.index.to_numpy())
    split, price = factors["split"].to_numpy()[at], factors["price"].to_numpy()[at]
    made = raw.astype(float)
    made[["open", "high", "low", "close"]] = raw[["open", "high", "low", "close"]].mul(split / 10_000, axis=0)
    made["volume"] = raw["volume"] / split
    made["adj_close"] = made["close"] * price
    return made


def after(days: pd.DatetimeIndex) -> float:
    """Noon UTC on the day after the last of `days`: everything has closed."""
    return float(days[-1].timestamp()) + DAY + DAY / 2


def moment(text: str) -> float:
    """Epoch seconds of an ISO time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
