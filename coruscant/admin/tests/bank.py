"""A small bank with a row in every table, for the tests of the admin."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group, User
from django.core.cache import cache
from knox.models import AuthToken

from coruscant import clock, history
from coruscant.admin import groups
from coruscant.approvals.models import Approval
from coruscant.controls.models import Control
from liquidation.controls.models import WithheldClaim
from liquidation.models import ClaimFailure, Liquidation, LiquidationEvent, OrderAnswer, TradeOrder, Venue
from loans.clients.models import ApiClient, CredentialUse
from loans.events.models import LoanEvent, LoanEventTopic
from loans.models import AcceptedRequest, CollateralPosting, Loan, MarginCall, MarginNotice
from pricing.models import Feed, FeedEvaluation, PriceQuote, RejectedMessage

THEN = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)


def make_person(name: str, *of_groups: str) -> User:
    """A person of the bank in these groups, who has no password: hashing one would be most of a test's time."""
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(*Group.objects.filter(name__in=of_groups))
    return user


def make_representative(name: str = "ahsoka") -> User:
    """Somebody who may do all that any group may."""
    return make_person(name, *groups.COMMANDS)


def set_price(price: str | None) -> None:
    """A live quote of Mos Espa at this price, or none at all."""
    PriceQuote.objects.all().delete()
    Feed.objects.all().delete()
    if price is not None:
        now = clock.now()
        levels = [[str(quantity), price] for quantity in (1, 10, 50, 100)]
        PriceQuote.objects.create(
            market="mos_espa", message_id="m-1", event_id="e-1", market_time=Decimal(1000), sent_at=now,
            received_at=now, sell=levels, buy=levels,
        )  # fmt: skip
        Feed.objects.create(market="mos_espa", drained_to=now, polled_at=now, received=3, quotes=1, skipped=2)
    cache.clear()


def make_loan(loan_id: str, *, collateral: str = "40", status: str = "active", balance: str = "1000") -> Loan:
    """A loan of 1000 GC."""
    activated = {} if status == "new" else {"activated_at": THEN, "prices_apply_from": THEN}
    return Loan.objects.create(
        loan_id=loan_id, borrower_id="borrower-of-" + loan_id, amount=Decimal(1000), collateral=Decimal(collateral),
        outstanding_balance=Decimal(balance), status=status, request_id="application-" + loan_id, created_at=THEN,
        terms_id=1, **activated,
    )  # fmt: skip


def make_liquidation(loan: Loan, **columns: Any) -> Liquidation:
    """The liquidation of a loan, claimed at 31.25 GC a unit."""
    evidence = [{"market": "mos_espa", "reference": "e-1", "sentAt": THEN.isoformat(), "price": "31.25"}]
    return Liquidation.objects.create(
        loan=loan, terms_id=1, correlation_id="mos_espa:e-1", price=Decimal("31.25"), price_at=THEN, evidence=evidence,
        balance_at_claim=Decimal(1000), collateral_at_claim=Decimal(40), claimed_at=THEN, due_at=THEN, **columns,
    )  # fmt: skip


def make_order(liquidation: Liquidation, status: str, sequence: int = 1, **columns: Any) -> TradeOrder:
    """An order of 40 units."""
    if status in {"filled", "refused"}:
        columns.setdefault("answered_at", THEN)
    if status == "filled":
        columns = {"units_traded": Decimal(8), "proceeds": Decimal("240.5"), **columns}
    return TradeOrder.objects.create(
        liquidation=liquidation, sequence=sequence, market="mos_espa", status=status,
        request_id=f"order-{liquidation.pk}-{sequence}", quantity=Decimal(40), quoted_unit_price=Decimal("30.5"),
        payload='{"requestId":"order","quantity":"40"}', created_at=THEN, due_at=THEN, **columns,
    )  # fmt: skip


@dataclass
class Bank:
    """The rows that tests name."""

    new: Loan
    active: Loan
    warned: Loan
    waiting: Liquidation
    settled: Liquidation
    unresolved: TradeOrder
    rows: list[Any]


def make_bank() -> Bank:
    """One row in every table, at a best price of 50 GC a unit."""
    set_price("50")
    with history.cause("test", correlation_id="bank"):
        new = make_loan("L-new", status="new", collateral="0")
        active = make_loan("L-active")
        warned = make_loan("L-warned", collateral="28")
        warning = MarginCall.objects.create(
            loan=warned, terms_id=1, price=Decimal(50), price_at=THEN, outstanding_balance=Decimal(1000),
            collateral=Decimal(28), opened_at=THEN,
        )  # fmt: skip
        posting = CollateralPosting.objects.create(
            loan=active, amount=Decimal("40.50"), request_id="posting-1", created_at=THEN
        )
        waiting = make_liquidation(make_loan("L-waiting", status="liquidating"), status="waiting")
        make_order(waiting, "refused", 1)
        make_order(waiting, "filled", 2)
        unresolved = make_order(waiting, "unresolved", 3, sends=2)
        for send, kind in ((1, "success"), (2, "doubtful refusal")):
            answer = OrderAnswer.objects.create(
                order=unresolved, send=send, received_at=THEN, kind=kind, text=f"answer {send}", stale=send == 1
            )
        settled = make_liquidation(
            make_loan("L-settled", status="liquidated", collateral="7", balance="0"),
            status="settled", collateral_sold=Decimal(33), proceeds=Decimal("1001.25"), surplus=Decimal("1.25"),
            shortfall=Decimal(0), collateral_left=Decimal(7), settled_at=THEN + timedelta(seconds=3),
        )  # fmt: skip
        make_order(settled, "filled", 1, units_traded=Decimal(33), proceeds=Decimal("1001.25"))
        event = LiquidationEvent.objects.create(
            liquidation=settled, body='{"eventType":"liquidation"}', created_at=THEN, due_at=THEN, sent_at=THEN, sends=1
        )
        approval = Approval.objects.create(
            action="tests.nothing", arguments={}, effect="Nothing.", why="To be listed.", asked_by_id=0,
            asked_by_name="nobody", asked_at=THEN, expires_at=THEN + timedelta(hours=1),
        )  # fmt: skip
        control = Control.objects.create(
            kind="pause_claims", began_at=THEN, until=THEN + timedelta(minutes=5), why="To be listed.",
            pulled_by="nobody",
        )  # fmt: skip
    accepted = AcceptedRequest.objects.create(
        client="", endpoint="loan-applications", request_id="application-L-new", content_digest="0" * 64,
        response_body='{"loanId":"L-new"}', loan=new, created_at=THEN,
    )  # fmt: skip
    topic = LoanEventTopic.objects.create(topic="coruscant-bank-loan-events", since=THEN)
    told = LoanEvent.objects.create(
        loan=active, sequence=1, event_type="activation", event_id=uuid4(), body="{}", created_at=THEN, due_at=THEN
    )
    notice = MarginNotice.objects.create(
        loan=active, notice_ltv=Decimal("0.65"), price=Decimal(38), price_at=THEN, outstanding_balance=Decimal(1000),
        collateral=Decimal(40), noticed_at=THEN,
    )  # fmt: skip
    rejected = RejectedMessage.objects.create(
        market="mos_espa", queue="coruscant-mos-espa-prices", message_id="m-2", body='{"levels": <script>',
        reason="not JSON", sent_at=THEN, received_at=THEN,
    )  # fmt: skip
    venue = Venue.objects.create(market="mos_espa", failures_in_row=3, paused_until=THEN)
    failure = ClaimFailure.objects.create(loan=warned, price=Decimal(40), reason="numeric overflow", failed_at=THEN)
    withheld = WithheldClaim.objects.create(
        control=control, loan=warned, price=Decimal(40), price_at=THEN, outstanding_balance=Decimal(1000),
        collateral=Decimal(28), withheld_at=THEN,
    )  # fmt: skip
    with history.cause("test", correlation_id="client"):
        api_client = ApiClient.objects.create(user=User.objects.create_user("otc"))
    token, _ = AuthToken.objects.create(user=api_client.user)
    use = CredentialUse.objects.create(credential=token, last_used_at=THEN)
    quote, feed = PriceQuote.objects.get(), Feed.objects.get()
    evaluation = FeedEvaluation.objects.create(market="mos_espa", known_drained_to=THEN)
    rows = [
        new, warning, posting, waiting, unresolved, answer, event, accepted, rejected, venue, failure, quote, feed,
        evaluation, approval, topic, told, control, withheld, notice, api_client, use,
    ]  # fmt: skip
    return Bank(new, active, warned, waiting, settled, unresolved, [*rows, token])
