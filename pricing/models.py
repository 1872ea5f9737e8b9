"""Quotes as received, messages that could not be read, how far each feed is drained and evaluated, and the guard."""

from typing import Self

from django.db import models
from django.db.models import Q

from pricing.guard import Alone, Mode
from pricing.markets import Market


class PriceQuote(models.Model):
    """One price event of one market, as received.

    `sell` and `buy` are lists of [quantity, effective unit price] as decimal strings, ascending by quantity: the
    price in GC a unit at which that many units can be sold or bought, whatever price basis the market prints.
    `market_time` orders quotes within one market only. A quote's age counts from `sent_at`. `effective_from`, `alone`
    and `confirmed_by` are what the last evaluation of a quote found (see `pricing.guard`): nothing decides by them but
    how far back the quotes must be read.
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
    effective_from = models.DateTimeField(
        null=True, help_text="Since when it was its market's price, as evaluated; empty = never, or not known yet"
    )
    alone = models.CharField(
        max_length=8,
        choices=[(way.value, way.name.title()) for way in Alone],
        blank=True,
        default=Alone.NO,
        db_default=Alone.NO,
        help_text="The jump by which its market came to this level, if no other market bears that out",
    )
    confirmed_by = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="The quote that confirmed it, if it was a jump"
    )

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
            models.Index(
                fields=["sent_at"],
                name="remarkable_quotes",  # few, which people look for
                condition=Q(too_late=True)
                | ~Q(alone=Alone.NO)
                | ~Q(confirmed_by="")
                | Q(effective_from__isnull=True, evaluated_at__isnull=False),
            ),
            models.Index(
                fields=["market", "-effective_from"],
                name="effective_quote_by_market",
                condition=Q(effective_from__isnull=False),
            ),
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
    """A queue message that could not be read or recorded, kept for a person to look at.

    Only the beginning of a body is kept, and only for QUOTE_RETENTION_DAYS (pricing/ingest/rejected.py). The rest of
    the row stays: `Feed.rejected` counts it, and the digest still tells whether a body is the same.
    """

    market = models.CharField(max_length=32, choices=Market.choices())
    queue = models.CharField(max_length=128)
    message_id = models.CharField(max_length=128)
    body = models.TextField()
    body_sha256 = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="Of the whole body, as it came"
    )
    reason = models.TextField()
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        ordering = ("-received_at", "-id")
        constraints = [models.UniqueConstraint(fields=["queue", "message_id"], name="a_message_is_rejected_once")]
        # Bodies that may have to go: asked for at every recovery, over a table that only grows.
        indexes = [models.Index(fields=["received_at"], condition=~Q(body=""), name="rejected_bodies")]

    def __str__(self) -> str:
        return f"{self.queue}: {self.reason}"


class PriceGuard(models.Model):
    """The guard's settings from an instant on. Append-only: the row that began last holds.

    `jump`, `agreement` and `dispute` are shares of a price, as in `pricing.guard.Guard`. The row made by the migration
    holds from the beginning; every other one was asked by one person and agreed to by another, and why is in their
    approval.
    """

    holds_from = models.DateTimeField()
    mode = models.CharField(max_length=8, choices=[(mode.value, mode.name.title()) for mode in Mode])
    jump = models.DecimalField(max_digits=8, decimal_places=4)
    agreement = models.DecimalField(max_digits=8, decimal_places=4)
    dispute = models.DecimalField(max_digits=8, decimal_places=4)
    changed_by = models.CharField(max_length=310, help_text="The two people, or `migration`")

    class Meta:
        ordering = ("-holds_from", "-id")
        constraints = [
            models.CheckConstraint(condition=Q(mode__in=list(Mode)), name="a_guard_has_a_known_mode"),
            models.CheckConstraint(
                condition=Q(jump__gt=0, agreement__gt=0, agreement__lt=models.F("jump"), dispute__gt=0, jump__lt=1),
                name="a_guard_agrees_on_less_than_a_jump",
            ),
            models.CheckConstraint(condition=~Q(changed_by=""), name="a_guard_says_who"),
        ]

    def __str__(self) -> str:
        return f"{self.mode}: jump {self.jump}, agreement {self.agreement}, dispute {self.dispute}"


class HeldJump(models.Model):
    """A quote that the guard did not believe at once, or that it would not have if it had not only watched.

    Written once it was no longer pending. `price` and `against` are in GC a unit for the reference quantity; empty if
    the curve does not reach that. Append-only.
    """

    class Outcome(models.TextChoices):
        """How it ended."""

        CONFIRMED = "confirmed", "Confirmed"
        REPLACED = "replaced", "Replaced by another quote"
        EXPIRED = "expired", "Expired"

    market = models.CharField(max_length=32, choices=Market.choices())
    reference = models.CharField(max_length=256)
    sent_at = models.DateTimeField()
    price = models.DecimalField(max_digits=44, decimal_places=24, null=True)
    against = models.DecimalField(max_digits=44, decimal_places=24, null=True)
    mode = models.CharField(max_length=8, choices=[(mode.value, mode.name.title()) for mode in Mode])
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    by = models.CharField(max_length=300, blank=True, help_text="The quote that confirmed or replaced it")
    ended_at = models.DateTimeField()

    class Meta:
        ordering = ("-sent_at", "-id")
        constraints = [models.UniqueConstraint(fields=["market", "reference", "sent_at"], name="a_jump_is_held_once")]

    def __str__(self) -> str:
        return f"{Market(self.market).label}: {self.reference}, {self.get_outcome_display()}"
