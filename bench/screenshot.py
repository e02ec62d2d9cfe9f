"""Draws the README's picture: the dashboard of the running demo, as SVG.

    uv run --group dev python -m bench.screenshot [--out docs/screenshot.svg] [--columns 120] [--lines 40] [--fake]

The terminal runs over the real engine, feeds and simulator; the picture is taken once every source has delivered.
`--fake` draws the tests' still moment instead, which needs no simulator. `--keys j,enter` presses keys before.
`--all` draws every screen into `docs/screens` in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from engine.config import Config
from engine.model import Mode, SnapshotSource
from tui.app import SizewatchApp
from tui.catalogue import SCREENS
from tui.placed import placed


@contextlib.contextmanager
def demo() -> Iterator[tuple[SizewatchApp, SnapshotSource]]:
    """The terminal over a running demo, as the front door builds it."""
    import sizewatch
    from engine.options import Options

    with sizewatch.prepared(Options(config=None, demo="january-2026", at=None)) as run:
        collector = run.collector()
        collector.start()
        try:
            yield SizewatchApp(collector, run.config, run.mode, run.scenario, run.clock), collector
        finally:
            collector.stop()


@contextlib.contextmanager
def fake() -> Iterator[tuple[SizewatchApp, SnapshotSource]]:
    """The terminal over the tests' still moment."""
    from tests.tui import fakes

    source = fakes.FakeSource(fakes.snapshot())
    yield SizewatchApp(source, Config(), Mode.DEMO, "january-2026", fakes.FixedClock()), source


async def settled(source: SnapshotSource, wait_s: float) -> None:
    """Wait until every source has delivered and every table stands. Raises RuntimeError where that does not happen."""
    for _ in range(int(wait_s * 10)):
        snapshot = source.latest()
        if source.failure() is not None:
            raise RuntimeError(source.failure())
        if snapshot is not None and snapshot.settled:
            break
        await asyncio.sleep(0.1)
    else:
        raise RuntimeError(f"the sources had not settled after {wait_s:g} s")
    await asyncio.sleep(2)  # a few beats


async def picture(
    app: SizewatchApp, source: SnapshotSource, size: tuple[int, int], keys: list[str], wait_s: float
) -> str:
    """The screen as SVG, once the sources have settled. Raises RuntimeError where they do not within `wait_s`."""
    async with app.run_test(size=size) as pilot:
        await settled(source, wait_s)
        if keys:
            await pilot.press(*keys)
        app.frame()
        await pilot.pause(0.2)
        return placed(app.export_screenshot(title="sizewatch"))


async def gallery(app: SizewatchApp, source: SnapshotSource, size: tuple[int, int], wait_s: float, out: Path) -> None:
    """Every screen as SVG in a folder."""
    async with app.run_test(size=size) as pilot:
        await settled(source, wait_s)
        for place in SCREENS:
            await pilot.press(str(place.number))
            for _ in range(30):  # a chart's bars and a query's answer come a few beats later
                app.frame()
                await pilot.pause(0.1)
            file = out / f"{place.number}-{place.name}.svg"
            file.write_text(placed(app.export_screenshot(title=f"sizewatch: {place.title}")), encoding="utf-8")
            print(file)


def main() -> int:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshot.svg"))
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--keys", default="")
    parser.add_argument("--wait", type=float, default=120.0)
    parser.add_argument("--fake", action="store_true")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    keys = [key for key in options.keys.split(",") if key]
    with fake() if options.fake else demo() as (app, source):
        try:
            if options.all:
                folder = Path("docs/screens")
                folder.mkdir(parents=True, exist_ok=True)
                asyncio.run(gallery(app, source, (160, 50), options.wait, folder))
                return 0
            svg = asyncio.run(picture(app, source, (options.columns, options.lines), keys, options.wait))
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(svg, encoding="utf-8")
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
