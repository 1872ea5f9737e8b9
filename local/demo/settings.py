"""What a demo was asked for, and the environment its processes get."""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from local.stack.ports import LOOPBACK, next_free_port

#: The OTC service of the demo hears it.
LOAN_EVENTS_TOPIC = "coruscant-bank-loan-events"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line. `seconds` is None for a demo that runs until Ctrl-C."""

    seconds: int | None
    workers: int
    web: int
    beats: int
    port: int
    folder: Path
    seed: int
    rate: float
    faults: str
    screenshot: Path | None = None


@dataclass(slots=True)
class Addresses:
    """Where everything listens: a port of the loopback interface each."""

    web: int
    flower: int
    mos_espa: int
    black_spire_outpost: int
    otc: int

    @classmethod
    def choose(cls, port: int) -> "Addresses":
        """Take the usual ports, or the next free ones."""
        web = next_free_port(port)
        mos_espa = next_free_port(max(4101, web + 1))
        black_spire_outpost = next_free_port(mos_espa + 1)
        otc = next_free_port(black_spire_outpost + 1)
        return cls(web, next_free_port(max(5555, otc + 1)), mos_espa, black_spire_outpost, otc)

    def port(self, name: str) -> int:
        """Return the port of one of them, such as `web`."""
        port = getattr(self, name)
        assert isinstance(port, int)
        return port

    def url(self, name: str) -> str:
        """Return the address of one of them, such as `web`."""
        return f"http://{LOOPBACK}:{self.port(name)}"

    def move(self, name: str) -> None:
        """Give one of them the next free port, since another process has taken the one it had."""
        others = {self.port(field.name) for field in fields(self)}
        port = next_free_port(self.port(name) + 1)
        while port in others:
            port = next_free_port(port + 1)
        setattr(self, name, port)


def service_environment(folder: Path, stack: Mapping[str, str], addresses: Addresses) -> dict[str, str]:
    """Return the environment of the service's processes: ours, the stack's servers, and the demo's settings."""
    return {
        **os.environ,
        **stack,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "coruscant.settings",
        "DOTENV": os.devnull,  # a developer's own .env is not read
        "DEBUG": "false",
        "DEMO": "true",
        "INSTALLATION_NAMESPACE": "6f1c2f0a-5d1e-4a52-9c0b-6c1f7f2b9d11",
        "SECRET_KEY": secret_key(folder / "secret-key"),
        "ALLOWED_HOSTS": f"localhost,{LOOPBACK}",
        "API_ALLOW_ANONYMOUS": "true",
        "LOAN_EVENTS_TOPIC": LOAN_EVENTS_TOPIC,
        **market_settings(addresses),
    }


def market_settings(addresses: Addresses) -> dict[str, str]:
    """Return the settings that say where the markets listen."""
    return {
        "MOS_ESPA_URL": addresses.url("mos_espa"),
        "BLACK_SPIRE_OUTPOST_URL": addresses.url("black_spire_outpost"),
    }


def secret_key(path: Path) -> str:
    """Return this machine's key, made on first use; sessions then outlive a restart of the demo."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()
