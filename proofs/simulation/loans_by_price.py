"""What became of each loan, against the prices that the oracle computes: no wrong claim, and none forgotten."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from django.db.models import Max

from coruscant.restores.models import Restore
from liquidation.models import Liquidation
from loans.models import Loan, LoanStatus, MarginCall
from pricing.markets import Market
from pricing.models import Feed, PriceQuote
from proofs.simulation import controls, oracle
from proofs.simulation.oracle import Heard

if TYPE_CHECKING:
    from proofs.simulation.schedule import Schedule

#: How far a price of a unit may be from the exact quotient.
_ROUNDING = Decimal(10) ** -20


def check(schedule: "Schedule", liquidations: list[Liquidation], heard: list[Heard]) -> None:
    """Report every loan that was claimed wrongly, or that should have been claimed, activated, called or cleared."""
    _claims_are_right(schedule, liquidations, heard)
    spared = controls.Spared(schedule.world)
    spared.check_claims(liquidations, heard)
    _nothing_is_forgotten(schedule, heard, spared)


def _claims_are_right(schedule: "Schedule", liquidations: list[Liquidation], heard: list[Heard]) -> None:
    """A claim is at a price that the service can have seen at that instant, and that breaches the loan.

    What it can have seen are the first prices of each market that it recorded, however many: most often all of them.
    """
    outs = controls.set_aside()
    for claimed in liquidations:
        if claimed.evidence[0]["reference"].startswith("statement "):
            _trade_claims(schedule, claimed)
            continue
        value = claimed.collateral_at_claim * claimed.price
        if claimed.balance_at_claim < schedule.terms.ltvs(claimed.loan.terms_id).liquidation_ltv * value:
            schedule.world.report("oracle", f"{claimed.loan} was claimed at {claimed.price} without a breach")
        by_market = [[one for one in heard if one.market == market] for market in Market]
        known = (
            oracle.possible_prices(
                [*by_market[0][:first], *by_market[1][:second]], claimed.price_at, claimed.claimed_at, outs
            )
            for first in reversed(range(len(by_market[0]) + 1))
            for second in reversed(range(len(by_market[1]) + 1))
        )
        if not any(claimed.price in prices for prices in known):
            schedule.world.report(
                "oracle", f"{claimed.loan} was claimed at {claimed.price}, which no one had published"
            )


def _received_since(instant: datetime) -> set[tuple[str, str]]:
    """The quotes that were received after an instant, by market and reference."""
    late = PriceQuote.objects.filter(received_at__gt=instant)
    return {(quote.market, quote.event_id or quote.message_id) for quote in late}


def _within(span: oracle.Span, others: list[oracle.Span]) -> list[oracle.Span]:
    return [other for other in others if other.start < span.end and span.start < other.end]


def _breaks(span: oracle.Span, *, owed: Decimal, line: Decimal) -> bool:
    return span.price is not None and span.applies and owed >= line * span.price


def _trade_claims(schedule: "Schedule", claimed: Liquidation) -> None:
    """After a restore: a loan was claimed for a trade that a market has made, at the price of that."""
    market, _, request_id = claimed.correlation_id.partition(":")
    trade = schedule.edges.markets[Market(market)].trades.get(request_id)
    if trade is None or abs(claimed.price * trade.units - trade.proceeds) > _ROUNDING * trade.units:
        schedule.world.report("oracle", f"{claimed.loan} was claimed at {claimed.price} for {trade}")


def _nothing_is_forgotten(schedule: "Schedule", heard: list[Heard], spared: controls.Spared) -> None:
    """The converse: whoever must have been claimed, activated, warned or cleared, is; or is listed as spared.

    After a restore that is asked of the prices since claims were released, and of the last one.
    """
    released_at = Restore.objects.aggregate(last=Max("claims_released_at"))["last"]
    drained_to = {feed.market: feed.drained_to for feed in Feed.objects.all() if feed.drained_to}
    until, outs = schedule.world.clock(), controls.set_aside()
    spans = oracle.spans(heard, drained_to, until, outs)
    # What came too late may change the past, but opens no window: nobody must be claimed by what it alone shows. Nor by
    # what only came, or ended a jump, after the last evaluation had begun.
    unseen = _received_since(schedule.known_drained_to)
    seen = [one for one in heard if (one.market, one.reference) not in unseen]
    in_time = oracle.spans([one for one in heard if not one.too_late], drained_to, schedule.known_drained_to, outs)
    by_then = oracle.spans(seen, drained_to, schedule.known_drained_to, outs)
    # The last evaluation was begun at `known_drained_to` and came to look at some instant since.
    last_spans = [span for span in spans if span.end > schedule.known_drained_to]
    lasts = [span.price if span.applies else None for span in last_spans] or [None]
    cautious = [span.cautious for span in last_spans] or [None]
    spans = [span for span in spans if span.start < schedule.known_drained_to]
    open_margin_calls = set(MarginCall.objects.filter(closed_at__isnull=True).values_list("loan_id", flat=True))
    for loan in Loan.objects.filter(status__in=[LoanStatus.NEW, LoanStatus.ACTIVE]).order_by("pk"):
        owed, units, ltvs = loan.outstanding_balance, loan.collateral, schedule.terms.ltvs(loan.terms_id)
        if loan.status == LoanStatus.NEW:
            if all(last is not None and units and owed <= ltvs.activation_ltv * units * last for last in cautious):
                schedule.world.report("oracle", f"{loan} is covered at {cautious[0]} and not active")
            continue
        if released_at and all(last and owed >= ltvs.liquidation_ltv * units * last for last in lasts):
            schedule.world.report("oracle", f"{loan} was not claimed at the last price, {lasts[0]}")
        for span in spans:
            if (
                span.price is None
                or (released_at and span.end <= released_at)
                or not span.applies
                or loan.prices_apply_from is None
                or span.end <= loan.prices_apply_from
            ):
                continue
            breaks = partial(_breaks, owed=owed, line=ltvs.liquidation_ltv * units)
            breached = breaks(span) and all(any(map(breaks, _within(span, others))) for others in (in_time, by_then))
            if breached and not spared.spares(loan, span):
                when = f"{span.start.time()} to {span.end.time()}"
                since = f"prices apply to it from {loan.prices_apply_from.time()}"
                schedule.world.report("oracle", f"{loan} was not claimed at {span.price} from {when}; {since}")
                break
        warned = loan.pk in open_margin_calls
        if all(last and owed >= ltvs.margin_call_ltv * units * last and not warned for last in lasts):
            schedule.world.report("oracle", f"{loan} has no margin call at {lasts[0]}")
        if all(last and owed < ltvs.margin_call_clear_ltv * units * last and warned for last in cautious):
            schedule.world.report("oracle", f"{loan} has a margin call at {cautious[0]}")
