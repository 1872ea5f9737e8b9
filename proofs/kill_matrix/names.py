"""The names of all failpoints, found in the service's source, so that a new one cannot be forgotten."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("coruscant", "pricing", "loans", "liquidation")


def failpoints_in_source() -> tuple[str, ...]:
    """Every name that the service's code reaches, in the order of packages, files and lines."""
    names: dict[str, None] = {}
    for runner in PACKAGES:
        for path in sorted((ROOT / runner).rglob("*.py")):
            if not {"tests", "migrations"} & set(path.parts):
                names |= dict.fromkeys(failpoints_of(path.read_text()))
    return tuple(names)


def failpoints_of(source: str) -> list[str]:
    """The names one module reaches.

    A name may hold a parameter of the function around it, `f"{action}.locked"`; it then stands for one name for each
    literal that the module's calls of that function pass for it. Raises ValueError for a name built in another way.
    """
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    names: list[str] = []
    for function in functions:
        for call in _calls(function, "reach"):
            names += _names(call.args[0], function, tree)
    return names


def _names(name: ast.expr, function: ast.FunctionDef, tree: ast.Module) -> list[str]:
    match name:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=[ast.FormattedValue(value=ast.Name(id=parameter)), ast.Constant(value=str(end))]):
            return [f"{literal}{end}" for literal in _literals(parameter, function, tree)]
    raise ValueError(f"line {name.lineno}: the failpoint's name cannot be read from the source")


def _literals(parameter: str, function: ast.FunctionDef, tree: ast.Module) -> Iterator[str]:
    """The texts that calls of a function pass for a parameter, by position."""
    position = [argument.arg for argument in function.args.args].index(parameter)
    for call in _calls(tree, function.name):
        match call.args[position]:
            case ast.Constant(value=str(text)):
                yield text
            case other:
                raise ValueError(f"line {other.lineno}: the failpoint's name cannot be read from the source")


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == name:
                yield node
