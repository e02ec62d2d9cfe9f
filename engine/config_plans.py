"""What one value of a plan says of another, checked as the configuration is read: light, and without the market."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from difflib import get_close_matches

from engine.config import Config, Plan
from engine.config_looks import Wrong


def plan_mistakes(config: Config) -> Iterator[Wrong]:
    """Every mistake in the plans: where it stands, what stands there, what would be right."""
    for name, plan in config.plans.items():
        yield from _mistakes(f"plans.{name}", plan, config)


def _mistakes(path: str, plan: Plan, config: Config) -> Iterator[Wrong]:
    if plan.symbol not in config.symbols:
        near = get_close_matches(plan.symbol, config.symbols, n=2, cutoff=0.6)
        hint = "; did you mean " + " or ".join(near) + "?" if near else ""
        yield Wrong(f"{path}.symbol", plan.symbol, f"must be a watched symbol, such as IWM or BTC/USD{hint}")
    if plan.entry and plan.stop >= plan.entry:
        yield Wrong(f"{path}.stop", plan.stop, f"must lie below the entry {plan.entry:g}: plans are long")
    low = plan.entry or plan.stop
    for place, target in enumerate(plan.targets):
        if target <= low:
            yield Wrong(f"{path}.targets[{place}]", target, f"must lie above {low:g}")
    if plan.by:
        try:
            date.fromisoformat(plan.by)
        except ValueError:
            yield Wrong(f"{path}.by", plan.by, "must be a day that there is, such as 2026-04-09")


def without_orphans(config: Config, written: frozenset[str]) -> Config:
    """`config` without the built-in plans whose symbols it does not watch. written: names of the user's file."""
    kept = {name: plan for name, plan in config.plans.items() if name in written or plan.symbol in config.symbols}
    return config if len(kept) == len(config.plans) else replace(config, plans=kept)
