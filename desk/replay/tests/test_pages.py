"""The pages of replays: who may see them and ask, what they show, and that they follow the work by themselves."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from structlog.testing import capture_logs

from coruscant import clock
from coruscant.admin.groups import AUDITORS, RISK_OFFICERS, VIEWERS
from coruscant.admin.tests.bank import make_person
from desk.replay import service
from desk.replay.models import PolicyReplay
from desk.replay.pages import ReplayForm
from liquidation import evaluate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("enqueued")]
THEN = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def officer(client):
    client.force_login(make_person("ahsoka", RISK_OFFICERS))
    return client


def asked(**columns):
    return PolicyReplay.objects.create(
        start=THEN, end=THEN + timedelta(hours=1), asked_by="leia", asked_at=THEN, **columns
    )


@pytest.fixture
def done(quote, loan):
    """A replay of a moment in which one loan was sold, and another would have been at 65 %."""
    start = clock.now()
    loan(), loan(collateral="50")
    for price in ("50", "31"):
        quote(price)
        evaluate.evaluate_loans()
    named = {"liquidation_ltv": Decimal("0.64"), "margin_call_ltv": Decimal("0.62")}
    service.ask(start, clock.now(), named, asked_by="leia")
    assert service.work()
    return PolicyReplay.objects.get()


def address(replay, page="replay-detail"):
    return reverse(f"desk:{page}", args=(replay.pk,))


def form(**changed):
    return {"start": "2026-11-25T12:00:00", "end": "2026-11-25T13:00:00", "liquidation_ltv": "75"} | changed


def test_who_may_see_and_who_may_ask(client, done):
    for group in (VIEWERS, AUDITORS):
        client.force_login(make_person(f"of-{group}", group))
        shown = client.get(reverse("desk:replay")).content.decode()
        assert "replay-form" not in shown
        assert client.get(address(done)).status_code == 200
        assert client.get(address(done, "replay-csv")).status_code == 200
        assert client.post(reverse("desk:replay"), form()).status_code == 403
    client.force_login(make_person("nobody"))
    for page in (reverse("desk:replay"), address(done), address(done, "replay-csv")):
        assert client.get(page).status_code == 403
    client.logout()
    assert client.get(reverse("desk:replay")).status_code == 302
    assert PolicyReplay.objects.count() == 1


def test_a_risk_officer_asks_in_percent_and_is_led_to_the_replay(officer, enqueued):
    start = (clock.now() - timedelta(hours=2)).replace(microsecond=0)
    sent = form(start=f"{start:%Y-%m-%dT%H:%M:%S}", end=f"{start + timedelta(hours=1):%Y-%m-%d %H:%M}")
    response = officer.post(reverse("desk:replay"), sent)
    made = PolicyReplay.objects.get()
    assert response["Location"] == address(made)
    assert (made.start, made.asked_by, made.status) == (start, "ahsoka", "waiting")
    assert made.named == {"liquidation_ltv": Decimal("0.75")}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"end": "2026-11-25T12:00:00"}, "must begin before it ends"),
        ({"liquidation_ltv": "65"}, "they must ascend, up to 1"),
        ({"start": "2020-01-01T00:00", "end": "2020-01-02T00:00"}, "Quotes are kept since"),
        ({"start": "soon"}, "Enter a valid date/time"),
        ({"liquidation_ltv": "-5"}, "must be a plain decimal number"),
    ],
)
def test_what_cannot_be_replayed_is_said_above_the_form(officer, changed, said):
    now = clock.now()
    sent = form(start=f"{now - timedelta(hours=2):%Y-%m-%dT%H:%M:%S}", end=f"{now:%Y-%m-%dT%H:%M:%S}") | changed
    if changed.get("end") == "2026-11-25T12:00:00":
        sent["start"] = sent["end"]
    assert said in officer.post(reverse("desk:replay"), sent).content.decode()
    assert not PolicyReplay.objects.exists()


def test_a_waiting_replay_asks_again_until_it_is_done(officer):
    waiting = asked()
    shown = officer.get(address(waiting)).content.decode()
    assert 'data-live="2000"' in shown
    assert f'hx-get="{address(waiting)}"' in shown
    assert officer.get(address(waiting), headers={"hx-request": "true"}).status_code == 204
    PolicyReplay.objects.update(status="failed", error="It took too long.")
    answer = officer.get(address(waiting), headers={"hx-request": "true"})
    assert answer["HX-Refresh"] == "true"
    shown = officer.get(address(waiting)).content.decode()
    assert "It failed: It took too long." in shown
    assert "data-live" not in shown


def test_a_replay_shows_totals_differences_with_links_and_marks(officer, done):
    shown = officer.get(address(done)).content.decode()
    assert "Liquidation at 64 %, margin calls at 62 %." in shown
    assert "Sold: 1 that were not sold would have been, owing 1,000.00 GC; 0 that were would not" in shown
    (row,) = done.result["differences"]["sold"]
    assert f'href="{reverse("admin:loans_loan_change", args=(row["loan"],))}"' in shown
    assert f"<title>{row['loanId']}, only in the replay</title></circle>" in shown
    assert "keeps the figures it had when it was claimed" in shown


def test_a_replay_without_prices_or_differences_is_shown_too(officer):
    start = clock.now() - timedelta(hours=2)
    service.ask(start, start + timedelta(hours=1), {}, asked_by="leia")
    service.work()
    shown = officer.get(address(PolicyReplay.objects.get())).content.decode()
    assert "The same terms." in shown
    assert "Sold: none, as in reality." in shown
    assert "replay-chart" not in shown


def test_the_file_has_every_difference_exactly(officer, done):
    lines = b"".join(officer.get(address(done, "replay-csv"))).decode().splitlines()
    row = done.result["differences"]["sold"][0]
    assert lines[0].startswith("loan,what,where,at in reality,price in reality")
    assert lines[1] == ",".join(
        (row["loanId"], "sold", "only in the replay", "", "", "", "", "", row["replay"]["at"], "31", "1000", "50", "")
    )
    assert len(lines) == 1 + sum(len(rows) for rows in done.result["differences"].values())
    assert officer.get(address(asked(), "replay-csv")).status_code == 404


def test_whoever_takes_the_file_is_logged(officer, done):
    with capture_logs() as logs:
        officer.get(address(done, "replay-csv"))
    (entry,) = [one for one in logs if one["event"] == "list_exported"]
    assert (entry["list"], entry["user"]) == (f"desk.policyreplay {done.pk}", "ahsoka")


def test_a_replay_in_part_shows_what_it_has_and_of_whom(officer, done):
    found = {**done.result, "complete": False, "loans": {"replayed": 1, "of": 3}}
    PolicyReplay.objects.update(status="part", result=found)
    shown = officer.get(address(done)).content.decode()
    assert "There was time for 1 of 3 loans, the oldest ones" in shown
    assert "Sold: 1 that were not sold would have been" in shown
    assert "Done in part" in officer.get(reverse("desk:replay")).content.decode()
    assert officer.get(address(done, "replay-csv")).status_code == 200


def test_the_list_shows_the_newest_first(officer):
    first, second = asked(liquidation_ltv=Decimal("0.75")), asked()
    shown = officer.get(reverse("desk:replay")).content.decode()
    assert shown.index(address(second)) < shown.index(address(first))
    assert "Liquidation at 75 %" in shown


def test_an_empty_field_keeps_the_terms_of_each_loan():
    sent = ReplayForm(form(liquidation_ltv="", margin_call_ltv="62.5"))
    assert sent.is_valid()
    assert sent.named == {"margin_call_ltv": Decimal("0.625")}
