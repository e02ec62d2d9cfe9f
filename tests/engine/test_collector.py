"""The collector: beats whatever happens, says what broke, and ends when it is told to."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine import sessions
from engine.clock import Clock
from engine.collector import Collector, Prepare
from engine.config import Config, Refresh
from engine.model import Bars, Intent, Mode, Notice, Sink, Snapshot
from tests.engine.runtime import bars_frame, channel, config, quote, row


@pytest.fixture(scope="module", autouse=True)
def calendars() -> None:
    sessions.warm()


class Source:
    """Feeds that send one quote and wait; what happens next is the test's."""

    def __init__(self, sink: Sink, settings: Config, clock: Clock) -> None:
        self.sink, self.settings, self.clock = sink, settings, clock
        self.retried = self.waiting = 0
        self.left = threading.Event()
        self.loop = asyncio.get_running_loop()

    async def run(self) -> None:
        self.sink.report_channel(channel("kraken", up=True, limit=600))
        self.sink.ingest(quote(self.clock))
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()

    def reconfigure(self, settings: Config) -> None:
        self.settings = settings

    def retry(self) -> int:
        self.retried += 1
        return self.waiting


class Bench:
    """Makes collectors, ends them, and keeps the feeds they were given."""

    def __init__(self) -> None:
        self.made: list[Source] = []
        self.collectors: list[Collector] = []

    def prepare(self, sink: Sink, settings: Config, clock: Clock) -> Source:
        self.made.append(Source(sink, settings, clock))
        return self.made[-1]

    def start(
        self,
        prepare: Prepare | None = None,
        *,
        settings: Config | None = None,
        reload: Callable[[], Config | Notice | None] | None = None,
        store: Path | None = None,
    ) -> Collector:
        collector = Collector(
            prepare or self.prepare,
            config=settings or config(),
            mode=Mode.LIVE,
            scenario=None,
            clock=Clock(),
            store=store,
            reload=reload,
        )
        self.collectors.append(collector)
        collector.start()
        return collector


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for collector in made.collectors:
        assert collector.stop(10)


def until(collector: Collector, holds: Callable[[Snapshot], object], seconds: float = 30.0) -> Snapshot:
    """The first snapshot for which `holds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        latest = collector.latest()
        if latest is not None and holds(latest):
            return latest
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s; failure: {collector.failure()}; last: {collector.latest()}")


def test_what_stands_free_is_given_back_every_so_often(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    given = threading.Event()
    monkeypatch.setattr("engine.garbage.give_back", given.set)
    until(bench.start(), lambda s: s.seq > 3)
    assert not given.is_set(), "only after ten minutes"
    monkeypatch.setattr("engine.collector.TIDY_S", 0.1)
    bench.start()
    assert given.wait(15)


def test_it_beats_at_its_rate_even_when_nothing_moves(bench: Bench) -> None:
    collector = bench.start(settings=config(refresh=Refresh(beat_hz=10.0)))
    first = until(collector, lambda s: s.ticks)
    began = time.monotonic()
    last = until(collector, lambda s: s.seq >= first.seq + 10)
    assert last.beat_at - first.beat_at >= 0.8
    assert time.monotonic() - began < 8


def test_a_lost_connection_shows_before_the_next_beat_is_due(bench: Bench) -> None:
    collector = bench.start(settings=config(refresh=Refresh(beat_hz=1.0)))
    until(collector, lambda s: row(s)["status"] == "ok")
    source = bench.made[0]
    began = time.monotonic()
    source.loop.call_soon_threadsafe(source.sink.report_channel, channel("kraken", up=False))
    until(collector, lambda s: row(s)["status"] == "stale")
    assert time.monotonic() - began < 0.9


def test_feeds_that_fail_are_told_and_started_again(bench: Bench) -> None:
    lives: list[int] = []

    class Crash(Source):
        async def run(self) -> None:
            lives.append(1)
            if len(lives) == 1:
                raise RuntimeError("boom")
            await super().run()

    collector = bench.start(Crash)
    snapshot = until(collector, lambda s: s.ticks)
    assert any("boom" in n.text and n.severity == "error" for n in snapshot.notices)
    assert collector.failure() is None


def test_feeds_that_cannot_be_built_are_told_and_tried_again(bench: Bench) -> None:
    tries: list[int] = []

    def prepare(sink: Sink, settings: Config, clock: Clock) -> Source:
        tries.append(1)
        if len(tries) == 1:
            raise ImportError("no module named x")
        return bench.prepare(sink, settings, clock)

    collector = bench.start(prepare)
    assert any("no module named x" in n.text for n in until(collector, lambda s: s.ticks).notices)


def test_what_ends_the_thread_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("none left")

    monkeypatch.setattr("engine.engine.Engine.load", fail)
    collector = bench.start()
    deadline = time.monotonic() + 10
    while collector.failure() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert collector.failure() == "MemoryError: none left"


def test_beats_that_go_on_failing_end_it_in_words(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = bench.start(settings=config(refresh=Refresh(beat_hz=20.0)))
    until(collector, lambda s: s.ticks)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("in the beat")

    monkeypatch.setattr("engine.engine.Engine._settle", fail)
    deadline = time.monotonic() + 15
    while collector.failure() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert collector.failure() == "ZeroDivisionError: in the beat"


def test_stop_ends_the_feeds_in_order_and_soon(bench: Bench) -> None:
    collector = bench.start()
    until(collector, lambda s: s.ticks)
    began = time.monotonic()
    assert collector.stop(5)
    assert time.monotonic() - began < 2.0
    assert bench.made[0].left.is_set()
    assert collector.failure() is None


def test_stop_does_not_wait_for_feeds_that_will_not_end(bench: Bench) -> None:
    class Stubborn(Source):
        async def run(self) -> None:
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    if self.left.is_set():
                        raise
                    self.left.set()

    collector = bench.start(Stubborn)
    until(collector, lambda s: s.seq > 2)
    began = time.monotonic()
    assert collector.stop(5)
    assert time.monotonic() - began < 2.5


def test_stop_before_start_is_no_error() -> None:
    collector = Collector(Source, config=config(), mode=Mode.LIVE, scenario=None, clock=Clock(), store=None)
    assert collector.stop()
    assert collector.latest() is None


def test_a_wish_reaches_the_feeds_and_an_unknown_one_is_told(bench: Bench) -> None:
    collector = bench.start()
    until(collector, lambda s: s.ticks)
    collector.send(Intent("retry"))
    collector.send(Intent("dance"))
    until(collector, lambda s: any("dance" in n.text for n in s.notices))
    assert bench.made[0].retried == 1


def test_a_retry_says_how_many_sources_waited_for_one(bench: Bench) -> None:
    collector = bench.start()
    until(collector, lambda s: s.ticks)
    collector.send(Intent("retry"))
    until(collector, lambda s: any(n.text == "no source waits for a retry" for n in s.notices))
    bench.made[0].waiting = 2
    collector.send(Intent("retry"))
    until(collector, lambda s: any(n.text == "sources tried again now: 2" for n in s.notices))


def test_a_reload_that_finds_nothing_new_says_so_and_one_that_does_reads_it_at_once(bench: Bench) -> None:
    looks: list[Config | None] = []
    collector = bench.start(reload=lambda: looks.pop(0) if looks else None)
    until(collector, lambda s: s.ticks)
    collector.send(Intent("reload-config"))
    until(collector, lambda s: any(n.text == "the configuration is as it was at the last look" for n in s.notices))
    looks += [None, replace(config(), equity=replace(config().equity, symbols=("SPY",)))]
    collector.send(Intent("reload-config"))
    until(collector, lambda s: any(n.text == "the changed configuration is in force" for n in s.notices))


def test_a_changed_configuration_reaches_engine_and_feeds(bench: Bench) -> None:
    answers: list[Config | Notice | None] = []
    collector = bench.start(reload=lambda: answers.pop() if answers else None)
    until(collector, lambda s: s.ticks)
    changed = replace(config(), equity=replace(config().equity, symbols=("SPY",)))
    answers.append(changed)
    snapshot = until(collector, lambda s: s.config is changed)
    assert snapshot.tables["quotes"].height == 4
    assert bench.made[0].settings is changed
    assert row(snapshot)["last"] == 100.0


def test_a_refused_configuration_is_shown_and_the_old_one_runs_on(bench: Bench) -> None:
    answers: list[Notice] = []
    collector = bench.start(reload=lambda: answers.pop() if answers else None)
    before = until(collector, lambda s: s.ticks).config
    answers.append(Notice(0.0, "error", "x.toml: network.timeout = 0: 1 to 120"))
    collector.send(Intent("reload-config"))
    snapshot = until(collector, lambda s: s.notices)
    assert snapshot.notices[0].text.startswith("x.toml")
    assert snapshot.config is before


def test_who_asks_for_a_configuration_that_was_refused_is_told_why_again(bench: Bench) -> None:
    looks: list[Notice | None] = [Notice(0.0, "error", "x.toml: network.timeout = 0: 1 to 120")]
    collector = bench.start(reload=lambda: looks.pop(0) if looks else None)
    until(collector, lambda s: s.notices)
    collector.send(Intent("dance"))
    collector.send(Intent("reload-config"))
    until(collector, lambda s: [n.text[:6] for n in s.notices] == ["x.toml", "nobody", "x.toml"])


def test_a_reload_that_raises_is_told(bench: Bench) -> None:
    def reload() -> None:
        raise OSError("the folder is gone")

    collector = bench.start(reload=reload)
    until(collector, lambda s: any("the folder is gone" in n.text for n in s.notices))
    assert collector.failure() is None


def test_importing_it_brings_in_nothing_heavy() -> None:
    heavy = ("polars", "numpy", "pandas", "ccxt", "yfinance", "aiohttp", "exchange_calendars", "orjson")
    code = f"import sys, engine.collector; print([m for m in {heavy!r} if m in sys.modules])"
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert got.stdout.strip() == "[]"


def test_the_worker_begins_with_the_first_heavy_work_and_ends_with_the_collector(bench: Bench) -> None:
    """The pairs' history comes after the first price; nothing is started for less."""
    collector = bench.start()
    until(collector, lambda s: s.ticks)
    assert collector.worker.pid is None
    source = bench.made[0]
    begin = datetime.combine(datetime.now(UTC).date() - timedelta(days=400), datetime.min.time(), UTC)
    days = bars_frame([100.0 + n % 7 for n in range(400)], begin)
    other = bars_frame([50.0 + n % 11 for n in range(400)], begin)

    def bring() -> None:
        for symbol, frame in (("ETH/USD", days), ("BTC/USD", other)):
            source.sink.ingest_bars(Bars(symbol, "1d", "kraken-bars", "USD", frame))

    source.loop.call_soon_threadsafe(bring)
    last = until(
        collector,
        lambda s: [r for r in s.tables["scanner"].to_dicts() if r["pair"] == "ETH/BTC" and r["beta_ols"] is not None],
        90.0,
    )
    pid = collector.worker.pid
    assert pid is not None
    assert last.tables["scanner"].height >= 1
    assert collector.stop(10)
    assert collector.worker.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_plan_reaches_the_engine_by_an_intent(bench: Bench) -> None:
    collector = bench.start()
    until(collector, lambda s: row(s)["status"] == "ok")
    collector.send(Intent("plan", {"text": "mine: BTC at 90 stop 80"}))
    last = until(collector, lambda s: "mine" in s.tables["plans"]["plan"].to_list())
    assert any(n.text == "plan mine: BTC/USD at 90" for n in last.notices)
    collector.send(Intent("drop-plan", {"name": "mine"}))
    until(collector, lambda s: "mine" not in s.tables["plans"]["plan"].to_list())
