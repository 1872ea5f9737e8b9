"""Reading the environment: every value is checked at start, and a bad one ends the process with one sentence.

Each value may be in a file instead, as secrets of containers are: `NAME_FILE` then says where. No sentence shows a
value that may hold a secret.
"""

import os
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

import environ

#: Of the service's code.
BASE_DIR = Path(__file__).resolve().parent.parent

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}


class Environment:
    """Typed reads of environment variables (and of an optional `.env` file, which never overrides them).

    Empty means unset, everywhere: a variable that is set to nothing counts as one that is not there.
    """

    def __init__(self, dotenv: Path) -> None:
        self._env = environ.Env()
        if dotenv.is_file():
            environ.Env.read_env(str(dotenv), overwrite=False)

    def refuse(self, name: str, sentence: str) -> NoReturn:
        """End the process: the setting `name` is wrong, and `sentence` says how."""
        raise SystemExit(f"Bad configuration: {name} {sentence}.")

    def text(self, name: str, default: str | None = None) -> str:
        """A non-empty string; required when there is no default."""
        value = self._read(name, default or "")
        if not value and default is None:
            self.refuse(name, "must be set")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false, in words."""
        value = self._read(name, str(default)).lower()
        if value not in _TRUE | _FALSE:
            self.refuse(name, f"must be true or false, not {value!r}")
        return value in _TRUE

    def words(self, name: str, default: list[str]) -> list[str]:
        """A comma-separated list."""
        return [word.strip() for word in self._read(name, ",".join(default)).split(",") if word.strip()]

    def whole(self, name: str, default: int) -> int:
        """A whole number, at least 1."""
        text = self._read(name, str(default))
        if not text.isdecimal() or int(text) == 0:
            self.refuse(name, f"must be a whole number, at least 1, not {text!r}")
        return int(text)

    def number(self, name: str, default: str, *, at_most: int | None = None) -> Decimal:
        """An exact decimal above 0 and at most `at_most`."""
        text = self._read(name, default)
        try:
            value = Decimal(text)
        except InvalidOperation:
            self.refuse(name, f"must be a decimal number, not {text!r}")
        if not value.is_finite() or value <= 0 or (at_most is not None and value > at_most):
            bound = f" and at most {at_most}" if at_most else ""
            self.refuse(name, f"must be above 0{bound}, not {text!r}")
        return value

    def one_of(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of a few words."""
        value = self._read(name, default)
        if value not in allowed:
            self.refuse(name, f"must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def url(self, name: str, schemes: tuple[str, ...] = ("http", "https")) -> str:
        """An address with a scheme and a host, without a trailing slash."""
        value = self.text(name)
        parts = self._parts(name, value)
        if parts.scheme not in schemes or not (parts.netloc or (parts.scheme == "unix" and parts.path)):
            self.refuse(name, f"must be an address like {schemes[0]}://host:port")
        return value.rstrip("/")

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """A comma-separated list of addresses and networks, such as `10.0.0.0/8`."""
        try:
            return [ip_network(word) for word in self.words(name, default=[])]
        except ValueError:
            self.refuse(name, "must list addresses or networks, such as 10.0.0.0/8")

    def uuid(self, name: str) -> UUID:
        """A UUID; required."""
        value = self.text(name)
        try:
            return UUID(value)
        except ValueError:
            self.refuse(name, f"must be a UUID, not {value!r}")

    def database(self, name: str) -> dict[str, object]:
        """A PostgreSQL database by URL."""
        value = self.text(name)
        if self._parts(name, value).scheme not in {"postgres", "postgresql", "psql"}:
            self.refuse(name, "must name a PostgreSQL database (postgres://…)")
        try:
            return dict(self._env.db_url_config(value))
        except (ValueError, environ.ImproperlyConfigured):
            self.refuse(name, "cannot be read as a database address")

    def _parts(self, name: str, value: str) -> SplitResult:
        try:
            return urlsplit(value)
        except ValueError:
            self.refuse(name, "cannot be read as an address")

    def _read(self, name: str, default: str) -> str:
        value = str(self._env.str(name, default="")).strip()
        path = str(self._env.str(f"{name}_FILE", default="")).strip()
        if value and path:
            self.refuse(name, f"and {name}_FILE are both set, and only one can count")
        if not path:
            return value or default
        try:
            return Path(path).read_text().strip() or default
        except (OSError, UnicodeDecodeError) as error:
            self.refuse(f"{name}_FILE", f"cannot be read ({type(error).__name__})")


def of_the_service() -> Environment:
    """The environment and the file DOTENV, or `.env` beside the code, wherever the process was started."""
    return Environment(Path(os.environ.get("DOTENV", BASE_DIR / ".env")))
