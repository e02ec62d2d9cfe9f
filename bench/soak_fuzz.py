"""`python -m bench.soak_fuzz [--inputs N]`: many mangled inputs for every decoder; prints one JSON object a decoder.

Exit code 1 where an exception escaped, an input took a second, or memory grew by more than 10 MB after the first tenth.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback

from bench.fuzz_samples import Target
from bench.fuzz_targets import targets
from bench.growth import resident_mb

SLOW_S = 1.0
GROWTH_MB = 10.0


def soak(target: Target, inputs: int) -> dict[str, object]:
    """Feed one target."""
    target.feed(0)  # what is imported and built at first is no input's doing
    slowest, escaped, warm = 0.0, [], resident_mb()
    began = time.perf_counter()
    for seed in range(inputs):
        if seed == inputs // 10:
            warm = resident_mb()
        at = time.perf_counter()
        try:
            target.feed(seed)
        except Exception:  # noqa: BLE001 (what must not escape is what is looked for)
            escaped.append({"seed": seed, "error": traceback.format_exc().splitlines()[-1][:200]})
        slowest = max(slowest, time.perf_counter() - at)
    return {
        "decoder": target.name,
        "inputs": inputs,
        "escaped": len(escaped),
        "first": escaped[:1],
        "slowest_ms": round(slowest * 1000, 2),
        "grown_mb": round(resident_mb() - warm, 1),
        "seconds": round(time.perf_counter() - began, 1),
    }


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser("bench.soak_fuzz", description="Mangled inputs for every decoder and importer.")
    parser.add_argument("--inputs", type=int, default=100_000, help="for each decoder (100000)")
    parser.add_argument("--only", help="this decoder alone")
    given = parser.parse_args()
    good = True
    for target in targets():
        if given.only in {None, target.name}:
            told = soak(target, given.inputs)
            print(json.dumps(told), flush=True)
            good &= told["escaped"] == 0 and float(str(told["slowest_ms"])) < SLOW_S * 1000
            good &= float(str(told["grown_mb"])) < GROWTH_MB
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
