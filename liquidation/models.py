"""A loan's liquidation, the orders that sell its collateral, and the event that is published about it."""

import uuid

from django.db import models
from django.db.models import F, Q

from coruscant.fields import AmountField
from coruscant.history.records import AuditedHistory
from coruscant.money import ZERO
from coruscant.outbox import OutboxEvent
from coruscant.restores.models import Restore
from loans.models import Loan, LoanTerms
from pricing.markets import Market


class LiquidationStatus(models.TextChoices):
    """Where a liquidation stands."""

    SELLING = "selling", "Selling"
    WAITING = "waiting", "Waiting for a person"
    SETTLED = "settled", "Settled"


#: A liquidation is settled once; these are what it is before.
UNSETTLED_STATUSES = (LiquidationStatus.SELLING, LiquidationStatus.WAITING)


_ONLY_WHEN_SETTLED = ("settled_at__isnull", "surplus__isnull", "shortfall__isnull", "collateral_left__isnull")


class Liquidation(models.Model):
    """The one liquidation of a loan, from its claim to its settlement.

    The claim's figures (price, balance, collateral, evidence) never change; the sale's figures grow with every
    fill; shortfall and surplus are fixed at settlement. The lease (`fence`, `leased_until`) lets one worker sell
    at a time; `due_at` is when recovery takes the liquidation up again.
    """

    loan = models.OneToOneField(Loan, on_delete=models.PROTECT, related_name="liquidation")
    status = models.CharField(max_length=16, choices=LiquidationStatus.choices, default=LiquidationStatus.SELLING)
    correlation_id = models.CharField(max_length=400, help_text="The price event behind the claim")
    price = AmountField(help_text="Best price at the claim, GC a unit")
    price_at = models.DateTimeField(help_text="The instant of that price")
    terms = models.ForeignKey(
        LoanTerms, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="The loan's, at the claim"
    )
    evidence = models.JSONField(help_text="The quotes behind the price")
    balance_at_claim = AmountField(help_text="GC owed")
    collateral_at_claim = AmountField(help_text="Units")
    claimed_at = models.DateTimeField()
    collateral_sold = AmountField(default=ZERO, help_text="Units sold so far")
    proceeds = AmountField(default=ZERO, help_text="GC received so far")
    surplus = AmountField(null=True, help_text="Proceeds above what was owed, GC, for the client")
    shortfall = AmountField(null=True, help_text="What the sale could not cover, GC")
    collateral_left = AmountField(null=True, help_text="Units to be returned to the client")
    settled_at = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    enqueued_at = models.DateTimeField(null=True, help_text="When a task for it was last sent: not again for a while")
    held_by = models.ForeignKey(
        Restore, on_delete=models.PROTECT, null=True, related_name="held_sales", db_index=False,
        help_text="Neither sold nor published before statements of the markets have been compared",
    )  # fmt: skip
    orders_may_be_missing = models.BooleanField(
        default=False, db_default=False, help_text="Since a restore, the markets may know orders that the books do not"
    )

    history = AuditedHistory(
        unaudited=["fence", "leased_until", "due_at", "enqueued_at", "held_by", "orders_may_be_missing"]
    )

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=LiquidationStatus.values), name="a_liquidation_has_a_known_status"
            ),
            models.CheckConstraint(
                condition=Q(collateral_sold__lte=F("collateral_at_claim")), name="never_more_sold_than_claimed"
            ),
            models.CheckConstraint(
                condition=Q(collateral_sold__gte=0) & Q(proceeds__gte=0), name="sales_are_never_negative"
            ),
            models.CheckConstraint(
                condition=Q(status="settled", **dict.fromkeys(_ONLY_WHEN_SETTLED, False))
                | (~Q(status="settled") & Q(**dict.fromkeys(_ONLY_WHEN_SETTLED, True))),
                name="settlement_fixes_all_figures",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="liquidations_due", condition=Q(status="selling")),
            models.Index(
                fields=["status", "-id"],
                include=["claimed_at", "balance_at_claim", "proceeds"],  # what the overview sums of those not settled
                name="liquidations_by_status",
            ),
            # After a crash of prices few of those that are sold have begun.
            models.Index(fields=["id"], name="liquidations_begun", condition=Q(status="selling", fence__gt=0)),
            models.Index(fields=["held_by"], name="liquidations_held", condition=Q(held_by__isnull=False)),
            models.Index(fields=["balance_at_claim"], name="liquidations_by_debt"),  # "over 10,000 GC" on the desk
        ]

    def __str__(self) -> str:
        return f"liquidation of {self.loan}"


class OrderStatus(models.TextChoices):
    """What is known of an order."""

    OPEN = "open", "Open: no answer yet"
    UNKNOWN = "unknown", "Unknown: the answers do not prove enough, it is sent again"
    UNRESOLVED = "unresolved", "Unresolved: a person must find out"
    FILLED = "filled", "Filled"
    REFUSED = "refused", "Refused: nothing was traded"


#: An order in one of these may still trade, or may have traded: no other order is sent for its liquidation.
PENDING_ORDER_STATUSES = (OrderStatus.OPEN, OrderStatus.UNKNOWN, OrderStatus.UNRESOLVED)


class TradeOrder(models.Model):
    """One order to one market. `request_id` and `payload` never change, however often it is sent.

    `quantity` is what was ordered and `units_traded` what the market traded, in units; `proceeds` in GC.
    """

    # No index of its own: `orders_are_numbered` begins with this column.
    liquidation = models.ForeignKey(Liquidation, on_delete=models.PROTECT, related_name="orders", db_index=False)
    sequence = models.PositiveIntegerField(help_text="1 for a liquidation's first order")
    market = models.CharField(max_length=32, choices=Market.choices())
    number = models.PositiveIntegerField(
        default=0, db_default=0,
        help_text="1 for its loan's first order at this market; the request id is made of it. 0: from before that",
    )  # fmt: skip
    request_id = models.CharField(max_length=64)
    quantity = AmountField(help_text="Units ordered")
    quoted_unit_price = AmountField(help_text="GC a unit expected for this quantity when it was sized")
    payload = models.TextField(help_text="The body as sent, every time")
    status = models.CharField(max_length=16, choices=OrderStatus.choices, default=OrderStatus.OPEN)
    venue_order_id = models.CharField(max_length=256, blank=True, default="")
    units_traded = AmountField(null=True)
    proceeds = AmountField(null=True)
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, help_text="When the final verdict was booked")
    sends = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(help_text="Not to be sent again before then")
    refusals_prove_nothing = models.BooleanField(
        default=False, db_default=False, help_text="A restore may have lost sends of it, or an order of the same id"
    )

    history = AuditedHistory(unaudited=["sends", "due_at", "refusals_prove_nothing"])

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["request_id"], name="one_order_a_request_id"),
            models.UniqueConstraint(fields=["liquidation", "sequence"], name="orders_are_numbered"),
            models.UniqueConstraint(
                fields=["liquidation"],
                condition=Q(status__in=["open", "unknown", "unresolved"]),
                name="one_pending_order_a_liquidation",
            ),
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="an_order_has_a_known_status"),
            models.CheckConstraint(condition=Q(market__in=list(Market)), name="an_order_goes_to_a_known_market"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="an_order_sells_something"),
            models.CheckConstraint(
                condition=Q(
                    status="filled",
                    units_traded__gt=0,
                    units_traded__lte=F("quantity"),
                    proceeds__gt=0,
                    answered_at__isnull=False,
                )
                | Q(status="refused", units_traded__isnull=True, proceeds__isnull=True, answered_at__isnull=False)
                | Q(
                    status__in=["open", "unknown", "unresolved"],
                    units_traded__isnull=True,
                    proceeds__isnull=True,
                    answered_at__isnull=True,
                ),
                name="only_a_fill_has_figures_and_they_fit",
            ),
        ]
        indexes = [
            models.Index(fields=["venue_order_id"], name="orders_by_market_id", condition=~Q(venue_order_id="")),
            models.Index(fields=["market", "status", "-id"], name="orders_by_market_and_status"),
        ]

    def __str__(self) -> str:
        return self.request_id


class OrderAnswer(models.Model):
    """What came back for one send of an order. The database refuses to change or delete it.

    `stale`: the worker that heard it had lost its lease, so it decided nothing. A person who decides sees it.
    """

    # No index of its own: `one_answer_a_send` begins with this column.
    order = models.ForeignKey(TradeOrder, on_delete=models.PROTECT, related_name="answers", db_index=False)
    send = models.PositiveIntegerField(help_text="The send that it answers: 1 for the first")
    received_at = models.DateTimeField(help_text="When it was booked")
    kind = models.CharField(max_length=32)
    text = models.TextField(help_text="What the market said, shortened")
    stale = models.BooleanField(default=False)

    class Meta:
        ordering = ("order", "send")
        constraints = [
            # A restored database counts sends anew, so a worker from before may bring a second answer to one: stale.
            models.UniqueConstraint(fields=["order", "send", "stale"], name="one_answer_a_send")
        ]
        indexes = [models.Index(fields=["order"], name="stale_answers", condition=Q(stale=True))]

    def __str__(self) -> str:
        return f"{self.kind}, to send {self.send}"


class LiquidationEvent(OutboxEvent):
    """The outbox: one event a settled liquidation, whose body never changes, sent until SNS has taken it."""

    liquidation = models.OneToOneField(Liquidation, on_delete=models.PROTECT, related_name="event")
    event_id = models.UUIDField(unique=True, default=uuid.uuid4)
    enqueued_at = models.DateTimeField(null=True, help_text="When a task for it was last sent: not again for a while")

    history = AuditedHistory(unaudited=["sends", "due_at", "enqueued_at"])

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["due_at"], name="events_due", condition=Q(sent_at__isnull=True)),
        ]


class Venue(models.Model):
    """A market's circuit breaker: after several failures in a row it gets no new orders for a while, then a probe.

    Only a hint for where to send the next order: losing a count costs nothing.
    """

    market = models.CharField(max_length=32, choices=Market.choices(), primary_key=True)
    failures_in_row = models.PositiveIntegerField(default=0)
    paused_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return Market(self.market).label


class ClaimFailure(models.Model):
    """A breached loan whose claim the database refused: skipped, and shown to a person."""

    loan = models.OneToOneField(Loan, on_delete=models.PROTECT, related_name="claim_failure")
    price = AmountField(help_text="GC a unit, at the latest try")
    reason = models.TextField()
    failed_at = models.DateTimeField()

    class Meta:
        ordering = ("-failed_at",)

    def __str__(self) -> str:
        return f"claim of {self.loan} failed"


from liquidation.controls.models import WithheldClaim  # noqa: E402, F401  (where Django looks for an app's models)
from liquidation.reconciliation.models import (  # noqa: E402, F401
    Reconciliation,
    ReconciliationDifference,
    StatementTrade,
)
