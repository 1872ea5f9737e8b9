"""The layout is as CONTRIBUTING says: few folders that say what they are; small files; tests where one looks."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("coruscant", "pricing", "loans", "liquidation", "desk")
#: All folders of code at the top.
FOLDERS = (*PRODUCT, "local", "tests", "proofs", "benchmarks")
MOST_FOLDERS = 10
LONGEST_FILE = 300
LONGEST_TASK = 10


def files_of(folder):
    """Every Python file of a folder, migrations left out."""
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts]


def product_files():
    return [path for folder in PRODUCT for path in files_of(folder) if "tests" not in path.parts]


def modules_of_tests(*folders):
    return [path for folder in folders for path in files_of(folder) if path.match("tests/test_*.py")]


def name_of(path):
    return str(path.relative_to(ROOT))


def description(folder):
    """What a folder says of itself: its README, or the docstring of its package."""
    readme, package = ROOT / folder / "README.md", ROOT / folder / "__init__.py"
    texts = [readme.read_text()] if readme.exists() else []
    if package.exists():
        texts.append(ast.get_docstring(ast.parse(package.read_text())) or "")
    return "\n".join(texts)


def is_named_after_what_it_tests(path):
    """`test_<name>[_<aspect>].py`: `<name>` is the package whose `tests` it lies in, or a module or package in that."""
    words = path.stem.removeprefix("test_").split("_")
    package = path.parent.parent
    for name in ("_".join(words[:count]) for count in range(1, len(words) + 1)):
        if name == package.name or (package / f"{name}.py").is_file() or (package / name / "__init__.py").is_file():
            return True
    return False


def test_there_are_at_most_ten_folders_of_code():
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert folders == set(FOLDERS)
    assert len(folders) <= MOST_FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_says_what_it_is_who_may_import_it_and_its_command(folder):
    text = description(folder)
    assert "import" in text, "who may import it"
    assert re.search(r"`(make |manage\.py|python -m )", text), "its command"


@pytest.mark.parametrize("path", product_files(), ids=name_of)
def test_a_file_of_the_product_has_one_subject(path):
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", modules_of_tests(*PRODUCT, "proofs"), ids=name_of)
def test_a_test_is_named_after_a_module_or_package_beside_it(path):
    assert is_named_after_what_it_tests(path)


@pytest.mark.parametrize("path", sorted(ROOT.glob("proofs/*/__init__.py")), ids=name_of)
def test_every_proof_says_what_it_proves(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", [path for path in product_files() if path.name == "tasks.py"], ids=name_of)
def test_a_task_is_short_and_has_a_name_of_its_own(path):
    source = path.read_text()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            decorators = [ast.get_source_segment(source, decorator) or "" for decorator in function.decorator_list]
            assert any("name=" in text and "ignore_result=True" in text for text in decorators), function.name
            assert not function.args.args, f"{function.name} takes keywords only"
            assert function.end_lineno - function.lineno < LONGEST_TASK, function.name
