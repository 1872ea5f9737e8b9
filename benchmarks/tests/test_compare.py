"""What a comparison of two commits says, and where it runs them."""

import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from benchmarks import compare
from benchmarks.compare import Row, checkout, compared, run, table


def a_figure(what, value, unit="/s", yardstick=None):
    return {
        "what": what, "unit": unit, "median": value, "runs": [value],
        "yardstick": {"what": yardstick[0], "median": yardstick[1]} if yardstick else None,
    }  # fmt: skip


def results(*figures):
    return {"c chain": {"figures": list(figures)}}


def test_each_round_is_a_pair_and_the_median_of_their_ratios_counts():
    base = [results(a_figure("sold", value, yardstick=("pgbench", 1000))) for value in (100, 50, 80)]
    head = [results(a_figure("sold", value, yardstick=("pgbench", 500))) for value in (110, 60, 64)]
    assert compared(base, head) == {"c chain": [Row("sold", "/s", 80, 64, 1.1, pytest.approx(2.2))]}


def test_multiples_of_different_yardsticks_are_not_compared():
    base, head = (results(a_figure("tick", 4, "ms", yardstick=(name, 2))) for name in ("a walk", "a round"))
    assert compared([base], [head])["c chain"] == [Row("tick", "ms", 4, 4, 1, None)]


def test_a_renamed_figure_is_the_one_in_its_place_if_the_unit_agrees():
    base = results(a_figure("to the old name", 10), a_figure("removed", 1, "ms"), a_figure("kept", 3))
    head = results(a_figure("to the new name", 20), a_figure("kept", 6), a_figure("added", 7))
    rows = compared([base], [head])["c chain"]
    assert [(row.what, row.base, row.head) for row in rows] == [("to the new name", 10, 20), ("kept", 3, 6)]


def test_a_figure_of_nothing_has_no_ratio():
    assert compared([results(a_figure("wait", 0))], [results(a_figure("wait", 5))])["c chain"][0].ratio is None


def test_the_table_shows_both_medians_and_both_ratios():
    base, head = (results(a_figure("sold", value, yardstick=("pgbench", 1000))) for value in (100, 90))
    console = Console(file=io.StringIO(), width=160)
    console.print(table("HEAD compared with d99714d", [base], [head]))
    (row,) = (line for line in console.file.getvalue().splitlines() if "sold" in line)
    assert [cell.strip() for cell in row.split("│")[1:-1]] == ["c chain", "sold", "100 /s", "90.0 /s", "0.90×", "0.90×"]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one file, whose last commit says `new`, and the one before `old`."""
    folder = tmp_path / "repository"
    folder.mkdir()

    def git(*arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout

    git("init")
    for text in ("old\n", "new\n"):
        (folder / "file").write_text(text)
        git("add", "file")
        git("commit", "-m", text)
    monkeypatch.setattr(compare, "ROOT", folder)
    return folder, git


def test_a_checkout_lasts_for_a_block_and_leaves_the_repository_as_it_was(repository, tmp_path):
    folder, git = repository
    with checkout("HEAD~1", tmp_path / "base") as base:
        assert (base / "file").read_text() == "old\n"
        assert (base / ".venv").resolve().samefile(sys.prefix)
    assert not base.exists()
    assert (folder / "file").read_text() == "new\n"
    assert len(git("worktree", "list").splitlines()) == 1


def test_a_patch_changes_only_the_checkout(repository, tmp_path):
    folder, git = repository
    (folder / "file").write_text("patched\n")
    (tmp_path / "change.patch").write_text(git("diff"))
    git("checkout", "file")
    with checkout("HEAD", tmp_path / "head", tmp_path / "change.patch") as head:
        assert (head / "file").read_text() == "patched\n"
    assert (folder / "file").read_text() == "new\n"


def test_a_patch_that_does_not_apply_ends_the_command(repository, tmp_path):
    (tmp_path / "change.patch").write_text("--- a/file\n+++ b/file\n@@ -1 +1 @@\n-something else\n+patched\n")
    with (
        pytest.raises(SystemExit, match="patch does not apply"),
        checkout("HEAD", tmp_path / "head", tmp_path / "change.patch"),
    ):
        pytest.fail("it applied")
    assert not (tmp_path / "head").exists()


def test_a_run_uses_the_checkout_s_own_benchmarks_and_returns_their_results(tmp_path):
    (tmp_path / "benchmarks.py").write_text(
        "import json, pathlib, sys\n"
        "folder, scale = (sys.argv[sys.argv.index(name) + 1] for name in ('--results', '--scale'))\n"
        "pathlib.Path(folder, scale + '.json').write_text(json.dumps(sys.argv[sys.argv.index('--only') + 1:]))\n"
    )
    assert run(tmp_path, tmp_path / "1-base", "quick", ["crash", "chain"]) == ["crash", "chain"]
    assert json.loads((tmp_path / "1-base" / "quick.json").read_text()) == ["crash", "chain"]


def test_a_run_that_fails_ends_the_command_and_names_its_log(tmp_path):
    (tmp_path / "benchmarks.py").write_text("raise SystemExit('no stack')")
    with pytest.raises(SystemExit, match="1-base/log"):
        run(tmp_path, tmp_path / "1-base", "quick", ["crash"])
    assert "no stack" in (tmp_path / "1-base" / "log").read_text()
