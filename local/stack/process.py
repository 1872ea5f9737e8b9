"""One child process with a log, which can be started again and never outlives this process."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.stack.errors import EmbeddedStackError

GUARD = Path(__file__).with_name("guard.py")
POLL_SECONDS = 0.02


class ChildProcess:
    """A command run under `local/stack/guard.py`.

    `pid` is the command's own process id, for signals; the guard between us and it ends everything
    that the command has started when this process ends, however it ends. Output goes to `log_path`: emptied by the
    first start, continued by later ones. Not to be shared between threads without a lock.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log_path: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_seconds: float = 10,
    ) -> None:
        """Describe the process; `start` runs it. `environment` replaces ours, `user` needs root."""
        self.name = name
        self.command = [str(part) for part in command]
        self.log_path = log_path
        self.environment = environment
        self.folder = folder
        self.user = user
        self.stop_signal = stop_signal
        self.grace_seconds = grace_seconds
        self.pid: int | None = None
        self.starts = 0
        self._log_start = 0
        self._guard: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None

    @property
    def running(self) -> bool:
        """Whether the command, or the guard clearing up behind it, is alive."""
        return self._guard is not None and self._guard.poll() is None

    @property
    def guard_pid(self) -> int | None:
        """The process id of the guard, which also is its process group and session."""
        return None if self._guard is None else self._guard.pid

    @property
    def exit_code(self) -> int | None:
        """What the command ended with (128 + signal if a signal ended it), or None."""
        return None if self._guard is None else self._guard.poll()

    def start(self) -> None:
        """Start the command. Raises EmbeddedStackError if it is already running."""
        if self.running:
            raise EmbeddedStackError(f"{self.name} is already running as process {self.pid}.")
        self._clear()
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        lifeline_end, lifeline = os.pipe()
        status, status_end = os.pipe()
        options = [lifeline_end, status_end, int(self.stop_signal), self.grace_seconds, self.user or "-"]
        self._lifeline = lifeline
        try:
            with self.log_path.open("ab" if self.starts else "wb") as log:
                self._log_start = log.tell()
                self._guard = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(GUARD), *map(str, options), *self.command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self.environment,
                    cwd=self.folder,
                    pass_fds=(lifeline_end, status_end),
                    start_new_session=True,
                )
        except BaseException:
            os.close(status)
            raise
        finally:
            os.close(lifeline_end)
            os.close(status_end)
        self.starts += 1
        with os.fdopen(status, "rb") as answer:
            line = answer.readline()
        self.pid = int(line) if line.strip() else None
        if self.pid is None:
            raise EmbeddedStackError(f"{self.name} could not be started.{self.log_tail()}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command; nothing happens if it has ended."""
        if self.running and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def pause(self) -> None:
        """Stop the command (SIGSTOP): its connections stay open and nothing answers."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused command go on."""
        self.send(signal.SIGCONT)

    def wait(self, timeout_seconds: float) -> int | None:
        """Wait for the end of the command; return its exit code, or None if it still runs."""
        deadline = time.monotonic() + timeout_seconds
        while self.running:
            if time.monotonic() >= deadline:
                return None
            time.sleep(POLL_SECONDS)
        self._clear()
        return self.exit_code

    def ask_to_stop(self, number: signal.Signals | None = None) -> None:
        """Send the stop signal and return at once; follow it with `stop`."""
        self.send(number or self.stop_signal)
        self.resume()
        if self.pid is None and self._guard is not None:  # we were interrupted in the middle of `start`
            self._guard.terminate()

    def stop(self, number: signal.Signals | None = None) -> None:
        """Ask the command to stop, and kill it if it has not within its grace period. Harmless when repeated."""
        self.ask_to_stop(number)
        if self.running and self.wait(self.grace_seconds) is None:
            self.kill()
        self._clear()

    def kill(self) -> None:
        """End the command with SIGKILL and wait until all it had started is gone too."""
        self.send(signal.SIGKILL)
        if self._guard is not None and self.wait(10) is None:  # the guard itself is stuck or was stopped
            self._guard.kill()
            self._guard.wait()
        self._clear()

    def _clear(self) -> None:
        """Let go of an ended command; if its guard was killed, kill what that left behind."""
        if self.running:
            return
        if self._guard is not None and self._guard.returncode < 0 and self.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self.pid = None
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def log_since_start(self) -> str:
        """Return what the log has got since the last start."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(self._log_start)
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def log_tail(self, lines: int = 15) -> str:
        """Return the last lines of the log, indented, ready to follow a sentence."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 16_384))
                text = log.read().decode(errors="replace")
        except OSError:
            return " There is no log."
        tail = text.strip().splitlines()[-lines:]
        return f" The end of {self.log_path}:\n" + "\n".join(f"    {line}" for line in tail) if tail else ""
