"""The detail page says of every column of every live table what it means, shortly, and as it is meant in that table."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from engine.outside import DOMINANCE
from engine.outside_tables import BREAK_EVEN, EXPECTED, YIELDS
from engine.regime import evidence
from engine.tables import HORIZONS, TABLES
from feeds import outside_answers as answers
from tui.definitions import WORDS, definition
from tui.lines import plain
from tui.meanings import ELSEWHERE, EVIDENCE, FACTS, GAUGES, NAMED
from tui.screens.detail import detail_lines

NAMES: Final = frozenset(
    {"symbol", "pair", "fund", "fact", "rule", "evidence", "plan", "whatif", "claim", "gauge", "name"}
)
"""Columns that hold a thing's own name, and say no more."""
LONGEST: Final = 60
"""Characters of a definition: what stands beside a value is narrow."""


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_column_has_a_definition(table: str) -> None:
    record = dict.fromkeys(TABLES[table])
    unsaid = [column for column in record if column not in NAMES and not definition(column, record)]
    assert not unsaid, f"{table}: without a definition"


def test_no_name_is_let_off_that_is_no_column_or_has_a_definition() -> None:
    columns = {column for schema in TABLES.values() for column in schema}
    assert columns >= NAMES
    assert not [name for name in NAMES if definition(name)]


def test_definitions_are_short_and_their_first_words_tell_them_apart() -> None:
    tables = (*ELSEWHERE.values(), *NAMED.values(), WORDS)
    assert not [words for table in tables for words in table.values() if len(words) > LONGEST]
    for table in (GAUGES, EVIDENCE):
        assert len({words[:24] for words in table.values()}) == len(table)


def test_a_name_that_several_tables_use_means_what_it_does_in_each() -> None:
    found = {name: definition("z252", dict.fromkeys(TABLES[name])) for name in ("spreads", "bars")}
    assert len(set(found.values())) == 2
    assert definition("low", dict.fromkeys(TABLES["levels"])) == "lower edge of the band around the level"
    assert definition("low", dict.fromkeys(TABLES["bars"])) == "the lowest price in it"
    assert definition("fired_at", dict.fromkeys(TABLES["rules"])) == "when it last fired"
    assert definition("fired_at", dict.fromkeys(TABLES["alerts"])) == "when it was told"
    assert definition("last", dict.fromkeys(TABLES["charts"])) == "when the newest bar opened"
    assert definition("z", dict.fromkeys(TABLES["scanner"])).startswith("of the residual")
    assert definition("source", {"said": "5", "source": "an article"}) == "who said it"


def test_the_value_of_every_gauge_fact_and_item_of_evidence_has_its_own() -> None:
    assert list(GAUGES) == ["D1", "D2", "D3", "D4", "D5", "D6"]
    made = evidence(
        np.zeros(0), np.zeros(0, dtype=np.int64), rel_5y=None, rel_3m=None, streak_years=None, streak_leader=None,
        small_share_percentile=None, breadth50_small=None, breadth50_large=None, cuts_bp=None,
    )  # fmt: skip
    assert set(EVIDENCE) == {item.item for item in made}
    asked = {name for _, _, facts in EXPECTED for name, _ in facts}
    named = {*answers.CATEGORIES.values(), *(name for name, _ in answers.SERIES.values())}
    dominance = {DOMINANCE, f"{DOMINANCE}_30d"}
    priced = {*YIELDS, BREAK_EVEN, "fed_cut_probability", "fed_rate_after"}
    assert set(FACTS) == asked | named | dominance | priced | {"small_cap_etfs_new"}
    assert definition("value", {"fact": "fear_greed", "value": 40.0}) == "0: extreme fear, 100: extreme greed"
    assert definition("value", {"fact": "tomorrow's", "value": 1.0}) == "what is measured now"


def test_spans_are_in_the_words_of_their_table() -> None:
    for horizon in HORIZONS:
        assert definition(f"rel_{horizon}").startswith("change of the ratio over")
        assert definition(f"pp_{horizon}").startswith("return of A less return of B over")


def test_it_stands_beside_the_value() -> None:
    record = dict.fromkeys(TABLES["scanner"], 1.5) | {"status": "ok", "simulated": False}
    page = {line.split("  ")[0].strip(): line for line in (plain(line) for line in detail_lines(record, 110))}
    assert "hedge ratio by least squares of ln A on ln B" in page["beta ols"]
    assert "p below .05 and a half-life of 2 to 60" in page["admitted"]
    narrow = [plain(line) for line in detail_lines(record, 76)]
    assert any("of no cointegration" in line for line in narrow)
