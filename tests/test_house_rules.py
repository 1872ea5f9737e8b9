"""Rules of this code that no linter knows."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_no_task_is_longer_than_ten_lines_and_each_has_a_name_of_its_own():
    for path in ROOT.glob("*/tasks.py"):
        source = path.read_text()
        for function in functions(ast.parse(source)):
            decorators = [ast.get_source_segment(source, decorator) or "" for decorator in function.decorator_list]
            assert any("name=" in text and "ignore_result=True" in text for text in decorators), function.name
            assert not function.args.args, f"{function.name} takes keywords only"
            assert function.end_lineno - function.lineno < 10, function.name
