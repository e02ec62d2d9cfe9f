"""What is worked on beside the beat: the pair scan and lead-lag in the worker, and what a user plans.

A beat looks at each for what is new, which takes no time; the work itself is done in another process, or at the user's
word. One object between the engine and these, so that it knows one name instead of five.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine import plan_table, scan_table
from engine.board import Board
from engine.config import Config
from engine.derived import Maker
from engine.errors import SizewatchError
from engine.grid import DailyGrid
from engine.lead_lag import Leads
from engine.legs import BESIDE, Pair, parsed_pairs
from engine.model import Intent
from engine.plan_book import PlanBook
from engine.plan_table import Past
from engine.scan_table import Entry, Scans
from engine.ticks import Trace, attach
from engine.view import View
from engine.worker import Worker

Grid = Callable[[float], DailyGrid]
"""The daily grid at a moment, shared by all tables of a close."""
PATIENCE_S = 5.0
"""With no prices coming, the work begins so long after the first beat."""


class Workbench:
    """See the module's docstring.

    worker: where heavy work is done; None: it is not done, and nothing is scanned. folder: of the database, None: plans
    are kept for this run alone. tell: takes a severity and a sentence for the user. patient: wait for heavy work.
    """

    def __init__(
        self,
        config: Config,
        board: Board,
        worker: Worker | None,
        folder: Path | None,
        tell: Callable[[str, str], None],
        *,
        patient: bool = False,
    ) -> None:
        self.config = config
        self._board = board
        self._tell = tell
        self.plans = PlanBook(config, folder, tell)
        self.leads = Leads(worker, tell, patient=patient)
        self.scans = None if worker is None else Scans(worker, tell, patient)
        self._traces: dict[str, Trace] = {}
        self._first: float | None = None
        self._patient = patient
        self.watch()

    def watch(self) -> None:
        """Have the ticks kept that lead-lag needs; again after the board watches other symbols."""
        self.leads.watch(self.couples())
        self._traces = attach(self._board, self.leads.symbols, self._traces)

    def scanned(self) -> tuple[Pair, ...]:
        """The pairs that are scanned."""
        return parsed_pairs((*self.config.spreads.pairs, *self.config.scanner.pairs), self.config)

    def couples(self) -> tuple[Pair, ...]:
        """The pairs whose legs are correlated."""
        texts = (*self.config.spreads.pairs, *BESIDE, *self.config.scanner.pairs)
        return parsed_pairs(texts, self.config)

    def reconfigure(self, config: Config) -> None:
        """Go on under another configuration, which the board has been given."""
        self.config = config
        self.plans.reconfigure(config)
        self.watch()

    @property
    def pending(self) -> bool:
        """Whether figures are still being made that tables of the newest close want."""
        return self.scans is not None and self.scans.pending

    def poll(self, now: float, mono: float) -> tuple[str, ...]:
        """One beat: the tables that must be made anew."""
        self._first = mono if self._first is None else self._first
        if not self._board.ticks and not self._patient and mono - self._first < PATIENCE_S:
            return ()  # the first prices come first
        news = ("plans", "whatifs") if self.plans.poll(mono) else ()
        if self.leads.poll(now, mono, self._traces):
            news = (*news, "correlations")
        if self.scans is not None and self.scans.poll(mono):
            news = (*news, "scanner")
        return news

    def carry_out(self, intent: Intent, view: View) -> tuple[str, ...]:
        """What a user wants of a plan; told at once. Returns the tables that must be made anew."""
        try:
            self._tell("info", self.plans.carry_out(intent, view.live))
        except SizewatchError as error:
            self._tell("warning", str(error))
            return ()
        return ("plans", "whatifs")

    def close(self) -> None:
        """Let go of the disk. The worker is its owner's to end."""
        self.plans.close()


@dataclass
class ScannerMaker:
    """`scanner`."""

    grid: Grid
    bench: Workbench
    scans: Scans
    name: str = "scanner"

    def at_close(self, now: float) -> tuple[Entry, ...]:
        made, levels = scan_table.entries(self.grid(now), self.bench.scanned(), self.bench.config.scanner)
        self.scans.want(levels)
        return made

    def live(self, state: tuple[Entry, ...], view: View) -> pl.DataFrame:
        return scan_table.live(state, self.scans, view)


@dataclass
class PlansMaker:
    """`plans`."""

    grid: Grid
    bench: Workbench
    name: str = "plans"

    def at_close(self, now: float) -> Callable[[str], Past]:
        grid = self.grid(now)
        return lambda symbol: grid.once("plan", symbol, lambda: plan_table.past(grid, symbol))

    def live(self, state: Callable[[str], Past], view: View) -> pl.DataFrame:
        return plan_table.live(self.bench.plans, self.bench.config, state, view)


@dataclass
class WhatIfsMaker:
    """`whatifs`."""

    bench: Workbench
    name: str = "whatifs"

    def at_close(self, now: float) -> None:
        """Nothing of it depends on bars."""

    def live(self, state: None, view: View) -> pl.DataFrame:
        return plan_table.whatifs(self.bench.plans, view)


def makers(bench: Workbench, grid: Grid) -> Iterable[Maker]:
    """The tables of the workbench but for `correlations`."""
    scanning = () if bench.scans is None else (ScannerMaker(grid, bench, bench.scans),)
    return (*scanning, PlansMaker(grid, bench), WhatIfsMaker(bench))
