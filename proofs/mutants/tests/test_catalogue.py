"""The catalogue keeps up with the code: every bug can still be planted, and has somebody to notice it."""

import importlib.util
from pathlib import Path

import pytest

from proofs.mutants.catalogue import MUTANTS, named
from proofs.mutants.planting import Edit, StaleMutant, changed

ROOT = Path(__file__).resolve().parents[3]


def sources(mutant):
    """Of every module that a mutant changes: its path, its source and its edits."""
    for module in sorted({edit.module for edit in mutant.edits}):
        spec = importlib.util.find_spec(module)
        path = Path(spec.origin)
        yield path, path.read_text(), [edit for edit in mutant.edits if edit.module == module]


def test_there_are_enough_of_them_and_each_has_a_name_and_a_bug_of_its_own():
    assert len(MUTANTS) >= 25
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len({mutant.bug for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_still_applies(mutant):
    assert mutant.edits or mutant.sql
    for path, source, edits in sources(mutant):
        planted = changed(source, edits)
        assert planted != source
        compile(planted, path, "exec", dont_inherit=True)


@pytest.mark.django_db
@pytest.mark.parametrize("mutant", [mutant for mutant in MUTANTS if mutant.sql], ids=lambda mutant: mutant.name)
def test_what_it_takes_from_the_database_is_there(mutant):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(mutant.sql)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_somebody_is_asked_to_notice_it(mutant):
    assert mutant.simulated or mutant.tests
    for test in mutant.tests:
        assert (ROOT / test).is_file(), test


@pytest.mark.parametrize("source", ["", "a = 1\na = 1\n"])
def test_a_text_that_does_not_stand_exactly_once_is_stale(source):
    with pytest.raises(StaleMutant):
        changed(source, [Edit("anything", "a = 1", "a = 2")])


def test_an_unknown_name_is_told_which_there_are():
    with pytest.raises(LookupError, match="no-fence"):
        named("nobody")
