"""Reads TOML into checked values and collects every mistake with its place, so that a user sees all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
_SHOWN = 60
"""Characters of a wrong value that a message repeats."""


class Mistake(NamedTuple):
    """What stands where, and what would be right."""

    path: str
    value: str
    allowed: str

    def line(self, file: str) -> str:
        shown = f" = {self.value}" if self.value else ""
        place = f"{self.path}{shown}: " if self.path else ""
        return f"{file}: {place}{self.allowed}"


class ScenarioError(Exception):
    """A scenario was refused; `lines` has one line a mistake: `FILE: key.path = value: what is allowed`."""

    def __init__(self, file: str, mistakes: Sequence[Mistake]) -> None:
        self.file = file
        self.mistakes = tuple(mistakes)
        self.lines = tuple(mistake.line(file) for mistake in mistakes)
        super().__init__("\n".join(self.lines))


class Table:
    """One TOML table: each key is asked for once, with its limits; `finish` complains of what nobody asked for.

    A value that is wrong is replaced by a harmless stand-in, so that reading goes on to the next mistake.
    """

    def __init__(self, data: Mapping[str, Any], path: str, mistakes: list[Mistake]) -> None:
        self._data = data
        self._path = path
        self._mistakes = mistakes
        self._asked: set[str] = set()

    def place(self, key: str) -> str:
        quoted = key if key.replace("-", "").replace("_", "").isalnum() else f'"{key}"'
        return f"{self._path}.{quoted}" if self._path else quoted

    def wrong(self, key: str, allowed: str) -> None:
        """Note that the value of a key cannot stand."""
        value = repr(self._data[key]) if key in self._data else ""
        self._mistakes.append(
            Mistake(self.place(key), value if len(value) <= _SHOWN else value[:_SHOWN] + "…", allowed)
        )

    def has(self, key: str) -> bool:
        return key in self._data

    def _take(self, key: str, fits: Callable[[Any], bool], allowed: str, default: T | None, stand_in: T) -> T:
        self._asked.add(key)
        if key not in self._data:
            if default is None:
                self._mistakes.append(Mistake(self.place(key), "", f"missing; {allowed}"))
                return stand_in
            return default
        if not fits(self._data[key]):
            self.wrong(key, f"must be {allowed}")
            return stand_in
        return self._data[key]  # type: ignore[no-any-return]

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number from `low` to `high`, both included."""

        def fits(value: Any) -> bool:
            return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high

        return float(self._take(key, fits, f"a number from {low:,g} to {high:,g}", default, low))

    def optional(self, key: str, low: float, high: float) -> float | None:
        """The same, or None where the key is missing."""
        self._asked.add(key)
        return self.number(key, low, high) if self.has(key) else None

    def text(self, key: str, default: str | None = None, *, among: Sequence[str] = ()) -> str:
        """A non-empty string; one of `among` where that is given."""
        allowed = "one of " + ", ".join(among) if among else "a text"

        def fits(value: Any) -> bool:
            return isinstance(value, str) and (value in among if among else bool(value))

        return self._take(key, fits, allowed, default, "")

    def names(self, key: str, among: Sequence[str]) -> tuple[str, ...]:
        """A list of strings, each of `among`; () where the key is missing."""

        def fits(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(each, str) and each in among for each in value)

        return tuple(self._take(key, fits, "a list of: " + ", ".join(among), [], []))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; () where the key is missing."""

        def fits(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(each, str) for each in value)

        return tuple(self._take(key, fits, "a list of texts", [], []))

    def day(self, key: str, default: date) -> date:
        """A local date, `2018-01-01`."""

        def fits(value: Any) -> bool:
            return isinstance(value, date) and not isinstance(value, datetime)

        return self._take(key, fits, "a date like 2018-01-01", default, default)

    def moment(self, key: str) -> datetime:
        """A date and time with its offset from UTC."""

        def fits(value: Any) -> bool:
            return isinstance(value, datetime) and value.tzinfo is not None

        stand_in = datetime.fromisoformat("2026-01-09T10:30:00-05:00")
        return self._take(key, fits, "a time with its zone, like 2026-01-09T10:30:00-05:00", None, stand_in)

    def years(self, key: str) -> dict[int, float]:
        """A table of calendar year → per cent, `{ 2024 = 11.4 }`; {} where the key is missing."""
        self._asked.add(key)
        table = self.table(key, required=False)
        found: dict[int, float] = {}
        for name in table.members():
            if name.isdigit() and 1990 <= int(name) <= 2100:
                found[int(name)] = table.number(name, -99.9, 100_000)
            else:
                table.wrong(name, "a key here must be a calendar year")
        return found

    def members(self) -> tuple[str, ...]:
        """Every key that stands in the table."""
        return tuple(self._data)

    def table(self, key: str, *, required: bool = True) -> Table:
        """The table below a key; an empty one where it is missing or wrong."""
        self._asked.add(key)
        data = self._data.get(key)
        if data is None:
            if required:
                self._mistakes.append(Mistake(self.place(key), "", "missing; a table"))
        elif not isinstance(data, dict):
            self.wrong(key, "must be a table")
        return Table(data if isinstance(data, dict) else {}, self.place(key), self._mistakes)

    def tables(self, key: str, *, required: bool = True) -> dict[str, Table]:
        """The tables below a key, by name."""
        outer = self.table(key, required=required)
        return {name: outer.table(name) for name in outer.members()}

    def array(self, key: str) -> list[Table]:
        """The tables of an array of tables, `[[key]]`, in order; none where it is missing."""
        self._asked.add(key)
        data = self._data.get(key, [])
        if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
            self.wrong(key, f"must be an array of tables, [[{key}]]")
            return []
        return [Table(each, f"{self.place(key)}[{at}]", self._mistakes) for at, each in enumerate(data)]

    def finish(self) -> None:
        """Every key that was not asked for is unknown."""
        known = ", ".join(sorted(self._asked))
        for key in self._data:
            if key not in self._asked:
                self._mistakes.append(Mistake(self.place(key), "", f"unknown key; known here: {known}"))
