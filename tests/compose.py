"""docker-compose.yml as an engine reads it, and the example of its settings."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docker-compose.yml"
#: `$$`, `${NAME-default}` and `${NAME:-default}`: all that the file uses.
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Z_]+)(?P<empty_too>:?)-(?P<default>[^}]*)\})")


def read_file(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All of it, with the values of variables from the shell or from .env in their places."""
    parsed: dict[str, Any] = _interpolated(yaml.safe_load(FILE.read_text()), variables or {})
    return parsed


def read_services(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Its services."""
    services: dict[str, Any] = read_file(variables)["services"]
    return services


def read_example() -> dict[str, str]:
    """The settings of .env.example."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _interpolated(node: Any, variables: Mapping[str, str]) -> Any:
    match node:
        case dict():
            return {key: _interpolated(value, variables) for key, value in node.items()}
        case list():
            return [_interpolated(value, variables) for value in node]
        case str():
            return _VARIABLE.sub(lambda found: _value(found, variables), node)
    return node


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    given = variables.get(found["name"])
    if given is None or (found["empty_too"] and not given):
        return found["default"]
    return given
