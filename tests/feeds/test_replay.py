"""A recording of real feeds over real sockets, played back: the same tables at any speed, and what a kill leaves."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import math
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from polars.exceptions import PolarsError

from bench.soak_replay import journal_of
from engine.clock import Clock, ReplayClock
from engine.config import Config, Crypto, Equity
from engine.engine import Engine
from engine.export import as_dict
from engine.model import ChannelReport, Intent, Mode, Playing, Snapshot
from engine.player import Player
from feeds.crypto import CryptoStream
from feeds.crypto_bars import CryptoBars
from feeds.link import Context, Feed
from feeds.markets import MarketLists
from feeds.network import Border
from feeds.record import Recorder, RecordingSink, columns_of, frame_of, parts_of
from feeds.replay import RecordingError, Replay, entries
from feeds.supervisor import Supervisor
from simulator.authority import Authority
from simulator.binance import BinanceSite
from simulator.coinbase import CoinbaseSite
from simulator.gateway import Gateway
from simulator.kraken import KrakenSite
from simulator.venue import VenueSite
from tests.engine.runtime import HandClock, bars_frame
from tests.faults.world import MovingMarket, WorldClock
from tests.feeds.fakes import RecordingSink as FakeSink
from tests.feeds.links import until
from tests.simulator.still_market import NOW

VENUES = ("coinbase", "kraken", "binance")
SETTINGS = Config(
    crypto=Crypto(VENUES, baskets={"majors": ("BTC", "ETH"), "meme": ("DOGE",)}, alt=("meme",)),
    equity=Equity(symbols=()),
    rules={
        "btc": {"cross": {"symbol": "BTC/USD", "level": 91_300.0}, "cooldown": "0s", "message": "{price}"},
        "moved": {"on": "quotes", "when": "change_pct > 4.5", "cooldown": "0s", "message": "{symbol} {change_pct:.2f}"},
    },
)


async def recorded(folder: Path, file: Path, seconds: float) -> Snapshot:
    """Record three venues' streams and candles for `seconds` of the world; the live run's last snapshot."""
    clock = WorldClock(4.0)
    market = MovingMarket(clock)
    (folder / "authority").mkdir()
    sites: list[VenueSite] = [BinanceSite(market), CoinbaseSite(market), KrakenSite(market)]
    gateway = Gateway(sites, Authority(folder / "authority"))
    await gateway.start()
    engine = Engine(SETTINGS, clock, mode=Mode.DEMO)
    recorder = Recorder(file, clock)
    border = Border(gateway.proxy, gateway.ca_file, 5.0)
    sink = RecordingSink(engine, recorder.write)
    context = Context(SETTINGS, clock, sink, border, folder / "cache", recorder.write)
    lists = MarketLists()
    feeds: list[Feed] = [*(CryptoStream(name, lists) for name in VENUES), *(CryptoBars(name, lists) for name in VENUES)]
    tasks = [asyncio.create_task(Supervisor(feed, context).run()) for feed in feeds]
    tasks.append(asyncio.create_task(clock.run()))
    ends = clock.monotonic() + seconds
    while not engine.beat().settled or clock.monotonic() < ends:
        await clock.sleep(0.25)
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    last = engine.beat()
    recorder.close()
    await gateway.stop()
    return last


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Snapshot]:
    folder = tmp_path_factory.mktemp("recorded")
    file = folder / "run.sizewatch"
    return file, asyncio.run(recorded(folder, file, 40.0))


def player(
    file: Path, folder: Path, speed: float | None, begin: float | None = None, store: Path | None = None
) -> Player:
    return Player(
        lambda: entries(file),
        lambda sink, config, clock: Replay(sink, config, clock, folder),
        config=SETTINGS,
        clock=ReplayClock(),
        scenario=file.name,
        speed=speed,
        begin=begin,
        store=store,
    )


def played(
    file: Path, folder: Path, speed: float | None, begin: float | None = None, store: Path | None = None
) -> Snapshot:
    made = player(file, folder, speed, begin, store)
    made.start()
    assert made.finished.wait(60)
    snapshot = made.latest()
    assert made.failure() is None
    assert made.stop(30.0)
    assert snapshot is not None
    return snapshot


def said(snapshot: Snapshot) -> object:
    return as_dict(snapshot)["tables"], snapshot.as_of, snapshot.ticks


def test_a_recording_gives_the_same_tables_at_any_speed(recording: tuple[Path, Snapshot], tmp_path: Path) -> None:
    file, live = recording
    fastest = played(file, tmp_path, None, store=tmp_path / "fastest")
    assert fastest.ticks == live.ticks > 500
    assert fastest.mode is Mode.REPLAY
    journal = journal_of(tmp_path / "fastest")
    assert {"btc", "moved"} <= {row[0] for row in journal}
    for n, (speed, begin) in enumerate(((500.0, None), (50.0, None), (50.0, NOW + 25.0))):
        store = tmp_path / str(n)
        assert said(played(file, tmp_path, speed, begin, store)) == said(fastest)
        assert journal_of(store) == journal


def test_what_is_played_is_what_was_seen(recording: tuple[Path, Snapshot], tmp_path: Path) -> None:
    file, live = recording
    replayed = played(file, tmp_path, None)
    for seen, again in zip(*(s.tables["quotes"].rows(named=True) for s in (live, replayed)), strict=True):
        assert again["symbol"] == seen["symbol"]
        for name in ("last", "bid", "ask"):  # another venue may speak at the end, when all of them go
            assert again[name] == pytest.approx(seen[name], rel=2e-3)
    assert replayed.tables["quotes"]["simulated"].all()
    assert set(replayed.tables["feeds"]["source"]) == {*VENUES, *(f"{name}-bars" for name in VENUES)}
    assert replayed.tables["spreads"].height == live.tables["spreads"].height


async def test_it_can_be_paused_stepped_and_sought(recording: tuple[Path, Snapshot], tmp_path: Path) -> None:
    made = player(recording[0], tmp_path, 1.0)
    made.send(Intent("pause"))
    made.start()
    made.send(Intent("step"))
    await until(lambda: made.latest() is not None)
    first = made.latest()
    assert first is not None
    assert first.seq == 1
    made.send(Intent("step"))
    await until(lambda: (latest := made.latest()) is not None and latest.seq == 2)
    made.send(Intent("seek", {"at": str(first.as_of + 5.0)}))
    made.send(Intent("pause"))
    await until(lambda: (latest := made.latest()) is not None and latest.as_of >= first.as_of + 5.0)
    made.send(Intent("speed", {"speed": "max"}))
    await until(made.finished.is_set)
    assert made.stop()


async def shows(made: Player, wanted: Callable[[Snapshot, Playing], bool]) -> Snapshot:
    """The first snapshot that is as wanted."""

    def look() -> bool:
        latest = made.latest()
        return latest is not None and latest.playing is not None and wanted(latest, latest.playing)

    await until(look, 60.0)
    latest = made.latest()
    assert latest is not None
    return latest


async def test_what_lies_behind_is_played_again_the_same_way(recording: tuple[Path, Snapshot], tmp_path: Path) -> None:
    made = player(recording[0], tmp_path, None)
    made.start()
    first = await shows(made, lambda _, playing: playing == Playing(None, ended=True))
    made.send(Intent("pause"))
    made.send(Intent("seek", {"by": "-20"}))
    back = first.as_of - 20.0
    there = await shows(made, lambda now, playing: now.as_of < first.as_of and playing == Playing(None, paused=True))
    assert back <= there.as_of < back + 1.0
    made.send(Intent("seek", {"by": "10"}))
    on = await shows(made, lambda now, playing: now.as_of >= back + 10.0 and playing == Playing(None, paused=True))
    assert on.as_of < back + 12.0
    made.send(Intent("pause"))
    last = await shows(made, lambda _, playing: playing == Playing(None, ended=True))
    assert said(last) == said(first)
    assert made.stop()


async def test_a_replay_that_stands_still_has_a_heartbeat_and_a_speed(
    recording: tuple[Path, Snapshot], tmp_path: Path
) -> None:
    made = player(recording[0], tmp_path, 1.0)
    made.send(Intent("pause"))
    made.send(Intent("step"))
    made.start()
    held = await shows(made, lambda _, playing: playing.paused)
    still = await shows(made, lambda now, playing: now.beat_at > held.beat_at + 0.5)
    assert still.playing == Playing(1.0, paused=True)
    assert (still.as_of, still.seq) == (held.as_of, held.seq)
    wishes: list[tuple[dict[str, str], float | None]] = [
        ({"by": "1"}, 2.0), ({"by": "1"}, 5.0), ({"by": "-1"}, 2.0), ({"by": "-9"}, 0.1), ({"by": "99"}, None),
        ({"speed": "3"}, 3.0), ({"by": "1"}, 10.0),
    ]  # fmt: skip
    for wish, speed in wishes:
        made.send(Intent("speed", wish))
        await shows(made, lambda _, playing, speed=speed: playing.speed == speed)  # type: ignore[misc]
    assert made.stop()


def lines(clock: HandClock, recorder: Recorder, count: int) -> None:
    for number in range(count):
        clock.pass_(0.25)
        recorder.write("kraken", "ws", ["wss://x", {"n": number, "filler": "x" * 200}])


def test_a_kill_costs_the_last_second_at_the_most(tmp_path: Path) -> None:
    clock, file = HandClock(), tmp_path / "run"
    recorder = Recorder(file, clock)
    lines(clock, recorder, 40)
    kept = [entry[0] for entry in entries(file)]  # as a kill would leave it: nothing was closed
    assert clock.now() - kept[-1] <= 1.25
    whole = file.read_bytes()
    for cut in range(1, 60, 3):
        file.write_bytes(whole[:-cut])
        assert len(list(entries(file))) >= len(kept) - 6, cut
    file.write_bytes(whole)
    recorder.close()


def test_its_size_is_bounded_and_every_part_can_be_read(tmp_path: Path) -> None:
    clock, file = HandClock(), tmp_path / "run"
    recorder = Recorder(file, clock, part=2_000, parts=3)
    recorder.write("kraken", "books", [{"symbol": "BTC/USD"}])
    lines(clock, recorder, 400)
    recorder.close()
    parts = parts_of(file)
    assert len(parts) == 4
    assert sum(part.stat().st_size for part in parts) < 4 * 4_000
    for part in parts:
        head = [orjson.loads(line) for line in gzip.decompress(part.read_bytes()).splitlines()[:2]]
        assert [entry[2] for entry in head] == ["begin", "books"]
    assert [entry[3][1]["n"] for entry in entries(file) if entry[2] == "ws"][-1] == 399


def test_a_full_disk_ends_the_recording_alone(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run", Clock())
    recorder._out.close()
    recorder._out = Path("/dev/full").open("wb")  # noqa: SIM115 (the recorder closes it)
    recorder.write("kraken", "ws", ["u", 1])
    recorder.flush()
    assert recorder.failed is not None
    assert "No space left" in recorder.failed
    recorder.write("kraken", "ws", ["u", 2])
    with pytest.raises(OSError, match="No space left"):
        recorder._out.close()


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\x1f\x8b", gzip.compress(b"hello\n", mtime=0), gzip.compress(b"[1,2]\n", mtime=0)],
    ids=["empty", "plain", "cut", "no JSON", "no head"],
)
def test_what_is_no_recording_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run").write_bytes(content)
    with pytest.raises(RecordingError, match="is no recording"):
        list(entries(tmp_path / "run"))


def test_another_versions_recording_is_refused(tmp_path: Path) -> None:
    line = orjson.dumps([1.0, "", "begin", {"format": "sizewatch recording", "version": 99}])
    (tmp_path / "run").write_bytes(gzip.compress(line + b"\n"))
    with pytest.raises(RecordingError, match="format 99"):
        list(entries(tmp_path / "run"))


def test_bars_and_reports_come_back_as_they_were() -> None:
    frame = bars_frame((1.0, 2.5))
    assert frame_of(orjson.loads(orjson.dumps(columns_of(frame)))).equals(frame)
    whole = columns_of(frame)
    wrongs: tuple[object, ...] = ({}, "x", [1.0])
    for wrong in wrongs:
        with pytest.raises((TypeError, ValueError, PolarsError)):
            frame_of([*whole[:-1], [wrong] * frame.height])
    kept: list[object] = []
    sink = FakeSink()
    recording = RecordingSink(sink, lambda *entry: kept.append(entry))
    report = ChannelReport("yahoo-stream:quotes", "yahoo-stream", True, math.inf)
    recording.report_channel(report)
    assert sink.channels == [report]
    assert kept == [("yahoo-stream", "channel", ["yahoo-stream:quotes", True, None])]


def test_unreadable_entries_are_passed_over(tmp_path: Path) -> None:
    async def play() -> int:
        replay = Replay(FakeSink(), SETTINGS, ReplayClock(), tmp_path)
        for kind in ("ws", "rows", "bars", "stream", "fact", "channel", "feed", "polled", "next year's"):
            replay.play((1.0, "kraken", kind, {"not": "this"}))
        await replay.close()
        return replay.unreadable

    began = time.monotonic()
    assert asyncio.run(play()) == 9
    assert time.monotonic() >= began


NOW_S = 1_767_972_600.0
WRONG: tuple[tuple[str, list[object]], ...] = (
    ("fact", [5, "coingecko", NOW_S, 3e10]),
    ("fact", ["BTC", "coingecko", "today", 3e10]),
    ("fact", ["BTC", "coingecko", 1e300, 3e10]),
    ("outside", ["fear_greed", "40", "0-100", NOW_S, "alternative.me", 9e4]),
    ("outside", ["fear_greed", 40.0, "0-100", NOW_S, "alternative.me", 9e4, None, None, ["IWM", 5]]),
    ("funds", [["SPY", "2026-13-08", 600.5, None, None]]),
    ("funds", [["SPY", "2026-01-08", {}, None, None]]),
    ("channel", ["kraken:tickers", 1, 15.0]),
    ("feed", ["kraken", "crypto-stream", "flying", NOW_S, 3.5, 0, None, None, True]),
    ("feed", ["kraken", "crypto-stream", "live", 1e300, 3.5, 0, None, None, True]),
    ("feed", ["kraken", "crypto-stream", "live", NOW_S, 3.5, 2**63, None, None, True]),
    ("bars", [5, "1d", "USD", False, [[0], *([1.0],) * 6]]),
    ("rows", ["no row"]),
    ("books", [{"symbol": None}]),
)


@pytest.mark.parametrize(("kind", "payload"), WRONG, ids=[f"{kind} {n}" for n, (kind, _) in enumerate(WRONG)])
def test_a_field_of_another_type_goes_into_no_table(tmp_path: Path, kind: str, payload: object) -> None:
    clock, sink = ReplayClock(), FakeSink()
    clock.begin(NOW_S)

    async def play() -> int:
        replay = Replay(sink, SETTINGS, clock, tmp_path)
        replay.play((NOW_S, "kraken", kind, payload))
        await replay.close()
        return replay.unreadable

    assert asyncio.run(play()) == 1
    assert not (sink.facts or sink.outside or sink.fund_days or sink.channels or sink.reports or sink.bars)


def test_what_is_sound_beside_it_is_played(tmp_path: Path) -> None:
    clock, sink = ReplayClock(), FakeSink()
    clock.begin(NOW_S)
    times = [int(at * 1e6) for at in (NOW_S - 86_400, NOW_S, NOW_S * 1000)]
    market = {
        "id": "XBTUSD",
        "symbol": "BTC/USD",
        "base": "BTC",
        "quote": "USD",
        "spot": True,
        "type": "spot",
        "info": {},
    }

    async def play() -> tuple[int, list[str]]:
        replay = Replay(sink, SETTINGS, clock, tmp_path)
        replay.play((NOW_S, "yahoo-bars", "bars", ["IWM", "1d", "USD", False, [times, *([1.0, 2.0, 3.0],) * 6]]))
        replay.play((NOW_S, "", "outside", ["etfs", 2.0, "count", NOW_S, "nasdaqtrader", 9e4, None, None, ["IJR"]]))
        replay.play((NOW_S, "kraken", "books", [market]))
        replay.play((NOW_S, "kraken", "books", 7))
        replay.play((NOW_S, "kraken", "polled", ["BTC/USD", {"last": "0", "bid": 90_999.0, "ask": True, "info": {}}]))
        venues = list(replay._venues)
        await replay.close()
        return replay.unreadable, venues

    assert asyncio.run(play()) == (1, ["kraken"]), "books that cannot be read take none away"
    assert sink.bars[0].frame["close"].to_list() == [1.0, 2.0], "a bar of a day to come is none"
    assert sink.outside[0].members == ("IJR",)
    assert sink.quotes[0][5:8] == (None, 90_999.0, None), "a price that is a text, or yes, is none"
