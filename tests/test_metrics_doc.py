"""Every number that is defined is explained in docs/metrics.md, stands in a live table, and is held by a test."""

from __future__ import annotations

import ast
from functools import cache
from typing import Final, NamedTuple

import pytest

from engine.tables import TABLES
from tests.program import ROOT


class Metric(NamedTuple):
    """A number, the words that the documentation has for it, where it stands, and a test of it."""

    words: str
    section: str
    """Of docs/metrics.md, and the live table's name (`correlations: ticks` stands in `correlations`)."""
    column: str
    test: str
    """`file::function`, beside this file."""


SPREADS = "engine/test_spreads_oracles.py::test_every_column_on_random_series_equals_the_oracles"
GAUGES = "engine/test_gauges.py::test_live_gauges_equal_those_of_the_closed_bar"
LEVELS = "engine/test_levels.py::test_the_band_of_2100_to_2300_has_its_known_answers"
FOUND = "engine/test_level_sources.py::test_configured_levels_stand_first_and_others_lie_within_eight_atr"
MARKETS = "engine/test_volume_tables.py::test_venues_and_all_markets_stand_apart"
FLOWS = "engine/test_flow_table.py::test_groups_stand_before_their_funds_and_sum_them"
SHARE = "engine/test_flow_table.py::test_the_share_has_a_percentile_from_nine_years_on_and_else_a_label"
SCAN = "engine/test_scanner.py::test_ols_and_tls_equal_their_oracles"
PLAN = "engine/test_plan_table.py::test_the_plan_of_220_stands_in_the_table_as_it_is_known"
EVIDENCE = "engine/test_plan_and_regime.py::test_evidence_on_real_iwm_and_spy_equals_pandas"
MEASURED = "engine/test_plan_and_regime.py::test_flows_measure_two_claims_and_one_item_of_evidence"

METRICS: Final = (
    # 1: size spread
    Metric("ratio", "spreads", "ratio", SPREADS),
    Metric("log_ratio", "spreads", "log_ratio", SPREADS),
    Metric("relative return", "spreads", "rel_1y", SPREADS),
    Metric("return spread", "spreads", "pp_5y", SPREADS),
    Metric("z-score", "spreads", "z252", SPREADS),
    Metric("`z63`", "spreads", "z63", SPREADS),
    Metric("percentile", "spreads", "percentile", SPREADS),
    Metric("decade low", "spreads", "low_label", "engine/test_spreads_oracles.py::"
           "test_a_young_pair_at_its_low_is_said_to_be_at_an_n_year_low"),
    Metric("drawdown", "spreads", "drawdown", SPREADS),
    Metric("half_life", "spreads", "half_life", "engine/test_spreads_oracles.py::"
           "test_a_mean_reverting_ratio_has_its_half_life"),
    Metric("leader streak", "spreads", "streak_years", "engine/test_spreads_properties.py::"
           "test_total_returns_of_2021_to_2025_make_a_streak_of_five_for_large"),
    Metric("this year so far", "spreads", "ytd_leader", SPREADS),
    Metric("ALT", "spreads", "coverage", "engine/test_spreads_properties.py::"
           "test_an_equal_weight_index_is_chained_from_mean_returns"),
    # 2: divergence
    Metric("D1 equity", "gauges", "gauge", GAUGES),
    Metric("D2 crypto", "gauges", "value", GAUGES),
    Metric("BTC dominance", "gauges", "detail", "engine/test_gauges.py::"
           "test_dominance_stands_beside_d2_and_warns_from_three_points_on"),
    Metric("D3 cross-size gap", "gauges", "percentile", "engine/test_gauges.py::"
           "test_the_gap_is_held_against_a_clipped_correlation"),
    Metric("D4 correlation break", "gauges", "state", "engine/test_gauges.py::"
           "test_fishers_test_of_a_tenth_against_six_tenths_is_minus_2_35"),
    Metric("D5 price/volume", "gauges", "value", "engine/test_gauges.py::"
           "test_a_rise_on_falling_volume_alerts_and_one_on_rising_volume_does_not"),
    Metric("D6 swing", "gauges", "value", "engine/test_gauges.py::"
           "test_swing_divergences_are_what_their_definition_says"),
    Metric("RSI14", "gauges", "value", "engine/test_levels.py::test_atr_and_rsi_equal_ta_lib"),
    Metric("rolling beta", "correlations", "beta", "engine/test_gauges.py::"
           "test_rolling_correlation_and_beta_equal_pandas_and_rolling_ols"),
    Metric("EWMA", "correlations", "ewma_corr", "engine/test_cross.py::test_ewma_equals_pandas"),
    # 3: volume
    Metric("ADV YoY", "volumes", "adv_yoy_pct", "engine/test_volume_tables.py::"
           "test_thirty_million_to_twenty_five_and_a_half_is_minus_fifteen_per_cent"),
    Metric("dollars", "volumes", "adv_usd_yoy_pct", "engine/test_volume_tables.py::test_adv_on_real_iwm_equals_pandas"),
    Metric("relative volume RVOL", "volumes", "rvol", "engine/test_volume_tables.py::"
           "test_rvol_is_todays_volume_over_the_mean_of_twenty_full_sessions_at_the_same_time"),
    Metric("basket change", "baskets", "volume_yoy_pct", "engine/test_volume_tables.py::"
           "test_basket_volume_from_100_to_80_is_minus_20_and_to_75_minus_25_per_cent"),
    Metric("24 h aggregate", "markets", "venues_usd", "engine/test_volume_tables.py::"
           "test_a_book_whose_figures_are_mixed_up_is_left_out_and_a_real_pump_is_not"),
    Metric("all_markets_usd", "markets", "all_markets_usd", MARKETS),
    Metric("dominance_pct", "markets", "dominance_pct", MARKETS),
    # 4: levels
    Metric("half-width", "levels", "low", LEVELS),
    Metric("ATR14", "levels", "distance_atr", "engine/test_levels.py::test_atr_equals_ta_lib_on_real_iwm"),
    Metric("distance_pct", "levels", "distance_pct", LEVELS),
    Metric("position", "levels", "position", LEVELS),
    Metric("pivots", "levels", "sources", "engine/test_level_sources.py::test_the_pivots_density_equals_scipys"),
    Metric("floor pivots", "levels", "sources", "engine/test_level_sources.py::test_floor_pivots_of_2300_2100_2200"),
    Metric("donchian", "levels", "sources", "engine/test_level_sources.py::"
           "test_the_prior_week_and_donchian_equal_pandas"),
    Metric("volume profile", "levels", "sources", "engine/test_level_sources.py::test_the_value_area_of_eight_rows"),
    Metric("value area", "levels", "sources", "engine/test_level_sources.py::test_the_value_area_of_eight_rows"),
    Metric("anchored VWAP", "levels", "sources", "engine/test_level_sources.py::test_anchored_vwap_equals_pandas"),
    Metric("touches", "levels", "touches", "engine/test_levels.py::"
           "test_a_touch_counts_again_only_after_leaving_by_one_atr"),
    Metric("strength", "levels", "strength", FOUND),
    Metric("FALSE_BREAK", "levels", "state", "engine/test_levels.py::test_a_life_goes_through_its_states"),
    Metric("out_of_play", "levels", "out_of_play", LEVELS),
    # 5: flows
    Metric("Flow", "flows", "flow_1d", "engine/test_flows.py::"
           "test_known_answer_one_and_a_half_million_shares_redeemed"),
    Metric("% of AUM", "flows", "flow_pct_aum", FLOWS),
    Metric("small-cap share", "flows", "share_of_all", SHARE),
    Metric("percentile", "flows", "percentile", SHARE),
    Metric("spot-BTC group", "flows", "group", FLOWS),
    Metric("new-launch count", "facts", "value", "engine/test_flow_table.py::"
           "test_newcomers_are_counted_from_the_first_run_on"),
    # 6: cross-market
    Metric("Epps effect", "correlations", "corr", "engine/test_cross.py::"
           "test_previous_tick_sampling_hides_what_hayashi_yoshida_shows"),
    Metric("Hayashi–Yoshida", "correlations: ticks", "corr", "engine/test_cross.py::"
           "test_hayashi_yoshida_equals_brute_force"),
    Metric("lead_lag_s", "correlations: ticks", "lead_lag_s", "engine/test_cross.py::test_a_planted_lag_is_recovered"),
    Metric("daily lead-lag", "correlations", "lead_lag", "engine/test_cross.py::"
           "test_daily_lead_lag_finds_a_lag_and_tells_none"),
    Metric("least squares", "scanner", "beta_ols", SCAN),
    Metric("total least squares", "scanner", "beta_tls", SCAN),
    Metric("beta_kalman", "scanner", "beta_kalman", "engine/test_scanner.py::"
           "test_the_kalman_filter_without_drift_equals_recursive_least_squares"),
    Metric("cointegration", "scanner", "p_value", "engine/test_scanner.py::"
           "test_a_planted_pair_passes_the_gates_and_random_walks_do_not"),
    Metric("half_life", "scanner", "half_life", "engine/test_scanner.py::"
           "test_a_planted_pair_passes_the_gates_and_random_walks_do_not"),
    Metric("residual", "scanner", "z", "engine/test_scanner.py::"
           "test_the_residuals_z_is_over_sixty_bars_and_leads_in_and_out"),
    Metric("hedge_units", "scanner", "hedge_units", "engine/test_scanner.py::"
           "test_ten_eth_are_hedged_by_1_30_micro_contracts"),
    Metric("Russell 2000 +41.3 %", "whatifs", "price", "engine/test_plan_table.py::test_a_rotation_of_2000_to_2009"),
    # 7: regime
    Metric("5y relative", "regime", "evidence", EVIDENCE),
    Metric("SMA756", "regime", "value", EVIDENCE),
    Metric("years since the ratio's high", "regime", "threshold", EVIDENCE),
    Metric("years led by large", "regime", "holds", EVIDENCE),
    Metric("small-cap share percentile", "regime", "note", MEASURED),
    Metric("3m relative", "regime", "value", EVIDENCE),
    Metric("SMA200", "regime", "value", EVIDENCE),
    Metric("breadth", "regime", "value", MEASURED),
    Metric("implied cuts", "regime", "value", "engine/test_plan_and_regime.py::"
           "test_fed_funds_futures_say_what_a_meeting_is_worth"),
    Metric("P(25 bp cut)", "facts", "value", "engine/test_fed_outlook.py::"
           "test_the_known_answer_stands_in_the_table"),
    Metric("fed_cut_probability", "facts", "fact", "engine/test_fed_outlook.py::"
           "test_a_known_path_of_meetings_is_found_again"),
    Metric("fed_rate_after", "facts", "source", "engine/test_fed_outlook.py::"
           "test_what_cannot_be_told_is_null_with_its_reason"),
    Metric("252-bar low", "regime", "value", EVIDENCE),
    Metric("break-even", "regime", "note", "engine/test_flow_table.py::"
           "test_rates_are_per_cent_and_a_break_even_without_fred_is_an_estimate"),
    Metric("^IRX", "regime", "note", "engine/test_flow_table.py::"
           "test_rates_are_per_cent_and_a_break_even_without_fred_is_an_estimate"),
    Metric("equal weight against cap weight", "regime", "note", SPREADS),
    Metric("relative rotation", "rotation", "rs_ratio", "engine/test_plan_and_regime.py::"
           "test_rotation_equals_pandas_and_names_its_quadrant"),
    Metric("RSM", "rotation", "rs_momentum", "engine/test_plan_and_regime.py::"
           "test_rotation_equals_pandas_and_names_its_quadrant"),
    Metric("Weakening", "rotation", "quadrant", "engine/test_plan_and_regime.py::"
           "test_rotation_equals_pandas_and_names_its_quadrant"),
    Metric("breadth200", "baskets", "breadth200", "engine/test_volume_tables.py::"
           "test_breadth_counts_the_members_above_their_means_of_50_and_200"),
    Metric("breadth", "baskets", "breadth", "engine/test_plan_and_regime.py::test_breadth_counts_valid_members_only"),
    # 8: trade plan
    Metric("stop", "plans", "stop", PLAN),
    Metric("r_multiple", "plans", "r_multiple", PLAN),
    Metric("target", "plans", "target", PLAN),
    Metric("quantity", "plans", "quantity", PLAN),
    Metric("notional", "plans", "notional", PLAN),
    Metric("distance_atr", "plans", "distance_atr", "engine/test_plan_and_regime.py::test_distance_in_atr"),
    Metric("touch_probability", "plans", "touch_probability", "engine/test_plan_and_regime.py::"
           "test_the_touch_probabilities_of_three_prices"),
    Metric("break_even", "plans", "break_even", PLAN),
)  # fmt: skip
"""Every name of the definitions, in their order."""


@cache
def sections() -> dict[str, str]:
    """The documentation by its headings (`bars, charts` stands for both)."""
    parts = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").split("\n## ")
    found = {}
    for part in parts:
        heading, _, body = part.partition("\n")
        for name in heading.split(", "):
            found[name] = body
    return found


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: f"{m.section} {m.words}")
def test_a_number_is_explained_shown_and_held(metric: Metric) -> None:
    assert metric.words.lower() in sections()[metric.section].lower(), "docs/metrics.md does not explain it"
    assert metric.column in TABLES[metric.section.partition(":")[0]], "no live table has it"
    file, _, function = metric.test.partition("::")
    assert function in functions(file), "no such test"


@pytest.mark.parametrize("table", sorted(set(TABLES) - {"alerts", "journal", "rules"}))
def test_every_table_of_numbers_has_its_section(table: str) -> None:
    assert table in sections()
