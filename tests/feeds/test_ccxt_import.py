"""ccxt.pro, an exchange at a time: what one gets is what the library's own import gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys
from feeds.ccxt_import import ccxt_pro

pro = ccxt_pro()
kraken = pro.kraken
first = sorted(m for m in sys.modules if m.startswith("ccxt.pro."))
import ccxt
from ccxt.pro import coinbase
assert ccxt_pro() is pro is ccxt.pro is sys.modules["ccxt.pro"]
classes = {name: getattr(pro, name).__module__ for name in pro.exchanges}
print(json.dumps({
    "first": first,
    "kraken": [f"{c.__module__}.{c.__qualname__}" for c in kraken.__mro__],
    "same": coinbase is pro.coinbase and issubclass(pro.binanceus, pro.binance) and kraken is pro.kraken,
    "classes": classes,
    "errors": issubclass(ccxt.RequestTimeout, ccxt.NetworkError),
    "nothing": getattr(pro, "no_such_exchange", None),
    "finders": [type(f).__module__ for f in sys.meta_path if type(f).__module__.startswith("feeds")],
}))
"""


def test_only_the_exchanges_asked_for_are_imported_and_they_are_the_librarys_own() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    found = json.loads(done.stdout)
    assert found["first"] == ["ccxt.pro.kraken"]
    assert found["kraken"][:2] == ["ccxt.pro.kraken.kraken", "ccxt.async_support.kraken.kraken"]
    assert found["same"] and found["errors"] and found["nothing"] is None
    assert len(found["classes"]) > 50
    assert found["classes"] == {name: f"ccxt.pro.{name}" for name in found["classes"]}
    assert found["finders"] == [], "nothing stays in the way of other imports"
