"""What the maths sees of a running engine: the newest prices, books, rates and facts, as of one beat."""

from __future__ import annotations

from collections.abc import Mapping

from engine.board import Board
from engine.model import ChannelReport, MarketFact
from engine.quotes import Quotes
from engine.view import Book24, Live, Rate


class EngineView:
    """`engine.view.View` over a running engine, as of its newest beat."""

    def __init__(self, board: Board, quotes: Quotes, facts: Mapping[str, MarketFact], *, simulated: bool) -> None:
        self._board = board
        self._quotes = quotes
        self._facts = facts
        self.simulated = simulated
        self.now = 0.0
        self._lives: dict[str, Live] = {}
        """What was asked for since the newest beat began: many tables ask for the same symbols."""
        self._down: dict[str, set[str]] = {}
        """The channels that are down, by source; as many as there are feeds."""

    def channel(self, report: ChannelReport) -> None:
        """A channel went up or down."""
        down = self._down.setdefault(report.source, set())
        if report.up:
            down.discard(report.channel)
        else:
            down.add(report.channel)

    def begin(self, now: float) -> None:
        """A beat begins, at epoch second `now` of the run's clock: the board is settled."""
        self.now = now
        self._lives.clear()

    def live(self, symbol: str, /) -> Live:
        found = self._lives.get(symbol)
        if found is None:
            found = self._lives[symbol] = self._quotes.live(symbol)
        return found

    def books(self) -> list[Book24]:
        return self._board.books24()

    def rate(self, ccy: str, /) -> Rate:
        return self._board.rate(ccy)

    def facts(self) -> Mapping[str, MarketFact]:
        return self._facts

    def lost(self, source: str, /) -> bool:
        return bool(self._down.get(source))
