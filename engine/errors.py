"""Every failure that a user can meet, in one tree; each carries a sentence that can stand on the screen as it is.

SizewatchError
├── ConfigError            the configuration is wrong: all its mistakes at once
├── RefusedError           another file that the user named is wrong: the same
└── FeedError              a source did not give what was asked
    ├── TransientError     try again after the usual back-off
    │   └── RateLimitedError   try again after `retry_after` seconds
    ├── BlockedError       the source refuses this place or this client (geo-block, consent page)
    ├── BadDataError       an answer came that cannot be what was asked for
    └── FatalError         no retry can help until the configuration changes
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


def faults() -> tuple[type[BaseException], ...]:
    """What may end whatever raised it, and nothing more: for the `except` of a part that must not take others down.

    Exceptions, and panics of libraries in Rust (Polars, calamine), which each have a kind of their own that is no
    `Exception`: it is made as the first of them is raised, so it is looked for then.
    """
    return (Exception, *(kind for kind in BaseException.__subclasses__() if kind.__name__ == "PanicException"))


def printable(text: str) -> str:
    """`text` without what a terminal obeys or what turns the reading direction around: each such sign is a space."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)


def one_line(text: str) -> str:
    """`text` as `printable` has it, on one line, with one blank where several were."""
    return " ".join(printable(text).split())


_LACKING: Final = re.compile(r"Required keyword: '\w+' missing for <class '[\w.]+'>")


def sql_words(error: BaseException, limit: int = 200) -> str:
    """What a parser or an engine of SQL says, in one line without the parser's underlines and its classes' names."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
    line = one_line((text.splitlines() or [type(error).__name__])[0])
    return _LACKING.sub("a value is missing", line)[:limit]


class SizewatchError(Exception):
    """Base of all; `str(error)` is one line for the user."""


@dataclass(frozen=True, slots=True)
class ConfigMistake:
    """One mistake in a configuration: where it stands, what stands there, and what would be right."""

    path: str
    """Dotted path of the key, e.g. `network.timeout`; empty for the file as a whole."""
    value: str
    """The value as written, shortened; empty where a key itself is the mistake."""
    allowed: str
    """What would be right, in words."""


class ConfigError(SizewatchError):
    """A configuration was refused; what was running keeps running."""

    def __init__(self, file: str, mistakes: tuple[ConfigMistake, ...]) -> None:
        self.file = file
        self.mistakes = mistakes
        super().__init__("\n".join(self.lines()))

    def lines(self) -> tuple[str, ...]:
        """One line a mistake: `FILE: key.path = value: what is allowed`."""
        return tuple(
            f"{self.file}: {m.path}{' = ' + m.value if m.value else ''}{': ' if m.path else ''}{m.allowed}"
            for m in self.mistakes
        )


class RefusedError(SizewatchError):
    """Another file was refused; the text has one line a mistake, each with the file's name."""


class FeedError(SizewatchError):
    """A source did not give what was asked."""


class TransientError(FeedError):
    """Worth another try after the usual back-off."""


class RateLimitedError(TransientError):
    """The source asked for a pause."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the source named, or None."""


class BlockedError(FeedError):
    """The source refuses this place or this client; tried again, rarely."""


class BadDataError(FeedError):
    """An answer came that cannot be what was asked for."""


class FatalError(FeedError):
    """No retry can help until the configuration changes."""
