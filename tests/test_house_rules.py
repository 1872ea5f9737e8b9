"""Rules of the house that no linter knows."""

import ast
from pathlib import Path
from typing import Any

import pytest

from liquidation.invariants import AUDITED

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("coruscant", "pricing", "loans", "liquidation")
SILENT_WRITES = {"update", "bulk_create", "bulk_update", "delete", "raw"}
UNAUDITED: dict[str, set[str]] = {}
for _model in AUDITED:
    _tracked: Any = getattr(_model, "history").model.tracked_fields  # noqa: B009  (no stub knows it)
    UNAUDITED[_model.__name__] = {field.name for field in _model._meta.fields} - {field.name for field in _tracked}


def sources():
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
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


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_silent_write_of_an_audited_table_writes_its_history(path):
    source = path.read_text()
    for function in functions(ast.parse(source)):
        found = list(silent_writes(function, source))
        if found:
            assert "record_bulk" in (ast.get_source_segment(source, function) or ""), found


def test_the_hunt_finds_what_it_hunts():
    source = "def f():\n    Loan.objects.filter(pk=1).update(status='x')\n"
    (function,) = functions(ast.parse(source))
    assert list(silent_writes(function, source)) == [(2, "Loan")]
    harmless = "def f():\n    Liquidation.objects.filter(pk=1).update(rung_at=None)\n"
    (function,) = functions(ast.parse(harmless))
    assert list(silent_writes(function, harmless)) == []


def test_no_task_is_longer_than_ten_lines_and_each_has_a_name_of_its_own():
    for path in ROOT.glob("*/tasks.py"):
        source = path.read_text()
        for function in functions(ast.parse(source)):
            decorators = [ast.get_source_segment(source, decorator) or "" for decorator in function.decorator_list]
            assert any("name=" in text and "ignore_result=True" in text for text in decorators), function.name
            assert not function.args.args, f"{function.name} takes keywords only"
            assert function.end_lineno - function.lineno < 10, function.name
