"""The line about an import: what is known of the lag is said fund by fund, and what is not known is said as well."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from engine.flow_imports import describe
from engine.flow_store import Imported
from engine.model import FundDay, FundDays
from engine.sessions import sessions_between
from tests.engine.test_flow_lag import issuer, printed

DAYS = sessions_between(date(2022, 1, 3), date(2025, 6, 30))

NO_FLOWS = pl.DataFrame(schema={"fund": pl.String(), "date": pl.Date(), "flow": pl.Float64()})


def fund(name: str, *, before: int, since: int, assets: bool, n: int = 800) -> list[FundDay]:
    nav, counts = issuer(len(name), n)
    shown = np.concatenate([printed(counts, before)[:500], printed(counts, since)[500:]])
    aum = [float(x) if assets else None for x in np.round(nav * counts, -4)]
    return [FundDay(name, *row) for row in zip(DAYS, nav.tolist(), shown.tolist(), aum, strict=False)]


def line(*funds: list[FundDay]) -> str:
    days = tuple(day for each in funds for day in each)
    return describe("x.csv", FundDays("csv", days), Imported(len(days), 0, 0), NO_FLOWS)


def test_each_funds_lag_is_said_with_its_change_and_so_is_ignorance() -> None:
    late = fund("LATE", before=1, since=1, assets=True)
    changed = fund("CHANGED", before=2, since=1, assets=True)
    prompt = fund("NOW", before=0, since=0, assets=True)
    silent = fund("SI", before=1, since=1, assets=False)
    said = line(late, changed, prompt, silent)
    assert "counts are printed late: LATE by 1 session, CHANGED by 1 session (by 2 until " in said
    assert said.split("; ")[3] == "of SI nothing shows it"
    until = date.fromisoformat(said.split("until ")[1][:10])
    assert abs(until - DAYS[500]) < timedelta(days=10)
    assert "counts are of their own date" in line(prompt)
    assert "nothing in it shows how late its counts are" in line(silent)


def test_an_issuers_one_file_of_many_funds_is_one_line_that_can_be_read() -> None:
    names = [f"F{chr(65 + i)}" for i in range(20)]
    said = line(*(fund(name, before=1, since=1, assets=True, n=600) for name in names))
    assert said.startswith("x.csv: 20 funds, 12,000 rows of csv, ")
    assert "FA by 1 session, " in said and "FF by 1 session and 14 more; " in said
