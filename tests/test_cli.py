"""The front door: what it takes, what it answers, and how it says no."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import sizewatch
from engine.command_line import parser
from engine.config_file import default_text
from engine.options import Options, usual

ROOT = Path(__file__).parent.parent


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "sizewatch", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    ended = run("--version")
    assert (ended.returncode, ended.stdout) == (0, f"sizewatch {sizewatch.__version__}\n")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        sizewatch.main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("snapshot", "doctor", "config", "--demo", "--config", "--at", "--version"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["dashboard"], "invalid choice: 'dashboard'"),
        (["--at", "yesterday"], "'yesterday' must be a time with its zone, such as 2026-01-09T10:30-05:00"),
        (["--at", "2026-01-09T10:30"], "must be a time with its zone"),
        (["snapshot"], "--json"),
        (["snapshot", "--json", "--wait", "0"], "'0' must be a number of seconds from 0 to 86400"),
        (["snapshot", "--json", "--wait", "soon"], "'soon' must be a number of seconds"),
        (["snapshot", "--json", "--tables", "quotes,flow"], "'flow': the tables are quotes, spreads, levels"),
        (["snapshot", "--json", "--bars", "IWM:2h"], "'IWM:2h': SYMBOL:INTERVAL is wanted, such as IWM/SPY:1d"),
        (["config"], "--check --default is required"),
        (["config", "--check"], "expected one argument"),
    ],
)
def test_wrong_arguments_are_one_clear_line_and_exit_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sizewatch.main(arguments) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert answer.err.startswith("sizewatch: ") and answer.err.count("\n") == 1
    assert said in answer.err


WORDS = ("--demo", "--config", "--at", "--conf", "-1", "-", "--", "", "my.toml", "january-2026", "--demo=x", "--json",
         "2026-01-09T10:30-05:00", "2026-01-09", "snapshot", "--help", "a b", "-a b")  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=5))
@example([])
@example(["--demo", "--config", "my.toml", "--at", "2026-01-09T10:30-05:00"])
def test_the_usual_words_mean_what_the_whole_command_line_says_that_they_mean(words: list[str]) -> None:
    read = usual(words)
    if read is not None:
        arguments = parser("0").parse_args(words)
        assert arguments.command is None
        assert Options.of(arguments) == read


def test_the_usual_words_are_read_without_the_parser() -> None:
    assert usual([]) == Options()
    assert usual(["--demo"]) == Options(demo="january-2026")
    assert usual(["--config", "my.toml"]) == Options(config=Path("my.toml"))


def test_the_monitor_without_a_terminal_says_what_to_do_instead() -> None:
    ended = run()
    assert (ended.returncode, ended.stdout) == (2, "")
    assert (
        ended.stderr
        == "sizewatch: the monitor needs a terminal; `sizewatch snapshot --json` prints the tables without one\n"
    )


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("./no-such.toml", "no-such.toml: cannot be read: No such file"),
        ("april-1066", "april-1066: no such scenario; there are alerts-tour, january-2026"),
    ],
)
def test_a_scenario_that_is_not_there_is_one_line_and_exit_2(
    scenario: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sizewatch.main(["snapshot", "--json", "--demo", scenario]) == 2
    answer = capsys.readouterr()
    assert answer.err.startswith(said) and answer.err.count("\n") == 1


FIVE_MISTAKES = """
[network]
timeout = 500
[crypto]
exchanges = ["coinbase", "krakken"]
qoutes = ["USD"]
[spreads]
pairs = ["IWM/SPX"]
[refresh]
beat_hz = "4"
"""


@pytest.mark.parametrize("command", [["config", "--check"], ["snapshot", "--json", "--config"]])
def test_five_mistakes_are_five_located_errors_and_exit_2(command: list[str], tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(FIVE_MISTAKES)
    ended = run(*command, str(path))
    assert (ended.returncode, ended.stdout) == (2, "")
    lines = ended.stderr.splitlines()
    assert len(lines) == 5
    for line, key in zip(
        lines,
        (
            "network.timeout = 500: ",
            'crypto.qoutes = ["USD"]: ',
            'refresh.beat_hz = "4": ',
            'crypto.exchanges[1] = "krakken": ',
            'spreads.pairs[0] = "IWM/SPX": ',
        ),
        strict=True,
    ):
        assert line.startswith(f"{path}: {key}")


def test_a_config_in_the_working_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[network]\ntimeout = 500\n")
    ended = run("snapshot", "--json", cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == "config.toml: network.timeout = 500: must be a number from 1 to 120\n"


def test_a_right_config_is_said_to_be_right(tmp_path: Path) -> None:
    path = tmp_path / "right.toml"
    path.write_text("[keys]\nquit = 'Q'\n")
    ended = run("config", "--check", str(path))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{path}: all is well\n", "")


def test_the_default_config_is_printed_as_it_is() -> None:
    ended = run("config", "--default")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, default_text(), "")


def test_doctor_looks_at_everything_and_says_what_to_put_right(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[network]\nproxy = 'http://127.0.0.1:9'\ntimeout = 2\n")  # nothing listens there
    ended = run("doctor", "--config", str(path))
    assert ended.returncode == 1
    assert "✓ config" in ended.stdout and "✓ data" in ended.stdout and "terminal" in ended.stdout
    assert "✗ network    proxy 127.0.0.1:9: connection refused — set [network] proxy" in ended.stdout
    assert ended.stderr == ""


def test_doctor_lists_a_configs_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(FIVE_MISTAKES)
    ended = run("doctor", "--config", str(path))
    assert ended.returncode == 1
    assert ended.stdout.count("✗ config") == 5
