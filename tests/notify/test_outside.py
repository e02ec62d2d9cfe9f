"""What leaves the house: to whom the configuration says, in live runs alone, and trouble is told without a secret."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import pytest

from engine.clock import Clock
from engine.collector import Collector
from engine.config import Channel, Config, Notify
from engine.database import Database
from engine.journal import Journal
from engine.model import Event, Mode
from engine.sending import Sending
from notify.outside import Outside
from sizewatch import Run
from tests.engine.runtime import HandClock, engine

WRITE = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"


def event(severity: str = "critical", at: float | None = None) -> Event:
    return Event("id1", "z", "r", "fired", Clock().now() if at is None else at, severity, "on", "m", {})


def owe(folder: Path, *channels: str, at: float | None = None) -> None:
    database = Database(folder)
    Journal(database).record([event(at=at)], [], {"id1": channels})
    database.close()


async def until(done: Callable[[], object]) -> None:
    """Wait for what another process or the disk does, which tells nobody."""
    async with asyncio.timeout(30):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_configured_command_gets_what_is_owed(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    notify = Notify(channels={"own": Channel("command", "", (sys.executable, "-c", WRITE, str(out)))})
    outside = Outside(notify, tmp_path, Clock(), lambda severity, text: pytest.fail(text))
    assert outside.channels(event(), False) == ("own",)
    assert outside.channels(event("info"), False) == () == outside.channels(event(), True)
    owe(tmp_path, "own")
    task = asyncio.create_task(outside.run())
    await until(lambda: out.exists() and out.read_bytes())
    task.cancel()
    assert orjson.loads(out.read_bytes())["events"][0]["id"] == "id1"


async def test_a_channel_in_trouble_is_told_without_its_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "nosuch://hunter2@host")
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    notify = Notify(channels={"phone": Channel("apprise", "env:HOOK")})
    owe(tmp_path, "phone")
    task = asyncio.create_task(Outside(notify, tmp_path, Clock(), lambda *said: told.put_nowait(said)).run())
    severity, text = await asyncio.wait_for(told.get(), 30)
    task.cancel()
    assert severity == "warning" and text.startswith("alerts do not arrive by phone: ") and "hunter2" not in text


async def test_what_is_owed_to_a_channel_that_is_gone_is_given_up_after_a_day(tmp_path: Path) -> None:
    owe(tmp_path, "old", at=Clock().now() - 2 * 86_400)
    task = asyncio.create_task(Outside(Notify(channels={"desk": Channel()}), tmp_path, Clock(), print).run())
    database = Database(tmp_path)
    await until(lambda: not Journal(database).owed(1e12))
    task.cancel()
    database.close()


@pytest.mark.parametrize(("mode", "sends"), [(Mode.LIVE, True), (Mode.DEMO, False)])
def test_only_a_live_run_has_a_way_out(mode: Mode, sends: bool, tmp_path: Path) -> None:
    collector = Run(Config(), Clock(), mode, tmp_path, tmp_path, None).collector()
    assert isinstance(collector, Collector) and (collector._sender is not None) == sends


class Faulty:
    """A sender that fails at once."""

    def channels(self, event: Event, silenced: bool, /) -> Sequence[str]:
        return ("a",)

    async def run(self) -> None:
        raise OSError("no disk")


async def test_a_sender_that_fails_is_a_notice_and_the_engine_goes_on() -> None:
    clock = HandClock()
    running = engine(clock)
    sending = Sending(lambda config, clock, tell: Faulty(), running, clock)
    sending.use(Config())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert running.channels(event(), False) == ("a",)
    assert "alerts are not being sent (OSError: no disk)" in running.beat().notices[-1].text
    await sending.stop()
