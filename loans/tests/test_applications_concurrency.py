"""Applications at once: real threads, real rows, one effect."""

import pytest
from django.test import Client

from loans.api.tests.calls import GOOD, send
from loans.models import AcceptedRequest, Loan
from loans.tests.threads import THREADS, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fifty(set_best_price):
    set_best_price("50")


def test_one_application_sent_twenty_times_at_once_is_one_loan():
    answers = at_once(*[lambda: send(Client(), "/loan-applications", GOOD)] * THREADS)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in answers) == 1
    assert Loan.objects.count() == Loan.history.count() == AcceptedRequest.objects.count() == 1


def test_twenty_requests_for_one_loan_id_make_one_loan():
    answers = at_once(
        *[
            lambda number=number: send(Client(), "/loan-applications", GOOD | {"requestId": f"req-{number}"})
            for number in range(THREADS)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * (THREADS - 1)
    assert Loan.objects.count() == AcceptedRequest.objects.count() == 1


def test_one_request_id_with_twenty_contents_takes_effect_once():
    answers = at_once(
        *[
            lambda number=number: send(Client(), "/loan-applications", GOOD | {"loanId": f"L{number}"})
            for number in range(THREADS)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [202] + [422] * (THREADS - 1)
    assert Loan.objects.count() == AcceptedRequest.objects.count() == 1
