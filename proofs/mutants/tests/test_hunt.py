"""A bug is planted, and noticed; the other processes of the run know nothing of it."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from django.db import connections

from liquidation import verdicts
from proofs.mutants.hunting import hunt


@pytest.fixture
def in_a_fresh_process(stack, transactional_db):
    """Hunt on a clone of the test database, in a process that has imported nothing yet."""
    template = f"{connections['default'].settings_dict['NAME']}_template"
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        yield lambda name, schedules: pool.submit(
            hunt, name, stack.superuser_database_url, schedules, template=template
        ).result(timeout=100)


@pytest.mark.parametrize(("name", "promise"), [("new-request-id", "I"), ("refused-resend", "I1: ")])
def test_the_simulation_notices_a_planted_bug(in_a_fresh_process, name, promise):
    catch = in_a_fresh_process(name, 150)
    assert (catch.name, catch.survived, catch.test) == (name, False, "")
    assert 1 <= catch.schedules <= 150
    assert catch.promise.startswith(promise)
    judged = verdicts.verdict(verdicts.Refused("no buyers"), ordered=1, first_send=False, known_mismatch="")
    assert judged is verdicts.Verdict.UNKNOWN, "here, nothing is planted"


def test_a_bug_that_nobody_looks_for_survives(in_a_fresh_process):
    catch = in_a_fresh_process("unlocked-sale", 0)
    assert (catch.survived, catch.noticed_by, catch.schedules) == (True, "NOBODY", 0)
