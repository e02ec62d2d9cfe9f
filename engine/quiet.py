"""Quiet hours: only what is critical rings or goes out in them, on the screen's side as on the channels'."""

from __future__ import annotations

from datetime import datetime, time

from engine.config import QuietHours


def is_quiet(hours: QuietHours, at: float) -> bool:
    """Whether the moment (epoch seconds) falls into them; `start` may be later than `end`: over midnight."""
    if not hours.start or not hours.end:
        return False
    from zoneinfo import ZoneInfo  # not before the first paint

    now = datetime.fromtimestamp(at, ZoneInfo(hours.zone)).time()
    start, end = time.fromisoformat(hours.start), time.fromisoformat(hours.end)
    return start <= now < end if start <= end else now >= start or now < end
