"""A bug is planted, and noticed; the other processes of the run know nothing of it."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from django.db import connections

from liquidation import verdicts
from proofs.mutants.detection import detect

#: One of each module of the catalogue that the simulation notices within few schedules, and one that only tests can.
BUGS = [
    "new-request-id",
    "unknown-as-refusal",
    "no-second-look",
    "answer-not-stored",
    "deleted-before-recorded",
    "no-outbox",
    "settled-while-unknown",
]


@pytest.fixture
def in_a_fresh_process(stack, transactional_db):
    """Look for it on a clone of the test database, in a process that has imported nothing yet."""
    template = f"{connections['default'].settings_dict['NAME']}_template"
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        yield lambda name, schedules: pool.submit(
            detect, name, stack.superuser_database_url, schedules, template=template
        ).result(timeout=280)


def test_the_simulation_notices_a_planted_bug(in_a_fresh_process):
    detection = in_a_fresh_process("refused-resend", 150)
    assert (detection.name, detection.survived, detection.test) == ("refused-resend", False, "")
    assert 1 <= detection.schedules <= 150
    assert detection.promise.partition(":")[0] in {"I1", "a run of the model"}
    lost = verdicts.Earlier(sends=1)
    unplanted = verdicts.verdict(verdicts.Refused("no buyers"), ordered=1, earlier=lost, seen_before=False)
    assert unplanted is verdicts.Verdict.UNKNOWN


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BUGS)
def test_a_bug_of_each_kind_is_noticed(in_a_fresh_process, name):
    detection = in_a_fresh_process(name, 150)
    assert not detection.survived, f"nobody noticed {name}"


def test_a_bug_that_nobody_looks_for_survives(in_a_fresh_process):
    detection = in_a_fresh_process("unlocked-sale", 0)
    assert (detection.survived, detection.noticed_by, detection.schedules) == (True, "NOBODY", 0)
