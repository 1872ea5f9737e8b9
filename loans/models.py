"""Loans, their collateral, their margin calls, and the requests that made them.

Written only by `applications`, `postings`, `activation`, `margin_calls`, `margin_notices`, `sales` and `terms`; their
events by `events.write`.
"""

from functools import cached_property

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import NullIf

from coruscant.fields import AmountField
from coruscant.history.records import AuditedHistory
from coruscant.money import ZERO, decimal_string
from loans.risk import Thresholds


class LoanStatus(models.TextChoices):
    """The states of a loan, in the only order they are passed."""

    NEW = "new", "New"
    ACTIVE = "active", "Active"
    LIQUIDATING = "liquidating", "Liquidating"
    LIQUIDATED = "liquidated", "Liquidated"


class LoanTerms(models.Model):
    """The LTVs at which something happens to a loan, as ratios. A loan keeps the terms it was opened under.

    Version 1 is made of the settings by `migrate` and holds since ever; each later one holds for loans opened from
    `valid_from` on, and was made by two people. The database refuses to change or delete a row.
    """

    version = models.PositiveIntegerField(primary_key=True)
    activation_ltv = AmountField()
    margin_call_ltv = AmountField()
    margin_call_clear_ltv = AmountField()
    liquidation_ltv = AmountField()
    valid_from = models.DateTimeField(null=True, help_text="For loans opened from then on; empty: since ever")
    asked_by = models.CharField(max_length=150, blank=True, default="")
    agreed_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        ordering = ("-version",)
        verbose_name_plural = "loan terms"
        constraints = [
            models.CheckConstraint(
                condition=Q(activation_ltv__gt=0)
                & Q(margin_call_clear_ltv__gt=0)
                & Q(activation_ltv__lt=F("liquidation_ltv"))
                & Q(margin_call_clear_ltv__lte=F("margin_call_ltv"))
                & Q(margin_call_ltv__lte=F("liquidation_ltv"))
                & Q(liquidation_ltv__lte=1),
                name="the_ltvs_of_terms_are_in_order",
            ),
            models.CheckConstraint(
                condition=Q(version=1, valid_from__isnull=True, asked_by="", agreed_by="")
                | (Q(version__gt=1, valid_from__isnull=False) & ~Q(asked_by="") & ~Q(agreed_by="")),
                name="two_people_made_all_terms_but_the_first",
            ),
        ]

    def __str__(self) -> str:
        return f"terms {self.version}"

    @cached_property
    def thresholds(self) -> Thresholds:
        """The four LTVs, for the rules."""
        return Thresholds(
            activation_ltv=self.activation_ltv,
            margin_call_ltv=self.margin_call_ltv,
            margin_call_clear_ltv=self.margin_call_clear_ltv,
            liquidation_ltv=self.liquidation_ltv,
        )


class Loan(models.Model):
    """A loan of GC against units of Beskar.

    `collateral` (units) is what is left: postings less what fills have sold. `outstanding_balance` (GC) is the
    amount less the proceeds of fills, never below zero. `debt_per_unit` (GC a unit) is computed by the database:
    the price at which LTV would be 100 %, so every LTV rule can be searched by one range scan.
    """

    loan_id = models.CharField(max_length=128)
    borrower_id = models.CharField(max_length=128)
    amount = AmountField()
    collateral = AmountField(default=ZERO)
    outstanding_balance = AmountField()
    status = models.CharField(max_length=16, choices=LoanStatus.choices, default=LoanStatus.NEW)
    debt_per_unit = models.GeneratedField(
        expression=F("outstanding_balance") / NullIf(F("collateral"), models.Value(0, output_field=AmountField())),
        output_field=models.DecimalField(max_digits=70, decimal_places=24, null=True),
        db_persist=True,
    )
    # No index of its own: those of new and of active loans begin with this column.
    terms = models.ForeignKey(LoanTerms, on_delete=models.PROTECT, related_name="loans", db_index=False)
    request_id = models.CharField(max_length=128, help_text="The application's requestId")
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    activation_price = AmountField(null=True, help_text="GC a unit; empty if it was activated before this was kept")
    prices_apply_from = models.DateTimeField(
        null=True, help_text="Prices that ended before this instant do not apply to the loan"
    )

    history = AuditedHistory(unaudited=["debt_per_unit"])

    class Meta:
        ordering = ("-id",)
        constraints = [
            # Not `unique=True`, which makes a second index, for LIKE: every change of a loan would write to it, and
            # with the collation C.UTF-8 (docs/operations.md) this one serves LIKE as well.
            models.UniqueConstraint(fields=["loan_id"], name="one_loan_a_loan_id"),
            models.CheckConstraint(condition=Q(status__in=LoanStatus.values), name="a_loan_has_a_known_status"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_loan_has_a_positive_amount"),
            models.CheckConstraint(condition=Q(collateral__gte=0), name="collateral_is_never_negative"),
            models.CheckConstraint(
                condition=Q(outstanding_balance__gte=0) & Q(outstanding_balance__lte=F("amount")),
                name="a_balance_is_between_zero_and_the_amount",
            ),
            models.CheckConstraint(
                condition=Q(status="new", activated_at__isnull=True, prices_apply_from__isnull=True)
                | (~Q(status="new") & Q(activated_at__isnull=False, prices_apply_from__isnull=False)),
                name="a_loan_is_activated_once_it_is_not_new",
            ),
        ]
        indexes = [
            models.Index(
                fields=["terms", "debt_per_unit", "id"],
                include=["outstanding_balance", "collateral"],  # the book is summed without reading a row (0033)
                name="active_by_terms_and_debt",
                condition=Q(status="active"),
            ),
            models.Index(
                fields=["terms", "debt_per_unit", "id"], name="new_by_terms_and_debt", condition=Q(status="new")
            ),
            models.Index(fields=["status", "-id"], name="loans_by_status"),
            models.Index(fields=["borrower_id", "-id"], name="loans_by_borrower"),
        ]

    def __str__(self) -> str:
        return self.loan_id


class CollateralPosting(models.Model):
    """Units of Beskar posted for a loan: the first collateral and every top-up."""

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="postings")
    amount = AmountField(help_text="Units of Beskar")
    request_id = models.CharField(max_length=128)
    created_at = models.DateTimeField()

    history = AuditedHistory()

    class Meta:
        ordering = ("-id",)
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="a_posting_is_positive")]

    def __str__(self) -> str:
        return f"{decimal_string(self.amount)} units for {self.loan}"


class MarginCall(models.Model):
    """A margin call: LTV reached the margin call LTV. Closed when LTV falls below the clearing LTV, or by a claim."""

    class CloseReason(models.TextChoices):
        """Why a margin call ended."""

        CLEARED = "cleared", "LTV fell below the clearing threshold"
        CLAIMED = "claimed", "The loan was claimed for liquidation"

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="margin_calls")
    terms = models.ForeignKey(
        LoanTerms, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="The loan's, at the call"
    )
    price = AmountField(help_text="GC a unit, at the instant of the call")
    price_at = models.DateTimeField()
    outstanding_balance = AmountField(help_text="GC, at the call")
    collateral = AmountField(help_text="Units, at the call")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=16, choices=CloseReason.choices, blank=True, default="")
    cleared_to = models.DateTimeField(
        null=True, help_text="End of the price that cleared it: what ended no later opens no other margin call"
    )

    history = AuditedHistory()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["loan"], condition=Q(closed_at__isnull=True), name="one_open_margin_call_a_loan"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, close_reason="")
                | (Q(closed_at__isnull=False) & Q(close_reason__in=["cleared", "claimed"])),
                name="a_closed_margin_call_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"margin call of {self.opened_at:%Y-%m-%d %H:%M}"


class MarginNotice(models.Model):
    """A notice before a margin call: LTV reached MARGIN_NOTICE_LTV. A loan gets no other until its last one has ended.

    It ends when LTV falls below the clearing LTV, by a margin call, or by a claim. Nothing else of it ever changes.
    """

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="margin_notices")
    notice_ltv = AmountField(help_text="MARGIN_NOTICE_LTV at the notice")
    price = AmountField(help_text="GC a unit, at the instant of the notice")
    price_at = models.DateTimeField()
    outstanding_balance = AmountField(help_text="GC, at the notice")
    collateral = AmountField(help_text="Units, at the notice")
    noticed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["loan"], condition=Q(ended_at__isnull=True), name="one_open_margin_notice_a_loan"
            ),
        ]

    def __str__(self) -> str:
        return f"notice of {self.noticed_at:%Y-%m-%d %H:%M}"


class AcceptedRequest(models.Model):
    """An API request that took effect, with the body it was answered with, for replay byte for byte."""

    class Endpoint(models.TextChoices):
        """Where the request came in: request ids are scoped by endpoint and client."""

        LOAN_APPLICATIONS = "loan-applications", "Loan applications"
        COLLATERAL_TOP_UPS = "collateral-top-ups", "Collateral top-ups"

    client = models.CharField(max_length=150, help_text="Name of the calling client's user; empty = anonymous")
    endpoint = models.CharField(max_length=32, choices=Endpoint.choices)
    request_id = models.CharField(max_length=128)
    content_digest = models.CharField(max_length=64, help_text="SHA-256 of the known fields")
    response_body = models.TextField()
    # No index, which each request would write to: nothing reads the requests of a loan.
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="accepted_requests", db_index=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "endpoint", "request_id"], name="one_request_one_effect")
        ]
        indexes = [
            # The loans that a client has opened (0037). Postings are not in it.
            models.Index(
                fields=["client", "-loan"], name="applications_by_client", condition=Q(endpoint="loan-applications")
            )
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.request_id}"


# Where Django looks for an app's models.
from loans.clients.models import ApiClient, CredentialUse  # noqa: E402, F401
from loans.events.models import LoanEvent, LoanEventTopic  # noqa: E402, F401
