"""The exchanges that a configuration may name, known without importing ccxt.

Importing ccxt.pro takes about a second, and a configuration is checked before the first paint; so this looks at which
modules the installed ccxt.pro brings and imports none of them. A test holds the answer against `ccxt.pro.exchanges`.
"""

from __future__ import annotations

from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path


@cache
def known_exchanges() -> frozenset[str]:
    """ccxt.pro's exchange ids; empty where ccxt is not installed."""
    spec = PathFinder.find_spec("ccxt")
    if spec is None or not spec.submodule_search_locations:
        return frozenset()
    modules = (Path(spec.submodule_search_locations[0]) / "pro").glob("*.py")
    return frozenset(module.stem for module in modules if not module.stem.startswith("_"))
