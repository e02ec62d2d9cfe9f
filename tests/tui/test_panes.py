"""What the panes say, as text: every status has its mark, and nothing missing is a zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from engine.model import Mode, Notice, Snapshot
from tests.tui import fakes
from tui.lines import choose, heading, plain
from tui.panes import band, baskets, brief, feeds, gauges, quote_order, quotes, spreads
from tui.view import Eye, View
from tui.widgets import header, message


def view(snapshot: Snapshot | None, **changes: Any) -> View:
    plain_view = View(snapshot, Mode.DEMO, "january-2026", fakes.OPENING, 0.1 if snapshot else None, 3.0)
    return replace(plain_view, **changes)


LIVE = view(fakes.snapshot())
STALE = view(fakes.snapshot("stale"))
EMPTY = view(fakes.snapshot("empty"))
NONE = view(None)


def record(table: str, key: str, name: str, moment: View = LIVE) -> Mapping[str, Any]:
    frame = moment.table(table)
    assert frame is not None
    return next(r for r in frame.iter_rows(named=True) if r[key] == name)


def spread(name: str, width: int = 80, moment: View = LIVE) -> str:
    columns = choose(spreads.COLUMNS, width)
    return plain(spreads.spread_row(record("spreads", "pair", name, moment), columns, moment.stuck))


def quote(name: str, width: int = 52, **changes: Any) -> str:
    columns = choose(quotes.columns_for(True, 8, 6), width)
    row = {**record("quotes", "symbol", name), **changes}
    return plain(quotes.quote_row(row, columns, 8, row["age_s"]))


def test_a_spread_stands_as_screens_draws_it() -> None:
    assert plain(heading(choose(spreads.COLUMNS, 80))) == (
        "  pair           ratio   1d %   5d %  YTD %   1Y %   5Y %  z252   −2    0   +2  "
    )
    assert spread("IWM/SPY") == "  IWM/SPY     0.3154    +0.21  −0.44  −0.10  −4.81 −31.72 −1.94    ▆▆▆▆▆│    ┼  "


def test_a_warming_pair_has_its_mark_and_an_ellipsis_for_what_it_lacks() -> None:
    assert spread("ALT/BTC") == "… ALT/BTC    41.27      −0.85  −3.10  −4.40 −22.19   …    −2.31!  ▆▆▆▆▆▆│    ┼  "
    assert "0.00" not in spread("ALT/BTC")


def test_all_spreads_align_on_the_decimal_point() -> None:
    rows = [spread(name) for name, *_ in fakes.PAIRS]
    assert {len(r) for r in rows} == {80}
    assert {r.index(".") for r in rows} == {15}


def test_a_stale_row_is_one_colour_and_carries_its_mark() -> None:
    columns = choose(spreads.COLUMNS, 79)
    line = spreads.spread_row(record("spreads", "pair", "IWM/SPY", STALE), columns)
    assert plain(line).startswith("◌ IWM/SPY")
    assert {role for _, role in line} == {"stale"}
    quote_line = quotes.quote_row(record("quotes", "symbol", "AVAX/USD"), quotes.columns_for(True, 8), 8, 41.0)
    assert plain(quote_line).startswith("◌ AVAX/USD")
    assert "41 s" in plain(quote_line)
    assert {role for _, role in quote_line} == {"stale"}


def test_rows_are_stale_in_colour_when_the_engine_is_stuck() -> None:
    columns = choose(baskets.COLUMNS, 70)
    line = baskets.basket_row(record("baskets", "basket", "ai"), columns, stuck=True)
    assert plain(line).startswith("◌ ai")
    assert {role for _, role in line} == {"stale"}


def test_the_leader_is_said_with_its_years_and_the_current_year_apart() -> None:
    text = plain(spreads.summary(record("spreads", "pair", "IWM/SPY"), 79))
    assert text == "  large leads 5 years (2021–2025)  2026 so far: small −0.10 pp  at 3rd pctl"
    assert plain(spreads.summary(record("spreads", "pair", "IWM/SPY"), 40)) == "  large leads 5 years (2021–2025)"


def test_a_quote_stands_in_fixed_columns() -> None:
    columns = choose(quotes.columns_for(True, 8, 6), 52)
    assert plain(heading(columns)) == "  symbol       last             1d % 24h vol $  age"
    rows = [quote(f"{base}/USD") for base, *_ in fakes.CRYPTO]
    assert {len(r) for r in rows} == {len(rows[0])}
    assert {r.index(".") for r in rows if r.strip()} == {19}


def test_a_quote_without_a_change_or_a_volume_shows_no_zero() -> None:
    text = quote("STX/USD", status="ok")
    assert text.count("–") == 2
    assert quote("STX/USD").startswith("… STX/USD")


def test_a_source_that_is_not_the_preferred_one_is_marked() -> None:
    assert "coinbase ⇠" in quote("FET/USD", 110)
    assert "⇠" not in quote("BTC/USD", 110)
    assert "⇠" not in quote("BTC/USD", 110, preferred=None)


def test_a_closed_and_an_estimated_row_have_their_marks() -> None:
    assert quote("BTC/USD", status="closed").startswith("· BTC/USD")
    assert quote("BTC/USD", status="estimated").startswith("~ BTC/USD")
    columns = quotes.columns_for(False, 3)
    line = quotes.quote_row({**record("quotes", "symbol", "IWM"), "status": "closed"}, columns, 3, 5.0)
    assert "closed" in plain(line)


def test_a_flash_is_the_only_thing_that_a_change_of_price_adds() -> None:
    columns = quotes.columns_for(True, 8)
    row = record("quotes", "symbol", "BTC/USD")
    calm, lit = quotes.quote_row(row, columns, 8, 1.0), quotes.quote_row(row, columns, 8, 1.0, "flash-up")
    assert plain(calm) == plain(lit)
    assert "flash-up" in {role for _, role in lit}


@pytest.mark.parametrize(
    ("symbol", "change", "role"),
    [
        ("BTC/USD", 1.9, "up"), ("BTC/USD", 2.0, "heat-up-1"), ("BTC/USD", -12.0, "heat-down-3"),
        ("IWM", -0.49, "down"), ("IWM", -0.5, "heat-down-1"), ("IWM", 1.2, "heat-up-2"), ("IWM", 0.0, "flat"),
        ("IWM", None, "missing"),
    ],
)  # fmt: skip
def test_a_change_is_warmer_the_larger_it_is_for_what_it_is(symbol: str, change: float | None, role: str) -> None:
    row = {**record("quotes", "symbol", symbol), "change_pct": change}
    columns = quotes.columns_for("/" in symbol, 8)
    warm, plain_row = quotes.quote_row(row, columns, 8, heat=True), quotes.quote_row(row, columns, 8)
    assert role in {r for _, r in warm}
    assert not any(r.startswith("heat") for _, r in plain_row), "it can be turned off"
    assert plain(warm) == plain(plain_row)
    assert not any(r.startswith("heat") for _, r in quotes.quote_row({**row, "status": "stale"}, columns, 8, heat=True))


def test_rows_are_filtered_by_any_text_and_sorted_stably_with_what_is_missing_last() -> None:
    frame = fakes.quotes()
    names = frame.get_column("symbol").to_list()

    def shown(assets: str, needle: str, *arguments: Any) -> list[str]:
        return [names[i] for i in quote_order.order(frame, assets, quote_order.matching(frame, needle), *arguments)]

    assert shown("crypto", "", "", False) == names[:41]
    assert shown("equity", "", "", False) == names[41:]
    assert shown("all", "DEFI", "", False)[:2] == ["UNI/USD", "AAVE/USD"]
    assert shown("all", "stale", "", False) == ["AVAX/USD", "SNX/USD"]
    assert shown("crypto", "", "change_pct", False)[0] == "TAO/USD"
    assert shown("crypto", "", "change_pct", True)[0] == "BONK/USD"
    assert shown("crypto", "", "change_pct", False)[-1] == shown("crypto", "", "change_pct", True)[-1] == "STX/USD"
    assert shown("crypto", "", "symbol", False)[0] == "AAVE/USD"
    tied = fakes.table("quotes", [{"symbol": s, "asset": "crypto", "change_pct": 1.0} for s in "cab"])
    assert quote_order.order(tied, "crypto", None, "change_pct", False) == [0, 1, 2]
    assert shown("all", "volume_usd > 1e10 AND asset = 'crypto'", "", False) == ["BTC/USD", "ETH/USD"]
    with pytest.raises(ValueError, match="no column"):
        shown("all", "volume > lots", "", False)


def band_text(moment: View, width: int = 37) -> list[str]:
    return [plain(line) for line in band.paint_band(moment, width, 9)]


def test_the_band_is_a_ladder_with_the_price_in_its_true_place() -> None:
    lines = band_text(LIVE)
    assert lines[0] == "  2,300.00 R ┄┄┄┄┄  +4.32 %  3.1 ATR"
    assert lines[2] == "  2,204.71 ● 52 % of band     +0.34 %"
    assert lines[4] == "  2,100.00 S ┄┄┄┄┄  −4.75 %  3.4 ATR"
    assert "R CLEAR" in lines[5]
    assert lines[6] == "  touches R 4  S 6  strength 71 / 83"
    assert "┄┄ resistance ┄" in band_text(LIVE, 60)[0]


@pytest.mark.parametrize(("last", "place", "row"), [(2624.22, "above the band", 0), (1990.0, "below the band", 4)])
def test_a_price_beyond_the_band_stands_beyond_it(last: float, place: str, row: int) -> None:
    snapshot = fakes.snapshot()
    moment = view(replace(snapshot, tables={**snapshot.tables, "levels": fakes.levels(last=last)}))
    lines = band_text(moment)
    assert place in lines[row]
    far = "R, S" if last > 2600 else "R"
    assert any(line == f"  ! {far} out of play: beyond 8 ATR" for line in lines)


def test_a_stale_band_says_so_on_the_price() -> None:
    assert band_text(STALE)[2].startswith("  2,204.71 ◌")
    assert "◌" in plain(brief.russell(STALE, 80))


def test_nothing_is_invented_where_nothing_has_come() -> None:
    for moment in (EMPTY, NONE):
        assert band.paint_band(moment, 40, 9) == []
        assert gauges.gauge_lines(moment) == []
        assert "waiting" in plain(brief.russell(moment, 80))
        assert "waiting" in plain(brief.gauges(moment, 80))


def gauge_text(moment: View, width: int = 48, height: int = 7) -> list[str]:
    return [plain(line) for _, line in gauges.gauge_lines(moment, width, height)][:height]


def test_a_gauge_says_its_state_in_a_sign_a_word_and_a_bar() -> None:
    assert gauge_text(LIVE) == [
        " D1 equity size    −1.94 ▵warn   ▆▆▆▆│   ┼   3rd",
        " D2 crypto size    −2.31 !ALERT ▆▆▆▆▆│   ┼   1st",
        " D3 cross-size gap +0.41  ok     ┼   │▆  ┼  62nd",
        " D4 corr. break    −0.88  ok     ┼ ▆▆│   ┼  21st",
        " BTC dominance   58.9 %  +1.1 pp / 30 d",
        " 24h volume $  BTC  42.4 bn  ETH  21.7 bn ",
        " IWM ADV YoY    −15.0 % sh    −4.0 % $  0.92 rv",
    ]
    roles = [{text.strip(): role for text, role in line} for _, line in gauges.gauge_lines(LIVE)]
    assert roles[0]["−1.94"] == roles[0]["▵warn"] == "figure-warn"
    assert roles[1]["−2.31"] == roles[1]["!ALERT"] == "figure-alert"
    assert roles[2]["+0.41"] == "figure"
    assert roles[3]["−0.88"] == "text", "the eye is to land on the other three"


def test_a_roomy_pane_has_every_gauge_the_russell_and_what_our_venues_see() -> None:
    lines = gauge_text(LIVE, 56, 11)
    assert [line[:3] for line in lines[:6]] == [f" D{n}" for n in range(1, 7)]
    assert "correlation break" in lines[3]
    assert lines[5].startswith(" D6 swing divergence IWM    bear ▵warn")
    assert "52 %" in lines[6]
    assert "11.8 bn on 3 venues" in lines[8]
    assert all(len(line) <= 56 for line in lines)


def test_a_stale_gauge_is_one_colour_and_a_warming_one_has_no_zero() -> None:
    assert all(line.startswith("◌") for line in gauge_text(STALE))
    assert {role for _, role in gauges.gauge_line(gauges.gauge_records(STALE)["D3"], 48, False)} == {"stale"}
    missing: dict[str, Any] = {"value": None, "state": None, "percentile": None, "status": "warming"}
    text = plain(gauges.gauge_line({**gauges.gauge_records(LIVE)["D2"], **missing}, 48, False))
    assert text.rstrip() == "…D2 crypto size     …            ┼   │   ┼"
    assert "none" in plain(gauges.gauge_line({**gauges.gauge_records(LIVE)["D6"], "value": None}, 48, False))


def test_the_narrow_lines_hold_what_fits() -> None:
    assert plain(brief.gauges(LIVE, 80)) == (
        "  EQ −1.94▵  CR −2.31!  GAP +0.41  BTC vol 42.4 bn  dom 58.9 %  IWM ADV −15.0 %"
    )
    assert plain(brief.gauges(LIVE, 40)) == "  EQ −1.94▵  CR −2.31!  GAP +0.41"
    assert plain(brief.gauges(STALE, 40)) == " ◌EQ −1.94▵ ◌CR −2.31! ◌GAP +0.41"
    assert "2,100 ├" in plain(brief.russell(LIVE, 80))


def feed(name: str, width: int, moment: View = LIVE) -> str:
    return plain(
        feeds.feed_row(record("feeds", "source", name, moment), choose(feeds.COLUMNS, width), width, fakes.OPENING)
    )


def test_a_source_in_trouble_says_why_and_when_it_tries_again() -> None:
    text = feed("binance", 120)
    assert text.startswith("✗ binance       blocked")
    assert "4 m 12 s" in text
    assert "refuses this place" in text
    assert len(text) <= 120
    assert feed("coinbase", 29).startswith("● coinbase      live")
    assert "lacks WLD/USD" in feed("kraken", 120)


LIVE_NOW = fakes.snapshot()


def loading(done: int, wanted: int, state: str = "live") -> pl.DataFrame:
    """The sources while one of them downloads its history."""
    bars = pl.col("source") == "yahoo-bars"
    return fakes.feeds().filter(pl.col("source") != "binance").with_columns(
        done=pl.when(bars).then(done), wanted=pl.when(bars).then(wanted),
        state=pl.when(bars).then(pl.lit(state)).otherwise("state"),
    )  # fmt: skip


def test_a_download_of_history_shows_how_far_it_is_until_it_is_through() -> None:
    def shown(done: int, wanted: int, state: str = "live") -> tuple[str, str]:
        moment = view(replace(LIVE_NOW, tables={**LIVE_NOW.tables, "feeds": loading(done, wanted, state)}))
        return feed("yahoo-bars", 66, moment), plain(message.message(moment))

    row, line = shown(21, 63)
    assert row.startswith("● yahoo-bars    ━━──── 21/63")
    assert line == " … history ━━━━━─────────── 21 of 63 series  ? shows every key"
    row, line = shown(62, 63)
    assert "━━━━━─ 62/63" in row
    assert "history ━━━━━━━━━━━━━━━─ 62 of 63" in line
    for done, state in ((63, "live"), (21, "reconnecting")):
        row, line = shown(done, 63, state)
        assert "━" not in row
        assert state in row
        assert "history" not in line


def test_the_rows_of_a_table_are_made_once_for_all_who_ask_and_anew_for_another_table() -> None:
    eye = Eye(source := fakes.FakeSource(fakes.snapshot()), fakes.FixedClock(), Mode.DEMO, None)
    first = eye.look().rows("levels")
    assert first == fakes.levels().to_dicts() and eye.look().rows("levels") is first
    source.snapshot = replace(fakes.snapshot(), tables={"levels": fakes.levels(last=2150.0)})
    assert [row["last"] for row in eye.look().rows("levels")] == [2150.0, 2150.0]
    assert eye.look().rows("spreads") == ()


def test_the_message_is_the_worst_thing_there_is() -> None:
    assert "engine has ended: no space" in plain(message.message(view(LIVE.snapshot, failure="no space")))
    assert "not answered for 3 s" in plain(message.message(view(LIVE.snapshot, beat_age=3.0)))
    assert "waiting for the engine to start (3 s)" in plain(message.message(NONE))
    assert "binance blocked, next try in 4 m 12 s: refuses" in plain(message.message(LIVE))
    assert "and 6 more" in plain(message.message(STALE))
    assert "still loading" in plain(message.message(EMPTY))
    refused = fakes.snapshot(notices=(Notice(fakes.OPENING - 900, "error", "config.toml: network.timeout\n= 0"),))
    assert plain(message.message(view(refused))) == " ✗ config.toml: network.timeout = 0"
    old_news = fakes.snapshot("empty", settled=True, notices=(Notice(fakes.OPENING - 900, "info", "reloaded"),))
    assert plain(message.message(view(old_news, waited=600.0))) == ""
    assert "? shows every key" in plain(message.message(view(old_news)))
    assert "clash" in plain(message.message(view(replace(old_news, notices=())), ("keys clash",)))


def test_the_header_names_mode_clock_session_sources_ticks_and_heart() -> None:
    text = plain(header.header(LIVE, (("♥ ok", "good"),), False, ()))
    assert text == (
        " sizewatch   ▏S SIMULATED january-2026▕   Fri 09 Jan 10:32:07 New York   NYSE open, closes in 5 h 27 m"
        "   feeds 6/7 !   binance blocked   data 0 s   1,240 t/s   ♥ ok"
    )


@pytest.mark.parametrize(
    ("status", "said", "role"),
    [(None, "LIVE", "good"), ("closed", "LIVE", "good"), ("stale", "NOTHING LIVE", "badge-alert"),
     ("warming", "starting", "dim")],
)  # fmt: skip
def test_a_live_run_is_not_called_live_where_nothing_of_it_is(status: str | None, said: str, role: str) -> None:
    moment = fakes.snapshot()
    if status is not None:
        closed = pl.lit(
            "closed" if status == "stale" else status
        )  # at night equities are, and nothing else may be live
        own = pl.when(pl.col("asset") == "crypto").then(pl.lit(status)).otherwise(closed)
        quotes = moment.tables["quotes"].with_columns(status=own)
        moment = replace(moment, tables={**moment.tables, "quotes": quotes})
    seen = View(moment, Mode.LIVE, None, fakes.OPENING, 0.1, 3.0)
    assert header.badge(Mode.LIVE, None, seen) == (said, role)
    assert plain(header.header(seen, (), True, ())).startswith(f" sizewatch  {said}  ")


def test_the_header_says_how_old_the_newest_price_is_and_how_many_are_delayed() -> None:
    moment = fakes.snapshot()
    late = pl.col("symbol").is_in(["IWM", "^RUT"])
    quotes = moment.tables["quotes"].with_columns(age_s=pl.lit(95.0), delayed=late)
    old = View(replace(moment, tables={**moment.tables, "quotes": quotes}), Mode.LIVE, None, fakes.OPENING, 0.1, 3.0)
    assert header.data_age(old) == (("data ", "dim"), ("1 m", "warn"), (" 2 delayed", "estimated"))
    assert header.data_age(LIVE) == (("data ", "dim"), ("0 s", "text"))
    assert header.data_age(view(fakes.snapshot("empty"))) == ()


@pytest.mark.parametrize("mode", list(Mode))
def test_only_live_data_is_called_live(mode: Mode) -> None:
    word, role = header.badge(mode, None if mode is Mode.LIVE else "x")
    assert ("LIVE" in word) == (mode is Mode.LIVE)
    assert ("SIMULATED" in word) == (mode is Mode.DEMO)
    assert (role == "badge") == (mode is not Mode.LIVE)


def test_a_time_without_a_venue_is_not_an_age() -> None:
    row = {**record("feeds", "source", "coinbase"), "last_message": None}
    assert "–" in plain(feeds.feed_row(row, feeds.COLUMNS, 200, datetime.now(UTC).timestamp()))
