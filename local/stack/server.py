"""What the embedded servers have in common: a port, a child process, readiness."""

import signal
import time
from abc import ABC, abstractmethod
from pathlib import Path

from local.stack.errors import EmbeddedStackError
from local.stack.listening import PORT_ATTEMPTS, PortTakenError, check_port, listens
from local.stack.ports import LOOPBACK, free_port
from local.stack.process import POLL_SECONDS, ChildProcess

_PORT_PAUSE_SECONDS = 1.0


class Server(ABC):
    """A server on a loopback port, which stays the same over stop and start once the server has answered."""

    name: str
    ready_within_seconds: float = 60

    def __init__(self, folder: Path, log_folder: Path) -> None:
        """Keep data under `folder` and the log under `log_folder`; nothing is started yet."""
        self.folder = folder
        self.log_path = log_folder / f"{self.name}.log"
        self.host = LOOPBACK
        self.port = free_port()
        self._process: ChildProcess | None = None
        self._port_is_known = False

    @abstractmethod
    def _prepare(self) -> ChildProcess:
        """Make the data folder ready and describe the process to start."""

    @abstractmethod
    def _answers(self) -> bool:
        """Return whether the server does its work now; an OSError counts as no."""

    @property
    def process(self) -> ChildProcess:
        """The child process; raises EmbeddedStackError before the first start."""
        if self._process is None:
            raise EmbeddedStackError(f"{self.name} has not been started.")
        return self._process

    @property
    def running(self) -> bool:
        """Whether the server's process is alive (a paused one is)."""
        return self._process is not None and self._process.running

    @property
    def pid(self) -> int | None:
        """The server's own process id while it runs."""
        return None if self._process is None else self._process.pid

    def launch(self) -> None:
        """Start the process without waiting for it; nothing happens if it runs."""
        if self.running:
            return
        starts = 0 if self._process is None else self._process.starts
        self._process = self._prepare()
        self._process.starts = starts  # so that the log goes on
        self._process.start()

    def wait_until_ready(self) -> None:
        """Wait until the server answers, on another port if another process has taken its own.

        A server that has answered before keeps its port, which its clients know: then it waits until the port is free
        again. Raises EmbeddedStackError when the server ends or its time is up.
        """
        for _ in range(PORT_ATTEMPTS - 1):
            try:
                self._wait_until_ready()
            except PortTakenError:
                self.stop()
                if self._port_is_known:
                    time.sleep(_PORT_PAUSE_SECONDS)
                else:
                    self.port = free_port()
                self.launch()
            else:
                return
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.ready_within_seconds
        while True:
            try:
                if listens(self.process, self.port) and self._answers():
                    self._port_is_known = True
                    return
            except OSError:
                pass
            if not self.running:
                check_port(self.process, self.port)
                code = self.process.exit_code
                raise EmbeddedStackError(f"{self.name} ended with code {code} at its start.{self.process.log_tail()}")
            if time.monotonic() > deadline:
                seconds = f"{self.ready_within_seconds:.0f} s"
                raise EmbeddedStackError(f"{self.name} did not answer within {seconds}.{self.process.log_tail()}")
            time.sleep(POLL_SECONDS)

    def start(self) -> None:
        """Start the server on its port and wait until it answers; nothing happens if it runs."""
        self.launch()
        self.wait_until_ready()

    def stop(self, number: signal.Signals | None = None) -> None:
        """Stop the server in its orderly way, or with another signal, and wait until it is gone."""
        if self._process is not None:
            self._process.stop(number)

    def kill(self) -> None:
        """End the server with SIGKILL, as a crash would, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()

    def pause(self) -> None:
        """Freeze the server (SIGSTOP): connections stay open, nothing answers."""
        self.process.pause()

    def resume(self) -> None:
        """Let a paused server go on."""
        self.process.resume()
