"""Loan events are sent by the same outbox, always behind liquidation events."""

from datetime import timedelta
from decimal import Decimal

import pytest
import structlog
from botocore.exceptions import EndpointConnectionError

from coruscant import clock, failpoints, outbox
from coruscant.aws import LIQUIDATION_TOPIC
from liquidation import invariants, publish
from liquidation.conftest import point_now
from liquidation.models import LiquidationEvent
from liquidation.sell import sell
from loans import margin_calls
from loans.conftest import PRICED_AT, price_point
from loans.events.models import LoanEvent, LoanEventTopic
from loans.events.tests.support import TOPIC, name_topic
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def called():
    """So many loans that have a margin call, each with its event."""

    def call(count):
        name_topic(since=clock.now() + timedelta(days=1))
        for _ in range(count):
            LoanFactory(active=True)
        margin_calls.call_loans(price_point("30"))
        LoanEvent.objects.update(due_at=PRICED_AT)

    return call


def unsent():
    return LoanEvent.objects.filter(sent_at__isnull=True).count()


def test_all_that_is_due_is_sent_ten_at_a_time_and_marked(called, sns):
    called(23)
    assert publish.publish_loan_events() == 23
    assert (sns.calls, unsent()) == (3, 0)
    assert {topic for topic, _body in sns.messages} == {TOPIC}
    assert sorted(body for _topic, body in sns.messages) == sorted(LoanEvent.objects.values_list("body", flat=True))
    assert len(set(LoanEvent.objects.values_list("message_id", flat=True))) == 23
    assert publish.publish_loan_events() == 0
    assert sns.calls == 3


def test_while_no_topic_is_named_nothing_is_sent(called, sns):
    called(1)
    LoanEventTopic.objects.all().delete()
    assert publish.publish_loan_events() == 0
    assert sns.messages == []


def test_liquidation_events_that_are_due_go_first(called, claimed, markets, sns):
    liquidation = claimed("25")
    sell(liquidation.pk)
    called(12)
    assert publish.publish_loan_events() == 12
    assert [topic for topic, _body in sns.messages] == [LIQUIDATION_TOPIC, *[TOPIC] * 12]
    assert LiquidationEvent.objects.get().sent_at is not None


def test_a_liquidation_event_that_comes_meanwhile_goes_before_the_next_batch(called, claimed, markets, sns):
    liquidation = claimed("25")
    called(20)

    def settle(name):
        if name == "publish.sent":
            failpoints.arm(None)
            sell(liquidation.pk)

    failpoints.arm(settle)
    assert publish.publish_loan_events() == 20
    assert [topic for topic, _body in sns.messages] == [*[TOPIC] * 10, LIQUIDATION_TOPIC, *[TOPIC] * 10]


def test_while_sns_takes_no_liquidation_event_no_loan_event_is_tried(called, claimed, markets, sns):
    sell(claimed("25").pk)
    called(1)
    sns.errors = [EndpointConnectionError(endpoint_url="http://sns")]
    assert publish.publish_loan_events() == 0
    assert sns.messages == []
    assert unsent() == 1


def test_what_sns_did_not_take_is_sent_again_byte_for_byte_after_a_while(called, sns, time_passes):
    called(11)
    sns.errors = [EndpointConnectionError(endpoint_url="http://sns")]
    with structlog.testing.capture_logs() as logs:
        assert publish.publish_loan_events() == 0
    assert [log["event"] for log in logs] == ["event_not_sent"] * 10
    assert LoanEvent.objects.filter(sends=1, due_at__gt=clock.now()).count() == 10
    assert publish.publish_loan_events() == 1, "the eleventh was not tried"
    time_passes(seconds=20)
    assert publish.publish_loan_events() == 10
    assert len({body for _topic, body in sns.messages}) == len(sns.messages) == 11


def test_what_sns_refuses_of_a_batch_is_due_again_and_the_rest_is_sent(called, sns):
    called(5)
    refused = LoanEvent.objects.earliest("pk")
    sns.refused = {refused.body}
    assert publish.publish_loan_events() == 4
    assert LoanEvent.objects.get(sent_at__isnull=True) == refused


def test_a_crash_between_sns_and_the_mark_sends_the_same_bytes_again(called, sns, time_passes):
    class Killed(BaseException):
        pass

    def kill(name):
        if name == "publish.sent":
            raise Killed

    called(1)
    failpoints.arm(kill)
    with pytest.raises(Killed):
        publish.publish_loan_events()
    failpoints.arm(None)
    assert publish.publish_loan_events() == 0, "on its way, as far as anybody knows"
    time_passes(seconds=outbox.ON_ITS_WAY.total_seconds() + 1)
    assert publish.publish_loan_events() == 1
    assert len(sns.messages) == 2
    assert len(set(sns.messages)) == 1


def test_two_publishers_at_once_send_an_event_once(called, sns):
    called(1)
    seen = []

    def meanwhile(name):
        if name == "publish.counted":
            failpoints.arm(None)
            seen.append(publish.publish_loan_events())

    failpoints.arm(meanwhile)
    assert publish.publish_loan_events() == 1
    assert seen == [0]
    assert len(sns.messages) == 1


def test_a_run_is_short_however_many_are_due(called, sns, monkeypatch):
    called(20)
    monkeypatch.setattr(publish, "LONGEST_RUN", timedelta(0))
    assert publish.publish_loan_events() == 0
    assert unsent() == 20


def test_a_claim_tells_of_each_loan_and_the_invariants_see_that_it_does(loan, quote, markets, sns):
    from liquidation.claim import claim_loans

    loans = [loan(collateral=str(40 + number)) for number in range(3)]
    name_topic(since=clock.now())
    quote("25")
    claim_loans([one.pk for one in loans], point_now())
    rows = LoanEvent.objects.order_by("pk").values_list("loan", "event_type", "sequence")
    assert list(rows) == [(one.pk, "liquidation-started", 1) for one in loans]
    assert not [finding for finding in invariants.check() if finding.violations]
    assert publish.publish_loan_events() == 3
    assert Decimal(25) == Decimal(LoanEvent.objects.values_list("loan__liquidation__price", flat=True)[0])
