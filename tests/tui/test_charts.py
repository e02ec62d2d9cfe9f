"""Charts as lines: known drawings, extremes that no width swallows, holes that stay open, and no size that fails."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import talib

from engine.config import Config
from engine.technical import ema, sma
from tests.tui import fake_bars
from tui.charts import options, scale
from tui.charts.binned import binned
from tui.charts.canvas import Canvas, Floats
from tui.charts.data import Course, course_of
from tui.charts.histogram import paint_returns, returns_of
from tui.charts.options import Options
from tui.charts.picture import Band, Mark, Picture
from tui.charts.plane import paint_plane
from tui.charts.price import paint
from tui.lines import Line, plain, width_of
from tui.panes import heat

TABLES = fake_bars.tables()
RUSSELL = course_of(TABLES["bars"], "^RUT", "1d")
PAIR = course_of(TABLES["bars"], "IWM/SPY", "1d")
BANDS = (Band("support", 2100.0, 2093.0, 2107.0, "CLEAR", 6), Band("resistance", 2300.0, 2293.0, 2307.0, "TESTING", 4))


def texts(lines: list[Line]) -> list[str]:
    return [plain(line) for line in lines]


def roles_of(lines: list[Line], words: str) -> set[str]:
    """The meanings of the spans that hold these words."""
    return {role for line in lines for text, role in line if words in text}


def course(closes: list[float], **more: list[float]) -> Course:
    """A daily course of closes alone, or with what else is given."""
    count = len(closes)
    empty = np.full(count, np.nan)
    columns = {name: np.array(values, dtype=np.float64) for name, values in {"close": closes, **more}.items()}
    figures = [columns.get(name, empty) for name in ("open", "high", "low", "close", "volume", "mean", "sd", "z")]
    return Course(np.array(fake_bars.days(count)), *figures)


def values(*numbers: float) -> Floats:
    return np.array(numbers, dtype=np.float64)


def test_a_line_is_drawn_dot_by_dot_and_not_across_a_hole() -> None:
    canvas = Canvas(2, 1)
    canvas.course(values(3, 2, 1, 0), "accent")
    assert canvas.lines() == [(("⡠⠊", "accent"),)]
    steep = Canvas(1, 2)
    steep.course(values(7, 0), "accent")
    assert texts(steep.lines()) == ["⢸", "⡇"]
    broken = Canvas(3, 1)
    broken.course(values(0, 0, math.nan, math.nan, 3, 3), "accent")
    assert texts(broken.lines()) == ["⠉ ⣀"]


def test_what_is_drawn_later_gives_the_meaning_and_letters_keep_theirs() -> None:
    canvas = Canvas(4, 1)
    canvas.text(0, 0, "ab", "up")
    canvas.columns(values(*[0.0] * 8), values(*[3.0] * 8), "accent")
    canvas.level(0, "dim", 1)
    assert canvas.lines() == [(("ab", "up"), ("⣿⣿", "accent"))]
    assert not canvas.free(1, 0, 1) and canvas.free(2, 0, 2) and not canvas.free(3, 0, 2)


def test_a_faint_line_has_its_meaning_only_where_nothing_else_is_drawn_before_it_or_after() -> None:
    canvas = Canvas(3, 1)
    canvas.columns(values(3, 3), values(3, 3), "up")
    canvas.level(0, "line", 2)
    canvas.level(1, "dim", 2)
    canvas.upright(1, "accent", 4)
    assert canvas.lines() == [(("⣃", "up"), ("⠃", "accent"), ("⠃", "line"))]


def test_dots_and_letters_beyond_the_edges_are_left_out() -> None:
    canvas = Canvas(3, 1)
    canvas.text(-1, 0, "abcde", "up")
    canvas.text(0, 1, "no", "down")
    assert canvas.lines() == [(("bcd", "up"),)]
    dotted = Canvas(1, 1)
    dotted.dots(np.array([-1, 0, 4, 0]), np.array([0, 0, 0, 2]), "dim")
    assert texts(dotted.lines()) == ["⠁"]


def test_blocks_stand_on_their_ground_and_none_is_lost() -> None:
    canvas = Canvas(4, 2)
    canvas.bars(values(1.0, 0.5, math.nan, 0.001), 0, 2, ["line"] * 4)
    assert texts(canvas.lines()) == ["█   ", "██ ▁"]


@pytest.mark.parametrize(
    ("low", "high", "log", "expected"),
    [
        (2080.0, 2320.0, False, [2100, 2150, 2200, 2250, 2300]),
        (0.279, 0.326, False, [0.28, 0.29, 0.3, 0.31, 0.32]),
        (0.5, 60_000.0, True, [1, 10, 100, 1000, 10_000]),
        (-3.1, 4.2, False, [-2, 0, 2, 4]),
    ],
)
def test_marks_are_round_and_even(low: float, high: float, log: bool, expected: list[float]) -> None:
    found = scale.ticks(scale.Scale(low, high, 100, log), 5)
    assert found == pytest.approx(expected)


def test_a_scale_turns_values_into_rows_and_a_logarithmic_one_has_none_for_zero() -> None:
    plain_one = scale.Scale(0.0, 10.0, 11)
    assert plain_one.y(values(0, 5, 10)).tolist() == [10, 5, 0]
    log = scale.Scale(1.0, 100.0, 11, True)
    assert log.y(values(1, 10, 100)).tolist() == pytest.approx([10, 5, 0])
    assert math.isnan(log.at(0.0))
    assert scale.decimals([2100, 2150]) == 0 and scale.decimals([0.28, 0.29]) == 2
    assert scale.decimals([1.0, 1.25]) == 2


def test_the_time_axis_names_the_finest_turn_that_has_room() -> None:
    days = fake_bars.days(252)
    assert [words for _, words in scale.time_marks(days, "1d", 120)][:3] == ["Feb", "Mar", "Apr"]
    assert "2026" in [words for _, words in scale.time_marks(days, "1d", 120)]
    minutes = fake_bars.stamps("5m", 78, False)
    assert any(":00" in words for _, words in scale.time_marks(minutes, "5m", 120))
    assert scale.moment(days[-1], "1d") == "Fri 09 Jan 2026"
    assert scale.moment(int(fake_bars.MINUTE.timestamp() * 1e6), "5m") == "Fri 09 Jan 10:30"


def test_bars_that_share_a_column_keep_their_extremes_and_their_volume() -> None:
    made = binned(RUSSELL, (RUSSELL.close,), 100)
    assert made.each == 7 and made.size <= 100
    assert np.nanmax(made.course.high) == np.nanmax(RUSSELL.high)
    assert np.nanmin(made.course.low) == np.nanmin(RUSSELL.low)
    assert np.nansum(made.course.volume) == pytest.approx(np.nansum(RUSSELL.volume))
    assert made.course.close[-1] == made.extra[0][-1] == RUSSELL.close[-1]
    assert made.course.open[-1] == RUSSELL.open[-7]
    assert binned(RUSSELL, (), 1000).each == 1


def test_every_line_has_the_width_that_was_asked_for_at_any_size() -> None:
    rng = random.Random(9)
    picture = Picture(
        Options("^RUT", averages="sma", marks=True), "1d", RUSSELL, bands=BANDS, cross=int(RUSSELL.time[-9])
    )
    for width, height in [(20, 5), (300, 100), *((rng.randint(1, 260), rng.randint(1, 80)) for _ in range(12))]:
        lines = paint(picture, width, height).lines
        assert len(lines) in (0, height)
        assert all(width_of(line) <= width for line in lines)
        paint_returns(RUSSELL, Options("^RUT"), "1d", width, height)
    assert paint(picture, 13, 20).lines == paint(picture, 80, 1).lines == []
    assert paint(replace(picture, course=RUSSELL.part(0, 1)), 80, 20).lines == []


def test_a_candle_is_a_body_with_its_wicks_in_the_meaning_of_its_direction() -> None:
    two = course([10.0, 8.0], open=[8.0, 10.0], high=[12.0, 12.0], low=[6.0, 6.0])
    picture = Picture(Options("X", span="MAX", volume=False), "1d", two, digits=0)
    drawn = paint(picture, 30, 12)
    by_role = {role for line in drawn.lines[1:-1] for text, role in line if any("⠀" < c <= "⣿" for c in text)}
    assert {"up", "down"} <= by_role
    line = paint(replace(picture, options=replace(picture.options, line=True)), 30, 12)
    roles = {role for line in line.lines[1:-1] for _, role in line}
    assert "accent" in roles and not {"up", "down"} & roles


@pytest.mark.parametrize("bars", [3, 8, 16, 30, 60])
@pytest.mark.parametrize("size", [(30, 8), (60, 12), (140, 40)])
@pytest.mark.parametrize("status", ["ok", "stale"])
def test_without_colours_a_rising_candle_is_an_outline(
    monkeypatch: pytest.MonkeyPatch, bars: int, size: tuple[int, int], status: str
) -> None:
    if status == "ok":
        monkeypatch.setenv("NO_COLOR", "1")
    opens = [100.0 + 5 * (i % 3) for i in range(bars)]
    closes = [price + (9.0, -7.0, 4.0)[i % 3] for i, price in enumerate(opens)]
    reach = {"high": [max(pair) + 2 for pair in zip(opens, closes, strict=True)],
             "low": [min(pair) - 2 for pair in zip(opens, closes, strict=True)]}  # fmt: skip

    def drawn(begun: list[float], ended: list[float]) -> list[str]:
        shown = course(ended, open=begun, **reach)
        picture = Picture(Options("X", span="MAX", volume=False, bands=False), "1d", shown, status=status, digits=0)
        return [plain(line) for line in paint(picture, *size).lines[1:-1]]

    closes[-1] = opens[-1]  # the newest price, which has a line of its own, is the same
    candles, reverse = drawn(opens, closes), drawn([*closes[:-1], opens[-1]], [*opens[:-1], closes[-1]])
    field = size[0] - 12
    assert [line[:field] for line in candles] != [line[:field] for line in reverse]


def test_a_missing_bar_leaves_a_gap() -> None:
    closes = [10.0] * 20 + [math.nan] * 20 + [10.0] * 20
    drawn = paint(Picture(Options("X", span="MAX", z_bands=False), "1d", course(closes)), 70, 10)
    row = next(line for line in drawn.lines[1:-1] if any(role == "accent" for _, role in line))
    at, marks = 0, []
    for text, role in row:
        marks += [(at + i, role) for i, c in enumerate(text) if role == "accent" and c not in " "]
        at += len(text)
    columns = [x for x, _ in marks]
    middle = drawn.columns // 2
    assert not [x for x in columns if abs(x - middle) < drawn.columns // 8]
    assert min(columns) < drawn.columns // 8 and max(columns) > drawn.columns * 7 // 8


@pytest.mark.parametrize(
    ("status", "simulated", "glyph", "role"),
    [
        ("ok", False, "●", "bright"), ("ok", True, "S", "simulated"), ("stale", True, "◌", "stale"),
        ("closed", False, "·", "closed"), ("estimated", False, "~", "estimated"),
    ],
)  # fmt: skip
def test_the_newest_price_says_what_it_is_worth(status: str, simulated: bool, glyph: str, role: str) -> None:
    drawn = paint(Picture(Options("^RUT"), "1d", RUSSELL, status, simulated), 100, 20)
    assert roles_of(drawn.lines, f"{glyph} 2,204.71") == {role}


def test_bands_stand_across_the_price_with_state_and_touches_or_at_the_edge_they_lie_beyond() -> None:
    words = "\n".join(texts(paint(Picture(Options("^RUT"), "1d", RUSSELL, bands=BANDS), 120, 30).lines))
    assert "R 2,300 TESTING ×4" in words and "S 2,100 CLEAR ×6" in words
    far = (Band("resistance", 9000.0, 8990.0, 9010.0, "CLEAR", None),)
    words = "\n".join(texts(paint(Picture(Options("^RUT"), "1d", RUSSELL, bands=far), 120, 30).lines))
    assert "▲ R 9,000  +308.2 % CLEAR" in words
    off = Picture(Options("^RUT", bands=False), "1d", RUSSELL, bands=BANDS)
    assert "TESTING" not in "\n".join(texts(paint(off, 120, 30).lines))


def test_a_spread_has_its_mean_and_deviations_and_its_z_under_the_crosshair() -> None:
    time = int(PAIR.time[-30])
    drawn = paint(Picture(Options("IWM/SPY"), "1d", PAIR, cross=time), 160, 40)
    words = texts(drawn.lines)
    assert all(roles_of(drawn.lines, f"  {tag}") for tag in ("+2σ", "mean", "−2σ"))
    assert words[0].startswith(f" {scale.moment(time, '1d')}  C {PAIR.close[-30]:.4f}")
    z = f"{PAIR.z[-30]:+.2f}".replace("-", "−")
    assert f"z {z}" in words[0]
    assert scale.moment(time, "1d") in words[-1]
    assert any("┼ " in line for line in words)
    assert drawn.time_at(0) == drawn.times[0] and drawn.time_at(drawn.columns - 1) == drawn.times[-1]
    assert drawn.time_at(drawn.columns) is None


def test_two_series_begin_at_nothing_and_are_told_apart_by_name() -> None:
    other = course_of(TABLES["bars"], "SPY", "1d")
    drawn = paint(
        Picture(Options("IWM", versus="SPY"), "1d", course_of(TABLES["bars"], "IWM", "1d"), other=other), 120, 30
    )
    assert roles_of(drawn.lines, "  SPY") == {"warn"}
    assert roles_of(drawn.lines, "0.0 %") and roles_of(drawn.lines, "S ") != {"up"}
    assert not roles_of(drawn.lines, "219.84") - roles_of(drawn.lines[:1], "219.84")
    assert "bars a candle" not in plain(drawn.lines[0]), "two series are lines"


def test_the_crosshair_on_two_series_says_what_each_has_made_and_how_far_apart_they_are() -> None:
    one, two = course([100.0, 110.0, 120.0]), course([50.0, 50.0, 45.0])
    at = int(one.time[1])
    line = paint(Picture(Options("IWM", "MAX", versus="SPY"), "1d", one, other=two, cross=at), 90, 12).lines[0]
    assert " IWM +10.00 %  SPY 0.00 %  apart +10.00 pp" in plain(line)
    newest = paint(Picture(Options("IWM", "MAX", versus="SPY"), "1d", one, other=two), 90, 12).lines[0]
    assert " IWM +20.00 %  SPY −10.00 %  apart +30.00 pp" in plain(newest)
    narrow = plain(paint(Picture(Options("IWM", "MAX", versus="SPY"), "1d", one, other=two), 24, 12).lines[0])
    assert "+20.00 %" in narrow and "−10.00 %" in narrow and len(narrow) <= 24


def test_averages_pivots_and_alerts_are_drawn_where_they_are_asked_for() -> None:
    mark = Mark(int(RUSSELL.time[-40]), "critical")
    picture = Picture(Options("^RUT", averages="ema", marks=True), "1d", RUSSELL, marks=(mark,))
    drawn = paint(picture, 160, 40)
    assert "EMA 20 50 200" in plain(drawn.lines[0])
    assert [text.strip() for line in drawn.lines for text, role in line if role == "alert"] == ["!"]
    assert any("▾" in text for text in texts(drawn.lines)) and any("▴" in text for text in texts(drawn.lines))
    plainer = paint(replace(picture, options=Options("^RUT")), 160, 40)
    assert not any("▾" in text or "!" in text for text in texts(plainer.lines))


def test_moving_averages_agree_with_their_oracles() -> None:
    close = RUSSELL.close
    assert np.allclose(sma(close, 20), pd.Series(close).rolling(20).mean(), rtol=1e-10, equal_nan=True)
    assert np.allclose(ema(close, 50), talib.EMA(close, 50), rtol=1e-10, equal_nan=True)
    holed = close.copy()
    holed[300] = np.nan
    assert np.isnan(sma(holed, 20)[300:320]).all() and np.isfinite(sma(holed, 20)[320])
    assert np.isnan(sma(close[:5], 20)).all() and np.isnan(ema(close[:5], 20)).all()


def test_returns_are_counted_once_each_and_a_hole_makes_none() -> None:
    holed = course([100.0, 101.0, math.nan, 103.0, 104.0])
    assert returns_of(holed, "MAX").tolist() == pytest.approx([100 * math.log(1.01), 100 * math.log(104 / 103)])
    lines = paint_returns(RUSSELL, Options("^RUT", span="MAX"), "1d", 120, 20)
    assert plain(lines[0]).startswith(" 619 returns of 1d  newest ")
    assert sum(role == "bright" for line in lines[1:-2] for _, role in line) >= 1
    assert "0 %" in plain(lines[-1])
    assert paint_returns(holed, Options("X", span="MAX"), "1d", 120, 20) == []


def test_returns_that_are_not_of_now_have_no_colour_of_what_is() -> None:
    fresh, old = (
        paint_returns(RUSSELL, Options("^RUT", span="MAX"), "1d", 120, 20, stale=stale) for stale in (False, True)
    )
    assert [plain(line) for line in fresh] == [plain(line) for line in old]
    assert {role for line in old for _, role in line} == {"stale", "dim", "line"}


def test_the_chosen_items_tail_is_bright_and_named() -> None:
    rows = [
        {"item": name, "rs_ratio": x, "rs_momentum": y, "quadrant": q, "status": "ok",
         "tail_ratio": [100.0, x], "tail_momentum": [100.0, y]}
        for name, x, y, q in (("A/B", 102.0, 102.0, "Leading"), ("C/D", 99.0, 99.0, "Lagging"))
    ]  # fmt: skip
    lines = paint_plane(rows, 60, 16, "C/D")
    assert any("C/D" in text and role == "down" for line in lines for text, role in line)
    assert any(role == "bright" for line in lines for _, role in line)
    assert not any("A/B" in line for line in texts(lines))


def test_the_square_of_correlations_tells_strength_by_density_and_sign_by_number() -> None:
    rows = heat.square(list(TABLES["matrix"].iter_rows(named=True)))
    line = heat.square_row("IWM", ("IWM", "SPY", "ETH", "meme"), rows["IWM"])
    words = plain(line)
    corr = rows["IWM"]["SPY"]["corr"]
    assert words.startswith(" IWM    ") and f"+{corr:.2f}".replace("0.", ".") in words
    assert words.rstrip().endswith("…")
    assert rows["SPY"]["IWM"] is rows["IWM"]["SPY"]
    assert plain(heat.square_row("IWM", ("SPY",), rows["IWM"], stuck=True)).startswith("◌")


CONFIG = Config()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("iwm/spy 1y", Options("IWM/SPY", "1Y")),
        ("^rut 5D 1m log", Options("^RUT", "5D", "1m", scale="log")),
        ("IWM 1M vs spy", Options("IWM", "1M", versus="SPY")),
        ("alt/btc max line percent", Options("ALT/BTC", "MAX", line=True, scale="percent")),
        ("(0.5*BTC+0.5*ETH)", Options("(0.5*BTC+0.5*ETH)")),
        ("btc/usd ytd returns", Options("BTC/USD", "YTD", returns=True)),
        ("iwm 1D marks", Options("IWM", "1D", marks=True)),
    ],
)
def test_a_chart_is_named_in_words(words: str, expected: Options) -> None:
    assert options.read(words, CONFIG) == expected


def test_words_that_name_no_chart_are_answered_and_others_change_the_one_that_stands() -> None:
    assert options.read("", CONFIG) == "name what to chart: chart IWM/SPY 1Y"
    assert "is no span" in str(options.read("IWM 2Y 7m", CONFIG))
    before = Options("IWM", "5Y", averages="sma")
    assert options.read("1m", CONFIG, before) == replace(before, interval="1m")
    assert options.read("SPY 1Y", CONFIG, before) == replace(before, symbol="SPY", span="1Y")
    assert "vs names" in str(options.read("IWM vs", CONFIG))


def test_completion_offers_subjects_then_spans() -> None:
    assert options.complete("iw", CONFIG)[:2] == ["IWM/SPY", "IWM/QQQ"]
    assert "ETH/BTC" in options.complete("eth/b", CONFIG)
    assert options.complete("btc/", CONFIG)[:2] == ["BTC/USD", "BTC/IWM"]
    assert "BTC/BTC" not in options.complete("btc/b", CONFIG)
    assert options.complete("IWM 1", CONFIG) == ["1D", "1M", "1Y", "1m", "1h", "1d"]
    assert "SPY" in options.complete("IWM 1Y vs s", CONFIG)
    assert options.complete("IWN", CONFIG)
