"""Statements of the markets, their trades, and where they differ from the books."""

from django.db import models
from django.db.models import F, Q

from coruscant.fields import AmountField
from coruscant.history.records import AuditedHistory
from pricing.markets import Market


class Reconciliation(models.Model):
    """A market's statement of what it traded in a period, which was compared with the books."""

    market = models.CharField(max_length=32, choices=Market.choices())
    period_from = models.DateTimeField(help_text="It states every trade from then on")
    period_to = models.DateTimeField(help_text="… to then")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file")
    trades = models.PositiveIntegerField(help_text="Lines of the file")
    units = AmountField(help_text="Of all trades together")
    proceeds = AmountField(help_text="GC, of all trades together")
    compared_at = models.DateTimeField(help_text="The last time, if the same file was compared again")
    compared_by = models.CharField(max_length=150)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["market", "digest", "period_from", "period_to"], name="a_statement_is_compared_once"
            ),
            models.CheckConstraint(condition=Q(period_from__lte=F("period_to")), name="a_period_ends_after_it_begins"),
        ]

    def __str__(self) -> str:
        return f"statement {self.pk} of {Market(self.market).label}"


class StatementTrade(models.Model):
    """A line of a statement: units that a market says it traded, for GC in total. Kept for good."""

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="lines", db_index=False)
    market = models.CharField(max_length=32, choices=Market.choices())
    request_id = models.CharField(max_length=128)
    units = AmountField()
    proceeds = AmountField()
    traded_at = models.DateTimeField(help_text="By the market's clock")

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["market", "request_id", "traded_at", "units", "proceeds"], name="a_stated_trade_is_kept_once"
            )
        ]

    def __str__(self) -> str:
        return self.request_id


class Kind(models.TextChoices):
    """How a statement and the books differ."""

    UNKNOWN = "unknown", "The books do not know the order"
    UNBOOKED = "unbooked", "The books know the order, but no trade of it"
    FIGURES = "figures", "The figures differ"
    MISSING = "missing", "The market does not state a trade that the books have"


class DifferenceStatus(models.TextChoices):
    """What became of a difference."""

    OPEN = "open", "Open"
    ADOPTED = "adopted", "Adopted: the trade was booked"
    EXPLAINED = "explained", "Explained by two people"
    GONE = "gone", "Gone: the books agree by now"


#: The trade of such a difference can be booked.
ADOPTABLE = (Kind.UNKNOWN, Kind.UNBOOKED)


class ReconciliationDifference(models.Model):
    """A request whose trades a market states otherwise than the books do; open until somebody has dealt with it.

    `units` and `proceeds` are what the market states in total, empty if it states nothing. The loan of an unknown
    order is found by computing the ids of orders: `number` is the one that fits.
    """

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="differences")
    market = models.CharField(max_length=32, choices=Market.choices())
    request_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    status = models.CharField(max_length=16, choices=DifferenceStatus.choices, default=DifferenceStatus.OPEN)
    units = AmountField(null=True)
    proceeds = AmountField(null=True)
    traded_at = models.DateTimeField(null=True, help_text="The first trade, by the market's clock")
    loan = models.ForeignKey("loans.Loan", on_delete=models.PROTECT, null=True, related_name="+")
    number = models.PositiveIntegerField(null=True, help_text="Of the order at its market")
    order = models.ForeignKey("liquidation.TradeOrder", on_delete=models.PROTECT, null=True, related_name="+")
    found_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True, default="", help_text="The explanation")

    history = AuditedHistory()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["market", "request_id"], condition=Q(status="open"), name="one_open_difference_a_request"
            ),
            models.CheckConstraint(
                condition=Q(status="open", closed_at__isnull=True) | (~Q(status="open") & Q(closed_at__isnull=False)),
                name="a_difference_is_open_until_it_is_closed",
            ),
            models.CheckConstraint(
                condition=Q(kind="missing", units__isnull=True, proceeds__isnull=True, traded_at__isnull=True)
                | (~Q(kind="missing") & Q(units__gt=0, proceeds__gt=0, traded_at__isnull=False)),
                name="what_a_market_states_has_figures",
            ),
            models.CheckConstraint(condition=~Q(status="explained") | ~Q(note=""), name="an_explanation_says_why"),
        ]

    def __str__(self) -> str:
        return f"difference {self.pk}"
