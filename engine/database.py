"""The one SQLite file of a user's own facts, imported flows and the journal of alerts; several terminals share it.

Nothing good is ever overwritten: a file of a newer version, or a damaged one, is refused in words and left as it is.
Every write is one transaction; a kill at any moment loses at most the transaction that had not returned.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.errors import SizewatchError

FILE_NAME: Final = "sizewatch.db"
_APPLICATION_ID: Final = 0x53495A45  # "SIZE"

MIGRATIONS: Final[Sequence[str]] = (
    """
    CREATE TABLE fund_days (
        fund TEXT NOT NULL, date TEXT NOT NULL, nav REAL, shares REAL, aum REAL, source TEXT NOT NULL,
        PRIMARY KEY (fund, date, source)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, rule TEXT NOT NULL, row TEXT NOT NULL, kind TEXT NOT NULL,
        at REAL NOT NULL, severity TEXT NOT NULL, notify TEXT NOT NULL, message TEXT NOT NULL, data TEXT NOT NULL,
        acknowledged_at REAL
    ) STRICT;
    CREATE INDEX events_by_rule ON events (rule, row, seq);
    CREATE TABLE instances (
        rule TEXT NOT NULL, row TEXT NOT NULL, state TEXT NOT NULL, since REAL NOT NULL, held REAL NOT NULL,
        fired_at REAL, fired_bar INTEGER, acknowledged INTEGER NOT NULL, PRIMARY KEY (rule, row)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE deliveries (
        event TEXT NOT NULL, channel TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
        next_at REAL NOT NULL, error TEXT, PRIMARY KEY (event, channel)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX deliveries_due ON deliveries (state, next_at);
    CREATE TABLE quiet (
        rule TEXT NOT NULL, row TEXT NOT NULL, until REAL, PRIMARY KEY (rule, row)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE revisions (name TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE daily_values (
        name TEXT NOT NULL, day TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (name, day)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE members (
        name TEXT NOT NULL, member TEXT NOT NULL, first_seen TEXT NOT NULL, PRIMARY KEY (name, member)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE published_flows (
        fund TEXT NOT NULL, date TEXT NOT NULL, flow REAL NOT NULL, PRIMARY KEY (fund, date)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE leases (
        name TEXT PRIMARY KEY, owner TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, renewed REAL NOT NULL,
        note TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE rules (name TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE plans (
        kind TEXT NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID;
    """,
)
"""One script a schema version; version n is reached by running scripts 0 to n − 1."""


class DatabaseError(SizewatchError):
    """The database cannot be used; says which file and why. The live view goes on without it."""


class Database:
    """A connection to the user's database, opened and brought up to date at once.

    folder: the data folder; made where it is missing. Raises DatabaseError where the file is damaged, of a newer
    version, or cannot be opened. Used from one thread; every process and thread opens its own.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # autocommit mode: transactions are ours to begin, in `transaction`
            self._connection = sqlite3.connect(self.path, timeout=5.0, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise DatabaseError(f"{self.path}: cannot be opened: {error}") from error
        try:
            self._prepare()
        except (sqlite3.Error, DatabaseError) as error:
            self._connection.close()
            said = str(error) if isinstance(error, DatabaseError) else f"{self.path}: {error}"
            raise DatabaseError(f"{said}; the file is left as it is") from error

    def _prepare(self) -> None:
        run = self._connection.execute
        version = int(run("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise DatabaseError(
                f"{self.path}: written by a newer sizewatch (schema {version}, this one knows {len(MIGRATIONS)})"
            )
        # several terminals read while one writes
        run("PRAGMA journal_mode = WAL")
        # FULL: what was shown as fired survives a power cut too, not only a kill
        run("PRAGMA synchronous = FULL")
        if version == len(MIGRATIONS):
            return
        with self.transaction():
            # another process may have migrated while this one waited for the lock
            version = int(run("PRAGMA user_version").fetchone()[0])
            for number in range(version, len(MIGRATIONS)):
                for statement in filter(str.strip, MIGRATIONS[number].split(";")):
                    run(statement)
                run(f"PRAGMA user_version = {number + 1}")
            run(f"PRAGMA application_id = {_APPLICATION_ID}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction, all or nothing; SQLite's errors come out as DatabaseError."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:  # a full disk has ended it already
                    self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise DatabaseError(f"{self.path}: {error}") from error

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """One writing statement, within a `transaction` or alone; returns the rows it touched."""
        try:
            return self._connection.execute(statement, parameters).rowcount
        except sqlite3.Error as error:
            raise DatabaseError(f"{self.path}: {error}") from error

    @property
    def version(self) -> int:
        """Another number whenever another connection has written; this one's own writes do not count."""
        return int(str(self.rows("PRAGMA data_version")[0][0]))

    def rows(self, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[tuple[object, ...]]:
        """The rows of a reading query. parameters: by place for its `?`, by name for its `:name`."""
        try:
            return self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise DatabaseError(f"{self.path}: {error}") from error

    def close(self) -> None:
        """Close the connection; the file is whole without it."""
        self._connection.close()
