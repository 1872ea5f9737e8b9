"""What processes cost: processor time and memory, from /proc."""

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all its living descendants."""
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        found.append(parent)
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                waiting += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def processor_seconds(pid: int) -> float:
    """Processor time of a process and its descendants, including those that ended and were waited for."""
    return sum(_ticks(member) for member in family(pid)) / _TICKS


def peak_megabytes(pid: int) -> float:
    """The largest resident memory that any one process of a family ever had, in MB."""
    return max((_peak(member) for member in family(pid)), default=0.0)


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each process spent between two readings, the most expensive first."""
    differences = {name: after[name] - before.get(name, 0.0) for name in after}
    return dict(sorted(differences.items(), key=lambda item: -item[1]))


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(field) for field in fields[11:15])


def _peak(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
