"""Two programs on one folder: a series of bars is always whole, and the database takes every row of both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.database import Database
from engine.model import Bars
from engine.store import Store
from tests.engine.runtime import HandClock, bars_frame

READS = 25
"""As many a reader has while both write."""
KINDS = 20
WRITER = """
import itertools, sys
from pathlib import Path
from engine.database import Database
from engine.store import Store
from tests.engine.runtime import HandClock
from tests.engine.test_two_stores import series

folder, number = Path(sys.argv[1]), int(sys.argv[2])
database = Database(folder)
print("ready", flush=True)
sys.stdin.readline()
for count in itertools.count(1):
    store = Store(folder, HandClock())
    store.save(series(number, count))
    store.close(60.0)
    database.execute("INSERT INTO members VALUES (?, ?, '')", (str(number), str(count)))
    assert not store.notices()
    if (folder / "enough").exists():
        print(count, flush=True)
        break
"""


def series(number: int, count: int) -> Bars:
    """What writer `number` writes the `count`th time: as long as no other's, and all of one price."""
    return Bars(
        "BTC/USD", "1d", "kraken-bars", "USD", bars_frame([10.0 + number] * (200 + 2 * (count % KINDS) + number))
    )


def test_two_writers_of_one_series_leave_it_whole_and_both_keep_their_rows(tmp_path: Path) -> None:
    Database(tmp_path).close()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        )
        for number in range(2)
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout is not None and writer.stdin is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    frames = [series(number, count).frame for number in range(2) for count in range(KINDS)]
    whole = {frame.height: frame for frame in frames}
    reader, reads = Store(tmp_path, HandClock()), 0
    while reads < READS:
        assert all(writer.poll() is None for writer in writers)
        for bars in reader.load():
            assert bars.frame.equals(whole[bars.frame.height])
            reads += 1
    (tmp_path / "enough").touch()
    written = [int(writer.communicate()[0]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    (last,) = reader.load()
    assert last.frame.height in {series(number, count).frame.height for number, count in enumerate(written)}
    assert last.frame.equals(whole[last.frame.height])
    assert reader.notices() == []
    assert [path.name for path in (tmp_path / "bars").rglob("*") if path.is_file()] == ["BTC%2FUSD.1d.parquet"]
    database = Database(tmp_path)
    held = database.rows("SELECT name, count(*) FROM members GROUP BY name ORDER BY name")
    database.close()
    assert held == [("0", written[0]), ("1", written[1])]
