"""The front door: reads the command line, builds the parts, runs them. It alone knows all rooms.

Whatever is heavy is imported where it is used, after the first paint or in the collector's thread. A run that is not
live gets a folder of its own that goes when it ends: the user's configuration, data and caches are only ever read.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

from engine.clock import Clock
from engine.config import Config
from engine.errors import ConfigError, SizewatchError
from engine.model import Mode
from simulator.child import Child
from simulator.reader import ScenarioError

if TYPE_CHECKING:
    from types import FrameType

    from engine.collector import Collector
    from engine.model import Sink
    from feeds.sources import Feeds

__version__ = "0.1.0"

NAME: Final = "sizewatch"
DEFAULT_SCENARIO: Final = "january-2026"
TABLES: Final = ("quotes", "spreads", "levels", "baskets", "volumes", "markets", "alerts", "feeds")
WRONG: Final = 2
"""Exit code of wrong arguments and of a refused configuration."""


class UsageError(SizewatchError):
    """The command line is wrong."""


# --- what is asked for ----------------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (`{NAME} --help` shows what there is)")


@dataclass(frozen=True, slots=True)
class Options:
    """The command line of a run."""

    config: Path | None
    demo: str | None
    """The scenario's name or file; None for a live run."""
    at: datetime | None

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Options:
        return cls(arguments.config, arguments.demo, arguments.at)


def moment(text: str) -> datetime:
    """A time with its zone, from ISO 8601."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} must be a time with its zone, such as 2026-01-09T10:30-05:00")
    return at


def seconds(text: str) -> float:
    """A positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of seconds from 0 to 86400")
    return value


def table_names(text: str) -> tuple[str, ...]:
    """Names of live tables, separated by commas."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in TABLES]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown) or text!r}: the tables are {', '.join(TABLES)}")
    return names


def parser() -> Parser:
    """The whole command line."""
    run = Parser(add_help=False)
    run.add_argument(
        "--demo", nargs="?", const=DEFAULT_SCENARIO, metavar="SCENARIO", help="a simulated market, by name or file"
    )
    run.add_argument("--config", type=Path, metavar="FILE", help="settings that differ from the built-in ones")
    run.add_argument("--at", type=moment, metavar="TIME", help="start the clock there, for recorded data")
    top = Parser(NAME, parents=[run], description="Size, live: small caps against large, altcoins against BTC and ETH.")
    top.add_argument("--version", action="version", version=f"{NAME} {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    snapshot = commands.add_parser("snapshot", parents=[run], help="print the live tables once and end")
    snapshot.add_argument("--json", action="store_true", required=True, help="as one JSON object")
    snapshot.add_argument("--wait", type=seconds, default=60.0, metavar="SECONDS", help="wait this long at most (60)")
    snapshot.add_argument("--tables", type=table_names, default=TABLES, metavar="A,B", help="only these tables")
    commands.add_parser("doctor", parents=[run], help="check settings, network, sources, terminal and disk")
    config = commands.add_parser("config", help="check a configuration, or print the default one")
    which = config.add_mutually_exclusive_group(required=True)
    which.add_argument("--check", type=Path, metavar="FILE", help="list all mistakes in FILE; exit 2 if there are any")
    which.add_argument("--default", action="store_true", help="print the commented default configuration")
    return top


# --- the parts of a run ---------------------------------------------------------------------------------------------


def actions() -> dict[str, str]:
    """Every action that `[keys]` may name, with its built-in keys."""
    from tui.keys import ACTIONS

    return {action.id: action.keys for action in ACTIONS}


@dataclass(slots=True)
class Run:
    """One run's parts: what is the same whether it is shown on the screen or printed."""

    config: Config
    clock: Clock
    mode: Mode
    store: Path
    cache: Path
    named: Path | None
    scenario: str | None = None
    child: Child | None = None

    def collector(self) -> Collector:
        """The collector, not started yet."""
        from engine.collector import Collector
        from engine.config_file import Watcher

        return Collector(
            self._feeds,
            config=self.config,
            mode=self.mode,
            scenario=self.scenario,
            clock=self.clock,
            store=self.store,
            reload=Watcher(self.named, self.clock, actions()).poll,
        )

    def _feeds(self, sink: Sink, config: Config, clock: Clock) -> Gated:
        """Runs in the collector's thread: everything heavy is imported here."""
        from feeds.link import Context
        from feeds.network import Border
        from feeds.sources import Feeds

        config = self.bordered(config)
        context = Context(config, clock, sink, Border.of(config.network), self.cache)
        return Gated(Feeds(context), self.bordered)

    def bordered(self, config: Config) -> Config:
        """`config`; a demo's network is its own gateway (which is waited for), whatever the file says."""
        if self.child is None:
            return config
        ready = self.child.ready()
        return replace(config, network=replace(config.network, proxy=ready.proxy, ca_file=ready.ca_file))


@dataclass(frozen=True, slots=True)
class Gated:
    """The feeds, to whom every configuration comes with the network of this run."""

    feeds: Feeds
    bordered: Callable[[Config], Config]

    async def run(self) -> None:
        await self.feeds.run()

    def reconfigure(self, config: Config) -> None:
        self.feeds.reconfigure(self.bordered(config))

    def retry(self) -> None:
        self.feeds.retry()


@contextlib.contextmanager
def prepared(options: Options) -> Iterator[Run]:
    """The parts of a run; a demo's child and folder are gone afterwards, whatever happened."""
    from engine.config_file import find, load

    clock = Clock.starting_at(options.at) if options.at else Clock()
    with contextlib.ExitStack() as stack:
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                number = getattr(signal, name)
                stack.callback(signal.signal, number, signal.signal(number, leave))
        if options.demo is None:
            from platformdirs import user_cache_path, user_data_path

            config = load(find(options.config), actions())
            store = Path(config.store.path) if config.store.path else user_data_path(NAME, appauthor=False)
            yield Run(config, clock, Mode.LIVE, store, user_cache_path(NAME, appauthor=False), options.config)
            return
        from simulator.scenario import load as load_scenario

        scenario = load_scenario(options.demo)
        clock = clock if options.at else Clock.starting_at(scenario.start)
        folder = Path(tempfile.mkdtemp(prefix="sizewatch-demo-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        child = Child(options.demo, folder, clock.offset)  # at once: it gets ready while the configuration is read
        stack.callback(child.stop)
        config = load(find(options.config), actions())
        store, cache = folder / "store", folder / "cache"
        yield Run(config, clock, Mode.DEMO, store, cache, options.config, scenario.name, child)


# --- the commands ---------------------------------------------------------------------------------------------------


def watch(options: Options) -> int:
    """The terminal, until the user leaves or it goes away."""
    sys.setswitchinterval(0.001)  # key presses wait for the collector's thread; measured: p99 42 → 27 ms
    logging.getLogger().addHandler(logging.NullHandler())  # the screen has the libraries' last words, in the feeds pane
    lost = False
    with prepared(options) as run:
        from tui.app import SizewatchApp

        collector = run.collector()
        app = SizewatchApp(collector, run.config, run.mode, run.scenario, run.clock, painted=collector.start)

        def hung_up() -> None:
            """The window was closed: what is still drawn goes nowhere, and nothing may wait for it."""
            nonlocal lost
            lost = True
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            signal.signal(signal.SIGALRM, leave)
            signal.setitimer(signal.ITIMER_REAL, 3.0, 1.0)  # Textual's writer may be stuck already
            app.exit()

        async def shown() -> None:
            loop = asyncio.get_running_loop()
            with contextlib.suppress(NotImplementedError, AttributeError):  # Windows has neither
                loop.add_signal_handler(signal.SIGTERM, app.exit)
                loop.add_signal_handler(signal.SIGHUP, hung_up)
            await app.run_async()

        try:
            asyncio.run(shown())
        except (KeyboardInterrupt, SystemExit):
            pass
        finally:
            collector.stop()
    if lost:
        os._exit(128 + signal.SIGHUP)  # the threads that still wait for the terminal would keep us
    failure = collector.failure()
    if failure is not None:
        raise SizewatchError(failure)
    return app.return_code or 0


def snapshot(options: Options, wait_s: float, tables: Sequence[str]) -> int:
    """One JSON object on standard output, as soon as every source has delivered or failed."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    ends = time.monotonic() + wait_s
    with only_ours_on_stdout() as out, prepared(options) as run:
        collector = run.collector()
        collector.start()
        try:
            latest = collector.latest()
            while time.monotonic() < ends and collector.failure() is None and not (latest and latest.settled):
                time.sleep(0.05)
                latest = collector.latest()
        finally:
            collector.stop()
        failure = collector.failure()
        if latest is None:
            raise SizewatchError(failure or f"nothing was ready within {wait_s:g} s")
        from engine.export import to_json

        out.write(to_json(latest, tables).decode() + "\n")
        out.flush()
    return 0


def doctor(options: Options) -> int:
    """What works here and what does not, a line each; 1 where there is something for the user to put right."""
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
    from engine.doctor import Finding, check_config, check_folder
    from feeds.network import Border
    from feeds.probe import probe
    from tui.terminal import check_terminal

    findings: list[Finding] = []

    def say(found: Sequence[Finding]) -> None:
        findings.extend(found)
        for finding in found:
            print(finding.line(), flush=True)

    say(check_config(options.config, actions()))
    try:
        with prepared(options) as run:
            say(check_folder(run.store))
            say(check_terminal())
            say(asyncio.run(probe(run.config, Border.of(run.bordered(run.config).network))))
    except ConfigError:
        say(check_terminal())  # the mistakes have been said; sources are reached as the configuration says
    wrong = sum(bool(finding.fix) for finding in findings)
    print(f"\n{wrong} thing{'s' * (wrong != 1)} to put right" if wrong else "\nall is well")
    return 1 if wrong else 0


def config_command(check: Path | None) -> int:
    """Lists a file's mistakes, or prints the default configuration."""
    from engine.config_file import default_text, load

    if check is None:
        print(default_text(), end="")
    else:
        load(check, actions())
        print(f"{check}: all is well")
    return 0


@contextlib.contextmanager
def only_ours_on_stdout() -> Iterator[TextIO]:
    """Standard output as a file of our own; what libraries print meanwhile, even from C, goes to standard error."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as ours:
        os.dup2(2, 1)
        try:
            yield ours
        finally:
            sys.stdout.flush()
            ours.flush()
            os.dup2(ours.fileno(), 1)


def carry_out(arguments: argparse.Namespace) -> int:
    """What the command line asks for; answers with the exit code."""
    if arguments.command == "config":
        return config_command(arguments.check)
    options = Options.of(arguments)
    if arguments.command == "snapshot":
        return snapshot(options, arguments.wait, arguments.tables)
    if arguments.command == "doctor":
        return doctor(options)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"the monitor needs a terminal; `{NAME} snapshot --json` prints the tables without one")
    return watch(options)


def leave(number: int, _: FrameType | None) -> NoReturn:
    """Ends the run in order: what was opened is closed on the way out."""
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program; the exit code is 0, 1 (it failed), 2 (wrong arguments or configuration) or 128 + a signal."""
    try:
        return carry_out(parser().parse_args(arguments))
    except (ConfigError, ScenarioError) as error:
        print(error, file=sys.stderr)  # a line a mistake, each with the file's name
        return WRONG
    except UsageError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return WRONG
    except SizewatchError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
