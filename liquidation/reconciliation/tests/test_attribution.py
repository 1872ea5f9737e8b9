"""Unknown orders are told to belong to the loans that they belong to, and to no others."""

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coruscant import ids
from liquidation.reconciliation.attribution import Attributed, Candidate, attribute

OURS = uuid.UUID("6f1c2f0a-5d1e-4a52-9c0b-6c1f7f2b9d11")


def order_id(loan, number, namespace=OURS, market="mos_espa"):
    return ids.order_id(namespace, application=loan.application, loan_id=loan.loan_id, market=market, number=number)


def found(request_ids, loans, ahead=4):
    return list(attribute(request_ids, loans, namespace=OURS, market="mos_espa", ahead=ahead))


@given(application=st.text(min_size=1), loan_id=st.text(min_size=1), number=st.integers(1, 4))
def test_the_id_of_any_order_is_found(application, loan_id, number):
    loan = Candidate(7, application, loan_id)
    assert found({order_id(loan, number)}, [loan]) == [Attributed(order_id(loan, number), 7, number)]


def test_an_order_is_found_as_far_as_asked_beyond_the_last_known_or_found_one():
    loan = Candidate(1, "a", "l", last=10)
    assert found({order_id(loan, 14)}, [loan]) == [Attributed(order_id(loan, 14), 1, 14)]
    assert found({order_id(loan, 15)}, [loan]) == []
    assert [one.number for one in found({order_id(loan, 13), order_id(loan, 17)}, [loan])] == [13, 17]
    assert [one.number for one in found({order_id(loan, 3)}, [loan])] == [3], "a number that the books skipped"


@pytest.mark.parametrize("other", ["namespace", "market", "no id", "in capitals"])
def test_what_is_of_no_loan_is_found_nowhere(other):
    loan = Candidate(1, "a", "l")
    asked = {
        "namespace": order_id(loan, 1, namespace=uuid.uuid4()),
        "market": order_id(loan, 1, market="black_spire_outpost"),
        "no id": "hello",
        "in capitals": order_id(loan, 1).upper(),
    }[other]
    assert found({asked}, [loan]) == []


def test_a_hundred_thousand_loans_take_a_moment():
    loans = [Candidate(n, f"application-{n}", f"loan-{n}") for n in range(100_000)]
    began = time.perf_counter()
    assert [one.key for one in found({order_id(loans[-1], 3)}, loans)] == [99_999]
    assert time.perf_counter() - began < 5
