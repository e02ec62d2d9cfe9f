"""The derived tables that the engine makes, wired: which functions make which, and what they share.

The daily grid is built once for all tables of one close; the venues' volumes once for all tables of one beat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from engine import (
    baskets,
    claims,
    correlations,
    gauges,
    levels,
    markets,
    matrix,
    regime_tables,
    sessions,
    spreads,
    volume,
    workbench,
)
from engine.bars import BarBook
from engine.bars_desk import Desk
from engine.bars_table import BarsMaker, ChartsMaker, Served
from engine.config import Config
from engine.derived import Maker
from engine.grid import DailyGrid, daily_grid
from engine.lead_lag import Leads
from engine.legs import BESIDE, Pair, parsed_pairs
from engine.markets import Twins, Venues
from engine.outside import Outside
from engine.outside_tables import FactsMaker, FlowsMaker
from engine.shares import Holder
from engine.view import View
from engine.workbench import Workbench


@dataclass
class Shared:
    """What several tables need of one close or one beat, computed by the first that asks."""

    book: BarBook
    twins: Twins = field(default_factory=Twins)
    volumes: Mapping[str, Venues] = field(default_factory=dict)
    """The venues' volumes that `markets` shows, so that the baskets add up to them."""
    _grid: tuple[tuple[int, float], DailyGrid] | None = None

    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    """The newest of the tables that `claims` reads, by name."""

    def keep(self, name: str, table: pl.DataFrame) -> pl.DataFrame:
        """`table`, remembered."""
        self.tables[name] = table
        return table

    def grid(self, now: float) -> DailyGrid:
        """The daily grid of these bars, the same one until a daily bar changes or it stops being valid.

        All that is asked for the same `now` is one close, and has one grid.
        """
        held = self._grid
        if held is not None:
            (generation, since), made = held
            if since == now or (generation == self.book.daily and since <= now < made.valid_until):
                return made
        made = daily_grid(self.book, sessions.calendar(), now)
        self._grid = ((self.book.daily, now), made)
        return made


def pairs_of(config: Config) -> tuple[Pair, ...]:
    """The configured pairs that can be read; the check of the configuration has said what is wrong with the others."""
    return parsed_pairs(config.spreads.pairs, config)


@dataclass
class SpreadsMaker:
    """`spreads`."""

    shared: Shared
    config: Config
    name: str = "spreads"

    def at_close(self, now: float) -> spreads.SpreadState:
        return spreads.at_close(self.shared.grid(now), pairs_of(self.config))

    def live(self, state: spreads.SpreadState, view: View) -> pl.DataFrame:
        return self.shared.keep(self.name, spreads.live(state, view))


@dataclass
class GaugesMaker:
    """`gauges`."""

    shared: Shared
    config: Config
    outside: Outside | None = None
    name: str = "gauges"

    def at_close(self, now: float) -> gauges.GaugeState:
        return gauges.at_close(self.shared.grid(now), pairs_of(self.config))

    def live(self, state: gauges.GaugeState, view: View) -> pl.DataFrame:
        change = None if self.outside is None else self.outside.dominance_change(view.now)
        return gauges.live(state, view, change)


@dataclass
class CorrelationsMaker:
    """`correlations`."""

    shared: Shared
    config: Config
    leads: Leads | None = None
    """Of ticks, beside those of days."""
    name: str = "correlations"

    def at_close(self, now: float) -> correlations.CorrelationState:
        pairs = pairs_of(self.config)
        asked = parsed_pairs((*BESIDE, *self.config.scanner.pairs), self.config)
        return correlations.at_close(self.shared.grid(now), pairs, tuple(pair for pair in asked if pair not in pairs))

    def live(self, state: correlations.CorrelationState, view: View) -> pl.DataFrame:
        ticks = () if self.leads is None else self.leads.rows(view.now, simulated=view.simulated, live=view.live)
        return correlations.live(state, view, ticks)


@dataclass
class MatrixMaker:
    """`matrix`."""

    shared: Shared
    config: Config
    name: str = "matrix"
    _made: tuple[matrix.MatrixState, pl.DataFrame] | None = None

    def at_close(self, now: float) -> matrix.MatrixState:
        return matrix.at_close(self.shared.grid(now), matrix.names_of(pairs_of(self.config), self.config))

    def live(self, state: matrix.MatrixState, view: View) -> pl.DataFrame:
        if self._made is None or self._made[0] is not state:
            self._made = (state, matrix.live(state, view))
        return self._made[1]


@dataclass
class RegimeMaker:
    """`regime`."""

    shared: Shared
    config: Config
    outside: Outside | None = None
    name: str = "regime"

    def at_close(self, now: float) -> regime_tables.RowsState:
        return regime_tables.regime_at_close(self.shared.grid(now), pairs_of(self.config), self.config.regime)

    def live(self, state: regime_tables.RowsState, view: View) -> pl.DataFrame:
        return regime_tables.regime_live(state, () if self.outside is None else self.outside.kept.flows, view)


@dataclass
class RotationMaker:
    """`rotation`."""

    shared: Shared
    config: Config
    name: str = "rotation"

    def at_close(self, now: float) -> regime_tables.RowsState:
        return regime_tables.rotation_at_close(self.shared.grid(now), pairs_of(self.config), self.config)

    def live(self, state: regime_tables.RowsState, view: View) -> pl.DataFrame:
        return regime_tables.live(self.name, state, view)


@dataclass
class ClaimsMaker:
    """`claims`; made after the tables that it reads."""

    shared: Shared
    config: Config
    outside: Outside | None = None
    name: str = "claims"

    def at_close(self, now: float) -> None:
        """Nothing of it depends on bars alone."""

    def live(self, state: None, view: View) -> pl.DataFrame:
        btc = view.live("BTC/USD")
        at = None if btc.at is None else datetime.fromtimestamp(btc.at, UTC)
        quotes = pl.DataFrame(
            {"symbol": ["BTC/USD"], "last": [btc.price], "as_of": [at], "status": [btc.status.value]},
            schema_overrides={"last": pl.Float64},
        )
        flows = claims.size_flows(() if self.outside is None else self.outside.kept.flows)
        return claims.live({**self.shared.tables, "quotes": quotes, "flows": flows}, view)


@dataclass
class LevelsMaker:
    """`levels`."""

    shared: Shared
    config: Config
    name: str = "levels"
    sources: bool = True
    """Found levels beside the configured ones."""
    _memory: levels.TickMemory = field(default_factory=levels.TickMemory)

    def at_close(self, now: float) -> levels.LevelsState:
        return levels.at_close(self.shared.grid(now), self.config.levels, sources=self.sources)

    def live(self, state: levels.LevelsState, view: View) -> pl.DataFrame:
        return self.shared.keep(self.name, levels.live(state, view, self._memory))


@dataclass
class BasketsMaker:
    """`baskets`; made after `markets`, whose volumes it adds up."""

    shared: Shared
    config: Config
    name: str = "baskets"

    def at_close(self, now: float) -> tuple[baskets.BasketState, ...]:
        return baskets.at_close(self.shared.grid(now), self.config.crypto.baskets)

    def live(self, state: tuple[baskets.BasketState, ...], view: View) -> pl.DataFrame:
        return self.shared.keep(self.name, baskets.live(state, self.shared.volumes, view))


@dataclass
class VolumesMaker:
    """`volumes`."""

    shared: Shared
    config: Config
    name: str = "volumes"

    def at_close(self, now: float) -> volume.VolumeState:
        grid = self.shared.grid(now)
        return volume.at_close(grid, self.shared.book, sessions.calendar(), self.config.equity.symbols)

    def live(self, state: volume.VolumeState, view: View) -> pl.DataFrame:
        return self.shared.keep(self.name, volume.live(state, view))


@dataclass
class MarketsMaker:
    """`markets`."""

    shared: Shared
    config: Config
    name: str = "markets"

    def at_close(self, now: float) -> None:
        """Nothing of it depends on bars."""

    def live(self, state: None, view: View) -> pl.DataFrame:
        self.shared.volumes = {}  # where these cannot be summed, no basket has a volume
        self.shared.volumes = markets.over_venues(view, self.shared.twins)
        return self.shared.keep(self.name, markets.live(self.shared.volumes, self.config.crypto.bases, view))


def charts(shared: Shared, config: Config, desk: Desk, outside: Holder | None = None) -> tuple[Maker, Maker]:
    """What was asked for as `bars`, and what is to be said of it."""
    served = Served()
    return BarsMaker(shared.grid, shared.book, config, desk, served, outside), ChartsMaker(served)


def makers(
    config: Config,
    book: BarBook,
    outside: Outside | None = None,
    desk: Desk | None = None,
    bench: Workbench | None = None,
) -> Iterable[Maker]:
    """One maker a derived table, in the order in which they are to be made.

    outside: what is known beside the markets; without it there are no flows and no facts. desk: what charts ask for;
    without it there are no bars. bench: what is worked on beside the beat; without it nothing is scanned or planned.
    """
    shared = Shared(book)
    beside = () if outside is None else (FlowsMaker(outside), FactsMaker(outside, shared.grid))
    return (
        SpreadsMaker(shared, config),
        LevelsMaker(shared, config),
        GaugesMaker(shared, config, outside),
        MarketsMaker(shared, config),
        BasketsMaker(shared, config),
        VolumesMaker(shared, config),
        MatrixMaker(shared, config),
        CorrelationsMaker(shared, config, None if bench is None else bench.leads),
        RegimeMaker(shared, config, outside),
        RotationMaker(shared, config),
        ClaimsMaker(shared, config, outside),
        *beside,
        *(() if desk is None else charts(shared, config, desk, outside)),
        *(() if bench is None else workbench.makers(bench, shared.grid)),
    )
