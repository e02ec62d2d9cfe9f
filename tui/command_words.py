"""What the commands do, and the words that complete them; each answers one line where something is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from tui import catalogue, keys, layouts
from tui import export as files_out
from tui import theme as colours
from tui.placed import placed
from tui.screens.panes import PaneScreen

if TYPE_CHECKING:
    from engine.config import Config
    from tui.app import SizewatchApp


def begun(text: str, words: Iterable[str]) -> list[str]:
    """The words that the text's last word may become: those that begin so, then those that hold it."""
    low = text.rpartition(" ")[2].lower()
    every = list(dict.fromkeys(words))
    first = [word for word in every if word.lower().startswith(low)]
    return first + [word for word in every if low in word.lower() and word not in first]


def wrong(what: str, name: str, there: Iterable[str]) -> str:
    """One line: there is no such thing, and what there is."""
    every = list(there)
    near = get_close_matches(name, every, n=3, cutoff=0.4)
    return f"no {what} “{name}”; {'did you mean' if near else 'there are'} {', '.join(near or every[:20])}"


def _here(app: SizewatchApp) -> PaneScreen | None:
    """The screen of panes in sight."""
    return app.screen if isinstance(app.screen, PaneScreen) else None


# --- where things are


def names_of(config: Config) -> list[str]:
    """Everything that has a chart: symbols, crypto's bases, pairs, baskets and ALT."""
    return [*config.spreads.pairs, *config.symbols, "ALT", *config.crypto.baskets]


def symbols(text: str, config: Config) -> list[str]:
    """Symbols and pairs."""
    return begun(text, names_of(config))


def chart_words(text: str, config: Config) -> list[str]:
    """A symbol first, then spans, intervals and the rest."""
    from tui.charts.words import complete

    return list(complete(text, config))


async def chart(app: SizewatchApp, text: str) -> str | None:
    """Open the chart."""
    from tui.screens.chart import open_chart

    if not text:
        return "chart what? such as `chart IWM/SPY 1Y`"
    return await open_chart(app, text)


async def detail(app: SizewatchApp, text: str) -> str | None:
    """Open the detail of a symbol or a pair."""
    from tui.screens.detail import open_detail

    if not text:
        return "detail of what? such as `detail BTC/USD`"
    name = text.upper() if text.upper() in (there := names_of(app.config) + list(app.config.crypto.bases)) else text
    if name not in there:
        return wrong("symbol", text, there)
    await open_detail(app, name)
    return None


def alert_words(text: str, config: Config) -> list[str]:
    """Tables, columns and symbols."""
    from engine.alert_text import completions

    return list(completions(text, config.symbols, config.spreads.pairs))


async def alert(app: SizewatchApp, text: str) -> str | None:
    """Open the form of a new alert with what was said."""
    from tui.screens.alert_form import AlertForm

    await app.push_screen(AlertForm(text))
    return None


# --- screens and panes


def screens(text: str, config: Config) -> list[str]:
    """The nine names."""
    return begun(text, catalogue.BY_NAME)


async def screen(app: SizewatchApp, text: str) -> str | None:
    """Go to a screen by its name or number."""
    by_number = {str(number): place for number, place in catalogue.BY_NUMBER.items()}
    place = by_number.get(text) or next(
        (p for p in catalogue.SCREENS if text and text.lower() in (p.name, p.tab.lower(), p.title.lower())), None
    )
    if place is None:
        return wrong("screen", text, catalogue.BY_NAME)
    await app.action_screen(place.number)
    return None


def panes(text: str, config: Config) -> list[str]:
    """The panes, and what can be done to one."""
    return begun(text, [*catalogue.PANES, *(() if " " in text else ("add", "drop"))])


async def pane(app: SizewatchApp, text: str) -> str | None:
    """Go to a pane of this screen."""
    here = _here(app)
    if here is None:
        return "no panes here"
    what, _, name = text.partition(" ")
    focused = here.name_of(here.focused_pane())
    rows = here.body.rows
    there = [n for row in rows for n in row.panes]
    problem = None
    if what == "drop" and (focused is None or len(there) == 1):
        problem = "the last pane of a screen stays"
    elif what == "drop" and focused is not None:
        here.rearrange(layouts.without(rows, focused))
    elif what == "add" and not catalogue.known(name):
        problem = wrong("pane", name, catalogue.PANES)
    elif what == "add" and name in there:
        problem = f"{name} stands here already"
    elif what == "add":
        here.rearrange(layouts.beside(rows, name, focused or there[0]))
    elif not here.go_to(text):
        problem = wrong("pane here", text, here.body.names)
    return problem


# --- looks


def themes(text: str, config: Config) -> list[str]:
    """The themes' names."""
    return begun(text, colours.names())


async def theme(app: SizewatchApp, text: str) -> str | None:
    """Use a theme."""
    if text not in colours.names():
        return wrong("theme", text, colours.names())
    app.theme = colours.full_name(text)
    return None


# --- rows


def columns(text: str, config: Config) -> list[str]:
    """Columns of the quotes."""
    from tui.panes.quotes import columns_for, ordered

    return begun(text, ordered(columns_for(True, 0)))


async def sort(app: SizewatchApp, text: str) -> str | None:
    """Sort the grid in focus, or the main one, by a column."""
    here = _here(app)
    name, _, way = text.partition(" ")
    if way.strip() not in ("", "reverse"):
        return f"“{way.strip()}”: only `reverse` may stand after the column"
    if here is None or not here.rows_pane().sorts:
        return "nothing here can be sorted"
    return here.rows_pane().sort_by(name, reverse=bool(way))


async def narrow(app: SizewatchApp, text: str) -> str | None:
    """Filter the rows as `/` does."""
    here = _here(app)
    if here is None:
        return "nothing here can be filtered"
    here.narrow(text)
    return here.unfit() or None


# --- actions by name


async def action(app: SizewatchApp, name: str) -> str | None:
    """Carry out the action of this id."""
    found = next(a for a in keys.ACTIONS if a.id == name)
    await app.run_action(found.call, default_namespace=app.screen)
    return None


# --- out of the program


async def copy(app: SizewatchApp, text: str) -> str | None:
    """Copy one value of the row under the cursor."""
    here = _here(app)
    record = here.focused_pane().record() if here is not None else None
    if record is None:
        return "there is no row here"
    if not text:
        return f"copy which value? such as `copy {next(iter(record))}`; `y` copies the row"
    if text not in record:
        return wrong("column", text, record)
    value = record[text]
    app.copy_to_clipboard("" if value is None else str(value))
    app.notify(f"copied {text} of {next(iter(record.values()))}", timeout=2)
    return None


def files(text: str, config: Config) -> list[str]:
    """Folders and files that the text may become."""
    word = text.rpartition(" ")[2]
    base = Path(word).expanduser()
    folder = base if word.endswith("/") else base.parent
    lead = word if word.endswith("/") else word[: len(word) - len(base.name)]
    try:
        names = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir() if not p.name.startswith("."))
    except OSError:
        return []
    start = "" if word.endswith("/") else base.name
    return [lead + name for name in names if name.startswith(start)][:50]


async def export(app: SizewatchApp, text: str) -> str | None:
    """Write the focused pane's table in a thread; says where, or what is wrong."""
    here = _here(app)
    frame = here.focused_pane().table() if here is not None else None
    if frame is None:
        return "this pane has no table"
    try:
        path = files_out.target(text, files_out.TABLE_KINDS)
        rows = await asyncio.to_thread(files_out.write_table, frame, path)
    except files_out.ExportError as error:
        return str(error)
    app.notify(f"{rows:,} rows → {path}", timeout=6)
    return None


async def picture(app: SizewatchApp, text: str) -> str | None:
    """Write the screen as it stands."""
    try:
        path = files_out.target(text, files_out.SCREEN_KINDS)
        if path.suffix.lower() == ".svg":
            drawn = placed(app.export_screenshot(title="sizewatch"))
        else:
            strips = app.screen._compositor.render_strips()
            drawn = "\n".join(strip.text.rstrip() for strip in strips) + "\n"
        await asyncio.to_thread(files_out.write_text, drawn, path)
    except files_out.ExportError as error:
        return str(error)
    app.notify(f"the screen → {path}", timeout=6)
    return None
