"""Several writes as one statement, each with its history."""

from decimal import Decimal

import pytest

from coruscant.history import audit
from loans.models import AcceptedRequest, CollateralPosting, Loan
from loans.tests.factories import LONG_AGO, LoanFactory

pytestmark = pytest.mark.django_db


def posting(loan):
    return CollateralPosting(loan=loan, amount=Decimal(3), request_id="posting", created_at=LONG_AGO)


def accepted(loan):
    return AcceptedRequest(
        client="", endpoint=AcceptedRequest.Endpoint.COLLATERAL_TOP_UPS, request_id="posting", content_digest="0" * 64,
        response_body="{}", loan=loan, created_at=LONG_AGO,
    )  # fmt: skip


def test_several_writes_are_one_statement_and_each_has_its_history(django_assert_num_queries):
    loan = LoanFactory()
    loan.collateral = Decimal(3)
    made, remembered = posting(loan), accepted(loan)
    before = loan.history.count()
    with django_assert_num_queries(1), audit.together():
        with audit.cause("posting", correlation_id="posting", actor_name="somebody"):
            audit.save(loan, "collateral")
        with audit.cause("other", correlation_id="request"):
            audit.create(made)
        audit.add(remembered)
        assert made.pk is None, "nothing is written before the end"
    assert Loan.objects.get().collateral == 3
    assert CollateralPosting.objects.get().pk == made.pk
    assert AcceptedRequest.objects.get().pk == remembered.pk
    assert loan.history.count() == before + 1
    changed, created = loan.history.latest("history_id"), made.history.get()
    assert (changed.history_type, changed.history_change_reason, changed.history_actor, changed.collateral) == (
        "~", "posting posting", "somebody", 3,
    )  # fmt: skip
    assert (created.history_type, created.history_change_reason, created.id) == ("+", "other request", made.pk)


def test_a_block_inside_another_joins_it(django_assert_num_queries):
    loan = LoanFactory()
    with django_assert_num_queries(1), audit.cause("posting", correlation_id=""), audit.together():
        with audit.together():
            audit.create(posting(loan))
        audit.save(loan, "collateral")
    assert CollateralPosting.objects.count() == 1


def test_a_block_that_fails_writes_nothing(django_assert_num_queries):
    loan = LoanFactory()

    def failing():
        with audit.together():
            audit.create(posting(loan))
            raise RuntimeError

    with django_assert_num_queries(0), audit.cause("posting", correlation_id=""), pytest.raises(RuntimeError):
        failing()


def test_a_row_is_not_written_twice_in_one_statement():
    loan = LoanFactory()
    with audit.cause("posting", correlation_id=""), audit.together():
        audit.save(loan, "collateral")
        with pytest.raises(ValueError, match="twice"):
            audit.save(loan, "status")


def test_a_new_row_is_not_written_again_in_its_own_statement():
    made = posting(LoanFactory())
    with audit.cause("posting", correlation_id=""), audit.together():
        audit.create(made)
        with pytest.raises(ValueError, match="twice"):
            audit.save(made, "amount")


@pytest.mark.parametrize("write", [lambda row: audit.save(row, "amount"), audit.create], ids=["save", "create"])
def test_nothing_is_written_without_a_cause(write):
    with pytest.raises(audit.NoCause):
        write(posting(LoanFactory()))


def test_what_a_row_holds_when_it_is_written_counts():
    loan = LoanFactory()
    with audit.cause("posting", correlation_id=""), audit.together():
        loan.collateral = Decimal(3)
        audit.save(loan, "collateral")
        loan.collateral = Decimal(4)
    assert Loan.objects.get().collateral == 3


def test_a_row_that_is_not_there_is_not_taken_for_written():
    gone = LoanFactory()
    gone.pk += 1
    with audit.cause("posting", correlation_id=""), pytest.raises(Loan.DoesNotExist):
        audit.save(gone, "collateral")
    assert gone.pk is not None


def test_an_audited_row_is_not_added_without_history():
    with pytest.raises(ValueError, match="history keeps CollateralPosting"):
        audit.add(posting(LoanFactory()))


def test_an_empty_block_sends_nothing(django_assert_num_queries):
    with django_assert_num_queries(0), audit.together():
        pass


NEVER = "SELECT WHERE false"


def written():
    """How many rows there are of what a posting writes, besides the loan."""
    return CollateralPosting.objects.count(), CollateralPosting.history.count(), AcceptedRequest.objects.count()


def post_if_still(loan, **expected):
    loan.collateral = Decimal(3)
    with audit.cause("posting", correlation_id=""), audit.together():
        audit.save_if_still(loan, expected, "collateral", unless=NEVER)
        audit.create(posting(loan))
        audit.add(accepted(loan))


def test_a_row_that_is_as_it_was_seen_is_written_with_all_else(django_assert_num_queries):
    loan = LoanFactory()
    with django_assert_num_queries(1):
        post_if_still(loan, status="new", collateral=Decimal(0))
    assert Loan.objects.get().collateral == 3
    assert written() == (1, 1, 1)


@pytest.mark.parametrize("expected", [{"status": "active"}, {"collateral": Decimal("1e-24")}, {"activated_at": None}])
def test_a_row_that_has_changed_writes_nothing_of_its_block(expected):
    loan = LoanFactory()
    with pytest.raises(audit.Overtaken):
        post_if_still(loan, **expected)
    assert Loan.objects.get().collateral == 0
    assert Loan.history.count() == 1
    assert written() == (0, 0, 0)


def test_a_row_is_not_written_if_something_is_found():
    loan = LoanFactory()
    loan.collateral = Decimal(3)
    elsewhere = LoanFactory(loan_id="elsewhere")
    query = "SELECT FROM loans_loan other WHERE other.loan_id = 'elsewhere' AND other.id <> loans_loan.id"
    with audit.cause("posting", correlation_id=""):
        with pytest.raises(audit.Overtaken):
            audit.save_if_still(loan, {"status": "new"}, "collateral", unless=query)
        audit.save_if_still(elsewhere, {"status": "new"}, "borrower_id", unless=query)
    assert Loan.objects.get(pk=loan.pk).collateral == 0


def test_only_new_rows_stand_beside_a_row_that_may_have_changed():
    loan, other = LoanFactory(), LoanFactory()
    with audit.cause("posting", correlation_id=""), audit.together():
        audit.save_if_still(loan, {"status": "new"}, "collateral", unless=NEVER)
        with pytest.raises(ValueError, match="no new row"):
            audit.save(other, "status")


def test_nothing_is_written_before_a_row_that_may_have_changed():
    loan = LoanFactory()
    with audit.cause("posting", correlation_id=""), audit.together():
        audit.create(posting(loan))
        with pytest.raises(ValueError, match="may have changed"):
            audit.save_if_still(loan, {"status": "new"}, "collateral", unless=NEVER)


def test_a_row_of_which_nothing_is_expected_is_not_taken_for_unchanged():
    with audit.cause("posting", correlation_id=""), pytest.raises(ValueError, match="may have changed"):
        audit.save_if_still(LoanFactory(), {}, "collateral", unless=NEVER)
