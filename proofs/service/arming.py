"""A failpoint at which the process kills or freezes itself, armed through the environment variable FAILPOINT_SIGNAL.

Its words are what to do, where, which time, and a folder:

    FAILPOINT_SIGNAL="kill sell.answered 2 /tmp/marks"

Whoever reaches the failpoint leaves a mark in the folder: a file `1` the first time, `2` the second. The count is
shared by all processes that are armed with the same folder, and each time happens once: a process that is started
again after it was killed lives.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from coruscant import failpoints

SIGNALS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}
_WORDS = 4


@dataclass(frozen=True, slots=True)
class Armed:
    """What happens where: an observer of failpoints."""

    number: signal.Signals
    failpoint: str
    time: int
    folder: Path

    def __call__(self, name: str) -> None:
        """Mark that the failpoint was reached, and at the right time send the signal to this process."""
        if name != self.failpoint:
            return
        for count in range(1, self.time + 1):
            if leave_mark(self.folder / str(count)):
                if count == self.time:
                    os.kill(os.getpid(), self.number)
                return


def leave_mark(path: Path) -> bool:
    """Write the process id and the time into a new file; False if the file exists."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as mark:
        mark.write(f"{os.getpid()} {time.time()}")
    return True


def read(text: str) -> Armed:
    """Parse FAILPOINT_SIGNAL. Raises ValueError, which says what the text must be."""
    words = text.split(maxsplit=_WORDS - 1)
    if len(words) != _WORDS or words[0] not in SIGNALS or not words[2].isdecimal() or int(words[2]) < 1:
        raise ValueError(f"must be like 'kill sell.answered 1 /folder' or 'freeze …', not {text!r}")
    if not Path(words[3]).is_dir():
        raise ValueError(f"must end with a folder that exists, not {words[3]!r}")
    return Armed(SIGNALS[words[0]], words[1], int(words[2]), Path(words[3]))


def arm(text: str) -> None:
    """Arm this process, and those that it forks."""
    failpoints.arm(read(text))
