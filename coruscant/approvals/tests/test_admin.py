"""What people see of approvals, and what they press."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from coruscant import clock
from coruscant.admin.tests.bank import make_representative, set_price
from coruscant.approvals.ask import ask
from coruscant.approvals.models import Approval
from coruscant.approvals.tests.support import NAME, make_old, representative
from loans.models import Loan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture(autouse=True)
def priced(db):
    """No banner about the price among the messages."""
    set_price("50")


def browser(person):
    client = Client()
    client.force_login(person)
    return client


def url(approval, verb="change"):
    return f"/admin/approvals/approval/{approval.pk}/{verb}/"


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def outcome(approval):
    approval.refresh_from_db()
    return approval.outcome, Loan.objects.get().borrower_id


class TestPage:
    def test_it_says_what_why_who_and_when(self, asked, mace):
        page = browser(mace).get(url(asked())).content.decode()
        for said in (
            "Change the borrower", "The loan L-1 of lando becomes one of han.", "sold the Falcon", "ahsoka",
            "Waiting for a second person", "&quot;borrower_id&quot;: &quot;han&quot;",
        ):  # fmt: skip
            assert said in page, said

    def test_text_that_people_wrote_is_escaped(self, asked, mace):
        approval = asked(why="<script>alert(1)</script>")
        for verb in ("change", "agree", "refuse"):
            page = browser(mace).get(url(approval, verb)).content
            assert b"<script>alert" not in page
            assert b"&lt;script&gt;alert" in page

    def test_what_a_command_asked_says_that_no_log_in_proves_it(self, loan, ahsoka, mace):
        approval = ask(
            NAME, {"loan_id": "L-1", "borrower_id": "han"}, why="because", asked_by=ahsoka, on_command_line=True
        )
        assert "no log-in proves that it was ahsoka" in browser(mace).get(url(approval)).content.decode()

    def test_others_may_decide_and_whoever_asked_may_withdraw(self, asked, ahsoka, mace):
        approval = asked()
        page, own = (browser(person).get(url(approval)).content.decode() for person in (mace, ahsoka))
        for verb in ("agree", "refuse"):
            assert url(approval, verb) in page
            assert url(approval, verb) not in own
        assert url(approval, "withdraw") in own
        assert url(approval, "withdraw") not in page

    def test_nothing_is_to_be_pressed_once_it_is_decided(self, asked, mace):
        approval = asked()
        browser(mace).post(url(approval, "agree"))
        page = browser(representative("yoda")).get(url(approval)).content.decode()
        for verb in ("agree", "refuse", "withdraw"):
            assert url(approval, verb) not in page

    def test_a_list_has_filters_and_a_card_counts_what_waits(self, asked, mace):
        approval = asked()
        client = browser(mace)
        (card,) = client.get(reverse("admin:index")).context["concerns"]
        assert (card.title, card.figure, card.kind) == ("Waiting for a second person", "1", "warning")
        assert [row.pk for row in client.get(card.url).context["cl"].result_list] == [approval.pk]
        for query in ({"q": "ahsoka"}, {"q": "of lando"}, {"action": NAME}, {"on_command_line__exact": "0"}):
            assert client.get("/admin/approvals/approval/", query).context["cl"].result_count == 1, query
        with clock.driven_by(lambda: approval.expires_at):
            assert client.get(reverse("admin:index")).context["concerns"] == []


class TestInbox:
    def listed(self, person, **query):
        return list(browser(person).get("/admin/approvals/approval/", query).context["cl"].result_list)

    def test_what_one_may_decide_comes_first_then_what_waits_for_others_then_what_is_decided(self, asked, ahsoka, mace):
        decided = asked("chewbacca")
        browser(mace).post(url(decided, "agree"))
        own, mine = asked("yoda", asked_by=mace), asked("han")
        later = asked("lando", asked_by=mace)
        assert self.listed(mace) == [mine, later, own, decided]
        assert self.listed(ahsoka) == [later, own, mine, decided]

    def test_it_says_what_will_happen_who_asked_and_whose_turn_it_is(self, asked, ahsoka, mace):
        asked()
        text = browser(mace).get("/admin/approvals/approval/").content.decode()
        for said in ("Waits for you", "The loan L-1 of lando becomes one of han.", "ahsoka", "in 23 h"):
            assert said in text, said
        own = browser(ahsoka).get("/admin/approvals/approval/").content.decode()
        assert "Waits for somebody else" in own

    def test_what_takes_a_permission_that_one_lacks_waits_for_somebody_else(self, asked):
        approval = asked()
        viewer = make_old(User.objects.create_user("viewer", is_staff=True))
        viewer.user_permissions.add(*Permission.objects.filter(codename__in=("view_approval", "change_approval")))
        assert self.listed(viewer, turn="mine") == []
        assert self.listed(viewer, turn="waiting") == [approval]
        viewer.user_permissions.add(Permission.objects.get(codename="add_loan"))
        assert self.listed(viewer, turn="mine") == [approval]

    def test_what_has_expired_waits_for_nobody_even_before_it_is_marked(self, asked, mace):
        approval = asked()
        with clock.driven_by(lambda: approval.expires_at):
            assert self.listed(mace, turn="waiting") == []

    def test_it_is_exported_with_the_effect(self, asked, mace):
        asked()
        response = browser(mace).get("/admin/approvals/approval/export/")
        assert "The loan L-1 of lando becomes one of han." in b"".join(response.streaming_content).decode()


class TestAgree:
    def test_opening_the_page_decides_nothing(self, asked, mace):
        approval = asked()
        page = browser(mace).get(url(approval, "agree")).content.decode()
        assert "The loan L-1 of lando becomes one of han." in page
        assert outcome(approval) == ("asked", "lando")

    def test_a_second_person_agrees_and_is_told_what_was_done(self, asked, mace):
        approval = asked()
        response = browser(mace).post(url(approval, "agree"), follow=True)
        assert response.redirect_chain == [(url(approval), 302)]
        assert messages_of(response) == ["Done, in your name and that of ahsoka. han has the loan L-1 now."]
        assert outcome(approval) == ("executed", "han")

    @pytest.mark.parametrize("superuser", [False, True])
    def test_whoever_asked_is_told_that_it_takes_somebody_else(self, asked, superuser):
        person = make_old(User.objects.create_superuser("root")) if superuser else representative("anakin")
        approval = asked(asked_by=person)
        response = browser(person).post(url(approval, "agree"))
        assert messages_of(response)[-1] == "You have asked for this yourself: somebody else has to decide."
        assert outcome(approval) == ("asked", "lando")

    def test_a_young_account_is_told_so(self, asked):
        approval = asked()
        response = browser(make_representative("new")).post(url(approval, "agree"))
        assert "younger than a day" in messages_of(response)[-1]
        assert outcome(approval) == ("asked", "lando")

    def test_it_takes_the_permission_to_decide(self, asked):
        approval = asked()
        viewer = make_old(User.objects.create_user("viewer", is_staff=True))
        viewer.user_permissions.add(*Permission.objects.filter(codename__in=("view_approval", "add_loan")))
        for verb in ("agree", "refuse"):
            assert browser(viewer).post(url(approval, verb), {"note": "no"}).status_code == 403
        assert outcome(approval) == ("asked", "lando")

    def test_it_takes_a_log_in(self, asked):
        approval = asked()
        assert Client().post(url(approval, "agree")).status_code == 302
        assert outcome(approval) == ("asked", "lando")

    def test_what_can_no_longer_be_done_is_shown_on_its_page(self, asked, mace):
        approval = asked("jabba")
        response = browser(mace).post(url(approval, "agree"), follow=True)
        assert response.redirect_chain == [(url(approval), 302)]
        assert messages_of(response) == ["Nothing was done. jabba gets no loans."]
        assert outcome(approval) == ("failed", "lando")

    def test_who_comes_second_is_told_who_was_faster(self, asked, mace):
        approval = asked()
        browser(mace).post(url(approval, "agree"))
        yoda = browser(representative("yoda"))
        for verb in ("agree", "refuse"):
            response = yoda.post(url(approval, verb), {"note": "no"}, follow=True)
            assert messages_of(response) == ["mace was faster: agreed and done. Nothing was changed."]

    def test_an_approval_that_does_not_exist_is_not_found(self, mace):
        assert browser(mace).post("/admin/approvals/approval/999/agree/").status_code == 404


class TestRefuseAndWithdraw:
    def test_a_refusal_needs_a_reason(self, asked, mace):
        approval = asked()
        response = browser(mace).post(url(approval, "refuse"), {"note": ""})
        assert response.context["form"].errors
        assert outcome(approval) == ("asked", "lando")
        response = browser(mace).post(url(approval, "refuse"), {"note": "too many debts"}, follow=True)
        assert messages_of(response) == ["Refused. Nothing was done."]
        assert outcome(approval) == ("refused", "lando")
        assert b"too many debts" in response.content

    def test_whoever_asked_withdraws(self, asked, ahsoka, mace):
        approval = asked()
        assert "may withdraw" in messages_of(browser(mace).post(url(approval, "withdraw")))[-1]
        response = browser(ahsoka).post(url(approval, "withdraw"), follow=True)
        assert messages_of(response) == ["Withdrawn. Nothing was done."]
        assert outcome(approval) == ("withdrawn", "lando")


def test_representatives_may_decide():
    assert representative("mace").has_perm("approvals.change_approval")
    assert not Approval.objects.exists()
