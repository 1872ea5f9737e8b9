"""Topics, queues, subscriptions and markets: each is found wrong when it is. A real SNS and SQS."""

import socket

import pytest

from coruscant import aws
from coruscant.outbox import topic_arn
from liquidation.monitoring.doctor import messaging
from liquidation.monitoring.doctor.trouble import Trouble
from pricing.feeds import FEEDS
from pricing.ingest.queue import queue_url
from pricing.markets import Market

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("well")]

SOURCE = FEEDS[Market.MOS_ESPA]


def trouble(check):
    with pytest.raises(Trouble) as raised:
        check()
    assert raised.value.remedy
    return raised.value.found


def test_a_topic_that_is_missing_is_named():
    assert messaging.topics_are_there()
    aws.sns().delete_topic(TopicArn=topic_arn(SOURCE.topic))
    topic_arn.cache_clear()
    assert trouble(messaging.topics_are_there) == f"Missing: {SOURCE.topic}."


def test_a_topic_that_nobody_hears_is_named():
    for one in messaging._subscriptions(aws.LIQUIDATION_TOPIC):
        aws.sns().unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    assert trouble(messaging.topics_are_there) == f"Nobody is subscribed to {aws.LIQUIDATION_TOPIC}."


def test_a_queue_that_is_missing_or_hides_messages_for_too_long_is_named():
    assert messaging.queues_are_there()
    aws.sqs().set_queue_attributes(QueueUrl=queue_url(SOURCE.queue), Attributes={"VisibilityTimeout": "300"})
    assert trouble(messaging.queues_are_there) == f"{SOURCE.queue} hides messages for 300 s."
    aws.sqs().delete_queue(QueueUrl=queue_url(SOURCE.dead_letter_queue))
    assert f"{SOURCE.dead_letter_queue} is missing." in trouble(messaging.queues_are_there)


def test_a_queue_that_does_not_hear_its_market_is_named():
    assert messaging.queues_are_subscribed()
    for one in messaging._subscriptions(SOURCE.topic):
        aws.sns().unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    expected = f"{SOURCE.queue} does not hear {SOURCE.topic} with raw delivery."
    assert trouble(messaging.queues_are_subscribed) == expected


def test_a_dead_letter_is_found():
    assert messaging.dead_letter_queues_are_empty() == "empty"
    aws.sqs().send_message(QueueUrl=queue_url(SOURCE.dead_letter_queue), MessageBody="read in vain")
    assert trouble(messaging.dead_letter_queues_are_empty) == f"{SOURCE.dead_letter_queue} has 1."


def test_a_market_that_does_not_listen_or_has_no_certificate_is_named(settings):
    assert messaging.markets_are_reachable() == "Mos Espa, Tatooine, Black Spire Outpost, Batuu"
    listening = settings.MARKET_URLS[Market.MOS_ESPA]
    settings.MARKET_URLS = {Market.MOS_ESPA: listening, Market.BLACK_SPIRE_OUTPOST: "http://127.0.0.1:1"}
    found = trouble(messaging.markets_are_reachable)
    assert found.startswith("Black Spire Outpost, Batuu, at 127.0.0.1:1:")
    with socket.create_server(("127.0.0.1", 0)) as closes:
        closes.settimeout(0)
        settings.MARKET_URLS = {Market.MOS_ESPA: f"https://127.0.0.1:{closes.getsockname()[1]}"}
        messaging._CONNECT_SECONDS, before = 0.3, messaging._CONNECT_SECONDS
        try:
            assert trouble(messaging.markets_are_reachable).startswith("Mos Espa, Tatooine, at 127.0.0.1:")
        finally:
            messaging._CONNECT_SECONDS = before


def test_a_market_that_leads_inside_is_named_where_money_is_real(settings):
    settings.DEMO = False
    assert trouble(messaging.markets_are_reachable).startswith("Mos Espa, Tatooine, at 127.0.0.1:")
    settings.MARKET_URLS_REASON = "a tunnel ends here"
    assert messaging.markets_are_reachable()
