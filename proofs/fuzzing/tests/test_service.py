"""Short shares of the attacks on the running API; `make fuzz` has the long one."""

import pytest

from proofs.fuzzing import contract, races, raw_bodies
from proofs.fuzzing.races import Answer

pytestmark = pytest.mark.system


@pytest.mark.timeout(300)
@pytest.mark.parametrize("examples", [10, pytest.param(60, marks=pytest.mark.proof)])
def test_every_answer_is_as_the_committed_document_says(loans_in_every_state, service, examples):
    report = contract.run(service, examples=examples, seed=20261124)
    assert report.findings == (), report.output
    assert report.phases == dict.fromkeys(("examples", "coverage", "fuzzing", "stateful"), "success")
    assert report.cases > 300
    assert service.failures() == []


@pytest.mark.parametrize("mutations", [150, pytest.param(2000, marks=pytest.mark.proof)])
def test_no_raw_body_breaks_the_api_or_writes_a_row(loans_in_every_state, service, mutations):
    report = raw_bodies.run(service, mutations=mutations)
    assert report.findings == []
    assert {202, 400, 401, 413, 415} <= report.statuses.keys() <= {202, 400, 401, 404, 409, 413, 415, 422, 431}
    assert report.problems > 150


@pytest.mark.parametrize("rounds", [2, pytest.param(10, marks=pytest.mark.proof)])
def test_fifty_threads_have_one_effect(service, rounds):
    report = races.run(service, threads=50, rounds=rounds)
    assert report.findings == []
    assert report.requests == rounds * (6 * 50 + 3)


def test_a_second_effect_would_be_found():
    first, replay = Answer(202, b"{}", replayed=False), Answer(202, b"{}", replayed=True)
    assert races._one_effect([first, replay, replay]) == []
    assert races._one_effect([first, first]) == ["first answers: 2, not 1"]
    assert races._one_effect([first, Answer(202, b"{ }", replayed=True)]) == ["different bodies: 2, not 1"]
    assert races._one_effect([first, Answer(500, b"{}", replayed=True)])[0].startswith("statuses")
