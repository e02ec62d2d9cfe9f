"""The quote grid: only rows in sight are read from the table, only rows that changed are drawn.

The order of rows is made anew when the table, the filter or the sorting changes; cells are made for the window alone. A
flash is a function of when a row's price last changed and of now: nothing restores a cell later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from tui import format as fmt
from tui.lines import Column, Line, Span, choose, column_at, heading, marked, merged, row
from tui.panes.quote_order import (
    DESCENDING,
    RANGE,
    Total,
    below,
    cells_of,
    grouped,
    matching,
    order,
    place_in_range,
    total_of,
)
from tui.view import View
from tui.widgets.linepane import LinePane

if TYPE_CHECKING:
    import polars as pl

FLASH_S: Final = 0.45
FIRST_SORT: Final = "change_pct"
"""What `s` begins with: it goes on to the right from there, then from the left up to it."""
UNSORTED: Final = frozenset({"glyph", "recent"})
"""Columns without an order of their own."""
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "glyph": (), "age": (), "range": RANGE,
    "source": ("source", "preferred"), "session": ("session", "delayed"),
}  # fmt: skip
"""What a column of the grid reads from the table, where that is not the column of its own name."""
ALWAYS: Final = ("symbol", "asset", "last", "status", "age_s")
SESSIONS: Final = {"regular": "open", "pre": "pre", "post": "post", "overnight": "night"}


def digits_of(price: float | None, crypto: bool) -> int:
    """Decimals of a price: by its size for crypto, two for equities and three for rates and other small figures."""
    return fmt.price_digits(price) if crypto else 2 if price is None or abs(price) >= 10 else 3


def columns_for(crypto: bool, decimals: int, whole: int = 5) -> tuple[Column, ...]:
    """The grid's columns.

    decimals, whole: what the price column holds at the most on either side of the point.
    """
    price = whole + 1 + decimals
    wide = Column("venue_symbol", "book", 11, "<", rank=9)
    if not crypto:
        return (
            Column("glyph", "", 1, rank=0),
            Column("symbol", "symbol", 6, "<", rank=0, gap=1),
            Column("last", "last", price, rank=0, gap=1, unit_pad=decimals + 1),
            Column("change_pct", "1d %", 7, rank=1, gap=1),
            Column("session", "session", 7, "<", rank=3),
            Column("age", "age", 4, rank=2, gap=1),
            Column("range", "day's range", 11, "<", rank=5),
            Column("recent", "recent", 8, "<", rank=6),
            Column("bid", "bid", price, rank=8, gap=1, unit_pad=decimals + 1),
            Column("ask", "ask", price, rank=8, gap=1, unit_pad=decimals + 1),
            Column("volume_usd", "vol $", 9, rank=4, gap=1),
            Column("source", "source", 13, "<", rank=7),
        )
    return (
        Column("glyph", "", 1, rank=0),
        Column("symbol", "symbol", 10, "<", rank=0, gap=1),
        Column("last", "last", price, rank=0, gap=1, unit_pad=decimals + 1),
        Column("change_pct", "1d %", 7, rank=1, gap=1),
        Column("volume_usd", "24h vol $", 9, rank=2, gap=1),
        Column("range", "24h range", 15, "<", rank=6),
        Column("recent", "recent", 12, "<", rank=8),
        Column("bid", "bid", price, rank=10, gap=1, unit_pad=decimals + 1),
        Column("ask", "ask", price, rank=10, gap=1, unit_pad=decimals + 1),
        Column("basket", "basket", 9, "<", rank=7),
        wide,
        Column("source", "source", 11, "<", rank=5),
        Column("age", "age", 4, rank=3, gap=1),
    )


def ordered(columns: Sequence[Column]) -> list[str]:
    """The columns that rows can be sorted by."""
    return [column.key for column in columns if column.key not in UNSORTED]


def cells(record: Mapping[str, Any], columns: Sequence[Column], decimals: int, age: float | None,
          flash: str, heat: bool) -> dict[str, Span]:  # fmt: skip
    """One row's cells, for the columns shown only."""
    status, crypto = record["status"], record["asset"] == "crypto"
    out: dict[str, Span] = {}
    for column in columns:
        key = column.key
        if key in ("last", "bid", "ask"):
            value = record[key]
            text = fmt.on_point(fmt.number(value, digits_of(value, crypto), status), decimals)
            out[key] = (text, (flash or "text") if key == "last" else "dim")
        elif key == "change_pct":
            value = record[key]
            role = fmt.heat(value, crypto=crypto) if heat else fmt.direction(value)
            out[key] = (fmt.on_point(fmt.signed(value, 2, status), 2), role)
        elif key == "volume_usd":
            out[key] = (fmt.compact(record[key], status), "dim")
        elif key == "glyph":
            out[key] = (fmt.GLYPHS.get(status, " "), "dim")
        elif key == "symbol":
            out[key] = (fmt.shorten(record[key], column.width), "bright")
        elif key == "range":
            out[key] = (fmt.range_bar(place_in_range(*(record[n] for n in RANGE)), column.width), "dim")
        elif key == "age":
            out[key] = (fmt.age(age), "dim")
        elif key == "session":
            name = "closed" if status == "closed" else SESSIONS.get(record[key] or "", record[key] or "")
            name = "delayed" if record["delayed"] and name != "closed" else name
            out[key] = (name, "dim" if name == "open" else "closed")
        elif key == "source":
            name, failover = record[key] or fmt.MISSING, record["preferred"] is False
            out[key] = (f"{name} {fmt.FAILOVER}" if failover else name, "warn" if failover else "dim")
        elif key == "recent":
            out[key] = (fmt.sparkline(record[key], column.width), "dim")
        else:
            out[key] = (record[key] or "", "dim")
    return out


def quote_row(record: Mapping[str, Any], columns: Sequence[Column], decimals: int, age: float | None = None,
              flash: str = "", stuck: bool = False, heat: bool = False) -> Line:  # fmt: skip
    """One quote as a line; a stale one in one colour throughout, with `◌` before it."""
    line = merged(row(columns, cells(record, columns, decimals, age, flash, heat)))
    return marked(line, record["status"], stuck)


def named(columns: Sequence[Column], names: Sequence[str]) -> tuple[Column, ...]:
    """The columns that a user names, in that order and of that importance; all where none is named."""
    if not names:
        return tuple(columns)
    there = {column.key: column for column in columns}
    first = replace(there["glyph"], rank=0)
    return (first, *(replace(there[n], rank=1 + k) for k, n in enumerate(dict.fromkeys(names)) if n in there))


def total_row(total: Total, record: Mapping[str, Any] | None, name: str, columns: Sequence[Column]) -> Line:
    """A basket's line: the totals of the rows below it, and how many of its members are above their mean of 50 days."""
    status = total.status
    cells: dict[str, Span] = {
        "symbol": (f"─ {name}" if name else "─ others", "accent"),
        "change_pct": (fmt.on_point(fmt.signed(total.change, 2, status), 2), fmt.direction(total.change)),
        "volume_usd": (fmt.compact(total.volume, status), "text"),
        "glyph": (fmt.GLYPHS.get(status, " "), "dim"),
    }
    if record is not None:
        members, breadth = record["breadth_members"], record["breadth"]
        if members is not None and breadth is not None:
            cells["range"] = (f"{round(members * breadth)} of {members} >50d", "dim")
    return merged(row(columns, cells))


class QuotesPane(LinePane):
    """A grid of quotes of one kind of asset, or of all."""

    reads = ("quotes", "baskets")
    ages = True
    narrows = True
    sorts = True

    def __init__(self, assets: str, heading: str, id: str) -> None:
        super().__init__(id=id)
        self.assets = assets
        """crypto, equity, or all."""
        self.heading = heading  # type: ignore[misc]  # one class, three panes
        self.needle = ""
        self.sort = ""
        self.reverse = False
        self.by_basket: bool | None = None
        """Rows by basket; None: as configured."""
        self._baskets: list[str] = []
        self._order: list[int] = []
        """Indices of the rows; −1−k stands for the line of the k-th basket."""
        self._ordered_for: tuple[object, ...] = ()
        self._columns: tuple[Column, ...] = ()
        self._decimals, self._whole = 2, 5
        self._prices: dict[str, tuple[float | None, float, str]] = {}
        """symbol → (last, when it changed, flash role), for the rows in sight only."""
        self._flash_ends = 0.0

    @property
    def crypto(self) -> bool:
        """True where the price column must hold crypto's small prices."""
        return self.assets != "equity"

    def prepare(self, view: View, width: int) -> None:
        frame = view.table("quotes")
        looks = view.snapshot.config.appearance if view.snapshot else None
        by_basket = self.crypto and bool(self.by_basket if self.by_basket is not None else looks and looks.grouped)
        wanted = (frame, self.assets, self.needle, self.sort, self.reverse, by_basket)
        old = self._ordered_for
        if len(old) != len(wanted) or old[0] is not frame or old[1:] != wanted[1:]:
            self._ordered_for = wanted
            if frame is None or not frame.height:
                self._order, self.rows = [], []
            elif not self._same_order(frame, old, wanted):
                self._arrange(frame, view, by_basket=by_basket)
            if frame is not None:
                self._size_prices(frame)
        own = (looks.crypto_columns if self.crypto else looks.equity_columns) if looks else ()
        columns = choose(named(columns_for(self.crypto, self._decimals, self._whole), own), width)
        self._columns = columns
        descending = (self.sort in DESCENDING) != self.reverse
        self.head = (heading(columns, self.sort, descending),) if self.rows else ()

    def _arrange(self, frame: pl.DataFrame, view: View, *, by_basket: bool) -> None:
        """Filter, sort and group the rows."""
        try:
            kept = matching(frame, self.needle)
        except ValueError as error:
            self.problem = str(error)
            return
        self.problem = ""
        self._order = order(frame, self.assets, kept, self.sort, self.reverse)
        names = frame.get_column("symbol").to_list()
        if by_basket and view.snapshot is not None:
            self._order, self._baskets = grouped(frame, self._order, list(view.snapshot.config.crypto.baskets))
        self.rows = [names[i] if i >= 0 else f"─ {self._baskets[-1 - i]}" for i in self._order]

    def _same_order(self, frame: pl.DataFrame, old: tuple[object, ...], wanted: tuple[object, ...]) -> bool:
        """True where the table's own order is shown and its symbols are those of the table before."""
        before = old[0] if old else None
        if self.sort or self.needle or before is None or old[1:] != wanted[1:]:
            return False
        symbols = frame.get_column("symbol")
        return bool(symbols.equals(before.get_column("symbol")))  # type: ignore[attr-defined]

    def _size_prices(self, frame: pl.DataFrame) -> None:
        """Make the price column wide enough for every price of the table; it never shrinks, so that nothing jumps."""
        prices = frame.get_column("last")
        least, most = prices.min(), prices.max()
        if isinstance(least, float) and isinstance(most, float):
            self._whole = max(self._whole, len(f"{most * 1.05:,.0f}"))
            self._decimals = max(self._decimals, fmt.price_digits(least) if self.crypto else 3)

    def wants_repaint(self, view: View) -> bool:
        return 0.0 < self._flash_ends <= view.now

    def body(self, start: int, stop: int) -> Sequence[Line]:
        view = self.view
        frame = view.table("quotes") if view else None
        if view is None or view.snapshot is None or frame is None:
            return []
        config, now, stuck = view.snapshot.config, view.now, view.stuck
        since = max(0.0, now - view.snapshot.as_of)
        names = dict.fromkeys(ALWAYS)
        for column in self._columns:
            names |= dict.fromkeys(NEEDS.get(column.key, (column.key,)))
        window = self._order[start:stop]
        values = cells_of(frame, list(names), [i for i in window if i >= 0])
        seen, self._prices = self._prices, {}
        self._flash_ends = 0.0
        lines = []
        for row_values in zip(*values, strict=True):
            record = dict(zip(names, row_values, strict=True))
            symbol, last = record["symbol"], record["last"]
            flash = self._flash(symbol, last, seen, now) if config.appearance.flash else ""
            age = None if record["age_s"] is None else record["age_s"] + since
            lines.append(quote_row(record, self._columns, self._decimals, age, flash, stuck, config.appearance.heat))
        if len(lines) == len(window):
            return lines
        rows = iter(lines)
        known = {r["basket"]: r for r in view.rows("baskets")}

        def total(group: int) -> Line:
            name = self._baskets[-1 - group]
            return total_row(total_of(frame, below(self._order, group)), known.get(name), name, self._columns)

        return [next(rows) if i >= 0 else total(i) for i in window]

    def _flash(self, symbol: str, last: float | None, seen: Mapping[str, tuple[float | None, float, str]],
               now: float) -> str:  # fmt: skip
        before = seen.get(symbol)
        at, role = (before[1], before[2]) if before else (0.0, "")
        if before and before[0] is not None and last is not None and last != before[0]:
            at, role = now, "flash-up" if last > before[0] else "flash-down"
        self._prices[symbol] = (last, at, role)
        end = at + FLASH_S
        if role and now < end:
            self._flash_ends = min(self._flash_ends or end, end)
            return role
        return ""

    def title(self, view: View) -> str:
        parts = [self.heading if self.assets != "all" else "Quotes"]
        if self.problem:
            parts.append(self.problem)
        elif self.needle:
            parts.append(f"“{self.needle}” {sum(i >= 0 for i in self._order)}")
        if self.sort:
            parts.append(f"by {'1d %' if self.sort == 'change_pct' else self.sort.replace('_', ' ')}")
        return " ─ ".join(parts)

    def waiting(self, view: View) -> str:
        if self.problem:
            return self.problem
        if self.needle:
            return f"no row holds “{self.needle}”; Esc shows all"
        if view.snapshot is None:
            return "waiting for the first prices"
        names = view.snapshot.config.crypto.exchanges if self.crypto else ("Yahoo",)
        return f"waiting for the first prices from {', '.join(names)}"

    def record(self) -> dict[str, object] | None:
        """The quote under the cursor, or the basket whose line it is."""
        view = self.view
        if not self.rows or self._order[self.index()] >= 0 or view is None or view.table("baskets") is None:
            return super().record()
        return view.row("baskets", basket=self.called())

    def called(self) -> str:
        return super().called().removeprefix("─ ")

    def table(self) -> pl.DataFrame | None:
        frame = super().table()
        return frame[[i for i in self._order if i >= 0]] if frame is not None else None

    def group(self) -> None:
        if self.crypto:
            looks = self.view.snapshot.config.appearance if self.view and self.view.snapshot else None
            now = self.by_basket if self.by_basket is not None else bool(looks and looks.grouped)
            self.by_basket = not now
            self.repaint()

    # --- what the keys ask for

    def next_sort(self) -> None:
        """Sort by the next column in sight that has an order; after the last, in the table's own order."""
        keys = ordered(self._columns)
        first = keys.index(FIRST_SORT) if FIRST_SORT in keys else 0
        round_ = ["", *keys[first:], *keys[:first]]
        at = round_.index(self.sort) if self.sort in round_ else 0
        self.sort, self.reverse = round_[(at + 1) % len(round_)], False
        self.repaint()

    def sortable(self) -> list[str]:
        known = super().table()
        shown = ordered(columns_for(self.crypto, 0))
        return shown if known is None else [*shown, *(n for n in known.columns if n not in (*shown, *UNSORTED))]

    def sort_by(self, column: str, *, reverse: bool) -> str | None:
        there = self.sortable()
        if column and column not in there:
            near = get_close_matches(column, there, n=3, cutoff=0.4) or there
            return f"no column “{column}”; there are {', '.join(near)}"
        self.sort, self.reverse = column, reverse
        self.repaint()
        return None

    def heading_at(self, x: int) -> tuple[str, bool]:
        column = column_at(self._columns, x)
        name = column.key if column is not None and column.key in self.sortable() else ""
        return name, bool(name) and name == self.sort

    def turn_round(self) -> None:
        """Reverse the sorting."""
        self.reverse = not self.reverse
        self.repaint()

    def narrow_to(self, needle: str) -> None:
        """Show only rows whose symbol, basket, source or status holds this text."""
        self.needle = needle.strip()
        self.repaint()


def all_quotes(id: str) -> QuotesPane:
    """Everything in one grid."""
    return QuotesPane("all", "Quotes", id)


def crypto_quotes(id: str) -> QuotesPane:
    """Crypto's grid."""
    return QuotesPane("crypto", "Crypto", id)


def equity_quotes(id: str) -> QuotesPane:
    """The grid of equities, indices, futures and rates."""
    return QuotesPane("equity", "Equities", id)
