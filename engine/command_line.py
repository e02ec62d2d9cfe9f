"""The command line's words: what may be asked for. It runs nothing."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

from engine.options import DEFAULT_SCENARIO, NAME, RECORDING, UsageError, zoned


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (`{NAME} --help` shows what there is)")


def moment(text: str) -> datetime:
    """A time with its zone, from ISO 8601."""
    at = zoned(text)
    if at is None:
        raise argparse.ArgumentTypeError(f"{text!r} must be a time with its zone, such as 2026-01-09T10:30-05:00")
    return at


def day(text: str) -> date:
    """A date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be a date, such as 2024-01-31") from None


def since(text: str) -> datetime | timedelta:
    """A moment, a date (in UTC), or how long ago: `90m`, `12h`, `7d`."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if unit in units and number.isdecimal() and len(number) < 6:
        return timedelta(**{units[unit]: int(number)})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be a date, a time, or how long ago, such as 2026-01-09, 12h or 7d"
        ) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


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
    from engine.tables import TABLES  # Polars comes with it, which whoever asks for tables needs anyway

    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in TABLES]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown) or text!r}: the tables are {', '.join(TABLES)}")
    return names


def series(text: str) -> tuple[tuple[str, str], ...]:
    """What `bars` shall hold: `SYMBOL:INTERVAL`, separated by commas; a symbol alone is its daily bars."""
    asked = tuple(tuple(part.strip() for part in one.partition(":")[::2]) for one in text.split(",") if one.strip())
    wrong = [symbol for symbol, interval in asked if not symbol or (interval or "1d") not in ("1m", "5m", "1h", "1d")]
    if wrong or not asked:
        raise argparse.ArgumentTypeError(f"{text!r}: SYMBOL:INTERVAL is wanted, such as IWM/SPY:1d; 1m, 5m, 1h or 1d")
    return tuple((symbol, interval or "1d") for symbol, interval in asked)


def parser(version: str) -> Parser:
    """The whole command line."""
    run = Parser(add_help=False)
    run.add_argument(
        "--demo", nargs="?", const=DEFAULT_SCENARIO, metavar="SCENARIO", help="a simulated market, by name or file"
    )
    run.add_argument("--config", type=Path, metavar="FILE", help="settings that differ from the built-in ones")
    run.add_argument("--at", type=moment, metavar="TIME", help="start the clock there, for recorded data")
    top = Parser(NAME, parents=[run], description="Size, live: small caps against large, altcoins against BTC and ETH.")
    top.add_argument("--version", action="version", version=f"{NAME} {version}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    snapshot = commands.add_parser("snapshot", parents=[run], help="print the live tables once and end")
    snapshot.add_argument("--json", action="store_true", required=True, help="as one JSON object")
    _add_wait(snapshot)
    snapshot.add_argument("--tables", type=table_names, metavar="A,B", help="only these tables")
    snapshot.add_argument(
        "--bars", type=series, default=(), metavar="IWM:1d,…", help="fill the table `bars` with these series"
    )
    commands.add_parser(
        "watch", parents=[run], help="run without a screen: alerts and the feeds' states as JSON lines, until SIGTERM"
    )
    _add_alerts(commands.add_parser, run)
    _add_flows(commands.add_parser, run)
    _add_recordings(commands.add_parser, run)
    _add_data(commands.add_parser, run)
    commands.add_parser("doctor", parents=[run], help="check settings, network, sources, terminal and disk")
    config = commands.add_parser("config", help="check a configuration, or print the default one")
    which = config.add_mutually_exclusive_group(required=True)
    which.add_argument("--check", type=Path, metavar="FILE", help="list all mistakes in FILE; exit 2 if there are any")
    which.add_argument("--default", action="store_true", help="print the commented default configuration")
    return top


def pace(text: str) -> float | None:
    """How fast a recording is played: a factor, or `max` (None)."""
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number above 0, such as 50, or max")
    return value


def _add_recordings(add: Callable[..., Parser], run: Parser) -> None:
    record = add("record", parents=[run], help="run without a screen and keep every raw message, until SIGTERM")
    record.add_argument("record", type=Path, nargs="?", default=RECORDING, metavar="FILE")
    replay = add("replay", help="play a recording through the same feeds' code, engine, alerts and screen")
    replay.add_argument("replay", type=Path, metavar="FILE")
    replay.add_argument("--speed", type=pace, default=1.0, metavar="N", help="times real time, or max (1)")
    replay.add_argument("--from", dest="begin", type=moment, metavar="TIME", help="as fast as it goes up to there")
    replay.add_argument("--config", type=Path, metavar="FILE", help="settings that differ from the built-in ones")
    replay.add_argument("--json", action="store_true", help="no screen: print the last tables as one JSON object")
    replay.add_argument("--tables", type=table_names, metavar="A,B", help="of those only these")


def _add_data(add: Callable[..., Parser], run: Parser) -> None:
    data = add("data", help="what is kept on disk: is it whole, remove what is of no use, write it out")
    what = data.add_subparsers(dest="what", metavar="WHAT", required=True, parser_class=Parser)
    what.add_parser("check", parents=[run], help="read everything that is kept; exit 1 if something is damaged")
    prune = what.add_parser("prune", parents=[run], help="remove set-aside and part-written files")
    prune.add_argument("--unwatched", action="store_true", help="and bars of symbols that are not watched any more")
    prune.add_argument("--dry-run", action="store_true", help="only say what would go")
    export = what.add_parser("export", parents=[run], help="write the kept bars into a folder, a file a series")
    export.add_argument("folder", type=Path, metavar="FOLDER")
    export.add_argument("--format", choices=("csv", "json", "parquet"), default="csv")
    export.add_argument("--symbol", metavar="SYMBOL", help="this one alone, such as IWM or BTC/USD")


def _add_wait(command: argparse.ArgumentParser) -> None:
    command.add_argument("--wait", type=seconds, default=60.0, metavar="SECONDS", help="wait this long at most (60)")


def ticker(text: str) -> str:
    """A fund's ticker."""
    found = text.strip().upper()
    if not re.fullmatch(r"[A-Z][A-Z0-9.]{0,9}", found):
        raise argparse.ArgumentTypeError(f"{text!r} must be a fund's ticker, such as IWM")
    return found


def _add_flows(add: Callable[..., Parser], run: Parser) -> None:
    flows = add("flows", help="money in and out of funds: import saved files, fetch what may be fetched")
    what = flows.add_subparsers(dest="what", metavar="WHAT", required=True, parser_class=Parser)
    bring = what.add_parser("import", parents=[run], help="take in fund files that you saved")
    bring.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="an issuer's workbook, or any table of NAV and shares"
    )
    bring.add_argument("--fund", type=ticker, metavar="TICKER", help="the fund of a file that names none")
    fetch = what.add_parser("fetch", parents=[run], help="fetch SSGA's NAV histories; says where to get the others")
    fetch.add_argument("funds", type=ticker, nargs="*", metavar="FUND", help="these alone (those in [flows.groups])")


def _add_alerts(add: Callable[..., Parser], run: Parser) -> None:
    alerts = add("alerts", help="the rules, what they told, and what they would have told")
    what = alerts.add_subparsers(dest="what", metavar="WHAT", required=True, parser_class=Parser)
    what.add_parser("list", parents=[run], help="every rule and what it watches")
    test = what.add_parser("test", parents=[run], help="which rows match a rule now")
    test.add_argument("rule", metavar="RULE")
    _add_wait(test)
    history = what.add_parser("history", parents=[run], help="what has been told, newest last")
    export = what.add_parser("export", parents=[run], help="the journal as data, on standard output")
    for command in (history, export):
        command.add_argument("--since", type=since, metavar="WHEN", help="a date, a time, or how long ago: 12h, 7d")
        command.add_argument("--rule", metavar="RULE", help="this rule alone")
    export.add_argument("--format", choices=("csv", "json"), default="json", help="json (a line an event) or csv")
    backtest = what.add_parser("backtest", parents=[run], help="when a rule would have fired, over stored daily bars")
    backtest.add_argument("rule", metavar="RULE")
    backtest.add_argument("--from", type=day, dest="first", required=True, metavar="DATE")
    backtest.add_argument("--to", type=day, dest="last", required=True, metavar="DATE")
    _add_wait(backtest)
