"""What the model of the protocol is shown of the real service."""

from decimal import Decimal

import pytest

from liquidation import sell, verdicts
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
    found = sell.verdict

    def hasty(answer, **arguments):
        given = found(answer, **arguments)
        return verdicts.Verdict.REFUSED if given is verdicts.Verdict.UNKNOWN else given

    monkeypatch.setattr(sell, "verdict", hasty)
    violations = (violation for result in play(range(1, 60), database) for violation in result.violations)
    noticed = next(violation for violation in violations if violation.startswith("a run of the model: "))
    assert "status='refused'" in noticed
    assert "is no step of the model from" in noticed
