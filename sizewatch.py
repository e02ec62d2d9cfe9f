"""The front door: reads the command line, builds the parts, runs them. It alone knows all rooms.

Whatever is heavy is imported where it is used, after the first paint or in the collector's thread. A run that is not
live gets a folder of its own that goes when it ends: the user's configuration, data and caches are only ever read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from engine import garbage
from engine.clock import Clock, ReplayClock
from engine.config import Config
from engine.errors import ConfigError, RefusedError, SizewatchError
from engine.logs import kept
from engine.model import Mode
from engine.options import NAME, Options, UsageError, usual
from engine.standard_output import only_ours_on_screen, only_ours_on_stdout, say
from engine.temporary import own_folder

if TYPE_CHECKING:
    import argparse
    from types import FrameType

    from engine.collector import Collector
    from engine.model import Sink
    from engine.player import Player
    from feeds.record import Recorder
    from feeds.sources import Feeds
    from notify.outside import Outside
    from simulator.child import Child

__version__ = "0.1.0"

WRONG: Final = 2
"""Exit code of wrong arguments and of a refused configuration."""
STARTED_S: Final = 8.0
"""Seconds after the first paint by which the libraries are in."""
LOOK_S: Final = 0.1
"""Seconds between two looks for news where there is no screen."""


# --- the parts of a run ---------------------------------------------------------------------------------------------


def actions() -> dict[str, str]:
    """Every action that `[keys]` may name, with its built-in keys."""
    from tui.keys import every

    return {action.id: action.keys for action in every()}


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
    options: Options = field(default_factory=Options)
    recorder: Recorder | None = None

    def collector(self) -> Collector | Player:
        """What makes the snapshots, not started yet: the collector, or a recording's player."""
        if isinstance(self.clock, ReplayClock):
            return self._player(self.clock)
        from platformdirs import user_cache_path

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
            sender=self._outside if self.mode is Mode.LIVE else None,
            # where built ones are kept: a run that is not live reads the user's, and writes its own
            calendars=(self.cache, user_cache_path(NAME, appauthor=False)),
        )

    def _player(self, clock: ReplayClock) -> Player:
        from engine.player import Player
        from feeds.replay import Replay, entries

        file, options = self.options.replay or Path(), self.options
        return Player(
            lambda: entries(file),
            lambda sink, config, clock: Replay(sink, config, clock, self.cache),
            config=self.config,
            clock=clock,
            scenario=file.name,
            store=self.store,
            speed=options.speed,
            begin=options.begin.timestamp() if options.begin else None,
        )

    def _outside(self, config: Config, clock: Clock, tell: Callable[[str, str], None]) -> Outside:
        """The ways out for alerts, in the collector's thread too."""
        from notify.outside import Outside

        return Outside(config.notify, self.store, clock, tell)

    def _feeds(self, sink: Sink, config: Config, clock: Clock) -> Feeds:
        """Runs in the collector's thread: everything heavy is imported here."""
        if self.child is not None:
            self.child.start()
        from feeds.link import Context
        from feeds.network import Border
        from feeds.sources import Feeds

        config = self.bordered(config)
        context = Context(config, clock, sink, Border.of(config.network), self.cache)
        return Feeds(self.recorder.tap(context) if self.recorder else context, self.bordered)

    def bordered(self, config: Config) -> Config:
        """`config`; a demo's network is its own gateway (which is waited for), and so are its files of funds."""
        if self.child is None:
            return config
        ready = self.child.ready()
        network = replace(config.network, proxy=ready.proxy, ca_file=ready.ca_file)
        return replace(config, network=network, flows=replace(config.flows, files=(ready.funds,)))


@contextlib.contextmanager
def prepared(options: Options) -> Iterator[Run]:
    """The parts of a run; a demo's child and folder are gone afterwards, whatever happened."""
    from engine.config_file import find, load

    config = load(find(options.config), actions())
    clock = Clock.starting_at(options.at) if options.at else Clock()
    with contextlib.ExitStack() as stack:
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                number = getattr(signal, name)
                stack.callback(signal.signal, number, signal.signal(number, leave))
        if options.replay is not None:
            folder = stack.enter_context(own_folder("replay"))
            name = options.replay.name
            yield Run(config, ReplayClock(), Mode.REPLAY, folder, folder, options.config, name, options=options)
            return
        if options.demo is None:
            from platformdirs import user_cache_path, user_data_path

            store = Path(config.store.path) if config.store.path else user_data_path(NAME, appauthor=False)
            cache = user_cache_path(NAME, appauthor=False)
            yield Run(config, clock, Mode.LIVE, store, cache, options.config, options=options)
            return
        from simulator.child import Child
        from simulator.opening import ScenarioError, opening

        try:
            scenario, start = opening(options.demo)
        except ScenarioError as error:
            raise RefusedError(str(error)) from None
        clock = clock if options.at else Clock.starting_at(start)
        folder = stack.enter_context(own_folder("demo"))
        child = Child(options.demo, folder, clock.offset)
        stack.callback(child.stop)
        store, cache = folder / "store", folder / "cache"
        yield Run(config, clock, Mode.DEMO, store, cache, options.config, scenario, child, options)


# --- the commands ---------------------------------------------------------------------------------------------------


def monitor(options: Options) -> int:
    """The terminal, until the user leaves or it goes away."""
    sys.setswitchinterval(0.001)  # key presses wait for the collector's thread; measured: p99 42 → 27 ms
    os.environ.setdefault("TEXTUAL_FPS", "240")  # its answer to a key waits for up to two ticks of this clock
    garbage.hold()
    with prepared(options) as run, kept(run.store), only_ours_on_screen():  # what breaks stands in the log
        from tui.app import SizewatchApp
        from tui.running import run as run_app

        collector = run.collector()

        def painted() -> None:
            if run.child is not None:  # not before: it would take a part of the machine from the first paint
                run.child.start()
            collector.start()
            app.set_timer(STARTED_S, garbage.resume, name="garbage")

        app = SizewatchApp(collector, run.config, run.mode, run.scenario, run.clock, painted, not run.named, True)
        try:
            lost = run_app(app, leave)
        finally:
            collector.stop()
    if lost:
        os._exit(128 + signal.SIGHUP)  # the threads that still wait for the terminal would keep us
    failure = collector.failure()
    if failure is not None:
        raise SizewatchError(failure)
    return (app.return_code or 0) if app.instead is None else monitor(options.turned_to(app.instead))


def snapshot(
    options: Options, wait_s: float, tables: Sequence[str] | None, bars: Sequence[tuple[str, str]] = ()
) -> int:
    """One JSON object on standard output."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    with only_ours_on_stdout() as out, prepared(options) as run:
        from engine.export import to_json
        from engine.model import Intent
        from engine.settle import settled

        wishes = [Intent("bars", {"symbol": symbol, "interval": interval}) for symbol, interval in bars]
        latest = settled(run.collector(), wait_s, wishes)
        say((to_json(latest, tables).decode(),), out)
    return 0


def alerts(options: Options, asked: argparse.Namespace) -> int:
    """Rules, what matches now, the journal, a backtest: lines on standard output."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    with only_ours_on_stdout() as out, prepared(options) as run:
        from engine import alerts_cli as cli
        from engine.settle import settled

        if asked.what == "list":
            say(cli.list_rules(run.config, run.store), out)
        elif asked.what == "test":
            saved = cli.saved_rules(run.store)
            cli.find_rule(run.config, asked.rule, saved)
            say(cli.test_rule(run.config, asked.rule, settled(run.collector(), asked.wait).tables, saved), out)
        elif asked.what == "backtest":
            cli.find_rule(run.config, asked.rule, cli.saved_rules(run.store))
            if run.mode is not Mode.LIVE:  # its folder is empty until its feeds have filled it
                settled(run.collector(), asked.wait)
            say(cli.backtested(run.config, run.store, asked.rule, asked.first, asked.last, run.clock), out)
        else:
            since = cli.moment(asked.since, run.clock)
            if asked.what == "history":
                say(cli.history(run.store, since, asked.rule), out)
            else:
                say(cli.export(run.store, asked.format, since, asked.rule), out)
    return 0


def watch(options: Options) -> int:
    """Feeds, engine and alerts without a screen, a JSON line for all that happens, until a signal ends it."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    with only_ours_on_stdout() as out, prepared(options) as run, kept(run.store):
        from engine.export import json_line
        from engine.news import News

        ended = threading.Event()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: ended.set())
        if options.record is not None:
            from feeds.record import begin

            run.recorder = begin(options.record, run.clock)
        news, collector = News(run.clock.now()), run.collector()
        say((json_line({"type": "start", "mode": run.mode.value, "scenario": run.scenario}),), out)
        collector.start()
        try:
            while not ended.wait(LOOK_S) and collector.failure() is None:
                latest = collector.latest()
                if latest is not None and not say(map(json_line, news.lines(latest)), out):
                    break
        finally:
            collector.stop()
        if collector.failure() is not None:
            raise SizewatchError(collector.failure())
        say((json_line({"type": "end"}),), out)
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


def data(options: Options, asked: argparse.Namespace) -> int:
    """What is kept on disk: checked, pruned or written out."""
    with prepared(options) as run:
        from engine import data_command as command

        if asked.what == "check":
            return command.check(run.store, print)
        if asked.what == "prune":
            return command.prune(run.store, run.config, print, unwatched=asked.unwatched, dry=asked.dry_run)
        return command.export(run.store, asked.folder, print, form=asked.format, symbol=asked.symbol)


def flows(options: Options, asked: argparse.Namespace) -> int:
    """Imports saved fund files, or fetches what may be fetched: a line a file; 1 where one was not imported."""
    with only_ours_on_stdout() as out, prepared(options) as run:
        from engine.flow_imports import Keeper
        from feeds import flow_command

        with Keeper(run.store) as keeper:
            told = (lambda *lines: say(lines, out)), (lambda *lines: say(lines, sys.stderr))
            command = flow_command.FlowCommand(keeper.keep, keeper.keep_published, *told)
            if asked.what == "import":
                return command.bring_in(asked.files, asked.fund)
            return command.fetch(run.bordered(run.config), asked.funds)


def carry_out(given: Sequence[str]) -> int:
    """What the command line asks for; answers with the exit code."""
    if (plain := usual(given)) is not None:
        return shown(plain)
    from engine.command_line import parser

    arguments = parser(__version__).parse_args(given)
    if arguments.command == "config":
        from engine.config_command import config_command

        return config_command(arguments.check, actions(), print)
    options = Options.of(arguments)
    commands: dict[str, Callable[[], int]] = {
        "snapshot": lambda: snapshot(options, arguments.wait, arguments.tables, arguments.bars),
        "doctor": lambda: doctor(options),
        "alerts": lambda: alerts(options, arguments),
        "data": lambda: data(options, arguments),
        "flows": lambda: flows(options, arguments),
        "watch": lambda: watch(options),
        "record": lambda: watch(options),
        "replay": lambda: snapshot(options, math.inf, arguments.tables) if arguments.json else shown(options),
    }
    return commands.get(arguments.command, lambda: shown(options))()


def shown(options: Options) -> int:
    """The monitor, where there is a terminal for it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"the monitor needs a terminal; `{NAME} snapshot --json` prints the tables without one")
    return monitor(options)


def leave(number: int, _: FrameType | None) -> NoReturn:
    """Ends the run in order: what was opened is closed on the way out."""
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program; the exit code is 0, 1 (it failed), 2 (wrong arguments or configuration) or 128 + a signal."""
    logging.captureWarnings(True)  # a library's warning belongs in a log, not across the screen
    try:
        return carry_out(sys.argv[1:] if arguments is None else arguments)
    except (ConfigError, RefusedError) as error:
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
