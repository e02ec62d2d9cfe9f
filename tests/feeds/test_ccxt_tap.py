"""A socket that dies without a word, and a ping that comes with the end: what the library would leave to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientConnectionResetError, WSMessage, WSMsgType

from engine.errors import TransientError
from feeds.ccxt_tap import Tap, closed
from feeds.listening import ASKED_AFTER, GONE_AFTER, LOOK_S, listen
from tests.feeds.fakes import FakeClock
from tests.feeds.links import until

PING = WSMessage(WSMsgType.PING, b"7", None)
TEXT = WSMessage(WSMsgType.TEXT, "{}", None)


class Line:
    """A client of the library's, and the connection below it."""

    def __init__(self, broken: Exception | None = None) -> None:
        self.connection = self
        self.url = "wss://venue.test"
        self.on_message_callback: Callable[[Any, Any], None] | None = None
        self.said: list[bytes | None] = []
        self.heard: list[Any] = []
        self._broken = broken

    def closed(self) -> bool:
        return False

    def handle_message(self, message: Any) -> None:
        self.heard.append(message)

    async def pong(self, data: bytes) -> None:
        if self._broken is not None:
            raise self._broken
        self.said.append(data)

    async def ping(self) -> None:
        self.said.append(None)


def tap() -> Tap:
    return Tap(lambda symbol, ticker: None)


async def test_a_ping_is_answered() -> None:
    line = tap().guard(Line())
    line.handle_message(PING)
    line.handle_message(TEXT)
    await FakeClock.settle()
    assert line.said == [b"7"]
    assert line.heard == [TEXT]


async def test_a_ping_that_comes_with_the_end_of_its_connection_is_the_loss_of_it() -> None:
    unhandled: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: unhandled.append(told))
    one = tap()
    one.guard(Line(ClientConnectionResetError("Cannot write to closing transport"))).handle_message(PING)
    with pytest.raises(ClientConnectionResetError):
        await one.lost
    assert unhandled == []


async def test_a_socket_that_says_nothing_is_asked_and_then_given_up() -> None:
    clock, one = FakeClock(), tap()
    line = one.guard(Line())
    listening = asyncio.create_task(listen(clock, one.lines))
    await clock.advance(LOOK_S * (ASKED_AFTER - 0.5))
    assert line.said == []
    await clock.advance(LOOK_S * (GONE_AFTER - ASKED_AFTER))
    assert line.said == [None]
    assert not listening.done()
    await clock.advance(LOOK_S)
    with pytest.raises(TransientError, match="no answer to a ping"):
        await listening


async def test_a_quiet_socket_that_answers_stays() -> None:
    clock, one = FakeClock(), tap()
    line = one.guard(Line())
    listening = asyncio.create_task(listen(clock, one.lines))
    for _ in range(6):
        await clock.advance(LOOK_S * (GONE_AFTER - 1))
        line.handle_message(WSMessage(WSMsgType.PONG, b"", None))
    assert not listening.done()
    assert len(line.said) == 6
    listening.cancel()


class Exchange:
    """One whose far side may never answer a goodbye."""

    def __init__(self, timeout: int, *, answers: bool = True) -> None:
        self.timeout = timeout
        self.clients = {"wss://example.org": object()}
        self._tap: Tap | None = None
        self.markets_loading = asyncio.get_running_loop().create_future()
        self.shut = False
        self._answers = answers

    async def close_ws_clients(self) -> None:
        if self.clients and not self._answers:
            await asyncio.Event().wait()

    async def close(self) -> None:
        await self.close_ws_clients()
        self.shut = True


async def test_who_does_not_answer_a_goodbye_is_waited_for_once() -> None:
    exchange = Exchange(500, answers=False)
    loading = exchange.markets_loading
    await asyncio.wait_for(closed(exchange), 5.0)
    assert exchange.shut
    assert loading.cancelled()


async def test_a_life_that_is_cancelled_while_it_closes_leaves_nothing_open() -> None:
    exchange = Exchange(500, answers=False)
    life = asyncio.create_task(closed(exchange))
    await asyncio.sleep(0)
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    assert not exchange.shut
    await until(lambda: exchange.shut)


async def test_a_closing_that_the_programs_end_cuts_short_closes_all_the_same() -> None:
    exchange = Exchange(60_000, answers=False)
    life = asyncio.create_task(closed(exchange))
    await asyncio.sleep(0.01)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    await until(lambda: exchange.shut)


async def test_from_its_closing_on_an_exchange_tells_nothing() -> None:
    told: list[str] = []
    exchange = Exchange(60_000, answers=False)
    exchange._tap = one = Tap(lambda symbol, ticker: told.append(symbol))
    one.ticker("BTC/USD", {})
    closing = asyncio.create_task(closed(exchange))
    await asyncio.sleep(0.01)
    one.ticker("ETH/USD", {})
    assert told == ["BTC/USD"]
    closing.cancel()


async def test_a_message_that_comes_while_it_closes_is_not_recorded_either() -> None:
    recorded: list[Any] = []
    read: list[Any] = []
    one = Tap(lambda symbol, ticker: None, lambda url, message: recorded.append(message))
    line = Line()
    line.on_message_callback = lambda client, message: read.append(message)
    client = one.guard(line)
    client.on_message_callback(client, 1)
    one.silence()
    client.on_message_callback(client, 2)
    assert recorded == [1]
    assert read == [1, 2]


async def test_a_goodbye_takes_a_tenth_of_the_time_out_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    limit = asyncio.timeout

    def noted(delay: float) -> asyncio.Timeout:
        given.append(delay)
        return limit(delay)

    monkeypatch.setattr("feeds.ccxt_tap.asyncio.timeout", noted)
    for timeout in (2_000, 10_000, 120_000):
        await closed(Exchange(timeout))
    assert given == [0.2, 1.0, 1.0]
