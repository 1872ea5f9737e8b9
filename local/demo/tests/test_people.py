"""How people of the demo pause claims in the admin, and end that."""

import pytest

from coruscant.controls.models import Control
from local.demo import accounts
from local.demo.books import Books
from local.demo.errors import DemoError
from local.demo.people import People, Person
from local.demo.settings import Addresses
from local.demo.tests.test_books import books  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def addresses(live_server):
    port = int(live_server.url.rsplit(":", 1)[1])
    return Addresses(web=port, flower=1, mos_espa=2, black_spire_outpost=3, otc=4)


def test_claims_are_paused_and_go_on_as_often_as_a_demo_is_played(addresses, books: Books):  # noqa: F811
    accounts.make()
    people = People(addresses, books)
    people.resume_claims("There is nothing to end.")
    for _ in range(2):
        people.pause_claims("A demo.")
        assert books.pause_in_force() is not None
        people.resume_claims("It is over.")
        assert books.pause_in_force() is None
    second, first = Control.objects.all()
    assert (first.pulled_by, first.ended_by) == ("risk-officer", "risk-officer and risk-officer-2")
    assert (second.pulled_by, second.two_people) == ("risk-officer and risk-officer-2", True)


def test_log_in_without_an_account_is_an_error(addresses):
    with pytest.raises(DemoError):
        Person(addresses, "nobody").log_in()
