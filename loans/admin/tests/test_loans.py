"""What a representative does with loans: sees them with their LTV, registers applications, posts collateral."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User

from coruscant import history
from coruscant.admin.tests.bank import make_loan, make_representative, set_price
from coruscant.approvals.models import Approval
from coruscant.approvals.tests.support import make_old
from loans.models import AcceptedRequest, CollateralPosting, Loan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

LIST = "/admin/loans/loan/"
REGISTER = "/admin/loans/loan/register-application/"


@pytest.fixture
def person():
    return make_representative("ahsoka")


@pytest.fixture
def browser(client, person):
    client.force_login(person)
    return client


@pytest.fixture
def loan():
    with history.cause("test", correlation_id="loan"):
        return make_loan("L-1")


def post_url(loan: Loan) -> str:
    return f"/admin/loans/loan/{loan.pk}/post-collateral/"


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def shown_request_id(response) -> str:
    return str(response.context["form"]["request_id"].value())


class TestLtv:
    def test_the_list_shows_ltv_at_the_best_price_now(self, browser, loan):
        set_price("50")
        assert "50.00 %" in browser.get(LIST).content.decode()
        set_price("31.25")
        assert "80.00 %" in browser.get(LIST).content.decode()

    def test_without_a_price_no_ltv_is_shown(self, browser, loan):
        set_price(None)
        assert " %" not in browser.get(LIST).content.decode()

    def test_the_list_costs_as_many_queries_for_thirty_loans_as_for_three(self, browser, django_assert_max_num_queries):
        set_price("50")
        with history.cause("test", correlation_id="loan"):
            for number in range(30):
                make_loan(f"L-{number}")
        browser.get(LIST)
        with django_assert_max_num_queries(17):
            assert browser.get(LIST).content.count(b"50.00 %") == 30


class TestRegister:
    def answers(self, **changes):
        return {"request_id": "admin-1", "loan_id": "L-9", "borrower_id": "B-9", "amount": "1000.50"} | changes

    def test_the_form_makes_a_request_id_of_its_own(self, browser):
        first, second = browser.get(REGISTER), browser.get(REGISTER)
        assert shown_request_id(first).startswith("admin-")
        assert shown_request_id(first) != shown_request_id(second)
        assert shown_request_id(first) in first.content.decode()

    def test_an_application_is_registered_under_the_persons_name(self, browser, person):
        response = browser.post(REGISTER, self.answers(), follow=True)
        assert messages_of(response)[-1] == "Application admin-1 is registered as loan L-9."
        loan = Loan.objects.get()
        assert (loan.loan_id, loan.borrower_id, loan.amount, loan.status) == ("L-9", "B-9", Decimal("1000.5"), "new")
        assert AcceptedRequest.objects.get().client == "ahsoka"
        entry = loan.history.get()
        assert (entry.history_actor, entry.history_user_id) == ("ahsoka", person.pk)
        assert entry.history_change_reason == "application admin-1"

    def test_sent_twice_it_registers_once(self, browser):
        browser.post(REGISTER, self.answers())
        response = browser.post(REGISTER, self.answers(), follow=True)
        assert "nothing was done twice" in messages_of(response)[-1]
        assert Loan.objects.count() == AcceptedRequest.objects.count() == 1

    def test_a_broken_rule_is_shown_as_a_message_and_the_form_keeps_what_was_typed(self, browser, loan):
        response = browser.post(REGISTER, self.answers(loan_id="L-1"))
        assert messages_of(response)[-1] == "Another request has already used this loanId."
        assert b'value="B-9"' in response.content
        assert Loan.objects.count() == 1

    @pytest.mark.parametrize("amount", ["", "0", "-1", "1,000", "NaN", "1e400", "٣", "1_000"])
    def test_what_is_not_an_amount_is_refused(self, browser, amount):
        response = browser.post(REGISTER, self.answers(amount=amount))
        assert response.context["form"].errors["amount"]
        assert not Loan.objects.exists()

    def test_it_needs_its_permission(self, client):
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_loan"))
        client.force_login(viewer)
        assert b"Register application" not in client.get(LIST).content
        assert client.get(REGISTER).status_code == 403
        assert client.post(REGISTER, self.answers()).status_code == 403
        assert not Loan.objects.exists()

    def test_the_list_has_the_button(self, browser):
        assert REGISTER in browser.get(LIST).content.decode()


class TestPost:
    def test_collateral_is_posted_under_the_persons_name(self, browser, person, loan):
        response = browser.post(post_url(loan), {"request_id": "admin-2", "amount": "2.5"}, follow=True)
        assert messages_of(response)[-1] == "2.5 units are posted for loan L-1."
        loan.refresh_from_db()
        assert loan.collateral == Decimal("42.5")
        posting = CollateralPosting.objects.get()
        assert (posting.amount, posting.request_id) == (Decimal("2.5"), "admin-2")
        assert AcceptedRequest.objects.get().client == "ahsoka"
        for row in (posting, loan):
            entry = row.history.latest("history_id")
            assert (entry.history_actor, entry.history_user_id) == ("ahsoka", person.pk)
            assert entry.history_change_reason == "posting admin-2"

    def test_sent_twice_it_posts_once(self, browser, loan):
        for _ in range(2):
            response = browser.post(post_url(loan), {"request_id": "admin-2", "amount": "2.5"}, follow=True)
        assert "nothing was done twice" in messages_of(response)[-1]
        loan.refresh_from_db()
        assert (loan.collateral, CollateralPosting.objects.count()) == (Decimal("42.5"), 1)

    def test_another_amount_under_the_same_request_id_is_a_message(self, browser, loan):
        browser.post(post_url(loan), {"request_id": "admin-2", "amount": "2.5"})
        response = browser.post(post_url(loan), {"request_id": "admin-2", "amount": "3"})
        assert "admin-2" in response.content.decode()
        assert len(messages_of(response)) >= 1
        assert CollateralPosting.objects.count() == 1

    def test_enough_collateral_activates_the_loan(self, browser):
        set_price("50")
        with history.cause("test", correlation_id="loan"):
            new = make_loan("L-2", collateral="0", status="new")
        browser.post(post_url(new), {"request_id": "admin-3", "amount": "40"})
        new.refresh_from_db()
        assert new.status == "active"

    def test_a_claimed_loan_has_no_button_and_takes_nothing(self, browser):
        with history.cause("test", correlation_id="loan"):
            claimed = make_loan("L-3", status="liquidating")
        assert b"post-collateral" not in browser.get(f"/admin/loans/loan/{claimed.pk}/change/").content
        response = browser.post(post_url(claimed), {"request_id": "admin-4", "amount": "1"})
        assert messages_of(response)[-1] == "The loan is liquidating: it takes no more collateral."
        assert not CollateralPosting.objects.exists()

    def test_it_needs_its_permission(self, client, loan):
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_loan"))
        client.force_login(viewer)
        assert b"post-collateral" not in client.get(f"/admin/loans/loan/{loan.pk}/change/").content
        assert client.post(post_url(loan), {"request_id": "admin-2", "amount": "2.5"}).status_code == 403
        assert not CollateralPosting.objects.exists()

    def test_a_loan_that_does_not_exist_is_not_found(self, browser):
        assert browser.get("/admin/loans/loan/999/post-collateral/").status_code == 404

    def test_with_four_eyes_a_large_posting_waits_for_somebody_else(self, browser, loan, settings):
        settings.FOUR_EYES, settings.FOUR_EYES_POSTING_UNITS = True, Decimal(5)
        browser.post(post_url(loan), {"request_id": "admin-5", "amount": "5"})
        large = {"request_id": "admin-6", "amount": "5.5"}
        assert messages_of(browser.post(post_url(loan), large))[-1] == "Say why, in words, for the other person."
        response = browser.post(post_url(loan), large | {"why": "brought in a box"}, follow=True)
        approval = Approval.objects.get()
        assert messages_of(response)[-1].endswith(f"It waits as approval No. {approval.pk}.")
        assert CollateralPosting.objects.get().amount == 5
        browser.post(f"/admin/approvals/approval/{approval.pk}/agree/")
        assert CollateralPosting.objects.count() == 1, "not by whoever asked"
        browser.force_login(make_old(make_representative("mace")))
        browser.post(f"/admin/approvals/approval/{approval.pk}/agree/")
        assert CollateralPosting.objects.latest("pk").amount == Decimal("5.5")
        assert AcceptedRequest.objects.get(request_id="admin-6").client == "ahsoka"
