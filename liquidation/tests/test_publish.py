"""The outbox: every event is sent until SNS has taken it, the same bytes every time."""

import json

import pytest
import structlog
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from coruscant import clock, failpoints, outbox
from liquidation import invariants, publish
from liquidation.claim import claim_loans
from liquidation.conftest import point_now
from liquidation.models import LiquidationEvent
from liquidation.publish import EventNotSent
from liquidation.sell import sell

pytestmark = pytest.mark.django_db

TOPIC = "coruscant-bank-loan-liquidation-events"


@pytest.fixture
def settled(claimed, markets):
    liquidation = claimed("25")
    sell(liquidation.pk)
    return liquidation


def test_the_event_is_sent_to_the_banks_topic_and_marked(settled, sns):
    assert publish.publish(settled.pk)
    event = LiquidationEvent.objects.get()
    assert sns.messages == [("coruscant-bank-loan-liquidation-events", event.body)]
    assert event.sent_at is not None
    assert event.message_id == "m-1"
    assert set(json.loads(event.body)) == {
        "eventId",
        "eventType",
        "loanId",
        "collateralSold",
        "collateralSoldValue",
        "outstandingCollateral",
        "outstandingBalance",
    }
    assert all(isinstance(value, str) for value in json.loads(event.body).values())


def test_a_sent_event_is_not_sent_again(settled, sns):
    publish.publish(settled.pk)
    assert publish.publish(settled.pk)
    assert len(sns.messages) == 1


def test_an_unsettled_liquidation_has_nothing_to_publish(claimed, sns):
    assert not publish.publish(claimed("25").pk)
    assert sns.messages == []


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://sns"),
        ClientError({"Error": {"Code": "NotFound", "Message": "no topic"}}, "PublishBatch"),
        ClientError({"Error": {"Code": "InternalError", "Message": "500"}}, "PublishBatch"),
        ResponseParserError("invalid XML received: b'internal server error'"),
    ],
)
def test_what_sns_did_not_take_is_sent_again_byte_for_byte(settled, sns, time_passes, error):
    sns.errors = [error, error]
    for _ in range(2):
        with pytest.raises(EventNotSent):
            publish.publish(settled.pk)
        event = LiquidationEvent.objects.get()
        assert event.sent_at is None
        assert event.due_at > clock.now()
        assert not publish.publish(settled.pk), "not before it is due"
        time_passes(seconds=20)
    assert publish.publish(settled.pk)
    assert [message for _, message in sns.messages] == [event.body]


def test_a_crash_between_sns_and_the_mark_sends_the_same_bytes_again(settled, sns, time_passes):
    class Killed(BaseException):
        pass

    def kill(name):
        if name == "publish.sent":
            raise Killed

    failpoints.arm(kill)
    with pytest.raises(Killed):
        publish.publish(settled.pk)
    failpoints.arm(None)
    time_passes(seconds=outbox.ON_ITS_WAY.total_seconds() + 1)
    assert publish.publish(settled.pk)
    assert len(sns.messages) == 2
    assert len(set(sns.messages)) == 1


def test_two_publishers_at_once_send_once(settled, sns):
    seen = []

    def meanwhile(name):
        if name == "publish.counted":
            failpoints.arm(None)
            seen.append(publish.publish(settled.pk))

    failpoints.arm(meanwhile)
    assert publish.publish(settled.pk)
    assert seen == [False]
    assert len(sns.messages) == 1


def test_a_topic_that_is_missing_is_not_made_since_nobody_would_hear(settled, sns):
    sns.topics = ["other-topic"]
    with structlog.testing.capture_logs() as logs, pytest.raises(EventNotSent, match="there is no topic"):
        publish.publish(settled.pk)
    event = LiquidationEvent.objects.get()
    assert (event.sent_at, event.sends) == (None, 1)
    assert [(log["log_level"], log["event"]) for log in logs] == [
        ("error", "topic_missing"),
        ("warning", "event_not_sent"),
    ]
    assert logs[1]["event_id"] == str(event.event_id)
    sns.topics.append(TOPIC)
    LiquidationEvent.objects.update(due_at=clock.now())
    assert publish.publish(settled.pk)
    assert sns.messages == [(TOPIC, event.body)]


def test_a_topic_made_anew_is_looked_up_anew(settled, sns):
    sns.errors = [ClientError({"Error": {"Code": "NotFound", "Message": "Topic does not exist"}}, "Publish")]
    with pytest.raises(EventNotSent):
        publish.publish(settled.pk)
    assert outbox.topic_arn.cache_info().currsize == 0


@pytest.fixture
def many_settled(loan, quote, markets):
    quote("25")
    pks = claim_loans([loan(collateral=str(40 + n)).pk for n in range(12)], point_now())
    for pk in pks:
        sell(pk)
    return pks


def sent():
    return set(LiquidationEvent.objects.filter(sent_at__isnull=False).values_list("liquidation_id", flat=True))


def test_a_backlog_goes_out_ten_at_a_time_and_an_events_own_first(many_settled, sns):
    assert publish.publish(many_settled[-1])
    assert sent() == {*many_settled[:9], many_settled[-1]}
    assert publish.publish(many_settled[0]), "it went with the other"
    assert sns.calls == 1
    assert publish.publish(many_settled[9])
    assert sent() == set(many_settled)
    bodies = set(LiquidationEvent.objects.values_list("body", flat=True))
    assert sorted(message for _, message in sns.messages) == sorted(bodies)
    assert not [finding for finding in invariants.check() if finding.violations]


def test_what_sns_refuses_of_a_batch_is_due_again_and_the_rest_is_sent(many_settled, sns, time_passes):
    own, other = (LiquidationEvent.objects.get(liquidation=pk) for pk in many_settled[:2])
    sns.refused = {own.body, other.body}
    with pytest.raises(EventNotSent, match="InternalError"):
        publish.publish(own.liquidation_id)
    assert sent() == set(many_settled[2:10])
    assert publish.publish_all([other.liquidation_id]) is None
    assert sns.calls == 1, "not before it is due"
    sns.refused.clear()
    time_passes(seconds=20)
    publish.publish_all([own.liquidation_id, other.liquidation_id])
    assert sent() == set(many_settled[:10])
    assert len(sns.messages) == len(set(sns.messages)) == 10
