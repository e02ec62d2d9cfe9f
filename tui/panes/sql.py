"""A question in SQL and its answer, asked again while its tables change; the worker process answers, never this one.

A query that fails costs one line here. The newest answer stands until the next one has come; its age is in the title.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from engine.errors import SizewatchError
from tui import format as fmt
from tui.lines import Column, Line, Span, choose, column_at, fit, heading, marked, merged, notes, row, wrap
from tui.saved import READY
from tui.view import View
from tui.widgets.linepane import LinePane

if TYPE_CHECKING:
    import polars as pl

    from engine.sql import Answer
    from tui.app import SizewatchApp

AGAIN_S: Final = 5.0
"""Seconds after an answer before its question is asked again."""
SAMPLE: Final = 200
"""Rows that the columns' widths and digits are measured on."""
FIRST: Final = "movers"
"""The ready query that stands here until another is asked."""
LARGE: Final = 1e7
"""A column that holds a number of this size or more is shown with magnitudes: `171.0 mn`."""
COMPACT: Final = -1
"""Stands for the decimals of such a column."""
TEXT: Final = 28
"""Cells of a text column at the most."""
ON_WISH: Final = frozenset({"bars", "charts"})
"""Tables that hold what charts ask for, and nothing where no chart stands."""


def change(name: str) -> bool:
    """Whether a column holds changes, by its name: two decimals, a sign and a direction."""
    return (name.endswith("_pct") and name != "dominance_pct") or name.startswith("pp_")


def digits(name: str, value: float) -> int:
    """Decimals of a number: two for changes and seconds, else by its size."""
    return 2 if change(name) or name.endswith("_s") else fmt.price_digits(abs(value))


def cell(name: str, value: object) -> str:
    """One value of a column as text; a list as its course, a missing one as `–`."""
    text = " ".join(str(value).split())
    match value:
        case None:
            text = fmt.MISSING
        case bool():
            text = "yes" if value else "no"
        case int():
            text = fmt.number(value, 0)
        case float():
            text = (fmt.signed if change(name) else fmt.number)(value, digits(name, value))
        case datetime():
            # conditions compare in UTC, so that is how it is shown
            text = f"{value:%m-%d %H:%M:%S}{'' if value.tzinfo is None else 'Z'}"
        case list():
            known = [v if isinstance(v, int | float) else None for v in value]
            text = fmt.sparkline(known, min(12, len(known)))
    return text


def aligned(name: str, value: object, decimals: int) -> str:
    """The same, padded so that the decimal points of the column stand below each other."""
    if decimals == COMPACT and isinstance(value, int | float):
        return fmt.compact(value)
    text = cell(name, value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return fmt.on_point(text, decimals) if decimals > 0 and (number or value is None) else text


def columns_of(frame: pl.DataFrame) -> tuple[tuple[Column, ...], Mapping[str, int]]:
    """The columns of an answer, the first the most important, and the decimals of each."""
    sample = frame.head(SAMPLE)
    columns, decimals = [], {}
    for rank, name in enumerate(frame.columns):
        values = sample.get_column(name).to_list()
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        decimals[name] = max((digits(name, v) for v in numbers if isinstance(v, float)), default=0)
        if any(isinstance(v, float) and abs(v) >= LARGE for v in numbers):
            decimals[name] = COMPACT
        wide = max([len(name), *(len(aligned(name, v, decimals[name])) for v in values)])
        columns.append(Column(name, name, min(wide, TEXT), ">" if numbers else "<", rank=rank, gap=2 if rank else 1))
    return tuple(columns), decimals


def stale_share(tables: Sequence[pl.DataFrame]) -> tuple[int, int]:
    """Rows of tables that are stale, and all of them, in the tables that say how good their rows are."""
    states = [frame.get_column("status") for frame in tables if "status" in frame.columns]
    return sum(int((s == "stale").sum()) for s in states), sum(len(s) for s in states)


class QueryPane(LinePane):
    """One question and its answer."""

    heading = "SQL"
    sorts = True

    def __init__(self, id: str, saved: str = "") -> None:
        """saved: the name of a saved query that stands here; empty: whatever is asked."""
        super().__init__(id=id)
        self.saved = saved
        self.asked = ""
        self.problem = ""
        self._answer: Answer | None = None
        self._answered_at = 0.0
        self._future: Future[Answer] | None = None
        self._tables: tuple[pl.DataFrame, ...] = ()
        self._bare: tuple[str, ...] = ()
        """Those of them that have no rows."""
        self._stale = (0, 0)
        """Rows that are stale, and all, of the tables that the question was last put to."""
        self._fresh = False
        self._sort: tuple[str, bool] = ("", False)
        self._shown: pl.DataFrame | None = None
        self._columns: tuple[Column, ...] = ()
        self._every: tuple[Column, ...] = ()
        self._decimals: Mapping[str, int] = {}

    # --- asking

    def ask(self, text: str) -> None:
        """Ask another question, at once."""
        self.asked, self.problem = " ".join(text.split()), ""
        self._answer, self._shown, self._sort = None, None, ("", False)
        if self._future is not None:
            self._future.cancel()
        self._future, self._tables, self._answered_at = None, (), 0.0
        self.cursor = None
        if self.view is not None:
            self.show(self.view)

    def show(self, view: View) -> None:
        self.view = view
        if self.saved and not self.asked:
            self.asked = cast("SizewatchApp", self.app).queries().get(self.saved, "")
            self.problem = "" if self.asked else f"no saved query “{self.saved}”; [queries] names them, :keep saves one"
        elif not self.asked:
            self.asked = READY[FIRST]
        self._take(view)
        self._put(view)
        super().show(view)

    def _take(self, view: View) -> None:
        """Take the answer, where it has come."""
        future = self._future
        if future is None or not future.done():
            return
        self._future, self._fresh, self._answered_at = None, True, view.now
        try:
            self._answer, self.problem = future.result(), ""
        except CancelledError:
            return
        except SizewatchError as error:
            self.problem = str(error)
            return
        self._every, self._decimals = columns_of(self._answer.frame)
        self._arrange()

    def _put(self, view: View) -> None:
        """Put the question where it is due: its tables have changed and the last answer is old enough."""
        snapshot = view.snapshot
        if not self.asked or self._future is not None or snapshot is None or view.frozen_since is not None:
            return
        from engine.sql import named, run

        names = named(self.asked, snapshot.tables)
        tables = tuple(snapshot.tables[name] for name in names)
        same = len(tables) == len(self._tables) and all(a is b for a, b in zip(tables, self._tables, strict=True))
        if self._answered_at and (same or view.now - self._answered_at < AGAIN_S):
            return
        worker = cast("SizewatchApp", self.app).worker
        if worker is None:
            self.problem, self._fresh, self._answered_at = "no worker process answers queries here", True, view.now
            return
        self._tables = tables
        self._bare = tuple(name for name, frame in zip(names, tables, strict=True) if frame.is_empty())
        self._stale = stale_share(tables)
        limit = snapshot.config.worker.query_timeout_s
        self._future = worker.submit(run, self.asked, dict(zip(names, tables, strict=True)), timeout_s=limit)

    # --- drawing

    def wants_repaint(self, view: View) -> bool:
        fresh, self._fresh = self._fresh, False
        return fresh

    def _arrange(self) -> None:
        """Put the answer into the order that was asked for."""
        frame = self._answer.frame if self._answer is not None else None
        name, reverse = self._sort
        if frame is not None and name in frame.columns:
            frame = frame.sort(name, descending=reverse, nulls_last=True, maintain_order=True)
        self._shown = frame
        self.rows = [str(i) for i in range(frame.height)] if frame is not None else []

    def prepare(self, view: View, width: int) -> None:
        head: list[Line] = []
        if self.asked and not self.saved:
            head.append(((fit(f" {self.asked}", width), "dim"),))
        if self.problem:
            head.append(((" ✗ ", "alert"), (fit(self.problem, max(0, width - 4)), "alert")))
        if self._shown is None or not self.asked:
            self.rows = []
        elif self._shown.width:
            self._columns = choose(self._every, width - 1)
            name, reverse = self._sort
            head.append(((" ", "head"), *heading(self._columns, name, reverse)))
        self.head = tuple(head)
        said = []
        if self._shown is not None and not self.rows:
            said.append("no row answers it now; `Q` asks another question")
        if self._shown is not None and not self.problem:
            why = "; it holds what charts ask for: `:chart IWM`"
            said += [f"`{name}` has no rows now{why if name in ON_WISH else ''}" for name in self._bare]
        self.foot = notes(said, width, "   ")

    def body(self, start: int, stop: int) -> Sequence[Line]:
        if self._shown is None:
            return []
        old, every = self._stale
        # an answer's rows need not carry a status: where all that was asked is stale, so is whatever came of it
        stuck = (self.view is not None and self.view.stuck) or 0 < old == every
        lines = []
        for record in self._shown[start:stop].iter_rows(named=True):
            cells: dict[str, Span] = {c.key: self._cell(c, record) for c in self._columns}
            line: Line = ((" ", "dim"), *merged(row(self._columns, cells)))
            lines.append(marked(line, record.get("status") or "ok", stuck))
        return lines

    def _cell(self, column: Column, record: Mapping[str, Any]) -> Span:
        value = record[column.key]
        text = aligned(column.key, value, self._decimals[column.key])
        if isinstance(value, float) and change(column.key):
            return text, fmt.direction(value)
        return text, "missing" if value is None else "bright" if column is self._columns[0] else "text"

    def title(self, view: View) -> str:
        parts = [f"@{self.saved}" if self.saved else f"{self.heading} ─ Q asks"]
        answer = self._answer
        if answer is not None and self.asked:
            more = answer.rows - answer.frame.height
            parts.append(
                f"{answer.rows:,} row{'s' * (answer.rows != 1)}"
                + (f", the first {answer.frame.height:,}" if more else "")
            )
            hidden = len(self._every) - len(self._columns)
            if hidden > 0:
                parts.append(f"{hidden} columns more on Enter")
        if self._stale[0] and answer is not None:
            parts.append(f"◌ {self._stale[0]:,} of {self._stale[1]:,} rows asked are stale")
        return " ─ ".join(parts)

    def waiting(self, view: View) -> str:
        if self.problem:
            return "the tables at the left can be asked; Q changes the question"
        if self.asked:
            return "asking"
        return "Q asks a question in SQL"

    # --- what the keys ask for

    def record(self) -> dict[str, object] | None:
        return self._shown.row(self.index(), named=True) if self._shown is not None and self.rows else None

    def table(self) -> pl.DataFrame | None:
        return self._shown

    def next_sort(self) -> None:
        names = ["", *(c.key for c in self._columns)]
        at = names.index(self._sort[0]) if self._sort[0] in names else 0
        self.sort_by(names[(at + 1) % len(names)], reverse=False)

    def turn_round(self) -> None:
        self.sort_by(self._sort[0], reverse=not self._sort[1])

    def heading_at(self, x: int) -> tuple[str, bool]:
        column = column_at(self._columns, x - 1) if self._shown is not None else None
        return (column.key, column.key == self._sort[0]) if column is not None else ("", False)

    def sortable(self) -> list[str]:
        return [c.key for c in self._every]

    def sort_by(self, column: str, *, reverse: bool) -> str | None:
        there = self.sortable()
        if column and column not in there:
            return f"no column “{column}”; there are {', '.join(there)}"
        self._sort = (column, reverse)
        self._arrange()
        self.repaint()
        return None


class TablesPane(LinePane):
    """The live tables, and the columns of the one under the cursor."""

    heading = "Tables"

    def wants_repaint(self, view: View) -> bool:
        heights = tuple(f.height for f in view.snapshot.tables.values()) if view.snapshot else ()
        changed, self._heights = heights != getattr(self, "_heights", None), heights
        return changed

    def prepare(self, view: View, width: int) -> None:
        self._tables = view.snapshot.tables if view.snapshot is not None else {}
        self.rows = list(self._tables)
        self._width = width
        self.foot = ()
        if self.rows:
            frame = self._tables[self.rows[self.index()]]
            words = wrap(", ".join(frame.columns), max(10, width - 2))
            self.foot = ((("", "dim"),), *(((f" {line}", "dim"),) for line in words))

    def body(self, start: int, stop: int) -> Sequence[Line]:
        room = max(0, self._width - 8)
        return [
            ((f" {fit(name, room)}", "bright"), (f"{self._tables[name].height:>6,}", "dim"))
            for name in self.rows[start:stop]
        ]

    def move_to(self, row: int) -> None:
        super().move_to(row)
        self.repaint()

    def record(self) -> dict[str, object] | None:
        if not self.rows:
            return None
        name = self.rows[self.index()]
        return {"table": name, **{column: str(kind) for column, kind in self._tables[name].schema.items()}}

    def enter_says(self) -> str | None:
        return f"sql SELECT * FROM {self.rows[self.index()]}" if self.rows else None

    def title(self, view: View) -> str:
        return "Tables ─ Enter shows"


class QueriesPane(LinePane):
    """The saved queries."""

    heading = "Queries"

    def wants_repaint(self, view: View) -> bool:
        return cast("SizewatchApp", self.app).queries() != getattr(self, "_queries", None)

    def prepare(self, view: View, width: int) -> None:
        self._queries = dict(cast("SizewatchApp", self.app).queries())
        self.rows = list(self._queries)
        self._width = width

    def body(self, start: int, stop: int) -> Sequence[Line]:
        return [
            ((f" {fit(name, 10)} ", "bright"), (fit(self._queries[name], max(0, self._width - 13)), "dim"))
            for name in self.rows[start:stop]
        ]

    def record(self) -> dict[str, object] | None:
        return {"name": self.rows[self.index()], "query": self._queries[self.rows[self.index()]]} if self.rows else None

    def enter_says(self) -> str | None:
        return f"sql {self._queries[self.rows[self.index()]]}" if self.rows else None

    def title(self, view: View) -> str:
        return "Queries ─ :keep NAME saves"
