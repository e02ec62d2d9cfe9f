"""Where the real recordings are, and the mark for tests that need them: they skip, and say why, without them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

DATA: Final = Path(os.environ.get("SIZEWATCH_REAL_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
"""Real market data and recorded messages: beside the checkout, unless SIZEWATCH_REAL_DATA names another folder."""

needs_real_data: Final = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no real recordings at {DATA}: they are not part of the repository"
)
"""Put on every test that reads below `DATA`."""
