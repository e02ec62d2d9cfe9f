"""The commands of questions in SQL and of layouts, and the words that complete them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engine.model import Intent
from tui import catalogue, layouts
from tui.command_words import begun, wrong
from tui.saved import SavedError
from tui.screens.panes import PaneScreen

if TYPE_CHECKING:
    from engine.config import Config
    from tui.app import SizewatchApp
    from tui.panes.sql import QueryPane

KEYWORDS: Final = (
    "SELECT", "FROM", "WHERE", "ORDER BY", "GROUP BY", "LIMIT", "DESC", "AND", "OR", "NOT", "IS NULL", "IS NOT NULL",
    "JOIN", "ON", "AS", "COUNT(*)", "AVG(", "SUM(", "MIN(", "MAX(", "ABS(", "ROUND(", "WITH", "LIKE", "IN", "CASE",
)  # fmt: skip


def sql_words(text: str, config: Config) -> list[str]:
    """Columns of the tables that are named, the tables, and SQL's own words; after FROM and JOIN the tables."""
    from engine.tables import TABLES

    words = text.split()
    last = "" if text.endswith(" ") or not words else words[-1]
    before = words[-1 if text.endswith(" ") else -2].upper() if len(words) > (not text.endswith(" ")) else ""
    if before in ("FROM", "JOIN"):
        return begun(last, TABLES)
    named = [name for name in TABLES if re.search(rf"\b{name}\b", text)]
    columns = [column for name in named or ("quotes",) for column in TABLES[name]]
    every = begun(last, [*columns, *KEYWORDS, *TABLES])
    return every if last else every[:40]


async def _pane(app: SizewatchApp) -> QueryPane | None:
    """The pane of questions on screen 9."""
    from tui.panes.sql import QueryPane

    await app.action_screen(9)
    here = app.screen
    if not isinstance(here, PaneScreen):
        return None
    pane = here.body.panes.get("sql")
    if pane is None or not pane.is_on_screen:
        here.go_to("sql")
        pane = here.body.panes.get("sql")
    return pane if isinstance(pane, QueryPane) else None


async def sql(app: SizewatchApp, text: str) -> str | None:
    """Ask; the answer stands on screen 9 when it has come."""
    if not text:
        return "ask what? such as `sql SELECT symbol, last FROM quotes LIMIT 5`"
    pane = await _pane(app)
    if pane is None:
        return "this layout has no pane for the answer; `:pane add sql` makes one"
    pane.screen.set_focus(pane)
    pane.ask(app.queries().get(text.removeprefix("@"), text))
    return None


def queries(text: str, config: Config) -> list[str]:
    """Names of the configuration's queries."""
    return begun(text, config.queries)


async def keep(app: SizewatchApp, text: str) -> str | None:
    """Keep the last question."""
    pane = await _pane(app)
    if pane is None or not pane.asked:
        return "nothing was asked yet"
    try:
        where = app.shelf.keep_query(text, pane.asked)
    except SavedError as error:
        return str(error)
    app.notify(f"kept “{text}” in {where}", timeout=6)
    return None


def layout_words(text: str, config: Config) -> list[str]:
    """What may be said of layouts."""
    return begun(text, ("save", "built-in"))


async def layout(app: SizewatchApp, text: str) -> str | None:
    """Use a layout, or save the one that stands."""
    what, _, name = text.partition(" ")
    try:
        if what == "save":
            where = app.shelf.keep_layout(name, {n: layouts.text(made) for n, made in app.screens.items()})
            app.notify(f"layout “{name}” kept in {where}", timeout=6)
            return None
        if what == "built-in":
            app.use_layouts({place.name: layouts.read(place.layouts) for place in catalogue.SCREENS})
            return None
        if not what:
            return "layout what? a saved one's name, `save NAME` or `built-in`"
        saved = app.shelf.layout(what)
        unknown = next((screen for screen in saved if screen not in catalogue.BY_NAME), None)
        if unknown is not None:
            return wrong("screen", unknown, catalogue.BY_NAME)
        app.use_layouts({screen: layouts.read(rows) for screen, rows in saved.items()})
    except (SavedError, layouts.LayoutError) as error:
        return str(error)
    return None


async def level(app: SizewatchApp, text: str) -> str | None:
    """Mark a price: below the last one it is a support, above a resistance."""
    name, _, price = text.replace("_", "").rpartition(" ")
    symbol = next((s for s in app.config.symbols if name.upper() in (s, s.partition("/")[0])), None)
    try:
        value = float(price.replace(",", ""))
    except ValueError:
        return f"“{price}” is no price; such as `level ^RUT 2150`"
    if symbol is None:
        return wrong("symbol", name, app.config.symbols)
    snapshot = app.eye.look().snapshot
    quotes = snapshot.tables.get("quotes") if snapshot is not None else None
    found = quotes.filter(quotes.get_column("symbol") == symbol) if quotes is not None else None
    last = found.get_column("last").item() if found is not None and found.height else None
    if last is None:
        return f"{symbol} has no price yet, so that nothing says on which side {value:g} lies"
    role = "support" if value < last else "resistance"
    app.send(Intent("level", {"symbol": symbol, "price": str(value), "role": role}))
    app.notify(f"{symbol} {role} {value:,.2f} for this run; `[levels]` of the configuration keeps one", timeout=5)
    return None
