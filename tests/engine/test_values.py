"""A dataclass that is cheap to define is one in every other way: held against the standard library's own."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from engine import values
from engine.config import Config, Network, Store
from engine.model import Intent

CHEAP = values.dataclass(frozen=True, slots=True)
STANDARD = dataclass(frozen=True, slots=True)


def point(made: Callable[[type], type]) -> Any:
    """The same class, made by one decorator or the other."""

    class Point:
        """A place with a name."""

        x: float
        y: float = 0.5
        names: dict[str, str] = field(default_factory=dict)

        @property
        def sum(self) -> float:
            return self.x + self.y

    return made(Point)


def same(use: Callable[[Any], object]) -> object:
    """What both do, or how both refuse."""
    answers = []
    for made in (CHEAP, STANDARD):
        try:
            answers.append(repr(use(point(made))))
        except (TypeError, FrozenInstanceError, AttributeError) as error:
            answers.append(
                f"{type(error).__name__}: {error}".replace("assign to", "change").replace("delete", "change")
            )
    assert answers[0] == answers[1]
    return answers[0]


USES: tuple[Callable[[Any], object], ...] = (
    lambda kind: kind(1.0),
    lambda kind: kind(1.0, names={"a": "b"}),
    lambda kind: kind(y=2.0, x=float("nan")),
    lambda kind: kind(1.0, 2.0).sum,
    lambda kind: kind(1.0) == kind(1.0, 0.5, {}),
    lambda kind: kind(1.0) != kind(1.0, 0.6),
    lambda kind: kind(1.0) == (1.0, 0.5, {}),
    lambda kind: kind(1.0).names is kind(1.0).names,
    lambda kind: replace(kind(1.0), y=3.0),
    lambda kind: [f.name for f in fields(kind)],
    lambda kind: dataclasses.asdict(kind(1.0)),
    lambda kind: copy.deepcopy(kind(1.0)),
    lambda kind: kind.__match_args__,
    lambda kind: kind.__doc__,
    lambda kind: hasattr(kind(1.0), "__dict__"),
    lambda kind: kind(),
    lambda kind: kind(1.0, 2.0, {}, 4.0),
    lambda kind: kind(1.0, z=2.0),
    lambda kind: hash(kind(1.0)),
    lambda kind: setattr(kind(1.0), "x", 2.0),
    lambda kind: delattr(kind(1.0), "x"),
)


@pytest.mark.parametrize("use", USES)
def test_it_does_what_the_standard_one_does(use: Callable[[Any], object]) -> None:
    assert same(use)


def test_equal_values_have_equal_hashes_and_one_field_is_enough() -> None:
    assert {Store("a"), Store("a"), Store("b")} == {Store("a"), Store("b")}
    assert Store(float("nan")) != Store(float("nan"))  # type: ignore[arg-type]
    assert hash(Network()) == hash(Network("")) != hash(Network("http://here"))


def test_it_goes_through_a_pipe_as_it_is() -> None:
    config = replace(Config(), network=Network(timeout=3.0))
    assert pickle.loads(pickle.dumps(config)) == config
    assert pickle.loads(pickle.dumps(Intent("retry"))).arguments == {}


def test_a_class_keeps_the_methods_that_it_has_itself() -> None:
    class Named:
        """A name."""

        name: str

        def __repr__(self) -> str:
            return self.name

    assert repr(CHEAP(Named)("IWM")) == "IWM"  # type: ignore[call-arg]


def test_what_it_does_not_know_is_refused_where_the_class_is_made() -> None:
    class After:
        """Looks at itself once it is made."""

        x: float

        def __post_init__(self) -> None:
            raise AssertionError

    class Below(point(CHEAP)):  # type: ignore[misc]
        """Has more fields than it names."""

        z: float = 0.0

    for kind in (After, Below):
        with pytest.raises(TypeError, match=r"only plain fields of its own|cannot inherit"):
            CHEAP(kind)
    with pytest.raises(TypeError, match="frozen ones with slots"):
        values.dataclass(frozen=True, slots=False)
