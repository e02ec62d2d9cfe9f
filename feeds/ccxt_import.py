"""ccxt.pro with the exchanges that are asked for: the library's own packages import a hundred of each kind at once.

Three of ccxt's packages (`ccxt`, `ccxt.async_support`, `ccxt.pro`) consist of lines `from ccxt.kraken import kraken`.
Here those lines alone wait until their name is asked for; all else in them is carried out as it stands, and what comes
of it is the same for whoever uses them. It saves most of a second and some 60 MB at every start.
"""

from __future__ import annotations

import ast
import importlib
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from threading import RLock
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES: Final = frozenset({"ccxt", "ccxt.async_support", "ccxt.pro"})
_LOCK: Final = RLock()
_WAITING: Final = "_waiting_exchanges"


class _Package(ModuleType):
    """A package whose exchanges are imported when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        if name not in self.__dict__.get(_WAITING, ()):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        importlib.import_module(f"{self.__name__}.{name}")
        return self.__dict__[name]

    def __setattr__(self, name: str, value: object) -> None:
        # importing a submodule binds its name to the module; in these packages the name is the class in it
        if isinstance(value, ModuleType) and name in self.__dict__.get(_WAITING, ()):
            value = getattr(value, name)
        super().__setattr__(name, value)


class _Loader(SourceFileLoader):
    """Carries out a package's own code without the lines that import an exchange."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), path)
        kept = [line for line in tree.body if _exchange(line, fullname) is None]
        self.waiting = frozenset(name for line in tree.body if (name := _exchange(line, fullname)) is not None)
        tree.body = kept
        return compile(tree, path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        code = self.get_code(module.__name__)
        module.__dict__[_WAITING] = self.waiting
        module.__class__ = _Package
        exec(code, module.__dict__)


class _Finder:
    """Finds the three packages, and nothing else."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in PACKAGES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(name, spec.loader.path)
        return spec


def _exchange(line: ast.stmt, package: str) -> str | None:
    """The name in a line `from PACKAGE.NAME import NAME`."""
    if not isinstance(line, ast.ImportFrom) or line.module is None or len(line.names) != 1:
        return None
    name = line.names[0].name
    return name if line.module == f"{package}.{name}" and line.names[0].asname is None else None


def ccxt_pro() -> Any:
    """The package `ccxt.pro`. Where it has been imported already, as it is."""
    with _LOCK:
        finder = _Finder()
        sys.meta_path.insert(0, finder)
        try:
            return importlib.import_module("ccxt.pro")
        finally:
            sys.meta_path.remove(finder)
