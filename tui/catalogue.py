"""What there is to see: every pane, and the nine screens with the layouts that they start with.

A pane's module is imported when a layout first asks for it, so that the first paint waits for no pane out of sight.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui.widgets.bar import Bar
    from tui.widgets.linepane import LinePane


@dataclass(frozen=True, slots=True)
class Pane:
    """A pane that a layout may name."""

    module: str
    maker: str
    """Called with the pane's id, and with the layout's argument where one is given."""
    words: str
    """What it shows, for the palette and the completion."""


PANES: Final[Mapping[str, Pane]] = {
    "spreads": Pane("tui.panes.spreads", "SpreadsPane", "the table of size spreads"),
    "band": Pane("tui.panes.band", "BandPane", "the Russell 2000 in its band"),
    "levels": Pane("tui.panes.levels", "LevelsPane", "every support and resistance"),
    "gauges": Pane("tui.panes.gauges", "GaugesPane", "the gauges of divergence"),
    "baskets": Pane("tui.panes.baskets", "BasketsPane", "the crypto baskets"),
    "quotes": Pane("tui.panes.quotes", "all_quotes", "all quotes in one grid"),
    "crypto": Pane("tui.panes.quotes", "crypto_quotes", "the grid of crypto"),
    "equities": Pane("tui.panes.quotes", "equity_quotes", "the grid of equities, indices and rates"),
    "feeds": Pane("tui.panes.feeds", "FeedsPane", "the sources and their health"),
    "alerts": Pane("tui.panes.alerts", "AlertsPane", "the alerts that matter now"),
    "journal": Pane("tui.panes.journal", "JournalPane", "what was told, seen and delivered"),
    "rules": Pane("tui.panes.rules", "RulesPane", "the rules and what of them fires"),
    "evidence": Pane("tui.panes.evidence", "EvidencePane", "the evidence for a turn"),
    "claims": Pane("tui.panes.claims", "ClaimsPane", "what was claimed and what is measured"),
    "correlations": Pane("tui.panes.correlations", "CorrelationsPane", "correlations and leads"),
    "leadlag": Pane("tui.panes.leadlag", "LeadLagPane", "who leads whom, on ticks and on days"),
    "scanner": Pane("tui.panes.scanner", "ScannerPane", "the pair scanner"),
    "plans": Pane("tui.panes.plans", "PlansPane", "the trade plans"),
    "whatifs": Pane("tui.panes.whatifs", "WhatIfsPane", "where small caps would stand after a rotation"),
    "rotation": Pane("tui.panes.rotation", "RotationPane", "relative rotation"),
    "flows": Pane("tui.panes.flows", "FlowsPane", "money in and out of funds"),
    "facts": Pane("tui.panes.facts", "FactsPane", "figures from outside"),
    "heat": Pane("tui.panes.heat", "HeatPane", "correlations by colour"),
    "chart": Pane("tui.charts.pane", "from_layout", "a chart: of the spread under the cursor, or chart(^RUT 1Y)"),
    "chart-crypto": Pane("tui.charts.pane", "crypto_chart", "the chart of the ALT index against BTC"),
    "returns": Pane("tui.charts.pane", "returns_chart", "the distribution of returns of the spread under the cursor"),
    "sql": Pane("tui.panes.sql", "QueryPane", "a question in SQL and its answer"),
    "tables": Pane("tui.panes.sql", "TablesPane", "the live tables and their columns"),
    "queries": Pane("tui.panes.sql", "QueriesPane", "the saved queries"),
    "russell-line": Pane("tui.panes.brief", "RussellLine", "the Russell in one line"),
    "gauges-line": Pane("tui.panes.brief", "GaugesLine", "the gauges in one line"),
    "alert-line": Pane("tui.panes.alerts", "AlertLine", "the newest alert in one line"),
}
_NAME: Final = re.compile(r"(@?[a-z][a-z0-9_-]*)(?:\(([^()|]*)\))?")


def make(name: str) -> LinePane | Bar:
    """The pane that a layout's name means, `spreads` or `chart(IWM/SPY 1Y)`. Raises KeyError where there is none."""
    found = _NAME.fullmatch(name)
    kind, argument = (found[1], found[2]) if found else (name, None)
    if kind.startswith("@"):  # a saved query
        kind, argument = "sql", kind[1:]
    pane = PANES[kind]
    maker: Callable[..., LinePane | Bar] = getattr(importlib.import_module(pane.module), pane.maker)
    return maker(widget_id(name)) if argument is None else maker(widget_id(name), argument)


def warm() -> None:
    """Import what a key may ask for, for a thread: no first opening waits for it then."""
    for module in (*dict.fromkeys(pane.module for pane in PANES.values()), *LATER):
        importlib.import_module(module)


LATER: Final = (
    "tui.commands", "tui.command_more", "tui.widgets.commandline", "tui.export",
    "tui.screens.detail", "tui.screens.help", "tui.screens.chart",
)  # fmt: skip
"""Modules that are first needed when a key is pressed."""


def known(name: str) -> bool:
    """Whether there is such a pane."""
    found = _NAME.fullmatch(name)
    return found is not None and (found[1] in PANES or found[1].startswith("@"))


def widget_id(name: str) -> str:
    """The name as a widget's id, which may hold letters, digits, _ and - only."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", name.removeprefix("@")).rstrip("-")


@dataclass(frozen=True, slots=True)
class Place:
    """One of the nine screens."""

    number: int
    name: str
    """As layouts and `:screen` call it."""
    title: str
    tab: str
    """The title in one word."""
    words: str
    """What it answers; one sentence for the help."""
    main: tuple[str, ...]
    """Who has the focus at first, the first of these that stands there."""
    layouts: Mapping[str, tuple[str, ...]]
    """Smallest size → rows, as `tui.layouts` reads them."""


SCREENS: Final[tuple[Place, ...]] = (
    Place(1, "dashboard", "Dashboard", "Dashboard",
          "Everything at a glance: who leads, how stretched, does crypto agree.",
          ("crypto", "quotes"), {
        "0x0": ("1 russell-line", "1 gauges-line", "* quotes", "1 alert-line"),
        "0x18": ("10 spreads", "1 russell-line", "1 gauges-line", "* quotes", "1 alert-line"),
        "100x18": ("10 spreads | band 38", "1 gauges-line", "* crypto | equities 35 | feeds 31", "1 alert-line"),
        "100x30": ("11 spreads | band 38", "9 gauges 50 | baskets", "* crypto | equities 35 | feeds 31", "4 alerts"),
        "160x30": ("11 spreads 110 | band", "9 gauges 58 | baskets",
                   "* crypto | equities:3* / feeds:2* 91", "4 alerts"),
        "160x56": ("11 spreads 110 | band", "9 gauges 58 | baskets", "12 chart | chart(^RUT 3M)",
                   "* crypto | equities:3* / feeds:2* 91", "4 alerts"),
        "190x30": ("11 spreads 110 | chart | band 42", "9 gauges 58 | baskets 91 | chart-crypto",
                   "* crypto | equities:3* / feeds:2* 91", "4 alerts"),
        "190x56": ("13 spreads 108 | gauges 51 | band", "14 chart | chart(^RUT 3M) | rotation 80",
                   "* crypto | baskets:9 / equities / feeds:8 91", "4 alerts"),
    }),
    Place(2, "spreads", "Spreads", "Spreads",
          "The size spreads, the ratio's course and how stretched it is.", ("spreads",), {
        "0x0": ("* spreads",),
        "0x18": ("* spreads", "9 chart"),
        "100x18": ("10 spreads", "* chart"),
        "100x30": ("11 spreads", "* chart", "9 gauges 50 | returns"),
        "160x30": ("11 spreads 110 | gauges", "* chart | returns 58"),
        "160x50": ("12 spreads 110 | gauges", "2* chart", "* returns 80 | rotation"),
    }),
    Place(3, "levels", "Russell 2000", "Russell",
          "The Russell's support and resistance, and how near each is.", ("levels",), {
        "0x0": ("1 russell-line", "* levels"),
        "0x18": ("1 russell-line", "* chart(^RUT 1Y)", "7 levels"),
        "100x18": ("* chart(^RUT 1Y) | band 43",),
        "100x30": ("* chart(^RUT 1Y)", "11 band 43 | levels"),
        "160x30": ("* chart(^RUT 1Y)", "12 band 43 | levels | equities 62"),
    }),
    Place(4, "crypto", "Crypto", "Crypto",
          "Baskets, dominance and venues, to see whether crypto agrees.", ("crypto",), {
        "0x0": ("1 gauges-line", "* crypto"),
        "0x18": ("9 baskets", "1 gauges-line", "* crypto"),
        "100x30": ("9 baskets", "12 chart-crypto | chart(ETH/BTC 1Y)", "* crypto | feeds 40"),
        "160x30": ("10 baskets 91 | gauges", "14 chart-crypto | chart(ETH/BTC 1Y)", "* crypto | feeds 66"),
        "160x50": ("11 baskets 91 | gauges", "* chart-crypto | chart(ETH/BTC 1Y)", "* crypto | feeds 66"),
    }),
    Place(5, "flows", "Flows", "Flows",
          "Money in and out of funds, and figures from outside.", ("flows",), {
        "0x0": ("* flows",),
        "0x18": ("11 flows", "* facts"),
        "0x30": ("16 flows", "* facts"),
        "160x30": ("16 flows", "* facts 110 | chart(IWM 1Y)"),
        "160x50": ("18 flows", "* facts 110 | chart(IWM 1Y) / chart(IBIT 1Y)"),
    }),
    Place(6, "cross", "Cross-market", "Cross",
          "Correlations, who leads whom, pairs and rotation.", ("correlations",), {
        "0x0": ("* correlations",),
        "0x18": ("* scanner", "* leadlag"),
        "100x30": ("* scanner", "* leadlag 85 | rotation", "* correlations"),
        "160x30": ("16 scanner 119 | rotation", "* leadlag 91 | correlations"),
        "160x50": ("15 scanner", "* rotation | heat 85", "12 leadlag 91 | correlations"),
    }),
    Place(7, "regime", "Regime and claims", "Regime",
          "The evidence for a turn, and what was claimed about it.", ("evidence",), {
        "0x0": ("* evidence",),
        "0x18": ("* evidence", "* claims"),
        "160x30": ("* evidence 68 | claims",),
        "160x50": ("2* evidence 68 | claims", "3* chart(IWM/SPY MAX)", "8 whatifs"),
    }),
    Place(8, "alerts", "Alerts and plans", "Alerts",
          "What fires, what it told, and the plans it touches.", ("alerts",), {
        "0x0": ("* alerts",),
        "0x18": ("* alerts", "* journal", "7 plans"),
        "100x18": ("* alerts | rules 48", "* journal", "8 plans"),
        "160x30": ("* alerts | rules 76", "* journal", "10 plans | whatifs 72"),
    }),
    Place(9, "sql", "SQL", "SQL",
          "Any question to the live tables.", ("sql",), {
        "0x0": ("* sql",),
        "0x18": ("* sql", "7 queries"),
        "100x18": ("* tables:3* / queries:2* 36 | sql",),
        "160x30": ("* tables:3* / queries:2* 52 | sql",),
    }),
)  # fmt: skip
BY_NUMBER: Final = {place.number: place for place in SCREENS}
BY_NAME: Final = {place.name: place for place in SCREENS}
