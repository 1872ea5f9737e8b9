"""No write of an audited table leaves no history."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from liquidation.invariants import AUDITED

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("coruscant", "pricing", "loans", "liquidation")
SILENT_WRITES = {"update", "bulk_create", "bulk_update", "delete", "raw"}
UNAUDITED: dict[str, set[str]] = {}
for _model in AUDITED:
    _tracked: Any = getattr(_model, "history").model.tracked_fields  # noqa: B009  (no stub knows it)
    UNAUDITED[_model.__name__] = {field.name for field in _model._meta.fields} - {field.name for field in _tracked}
WRITES = re.compile(
    rf"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+(?:{'|'.join(model._meta.db_table for model in AUDITED)})\b"
)


def sources():
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not {"tests", "migrations"} & set(path.parts):
                yield path


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def silent_writes(function, source):
    """Writes of audited rows that send no signals: (line, model), and the columns if they are named."""
    for node in ast.walk(function):
        if not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SILENT_WRITES
        ):
            continue
        target = ast.get_source_segment(source, node.func.value) or ""
        for model, unaudited in UNAUDITED.items():
            if target.startswith(f"{model}.objects"):
                columns = {keyword.arg for keyword in node.keywords}
                if node.func.attr != "update" or not columns or not columns <= unaudited:
                    yield node.lineno, model


def written_by_hand(tree):
    """Statements in SQL that write an audited table: (line, name of the constant that holds one, if one does)."""
    names = {
        id(node): assignment.targets[0].id
        for assignment in ast.walk(tree)
        if isinstance(assignment, ast.Assign) and isinstance(assignment.targets[0], ast.Name)
        for node in ast.walk(assignment.value)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WRITES.match(node.value):
            yield node.lineno, names.get(id(node))


def recorded(tree):
    """The names of the statements that are given to `audit.write_recorded`."""
    return {
        node.args[1].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "write_recorded"
        and isinstance(node.args[1], ast.Name)
    }


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_write_of_an_audited_table_is_without_history(path):
    source = path.read_text()
    tree = ast.parse(source)
    assert not [found for function in functions(tree) for found in silent_writes(function, source)]
    assert {name for _line, name in written_by_hand(tree)} <= recorded(tree)


def test_the_hunt_finds_what_it_hunts():
    source = "def f():\n    Loan.objects.filter(pk=1).update(status='x')\n"
    (function,) = functions(ast.parse(source))
    assert list(silent_writes(function, source)) == [(2, "Loan")]
    harmless = "def f():\n    Liquidation.objects.filter(pk=1).update(enqueued_at=None)\n"
    (function,) = functions(ast.parse(harmless))
    assert list(silent_writes(function, harmless)) == []
    by_hand = ast.parse("_S = \"UPDATE loans_loan SET status = 'x'\"\naudit.write_recorded(Loan, _T, {}, '~')\n")
    assert (list(written_by_hand(by_hand)), recorded(by_hand)) == ([(1, "_S")], {"_T"})
