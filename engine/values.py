"""Frozen dataclasses that cost a third to define: a program that defines fifty of them before it paints sees that.

The standard decorator compiles six methods a class, one by one (0.6 ms; here 0.2). Here only `__init__` is compiled,
the others are made of the same few lines for every class. What comes out is a dataclass to whoever looks: `fields`,
`replace`, `match`, pickling and type checkers take it for one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

__all__ = ["dataclass"]

Class = TypeVar("Class", bound=type)
_UNSAID: Final = object()
"""Stands for an argument whose default is made anew each time."""


def _made(wanted: Class) -> Class:
    # the standard decorator finds the fields and lays the slots; without methods it compiles nothing
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(wanted)
    known = dataclasses.fields(made)
    names = tuple(field.name for field in known)
    if hasattr(made, "__post_init__") or names != tuple(wanted.__annotations__):
        raise TypeError(f"{wanted.__name__}: only plain fields of its own; `dataclasses` knows the others")
    values = _values(names)
    for name, method in (
        ("__init__", _init(made, known)),
        ("__eq__", lambda a, b: values(a) == values(b) if b.__class__ is a.__class__ else NotImplemented),
        ("__hash__", lambda a: hash(values(a))),
        ("__repr__", lambda a: f"{made.__qualname__}({', '.join(map('{}={!r}'.format, names, values(a)))})"),
        ("__reduce__", lambda a: (made, values(a))),
        ("__setattr__", _refused),
        ("__delattr__", _refused),
    ):
        if name not in wanted.__dict__:  # a class's own goes before
            setattr(made, name, method)
    made.__dataclass_params__.frozen = True
    return made  # type: ignore[no-any-return]


def _values(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads the fields of an instance, as a tuple of however many."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple(getattr(one, name) for name in names)


def _init(made: type, known: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    """`__init__`, which takes the fields in their order and puts each into its slot."""
    scope: dict[str, Any] = {"_unsaid": _UNSAID}
    said, lines = ["self"], []
    for at, field in enumerate(known):
        name, value = field.name, field.name
        scope[f"_put{at}"] = getattr(made, name).__set__
        if field.default is not dataclasses.MISSING:
            scope[f"_default{at}"] = field.default
            said.append(f"{name}=_default{at}")
        elif field.default_factory is not dataclasses.MISSING:
            scope[f"_make{at}"] = field.default_factory
            said.append(f"{name}=_unsaid")
            value = f"_make{at}() if {name} is _unsaid else {name}"
        else:
            said.append(name)
        lines.append(f"  _put{at}(self, {value})")
    exec(f"def __init__({', '.join(said)}):\n" + "\n".join(lines), scope)  # its text is made of the fields' names alone
    init: Callable[..., None] = scope["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"  # what a wrong call's error names
    return init


def _refused(self: object, name: str, *_: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r}")


if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, slots: bool) -> Callable[[Class], Class]:
        """`dataclasses.dataclass` with both of these, for classes of plain fields."""
        if not (frozen and slots):
            raise TypeError("only frozen ones with slots are made here")
        return _made
