from collections import Counter
from decimal import Decimal
from random import Random

import pytest

from local.simulators.market.fault_plan import FaultPlan, shares_in_total
from local.simulators.market.faults import USUAL_KINDS, VARIANTS, WORDINGS, Fault, Kind


def plan(share: str = "0", seed: int = 7) -> FaultPlan:
    return FaultPlan(shares_in_total(Decimal(share)), Random(seed))


def test_shares_add_up_to_the_total_and_reach_every_usual_kind() -> None:
    shares = shares_in_total(Decimal("0.3"))
    assert set(shares) == set(USUAL_KINDS)
    assert abs(sum(shares.values()) - Decimal("0.3")) < Decimal("1e-20")
    assert max(shares, key=lambda kind: shares[kind]) is Kind.REFUSAL


def test_the_given_share_of_requests_fails_in_every_way() -> None:
    drawing = plan("0.3")
    drawn = Counter(fault.kind if fault else None for fault in (drawing.decide(1) for _ in range(20_000)))
    assert 0.28 < 1 - drawn[None] / 20_000 < 0.32
    assert set(drawn) == {None, *USUAL_KINDS}


def test_the_same_seed_gives_the_same_faults() -> None:
    one, same, other = plan("0.3"), plan("0.3"), plan("0.3", seed=8)
    first = [one.decide(1) for _ in range(200)]
    assert first == [same.decide(1) for _ in range(200)]
    assert first != [other.decide(1) for _ in range(200)]


def test_a_resend_fails_as_often_as_any_request() -> None:
    first, resend = plan("0.3"), plan("0.3")
    assert [first.decide(1) for _ in range(200)] == [resend.decide(2) for _ in range(200)]


def test_no_share_means_no_faults() -> None:
    assert {plan().decide(1) for _ in range(100)} == {None}


def test_programmed_faults_come_in_order_and_before_random_ones() -> None:
    programmed = plan()
    programmed.program_next([Fault.parse("refusal"), Fault.parse("none"), Fault.parse("error_503")])
    kinds = [fault.kind if fault else None for fault in (programmed.decide(1) for _ in range(4))]
    assert kinds == [Kind.REFUSAL, None, Kind.ERROR_503, None]
    assert programmed.waiting == 0


def test_faults_by_delivery_hold_for_every_request() -> None:
    programmed = plan()
    programmed.program_deliveries([Fault(Kind.DROPPED_AFTER_TRADING), Fault(Kind.REFUSAL)])
    decided = [programmed.decide(delivery) for delivery in (1, 1, 2, 3)]
    assert [fault.kind if fault else None for fault in decided] == [
        Kind.DROPPED_AFTER_TRADING,
        Kind.DROPPED_AFTER_TRADING,
        Kind.REFUSAL,
        None,
    ]


def test_slow_faults_get_seconds_within_their_bounds() -> None:
    slow = FaultPlan({Kind.SLOW: Decimal(1)}, Random(7), slow_seconds=(1.0, 3.0))
    seconds = [fault.seconds or 0 for fault in (slow.decide(1) for _ in range(100)) if fault]
    assert len(seconds) == 100
    assert 1 <= min(seconds) < max(seconds) <= 3


@pytest.mark.parametrize("kind", [*VARIANTS, *WORDINGS])
def test_kinds_come_in_every_variant_and_wording(kind: Kind) -> None:
    drawing = FaultPlan({kind: Decimal(1)}, Random(7))
    expected = VARIANTS.get(kind) or WORDINGS[kind]
    assert {fault.variant for fault in (drawing.decide(1) for _ in range(400)) if fault} == set(expected)


def test_a_kind_that_must_not_happen_is_not_drawn_but_may_be_programmed() -> None:
    drawing = FaultPlan({Kind.REFUSAL: Decimal(1)}, Random(7))
    assert drawing.decide(3, never={Kind.REFUSAL}) is None
    drawing.program_next([Fault(Kind.REFUSAL)])
    assert drawing.decide(3, never={Kind.REFUSAL}) == Fault(Kind.REFUSAL)


def test_all_requests_can_be_made_to_fail() -> None:
    assert all(plan("1").decide(1) for _ in range(100))


def test_shares_beyond_one_are_refused() -> None:
    with pytest.raises(ValueError, match="1 in total"):
        FaultPlan({Kind.REFUSAL: Decimal("0.6"), Kind.SLOW: Decimal("0.6")}, Random(7))
