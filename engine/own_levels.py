"""A support or resistance that is marked from inside: into the configuration in force, for this run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.config import Band, Config


def with_level(config: Config, arguments: Mapping[str, str]) -> Config | str:
    """The configuration with one level more, or without it where it stood there already; one line where that is wrong.

    arguments: symbol, price, role (support or resistance).
    """
    symbol, role = arguments.get("symbol", ""), arguments.get("role", "")
    try:
        price = float(arguments.get("price", ""))
    except ValueError:
        return f"level {arguments.get('price', '')!r}: must be a price"
    if symbol not in config.symbols:
        return f"level {symbol!r}: must be a watched symbol, such as ^RUT or BTC/USD"
    if role not in ("support", "resistance") or not 0 < price < 1e12:
        return f"level {symbol} {price:g}: must be a price above 0"
    band = config.levels.get(symbol, Band())
    if price in band.support or price in band.resistance:
        band = Band(tuple(p for p in band.support if p != price), tuple(p for p in band.resistance if p != price))
    else:
        mine = tuple(sorted((*getattr(band, role), price)))
        band = replace(band, **{role: mine})
    if band.support and band.resistance and max(band.support) >= min(band.resistance):
        return f"level {symbol} {price:g}: every resistance must be above every support"
    return replace(config, levels={**config.levels, symbol: band})
