"""Which processes of an earlier run are ended."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.stack.leftovers import ProcessList, is_alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


def test_listed_process_is_ended_only_if_it_is_the_same_one(folder: Path) -> None:
    processes = ProcessList(folder / "list.json")
    with subprocess.Popen(["sleep", "300"]) as mine:
        processes.write([("sleeper", mine.pid), ("gone", 999_999_999)])
        text = processes.path.read_text()
        started = text.split('"started": "')[1].split('"')[0]
        processes.path.write_text(text.replace(started, str(int(started) - 1)))
        assert processes.end_leftovers() == []
        assert is_alive(mine.pid)
        processes.path.write_text(text)
        assert processes.end_leftovers() == ["sleeper"]
        assert not is_alive(mine.pid)
