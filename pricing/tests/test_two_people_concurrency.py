"""A change of the guard waits for whoever decides by the old one, and for terms that are being made."""

import threading
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection, transaction

from coruscant import locks
from coruscant.approvals.ask import ask
from coruscant.approvals.decide import agree
from coruscant.approvals.tests.support import log_in, representative
from loans import activation, terms
from pricing.models import PriceGuard
from pricing.two_people import CHANGE

pytestmark = pytest.mark.django_db(transaction=True)

SETTINGS = {"mode": "watch", "jump": "0.45", "agreement": "0.10", "dispute": "0.25"}


@contextmanager
def held_by_another(take):
    """Somebody else is in a transaction that holds a lock."""
    taken, over = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                take()
                taken.set()
                over.wait(30)
        finally:
            connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert taken.wait(10)
    try:
        yield
    finally:
        over.set()
        other.join()


def agree_without_patience(approval, request):
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    return agree(approval.pk, request=request)


@pytest.mark.parametrize(
    "take",
    [
        pytest.param(lambda: locks.exclusive(locks.EVALUATION), id="an evaluation"),
        pytest.param(activation.hold, id="a posting that may activate"),
        pytest.param(lambda: locks.exclusive(locks.TERMS), id="terms that are being made"),
    ],
)
def test_it_waits_for(take):
    approval = ask(CHANGE, SETTINGS, why="as decided", asked_by=representative("ahsoka"))
    request = log_in(representative("mace"))
    with held_by_another(take), pytest.raises(OperationalError, match="lock timeout"):
        agree_without_patience(approval, request)
    assert PriceGuard.objects.count() == 1
    agree_without_patience(approval, request)
    assert PriceGuard.objects.count() == 2


def test_it_does_not_wait_for_a_loan_that_is_being_opened():
    approval = ask(CHANGE, SETTINGS, why="as decided", asked_by=representative("ahsoka"))
    request = log_in(representative("mace"))
    with held_by_another(terms.for_a_new_loan):
        agree_without_patience(approval, request)
    assert PriceGuard.objects.count() == 2
