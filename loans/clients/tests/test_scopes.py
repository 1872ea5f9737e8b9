"""A client's scope: set by a command or in the admin, with history."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from coruscant.admin.tests.bank import make_person
from loans.clients import scopes
from loans.clients.models import ApiClient, Scope
from loans.management.commands.tests.credentials import credential
from loans.models import AcceptedRequest, Loan
from loans.tests.factories import LONG_AGO, LoanFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_a_new_client_may_see_all_unless_it_is_said_otherwise():
    credential("one")
    credential("two", scope="own")
    assert dict(ApiClient.objects.values_list("user__username", "scope")) == {"one": "all", "two": "own"}


def test_another_credential_leaves_the_scope_as_it_is_unless_it_names_one():
    credential(scope="own")
    credential()
    assert ApiClient.objects.get().scope == Scope.OWN
    credential(scope="all")
    assert ApiClient.objects.get().scope == Scope.ALL
    entries = ApiClient.objects.get().history.order_by("history_id")
    assert [(entry.scope, entry.history_change_reason) for entry in entries] == [
        ("own", "scope otc-service"),
        ("all", "scope otc-service"),
    ]


def test_there_are_no_other_scopes():
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("create_api_credential", "otc", "--scope", "some")
    assert not User.objects.exists()


def test_an_operator_changes_it_in_the_admin_and_history_says_who(client):
    credential("otc")
    row = ApiClient.objects.get()
    person = make_person("ahsoka", "Operators")
    client.force_login(person)
    address = f"/admin/loans/apiclient/{row.pk}/change-scope/"
    assert "The loans that it has opened" in client.get(address).content.decode()
    assert client.post(address, {"scope": "some"}).status_code == 200
    assert client.post(address, {"scope": "own"}).status_code == 302
    newest = row.history.latest()
    assert (newest.scope, newest.history_actor, newest.history_user_id) == ("own", "ahsoka", person.pk)


def test_a_client_has_opened_the_loan_of_its_application_and_not_what_it_posted_to():
    first, second = LoanFactory(), LoanFactory()
    for client, endpoint, loan in (
        ("otc", "loan-applications", first),
        ("otc", "collateral-top-ups", second),
        ("other", "loan-applications", second),
    ):
        AcceptedRequest.objects.create(
            client=client, endpoint=endpoint, loan=loan, request_id="r-1", content_digest="0" * 64, response_body="{}",
            created_at=LONG_AGO,
        )  # fmt: skip
    assert list(scopes.opened_by("otc", Loan.objects.all())) == [first]
