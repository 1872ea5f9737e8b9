"""A stack shared by the tests of one module, and a way to find processes by the folder they work in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from local.stack import EmbeddedStack


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """Yield a new folder that every user can reach, unlike pytest's, and remove it."""
    path = Path(mkdtemp(prefix="embedded-"))
    path.chmod(0o755)
    yield path
    rmtree(path, ignore_errors=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder for a stack of the test's own."""
    with folder_for_all() as path:
        yield path


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    """Yield a running stack."""
    with folder_for_all() as path, EmbeddedStack(folder=path) as running:
        yield running


def processes_mentioning(text: str) -> list[str]:
    """Return the command lines, with process ids, of all live processes whose command line or folder holds `text`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = str((folder / "cwd").readlink())
        except OSError:
            continue
        if command and (text in command or text in place):
            found.append(f"{folder.name} {command}")
    return found
