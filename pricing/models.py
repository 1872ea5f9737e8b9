"""Quotes as received, messages that could not be read, and how far each feed is drained and evaluated."""

from typing import Self

from django.db import models
from django.db.models import Q

from pricing.markets import Market


class PriceQuote(models.Model):
    """One price event of one market, as received.

    `sell` and `buy` are lists of [quantity, effective unit price] as decimal strings, ascending by quantity: the
    price in GC a unit at which that many units can be sold or bought, whatever price basis the market prints.
    `market_time` orders quotes within one market only. A quote's age counts from `sent_at`.
    """

    market = models.CharField(max_length=32, choices=Market.choices())
    message_id = models.CharField(max_length=128, help_text="SQS MessageId")
    event_id = models.CharField(max_length=256, null=True, help_text="The market's own event id, where it has one")
    market_time = models.DecimalField(max_digits=40, decimal_places=12, help_text="The market's own time, in seconds")
    sent_at = models.DateTimeField(help_text="When our queue received the event (SentTimestamp)")
    received_at = models.DateTimeField(help_text="When we took it from the queue")
    sell = models.JSONField()
    buy = models.JSONField()
    too_late = models.BooleanField(
        default=False, help_text="Already older than PRICE_MAX_AGE_SECONDS when received: no liquidation on it"
    )
    evaluated_at = models.DateTimeField(null=True, help_text="When all loans had been evaluated by it; empty = not yet")

    class Meta:
        ordering = ("-sent_at", "-id")
        constraints = [
            models.UniqueConstraint(fields=["market", "message_id"], name="a_message_is_one_quote"),
            models.UniqueConstraint(fields=["market", "event_id"], name="an_event_is_one_quote"),
            models.CheckConstraint(condition=Q(market__in=list(Market)), name="a_quote_is_of_a_known_market"),
            models.CheckConstraint(
                condition=Q(too_late=False) | Q(evaluated_at__isnull=False), name="a_late_quote_is_never_evaluated"
            ),
        ]
        indexes = [
            models.Index(fields=["market", "-sent_at"], name="quote_by_market_and_age"),
            models.Index(fields=["sent_at"], name="quote_not_yet_evaluated", condition=Q(evaluated_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{Market(self.market).label} at {self.sent_at:%Y-%m-%d %H:%M:%S}"


class Feed(models.Model):
    """How far one market's queue has been read, and the outcomes of all messages received from it.

    `drained_to`: every message sent before this instant has been received. `quotes`, `duplicates`, `skipped` and
    `rejected` add up to `received`. `poller` and `polled_until` are the poller's lock, which expires by itself.
    """

    market = models.CharField(max_length=32, choices=Market.choices(), primary_key=True)
    drained_to = models.DateTimeField(null=True)
    polled_at = models.DateTimeField(null=True, help_text="Last receive, an empty one too")
    polled_until = models.DateTimeField(null=True, help_text="One poller at a time, until then at the latest")
    poller = models.UUIDField(null=True)
    in_flight_until = models.DateTimeField(
        null=True,
        help_text="A poller ended with messages it had not recorded: the queue may hide them until then, and until"
        " then no receive proves it drained",
    )
    received = models.BigIntegerField(default=0)
    quotes = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0, help_text="Prices of other items")
    rejected = models.BigIntegerField(default=0)
    pruned = models.BigIntegerField(default=0, help_text="Quotes removed by retention")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    received=models.F("quotes") + models.F("duplicates") + models.F("skipped") + models.F("rejected")
                ),
                name="every_message_has_one_outcome",
            )
        ]

    def __str__(self) -> str:
        return Market(self.market).label

    @classmethod
    def locked(cls, market: Market) -> Self:
        """A feed's row, locked for this transaction; made if the market is new."""
        feed, _made = cls.objects.select_for_update().get_or_create(market=market)
        return feed


class FeedEvaluation(models.Model):
    """How far a feed was known to be drained at the last evaluation. Expiries confirmed later are new to the next one.

    Written by evaluations only. It is no column of `Feed`, whose rows the ingestion locks: neither may wait for the
    other.
    """

    market = models.CharField(max_length=32, choices=Market.choices(), primary_key=True)
    known_drained_to = models.DateTimeField()

    def __str__(self) -> str:
        return f"{Market(self.market).label} to {self.known_drained_to:%Y-%m-%d %H:%M:%S}"


class RejectedMessage(models.Model):
    """A queue message that could not be read or recorded, kept whole for a person to look at."""

    market = models.CharField(max_length=32, choices=Market.choices())
    queue = models.CharField(max_length=128)
    message_id = models.CharField(max_length=128)
    body = models.TextField()
    reason = models.TextField()
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        ordering = ("-received_at", "-id")
        constraints = [models.UniqueConstraint(fields=["queue", "message_id"], name="a_message_is_rejected_once")]

    def __str__(self) -> str:
        return f"{self.queue}: {self.reason}"
