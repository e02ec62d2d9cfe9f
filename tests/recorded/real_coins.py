"""An exchange whose candles are real history: BTC at Coinbase and Binance, AAVE and FET as Yahoo has them.

The files do not overlap as one would wish (BTC ends in 2018 and has 2019 from another venue; FET begins in March 2019,
AAVE in October 2020), and that is left as it is: a hole in the middle of a history is part of the proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd

from tests.realdata import DATA
from tests.simulator.still_market import Still, StillMarket

DAY: Final = 86_400
DECIMALS: Final = 10
"""What the venue's price grid holds of a price; the oracles take the prices that it said."""
TICK: Final = 1e-6
"""Bid and ask stand so far below and above the last price, which is therefore their middle."""
FOLDER: Final = DATA / "crypto"


def coin(base: str) -> pd.DataFrame:
    """Real UTC days of `BTC`, `AAVE` or `FET` that have a close: open, high, low, close in USD, volume in coins."""
    return _btc() if base == "BTC" else _yahoo(base)


def _btc() -> pd.DataFrame:
    names = ["at", "open", "high", "low", "close", "volume"]
    early = pd.read_csv(FOLDER / "lean" / "btcusd_coinbase_daily_trade.zip", names=names)
    early.index = pd.DatetimeIndex(pd.to_datetime(early.pop("at"), format="%Y%m%d %H:%M"))
    # time, volume, open, high, low, close
    late = pd.read_csv(
        FOLDER / "gct" / "binance_BTCUSDT_24h_2019.csv", names=["at", "volume", "open", "high", "low", "close"]
    )
    late.index = pd.DatetimeIndex(pd.to_datetime(late.pop("at"), unit="s"))
    return _said(pd.concat([early, late]))


def _yahoo(base: str) -> pd.DataFrame:
    frame = pd.read_csv(FOLDER / "yahoo_1d_to_2022" / f"{base}-USD-1d.csv", index_col="Date", parse_dates=True)
    frame.columns = frame.columns.str.lower()
    frame = frame.dropna(subset=["close"])
    frame["volume"] /= frame["close"]  # Yahoo counts a coin's volume in dollars
    return _said(frame)


def _said(frame: pd.DataFrame) -> pd.DataFrame:
    """As the venue words it: prices on its grid, volumes with eight decimals."""
    made = frame[["open", "high", "low", "close"]].round(DECIMALS)
    return made.assign(volume=frame["volume"].round(8))


class RealCoins(StillMarket):
    """Satisfies `simulator.venue.Prices`: daily candles from `frames`, up to and with the day of `time`."""

    def __init__(self, frames: Mapping[str, pd.DataFrame], time: float) -> None:
        super().__init__(time)
        self.days = {base: _today(frame, time) for base, frame in frames.items()}
        self._candles: dict[str, list[tuple[float, float, float, float, float, float]]] = {
            base: [
                (float(at.timestamp()), *(float(row[c]) for c in ("open", "high", "low", "close", "volume")))  # type: ignore[misc]
                for at, row in zip(pd.DatetimeIndex(frame.index), frame.to_dict("records"), strict=True)
            ]
            for base, frame in frames.items()
        }

    def decimals(self, base: str) -> int:
        return DECIMALS

    def bases(self, venue: str) -> Sequence[str]:
        return tuple(self.days)

    def candles(
        self, venue: str, base: str, interval_s: int, start: float, end: float
    ) -> list[tuple[float, float, float, float, float, float]]:
        """Days alone are real; of hours and minutes there are none."""
        if interval_s != DAY:
            return []
        return [candle for candle in self._candles[base] if start <= candle[0] < min(end, self.time)]


def _today(frame: pd.DataFrame, time: float) -> Still:
    row: Any = frame.loc[pd.Timestamp(datetime.fromtimestamp(time, UTC).date())]
    last = float(row["close"])
    return Still(
        last=last,
        bid=last - TICK,
        ask=last + TICK,
        open=float(row["open"]),
        high=float(row["high"]),
        low=float(row["low"]),
        vwap=last,
        volume=float(row["volume"]),
        trades=40_000,
        time=time - 0.5,
    )
