"""What a full disk refuses to keep of funds is written once there is room: nobody sends it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import Config
from engine.database import Database
from engine.flow_store import load_days
from engine.model import FundDays
from engine.outside import Outside
from tests.engine.test_flow_table import NOW, fund, fund_days, read


class Hurried(Database):
    """Waits for nobody."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.execute("PRAGMA busy_timeout = 1")


async def test_fund_days_that_found_no_room_are_kept_once_there_is_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    database = Database(tmp_path)
    outside = Outside(Config(), tmp_path, lambda severity, text: told.append(text))
    monkeypatch.setattr(outside, "_opened", lambda: Hurried(tmp_path))
    with database.transaction():  # nothing can be written meanwhile, as where there is no room
        outside.ingest_fund_days(FundDays("ssga", fund_days(fund("SPY", 300))))
        await read(outside, 0.0)
        outside.poll(NOW, 0.1, {})
        assert load_days(database).is_empty()
    assert len(told) == 1 and "locked" in told[0]
    await read(outside, 2.0)
    await read(outside, 4.0)
    assert load_days(database).height == 300
    outside.close()
    database.close()
