"""How a bug is planted: source is changed as it is imported, and a statement is run on the database. Files stay."""

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from types import CodeType, ModuleType


@dataclass(frozen=True, slots=True)
class Edit:
    """In `module`, `before` (which stands there exactly once) becomes `after`."""

    module: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug: what it does wrong, and how it is planted.

    The simulation is asked first, then `tests`. `simulated` is False where the simulation cannot notice, for the
    reason given in the catalogue; then there must be tests.
    """

    name: str
    bug: str
    edits: tuple[Edit, ...] = ()
    sql: str = ""
    tests: tuple[str, ...] = field(default=())
    simulated: bool = True


class StaleMutant(Exception):
    """The text that a mutant changes is not there, or more than once: the catalogue is behind the code."""


def changed(source: str, edits: Sequence[Edit]) -> str:
    """The source with every edit made. Raises StaleMutant."""
    for edit in edits:
        if source.count(edit.before) != 1:
            raise StaleMutant(f"{edit.module} has this {source.count(edit.before)} times: {edit.before}")
        source = source.replace(edit.before, edit.after)
    return source


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles a module from its changed source; the cached bytecode is left alone."""

    edits: tuple[Edit, ...] = ()

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = self.get_data(path).decode()
        return compile(changed(source, self.edits), path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, edits: Sequence[Edit]) -> None:
        self.edits = edits

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        edits = tuple(edit for edit in self.edits if edit.module == fullname)
        if not edits:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.origin is None:
            raise StaleMutant(f"there is no module {fullname}")
        loader = _Loader(fullname, spec.origin)
        loader.edits = edits
        return importlib.util.spec_from_file_location(fullname, spec.origin, loader=loader)


def plant(mutant: Mutant) -> None:
    """Change the modules of a mutant in this process, which must not have imported them yet. Raises StaleMutant."""
    for edit in mutant.edits:
        if edit.module in sys.modules:
            raise StaleMutant(f"{edit.module} is imported already")
    sys.meta_path.insert(0, _Finder(mutant.edits))
