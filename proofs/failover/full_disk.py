"""The disk of the primary is full for a while, in the middle of a crash of prices."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from coruscant import clock
from local.stack.errors import EmbeddedStackError
from proofs.failover.cases import Case

#: What is left on the disk when the service starts. Only what is written then counts, so it need not be much.
ROOM_BYTES = 64 * 1024 * 1024
FULL_FOR_SECONDS = 20.0
_STEP_BYTES = 1024 * 1024
_PAUSE_SECONDS = 0.5


class CannotMount(EmbeddedStackError):
    """This user, or this machine, may not mount a file system."""


class FullDisk(Case):
    """Something else fills the file system of the data; then it is cleared away.

    The data lie on a file system of their own in memory (tmpfs), which takes root. PostgreSQL is started again whenever
    it has ended, as whatever supervises it does.
    """

    name = "full disk"
    setting = "asynchronous"
    loses = False
    seen_as = "No space left on device"
    operator = "made room on the disk"

    def prepare(self) -> None:
        """Move the data to a small file system. Raises CannotMount."""
        super().prepare()
        self.primary.stop()
        self._data = self.primary.data
        self._usual = self._data.with_name(f"{self._data.name}.usual")
        used = sum(path.stat().st_size for path in self._data.rglob("*") if path.is_file())
        self._data.rename(self._usual)
        self._data.mkdir()
        size = f"size={used + ROOM_BYTES}"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", size, "tmpfs", self._data], capture_output=True, text=True, check=False
        )
        if mounted.returncode:
            self._data.rmdir()
            self._usual.rename(self._data)
            self.primary.start()
            raise CannotMount(mounted.stderr.strip())
        subprocess.run(["cp", "-a", f"{self._usual}/.", self._data], check=True)
        self.primary.start()

    def replace(self, disconnect: Callable[[], None]) -> datetime:
        """Fill the disk to the last byte, keep it so for a while, and clear it."""
        self.killed_at = time.time()
        disconnect()
        ballast, began, ended = self._data / "ballast", time.monotonic(), 0
        while time.monotonic() < began + FULL_FOR_SECONDS:
            _fill(ballast)
            if not self.primary.running:
                ended += 1
                self.primary.launch()
            time.sleep(_PAUSE_SECONDS)
        ballast.unlink()
        self.back_at = time.time()
        try:
            self.primary.start()
        except EmbeddedStackError:  # that one had still found the disk full
            ended += 1
            self.primary.start()
        self.seen.append(f"PostgreSQL ended {ended} times" if ended else "PostgreSQL went on")
        return clock.now()

    def clear(self) -> None:
        """Put the data back as they were before."""
        if not hasattr(self, "_usual") or not self._usual.exists():
            return
        self.primary.stop()
        subprocess.run(["umount", self._data], check=True)
        shutil.rmtree(self._data)
        self._usual.rename(self._data)
        self.primary.start()


def _fill(ballast: Path) -> None:
    """Write to a file until there is no room."""
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    size = _STEP_BYTES
    try:
        while size:
            try:
                os.write(descriptor, bytes(size))
            except OSError:  # no room for so much
                size //= 2
    finally:
        os.close(descriptor)
