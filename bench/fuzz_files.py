"""More decoders for `bench.fuzz_targets`: what is kept on disk and read again, what a user saves, types or hands in.

Whatever stands in a file of our own, a run begins with it as with none: it may refuse it in words, and no more.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import orjson

from bench.fuzz_samples import Target, mangled_bytes, string, text_of
from engine import calendar_file, sql
from engine.alert_setup import read_rules
from engine.config import Config
from engine.config_file import parse
from engine.errors import ConfigError, FeedError, SizewatchError, faults
from engine.plan_text import PlanTextError, parse_plan, parse_whatif, plan_of, whatif_of
from engine.store import decoded, encoded
from engine.view import Session
from feeds import markets, outside_facts, public
from feeds.flow_files import read_flow_bytes
from feeds.yahoo_http import Yahoo
from simulator.scenario import BUILT_IN, ScenarioError, load
from tui import saved

CONFIG: Final = Config()
NOW: Final = 1_767_972_600.0
CALENDAR: Final = ("2026-01-05", "2026-01-07")
RULES: Final = b"""
[rules.stretched]
on = "spreads"
when = "z252 > 2 AND status = 'ok'"
for = "30s"
cooldown = "1h"
severity = "warning"
message = "{pair} is stretched: {z252:+.2f}"
[rules.crossed]
cross = { symbol = "^RUT", level = 2300.0, direction = "up" }
[flows.groups]
small = ["IWM", "VB"]
[keys]
help = "f2"
[queries]
losers = "SELECT symbol FROM quotes"
"""
QUOTES: Final = {
    "quoteResponse": {"result": [{"symbol": "IWM", "regularMarketPrice": 259.46, "currency": "USD"}], "error": None}
}
DETAIL: Final = {"quoteSummary": {"result": [{"summaryDetail": {"totalAssets": {"raw": 6.4e10}, "navPrice": 259.4}}]}}
FACTS: Final = {"at": NOW, "facts": [["fear_greed", 40.0, "0-100", NOW, "alternative.me", 9e4, 1.5, "1d", ["a", "b"]]]}
NAMES: Final = {"at": NOW, "ids": {"BTC": "bitcoin", "ETH": None}}
LISTED: Final = {"fetched_at": NOW, "markets": [{"symbol": "BTC/USD", "spot": True, "active": True, "info": {}}]}
PLAN: Final = {
    "symbol": "IWM", "entry": 240.0, "stop": 230.0, "targets": [250.0], "targets_pct": [], "equity": 1e5,
    "risk_pct": 1.0, "max_notional": 0.0, "by": "2026-06-30",
}  # fmt: skip
QUERY: Final = "WITH a AS (SELECT symbol, last FROM quotes WHERE change_pct < -2) SELECT * FROM a ORDER BY last LIMIT 5"


class _Held:
    """As a file of those bytes, without a disk."""

    name = "kept.json"

    def __init__(self, blob: bytes) -> None:
        self._blob = blob

    def stat(self) -> SimpleNamespace:
        return SimpleNamespace(st_size=len(self._blob))

    def read_bytes(self) -> bytes:
        return self._blob


def _held(read: Callable[[Any], object]) -> Callable[[bytes], object]:
    """Has `read` look at a file with those bytes."""
    return lambda blob: read(_Held(blob))


def _file(read: Callable[[Path], object], name: str) -> Callable[[bytes], object]:
    """As `_held`, of a file that is looked for by its name."""

    def take(blob: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(blob)
            return read(path)

    return take


def _json(value: Any, chance: Any) -> bytes:
    return text_of(value, chance).encode()


def _answered(ask: Callable[[Yahoo], object]) -> Callable[[str], object]:
    """Has Yahoo's client read an answer with that text."""
    client = Yahoo.__new__(Yahoo)
    client._timeout = 1.0

    def take(text: str) -> object:
        answer = SimpleNamespace(content=text.encode(), status_code=200, url="https://query1.finance.yahoo.com/x")
        client._data = SimpleNamespace(get=lambda *_, **__: answer)
        return ask(client)

    return take


def _bars(blob: bytes) -> None:
    try:
        decoded(blob)
    except faults():
        return


def _bar_file() -> bytes:
    import polars as pl

    from engine.tables import BARS

    hours = pl.datetime_range(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC), "1h", eager=True)
    frame = pl.DataFrame({"time": hours, **dict.fromkeys(list(BARS)[1:], 1.5)}).cast(BARS)
    return encoded(frame, "USD")


def _calendar(path: Path) -> None:
    calendar_file.read([path.parent], "XNYS", *CALENDAR)


def _calendar_file() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        days = [Session(20_000 + n, 1e9 + n * 86_400.0, 1e9 + n * 86_400.0 + 23_400.0, n == 3) for n in range(20)]
        calendar_file.write([Path(folder)], "XNYS", *CALENDAR, days)
        return orjson.loads(next(Path(folder).iterdir()).read_bytes())


def _ruled(blob: bytes) -> None:
    read_rules(parse(blob, Path("config.toml"), {}))


def _workbooks() -> tuple[bytes, ...]:
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet("navhist")
        sheet.write_row(0, 0, ["Ticker Symbol:", "MDY"])
        sheet.write_row(2, 0, ["Date", "NAV", "Shares Outstanding", "Total Net Assets"])
        sheet.write_row(3, 0, ["08-Jan-2026", 600.5, 41_000_000, 2.46e10])

    def line(*words: str) -> str:
        return "".join(
            f'<ss:Cell ss:Index="{n}"><ss:Data>{word}</ss:Data></ss:Cell>' for n, word in enumerate(words, 1)
        )

    heading = line("As Of", "NAV per Share", "Shares Outstanding")
    table = f"<ss:Row>{line('08-Jan-2026', '257.1', '250000000')}</ss:Row><ss:Row>{line('Notes &amp; terms')}</ss:Row>"
    xml = (
        '<?xml version="1.0"?><ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<ss:Worksheet ss:Name="Historical"><ss:Table><ss:Row>{heading}</ss:Row>{table}</ss:Table></ss:Worksheet>'
        "</ss:Workbook>"
    )
    return file.getvalue(), xml.encode()


def more() -> tuple[Target, ...]:
    """All of them."""
    scenario = (BUILT_IN / "january-2026.toml").read_bytes()[:6000]
    layout = b'[dashboard]\n"100x30" = ["11 spreads | band 39", "* crypto | equities 35"]\n'
    books = ["quotes", "spreads", "levels"]
    refused = (SizewatchError,)
    return (
        Target("workbook", _workbooks(), lambda blob: read_flow_bytes("x.xls", blob), refused, mangled_bytes),
        Target("bar-file", (_bar_file(),), _bars, (), mangled_bytes),
        Target("kept-markets", (LISTED,), _held(lambda path: markets._read(path, NOW)), (), _json),
        Target("kept-facts", (FACTS,), _held(outside_facts._kept), (), _json),
        Target("kept-names", (NAMES,), _held(lambda path: public._kept_names(path, NOW, ("BTC", "ETH"))), (), _json),
        Target("calendar", (_calendar_file(),), _file(_calendar, "calendar-XNYS.json"), (), _json),
        Target(
            "layout", (layout,), _file(lambda path: saved.layout(path.parents[1], "mine"), "layouts/mine.toml"),
            (saved.SavedError,), mangled_bytes,
        ),
        Target(
            "queries", (b'losers = "SELECT 1"\n',), _file(lambda path: saved.queries(path.parent), "queries.toml"),
            (saved.SavedError,), mangled_bytes,
        ),
        Target("rules", (RULES,), _ruled, (ConfigError,), mangled_bytes),
        Target("sql", (QUERY,), lambda text: sql.checked(text, books), (sql.SqlError,), string),
        Target("plan", ("IWM stop 230 target 250 risk 1% of 100k by 2026-06-30",),
               lambda text: parse_plan(text, CONFIG), (PlanTextError,), string),
        Target("whatif", ("large +5% relative -2%",), parse_whatif, (PlanTextError,), string),
        Target("kept-plan", (PLAN,), lambda data: plan_of(data if isinstance(data, dict) else {}), (PlanTextError,)),
        Target("kept-whatif", ({"large_pct": 5.0, "relative_pct": -2.0},),
               lambda data: whatif_of(data if isinstance(data, dict) else {}), (PlanTextError,)),
        Target("yahoo-quotes", (QUOTES,), _answered(lambda yahoo: yahoo.quotes(("IWM",))), (FeedError,), text_of),
        Target("yahoo-fund", (DETAIL,), _answered(lambda yahoo: yahoo.fund("IWM")), (FeedError,), text_of),
        Target("scenario", (scenario,), _file(lambda path: load(str(path)), "own.toml"), (ScenarioError,),
               mangled_bytes),
    )  # fmt: skip
