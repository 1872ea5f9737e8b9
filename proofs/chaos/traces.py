"""What an operator finds in the service's logs: lines written since a moment."""

import re
from pathlib import Path

NOT_THE_SERVICES = (
    "otc",
    "mos-espa",
    "black-spire-outpost",
    "sns-sqs",
    "valkey",
    "postgresql",
    "prometheus",
    "standby",
    "initdb",
    "pg_basebackup",
    "manage-",
)


class Traces:
    """Reads the logs of the service's processes from where they end now."""

    def __init__(self, folder: Path) -> None:
        """Begin at the present end of every log in `folder`."""
        self._folder = folder
        self._begins = {path: path.stat().st_size for path in folder.glob("*.log")}

    def found(self, pattern: str, *, by_postgres: bool = False) -> bool:
        """Whether a line since then matches a regular expression; an empty one is always found.

        A line of the service, or of PostgreSQL.
        """
        wanted = re.compile(pattern)
        logs = self._folder.glob("postgresql.log") if by_postgres else self._logs()
        return not pattern or any(wanted.search(line) for path in logs for line in self._lines(path))

    def _logs(self) -> list[Path]:
        return [path for path in self._folder.glob("*.log") if not path.name.startswith(NOT_THE_SERVICES)]

    def _lines(self, path: Path) -> list[str]:
        with path.open("rb") as log:
            log.seek(self._begins.get(path, 0))
            return log.read().decode(errors="replace").splitlines()
