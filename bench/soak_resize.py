"""Random sizes of the window while data flows and keys are pressed: no exception, no line too long, none left over.

uv run --group dev python -m bench.soak_resize [--sizes 500] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time

from tests.tui import fakes
from tests.tui.running import running

KEYS = ("j", "G", "g", "tab", "z", "s", "S", "b", "n", "ctrl+d", "space", "w", "plus", "escape", *"123456789")


async def soak(sizes: int, seed: int) -> None:
    """Drag the window to so many sizes. Raises AssertionError where a screen is not drawn whole."""
    rng = random.Random(seed)
    began = time.process_time()
    async with running(fakes.snapshot()) as run:
        for _ in range(sizes):
            size = (rng.randint(20, 300), rng.randint(5, 100))
            await run.pilot.resize_terminal(*size)
            assert run.source.snapshot is not None
            run.source.snapshot = fakes.moved(run.source.snapshot, rng.uniform(-0.02, 0.02))
            await run.press(rng.choice(KEYS))
            strips = run.app.screen._compositor.render_strips()
            assert len(strips) == size[1], size
            assert {strip.cell_length for strip in strips} == {size[0]}, size
            shown = run.text()
            assert await run.drawn_anew() == shown, f"{size}: something of another size or moment was left"
    print(f"{sizes} sizes, {(time.process_time() - began) / sizes * 1000:.0f} ms of CPU each")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    asyncio.run(soak(options.sizes, options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
