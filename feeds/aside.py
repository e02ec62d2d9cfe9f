"""Work beside the event loop that may never hold up the program's end: a daemon thread a call.

`asyncio.to_thread` uses a pool whose threads the interpreter waits for when it exits, so that one slow answer would
keep a user's terminal open after `q`. Whoever calls this bounds the work itself, by a client's time-out.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def aside(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `function` returns or raises, run in a thread of its own; when cancelled, its outcome is dropped."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def returned(value: T) -> None:
        if not outcome.done():
            outcome.set_result(value)

    def raised(error: BaseException) -> None:
        if not outcome.done():
            outcome.set_exception(error)

    def work() -> None:
        try:
            value = function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - handed on to whoever awaits
            failure: BaseException = error
            if isinstance(error, StopIteration):  # a future cannot carry it
                failure = RuntimeError("StopIteration")
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody awaits any more
                loop.call_soon_threadsafe(raised, failure)
        else:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(returned, value)

    threading.Thread(target=work, name=f"aside {getattr(function, '__name__', '')}", daemon=True).start()
    return await outcome
