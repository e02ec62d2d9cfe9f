"""The log holds what broke, within its bounds and without a secret, and never says a word on the terminal."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import pytest

from engine import logs
from engine.logs import FILE_NAME, KEPT, kept, redacted

log = logging.getLogger("feeds.test")


def broken(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("it failed")


def test_an_exception_is_kept_with_the_place_where_it_broke(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with kept(tmp_path) as file:
        broken("no price")
        log.warning("slow")
        log.info("nobody asked")
    text = file.read_text()
    assert "feeds.test: it failed" in text
    assert "ValueError: no price" in text
    assert "in broken" in text
    assert "WARNING" in text
    assert "nobody asked" not in text
    assert capfd.readouterr() == ("", "")


def test_a_thread_that_ends_badly_is_kept_and_not_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with kept(tmp_path) as file:
        thread = threading.Thread(target=broken_thread, name="store")
        thread.start()
        thread.join()
    assert "store ended" in file.read_text()
    assert "ZeroDivisionError" in file.read_text()
    assert capfd.readouterr() == ("", "")


def broken_thread() -> None:
    raise ZeroDivisionError


def test_files_are_turned_over_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LARGEST", 2_000)
    monkeypatch.setattr(logs, "SAME", 10**6)
    with kept(tmp_path) as file:
        for number in range(400):
            log.error("entry %d %s", number, "x" * 100)
    held = sorted(path.name for path in tmp_path.iterdir())
    assert held == [FILE_NAME, *(f"{FILE_NAME}.{n + 1}" for n in range(KEPT))]
    assert all(path.stat().st_size <= 2_500 for path in tmp_path.iterdir())
    assert "entry 399" in file.read_text()


def test_two_processes_on_one_file_lose_nothing_when_one_turns_it_over(tmp_path: Path) -> None:
    with kept(tmp_path) as file:
        log.error("before")
        file.replace(tmp_path / f"{FILE_NAME}.1")
        log.error("after")
    assert "after" in file.read_text()
    assert "before" in (tmp_path / f"{FILE_NAME}.1").read_text()


def test_a_fault_in_a_loop_is_counted_and_pushes_out_nothing(tmp_path: Path) -> None:
    with kept(tmp_path) as file:
        for number in range(1_000):
            log.error("again %d", number)
        log.error("something else")
    lines = file.read_text().splitlines()
    assert len(lines) == logs.SAME + 1
    assert "something else" in lines[-1]


def test_a_folder_that_cannot_be_written_costs_the_log_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    with kept(tmp_path / "file" / "folder"):
        broken("x")
        broken("y")
    assert capfd.readouterr() == ("", "")


def test_what_was_there_before_is_there_again(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, threading.excepthook)
    with kept(tmp_path):
        assert list(root.handlers) != before[0]
    assert (list(root.handlers), root.level, threading.excepthook) == before


def test_the_log_does_not_speak_to_a_terminal(tmp_path: Path) -> None:
    with kept(tmp_path) as file:
        log.error("said \x1b[2J\x1b]0;owned\x07 \u202eUSD")
    assert all(line.isprintable() for line in file.read_text().splitlines())


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("proxy http://ann:pa55w0rd@proxy.example:3128 refused", "pa55w0rd"),
        ("tgram://123456:AAbbCC/987 failed", "AAbbCC"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js failed", "JHMHI8"),
        ("POST https://hooks.slack.com/services/T000/B000/XXXXsecret 500", "XXXXsecret"),
        ("https://discord.com/api/webhooks/1234/abcSECRETdef", "abcSECRETdef"),
        ("https://api.telegram.org/bot12345:AAFsecret/sendMessage", "AAFsecret"),
        ("GET https://api.example/v3?x_cg_demo_api_key=CG-secret&ids=btc", "CG-secret"),
        ("{'x-cg-demo-api-key': 'CG-secret', 'accept': '*'}", "CG-secret"),
        ("Authorization: Bearer eyJhbGciOi.secret", "eyJhbGciOi"),
        ("crumb=a1b2c3 of the session", "a1b2c3"),
        ("token='s3cr3t' password = hunter2", "hunter2"),
    ],
)
def test_a_secret_never_enters_the_log(text: str, secret: str, tmp_path: Path) -> None:
    assert secret not in redacted(text)
    with kept(tmp_path) as file:
        broken(text)
    assert secret not in file.read_text()


@pytest.mark.parametrize(
    "text", ["wss://ws.kraken.com/v2 closed", "https://query1.finance.yahoo.com/v7/quote?symbols=IWM: 503", "BTC/USD"]
)
def test_addresses_without_a_secret_stay(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where files may be removed while they are open")
def test_a_log_that_was_removed_is_begun_anew(tmp_path: Path) -> None:
    with kept(tmp_path) as file:
        log.error("first")
        file.unlink()
        log.error("second")
    assert "second" in file.read_text()
