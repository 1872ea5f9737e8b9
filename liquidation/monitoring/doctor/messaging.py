"""The doctor's checks of topics, queues, subscriptions and markets. Nothing is made, and no order is sent."""

import json
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from coruscant import aws
from coruscant.outbox import TopicMissing, topic_arn
from liquidation.monitoring.doctor.trouble import Trouble
from liquidation.venues import addresses
from loans.events import topic
from pricing.feeds import FEEDS
from pricing.ingest import depth
from pricing.ingest.queue import QueueMissing, queue_url

PROVISION = "Run manage.py provision_messaging."
_CONNECT_SECONDS = 5


def topics_are_there() -> str:
    """Every topic that the service hears or publishes to exists, and somebody hears of liquidations."""
    names = [*(source.topic for source in FEEDS.values()), aws.LIQUIDATION_TOPIC, *filter(None, [topic.named()])]
    missing = []
    for name in names:
        try:
            topic_arn(name)
        except TopicMissing:
            missing.append(name)
    if missing:
        raise Trouble(f"Missing: {', '.join(missing)}.", f"{PROVISION} Subscribers of a topic must subscribe again.")
    if difference := topic.difference_from_setting(topic.named()):
        raise Trouble(difference, "Set LOAN_EVENTS_TOPIC right, or ask for the change: docs/operations.md#queues.")
    if not _subscriptions(aws.LIQUIDATION_TOPIC):
        found = f"Nobody is subscribed to {aws.LIQUIDATION_TOPIC}."
        raise Trouble(found, "Have every branch subscribe before loans are liquidated.", only_with_real_money=True)
    return ", ".join(names)


def queues_are_there() -> str:
    """Every price queue exists, hides messages as long as it should, and has its dead-letter queue."""
    wrong = []
    for source in FEEDS.values():
        for name in (source.queue, source.dead_letter_queue):
            try:
                found = _attributes(name)
            except QueueMissing:
                wrong.append(f"{name} is missing.")
                continue
            if name == source.dead_letter_queue:
                continue
            if found.get("VisibilityTimeout") != str(settings.SQS_VISIBILITY_SECONDS):
                wrong.append(f"{name} hides messages for {found.get('VisibilityTimeout')} s.")
            target = json.loads(found.get("RedrivePolicy", "{}")).get("deadLetterTargetArn", "")
            if not target.endswith(f":{source.dead_letter_queue}"):
                wrong.append(f"{name} has no dead-letter queue of ours.")
    if wrong:
        raise Trouble(" ".join(wrong), PROVISION)
    return ", ".join(source.queue for source in FEEDS.values())


def queues_are_subscribed() -> str:
    """Every price queue hears its market's topic, with raw delivery."""
    wrong = []
    for source in FEEDS.values():
        queue = _attributes(source.queue)["QueueArn"]
        ours = [one for one in _subscriptions(source.topic) if one.get("Endpoint") == queue]
        raw = [aws.sns().get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"]) for one in ours]
        if not any(one["Attributes"].get("RawMessageDelivery") == "true" for one in raw):
            wrong.append(f"{source.queue} does not hear {source.topic} with raw delivery.")
    if wrong:
        raise Trouble(" ".join(wrong), PROVISION)
    return "each price queue hears its market"


def dead_letter_queues_are_empty() -> str:
    """No message was received in vain again and again."""
    dead = {source.dead_letter_queue for source in FEEDS.values()}
    found = [f"{name} has {count}." for name, count in depth.depths().items() if count and name in dead]
    if found:
        raise Trouble(" ".join(found), "See docs/operations.md#-a-dead-letter-queue-has-a-message.")
    return "empty"


def markets_are_reachable() -> str:
    """Each market takes connections, with a certificate that is valid. No order is sent."""
    wrong = []
    for market, url in settings.MARKET_URLS.items():
        address = urlsplit(url)
        port = address.port or (443 if address.scheme == "https" else 80)
        try:
            addresses.resolve(address.hostname or "", port)  # raises where no order would be sent
            with socket.create_connection((address.hostname or "", port), timeout=_CONNECT_SECONDS) as connection:
                if address.scheme == "https":
                    ssl.create_default_context().wrap_socket(connection, server_hostname=address.hostname).close()
        except OSError as error:
            wrong.append(f"{market.label}, at {address.hostname}:{port}: {error}.")
    if wrong:
        names = ", ".join(f"{market.name}_URL" for market in settings.MARKET_URLS)
        raise Trouble(" ".join(wrong), f"Check {names}, the network and the market's certificate; ask the market.")
    return ", ".join(market.label for market in settings.MARKET_URLS)


def _attributes(name: str) -> dict[str, str]:
    """Of a queue. Raises QueueMissing."""
    client = aws.sqs()
    try:
        url = queue_url(name)
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    except client.exceptions.QueueDoesNotExist:
        queue_url.cache_clear()
        raise QueueMissing(name) from None
    return {str(attribute): value for attribute, value in found.items()}


def _subscriptions(name: str) -> list[Any]:
    """All subscriptions of a topic."""
    pages = aws.sns().get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn(name))
    return [one for page in pages for one in page["Subscriptions"]]
