"""A snapshot sums the active loans by terms and bucket; old ones are thinned out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from coruscant import clock, history
from desk.book import snapshot
from desk.book.buckets import INFINITE, bucket_of
from desk.models import BookSnapshot
from loans.models import Loan
from loans.tests.factories import LoanFactory, make_terms
from pricing.markets import Market

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_active_loans_are_summed_by_terms_and_bucket(loan, quote):
    make_terms()
    quote("50")
    for amount, terms_id in (("1000", 1), ("1001.000000000000000000000001", 1), ("2000", 1), ("1000", 2)):
        loan(amount=amount, terms_id=terms_id)
    LoanFactory(collateral=Decimal(40))  # new
    liquidated = loan(amount="1000")
    with history.cause("test", correlation_id="x"):
        Loan.objects.filter(pk=liquidated.pk).update(status="liquidating")
    taken = snapshot.take()
    lower, higher = bucket_of(Decimal(25)), bucket_of(Decimal(50))
    assert taken.buckets == {
        "1": [[lower, 2, "2001.000000000000000000000001", "80"], [higher, 1, "2000", "40"]],
        "2": [[lower, 1, "1000", "40"]],
    }
    found = BookSnapshot.objects.get()
    assert found.buckets == taken.buckets
    assert (found.loans, found.outstanding_balance, found.collateral) == (
        4, Decimal("5001.000000000000000000000001"), Decimal(160),
    )  # fmt: skip
    assert (found.price, found.lowest_price) == (Decimal(50), Decimal(50))
    assert found.milliseconds >= 0


def test_a_debt_without_collateral_has_a_bucket_of_its_own(loan):
    bare, paid = loan(amount="700"), loan()
    with history.cause("test", correlation_id="x"):
        Loan.objects.filter(pk=bare.pk).update(collateral=0)
        Loan.objects.filter(pk=paid.pk).update(outstanding_balance=0)
    taken = snapshot.take()
    assert taken.buckets == {"1": [[0, 1, "0", "40"], [INFINITE, 1, "700", "0"]]}


def test_an_empty_book_without_a_price_has_a_snapshot_too():
    taken = snapshot.take()
    assert (taken.loans, taken.buckets, taken.price, taken.lowest_price) == (0, {}, None, None)


def test_the_lowest_price_since_the_last_snapshot_is_kept_whichever_market_had_it(quote, time_passes):
    time_passes()
    quote("50")
    snapshot.take()
    for seconds, price, market in (
        (5, "40", Market.MOS_ESPA),
        (5, "45", Market.MOS_ESPA),
        (5, "41", Market(list(Market)[1])),
    ):
        time_passes(seconds=seconds)
        quote(price, market=market)
    time_passes(seconds=15)
    taken = snapshot.take()
    assert (taken.price, taken.lowest_price) == (Decimal(45), Decimal(40))
    time_passes(seconds=30)
    assert snapshot.take().lowest_price == Decimal(45), "the low lies before the last snapshot"


def test_a_second_beat_takes_no_second_snapshot(time_passes):
    assert snapshot.take() is not None
    time_passes(seconds=14)
    assert snapshot.take() is None
    time_passes(seconds=1)
    assert snapshot.take() is not None


def test_the_pass_reads_the_index_and_no_row():
    for number in range(5):
        LoanFactory(active=True, amount=Decimal(1000 + number))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # there are few rows
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        parameters = [list(snapshot.STARTS), list(snapshot.ENDS), INFINITE]
        cursor.execute(f"EXPLAIN (FORMAT JSON) {snapshot._SUMS}", parameters)
        plan = cursor.fetchone()[0]
    scans = [node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "loans_loan"]
    assert {(scan["Node Type"], scan["Index Name"]) for scan in scans} == {
        ("Index Only Scan", "active_by_terms_and_debt")
    }
    assert len(scans) == 2


def nodes(plan):
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def kept(**ago):
    """A snapshot taken so long before noon; its price is the seconds until then."""
    seconds = timedelta(**ago).total_seconds()
    return BookSnapshot.objects.create(
        taken_at=NOON - timedelta(**ago), milliseconds=1, price=seconds, lowest_price=seconds, loans=0,
        outstanding_balance=0, collateral=0, buckets={},
    )  # fmt: skip


def left():
    return list(BookSnapshot.objects.order_by("-taken_at").values_list("pk", flat=True))


@pytest.fixture
def at_noon():
    with clock.driven_by(lambda: NOON):
        yield


def test_the_last_of_each_minute_is_kept_for_a_day(at_noon):
    now, this_minute = kept(seconds=0), kept(minutes=1)
    last, first = kept(minutes=1, seconds=1), kept(minutes=1, seconds=31)
    before = kept(minutes=2, seconds=1)
    assert snapshot.thin() == 1
    assert left() == [row.pk for row in (now, this_minute, last, before)]
    last.refresh_from_db()
    assert (last.price, last.lowest_price) == (Decimal(61), Decimal(61))
    assert not BookSnapshot.objects.filter(pk=first.pk).exists()


def test_the_last_of_each_hour_is_kept_for_a_year_and_takes_over_the_lowest_price(at_noon):
    young = [kept(hours=23, minutes=minutes) for minutes in (58, 59)]
    hour = [kept(days=1, minutes=minutes) for minutes in (1, 2, 59)]
    BookSnapshot.objects.filter(pk=hour[1].pk).update(lowest_price="0.5")
    BookSnapshot.objects.filter(pk=hour[0].pk).update(lowest_price=None)
    old, older = kept(days=365), kept(days=365, seconds=1)
    assert snapshot.thin() == 3
    assert left() == [row.pk for row in (*young, hour[0], old)]
    hour[0].refresh_from_db()
    assert hour[0].lowest_price == Decimal("0.5")
    assert snapshot.thin() == 0, "what is thinned out stays as it is"
    assert older.pk not in left()
