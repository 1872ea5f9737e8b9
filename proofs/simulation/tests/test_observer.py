"""What the model of the protocol is shown of the real service."""

from decimal import Decimal

import pytest

from liquidation import verdicts
from proofs.simulation.observer import lots_of
from proofs.simulation.runner import play

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("units", "lots"),
    [("0", 0), ("1", 10**24), ("200.000000000000000000000001", 200 * 10**24 + 1), ("1E+2", 10**26)],
)
def test_units_are_counted_to_the_last_decimal(units, lots):
    assert lots_of(Decimal(units)) == lots


def test_a_verdict_that_is_none_of_the_models_is_noticed_at_its_commit(database, monkeypatch):
    monkeypatch.setattr(verdicts, "REFUSALS_BELIEVED", 2)
    for result in play(range(1, 60), database):
        found = [violation for violation in result.violations if violation.startswith("a run of the model: ")]
        if found:
            break
    assert "status='refused', sends=2, never_sent=0, refused=2" in found[0]
    assert "is no step of the model from" in found[0]
