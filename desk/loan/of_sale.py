"""Steps of a loan's sale: its claim, every order with every answer, its settlement, and what statements say. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from coruscant.admin.figures import percent
from desk.loan.of_loan import unexpected
from desk.loan.step import Change, Known, QuoteShown, Step, told
from desk.loan.words import amount, market, price
from liquidation.models import LiquidationStatus, OrderStatus, TradeOrder
from liquidation.reconciliation.models import DifferenceStatus, Kind
from loans import risk
from loans.events.models import LoanEventType


def liquidation(change: Change, known: Known) -> Step | None:
    """The claim, with the quotes behind its price; when a person is needed; the settlement. Orders tell of fills."""
    values, state = change.values, change.state
    if change.created:
        at = values["claimedAt"]
        owed, units = values["balanceAtClaim"], values["collateralAtClaim"]
        return change.step(
            "Claimed",
            f"at {percent(risk.ltv(owed, units, values['price']))} ({price(values['price'])}):"
            f" {amount(owed)} GC owed against {amount(units)} units",
            kind="danger", at=at, quotes=tuple(quotes(values["evidence"])),
            told=known.told_of(LoanEventType.LIQUIDATION_STARTED, at),
        )  # fmt: skip
    match values.get("status"):
        case LiquidationStatus.SETTLED:
            rest = f"; {amount(state['collateralLeft'])} units to be returned"
            over = f", {amount(state['surplus'])} GC more than was owed" if state["surplus"] else ""
            short = f", {amount(state['shortfall'])} GC not covered" if state["shortfall"] else ""
            text = f"{amount(state['collateralSold'])} units for {amount(state['proceeds'])} GC{over}{short}{rest}"
            event = known.books.event
            kind = "danger" if short else "good"
            return change.step("Settled", text, kind=kind, at=values["settledAt"], told=told(event))
        case LiquidationStatus.WAITING:
            return change.step("Waiting", "for a person", kind="danger")
        case LiquidationStatus.SELLING:
            return change.step("Selling", "again")
    return None if values.keys() <= {"collateralSold", "proceeds"} else unexpected(change)


def order(change: Change, known: Known) -> Step | None:
    """An order, and what became of it."""
    values, state = change.values, change.state
    title = f"Order {state['sequence']}"
    if change.created:
        text = f"{amount(values['quantity'])} units to {market(values['market'])}, quoted at"
        sends = _sends(known.orders[change.row], known)
        return change.step(title, f"{text} {price(values['quotedUnitPrice'])}; {sends}", at=values["createdAt"])
    match values.get("status"):
        case OrderStatus.FILLED:
            text = f"{amount(state['unitsTraded'])} units for {amount(state['proceeds'])} GC"
            return change.step(f"{title} filled", text, kind="good", at=values["answeredAt"])
        case OrderStatus.REFUSED:
            return change.step(f"{title} refused", "nothing was traded", at=values["answeredAt"])
        case OrderStatus.UNKNOWN:
            return change.step(f"{title} unknown", "the answers do not prove enough, it is sent again", kind="warning")
        case OrderStatus.UNRESOLVED:
            return change.step(f"{title} unresolved", "a person must find out", kind="danger")
    return unexpected(change)


def event(change: Change, known: Known) -> Step | None:
    """Of the event, the settlement tells when it was made, and when it was sent."""
    return None if change.created or change.values.keys() <= {"sentAt", "messageId"} else unexpected(change)


def difference(change: Change, known: Known) -> Step:
    """What a statement and the books had otherwise, and what became of it."""
    values, state = change.values, change.state
    title = f"Difference {change.row}"
    if change.created:
        where = f"statement of {market(values['market'])}: {Kind(values['kind']).label}"
        stated = f", {amount(values['units'])} units for {amount(values['proceeds'])} GC" if values["units"] else ""
        return change.step(title, f"{where}{stated}", kind="warning", at=values["foundAt"])
    if "status" not in values:
        return unexpected(change)
    text = ". ".join(filter(None, (DifferenceStatus(values["status"]).label, state["note"])))
    return change.step(title, text, at=state["closedAt"] or change.at)


def without_history(known: Known) -> Iterator[Step]:
    """Answers to orders, and trades that statements of the markets have."""
    for answer in known.books.answers:
        found = known.orders.get(answer.order_id)
        late = ": too late to decide anything" if answer.stale else ""
        if found:
            title = f"Order {found.sequence}, send {answer.send}"
            by = market(found.market)
            yield Step(answer.received_at, title, f"answered: {answer.kind}{late}", by=by, said=answer.text)
    for line in known.books.stated:
        statement = line.reconciliation
        text = f"by {market(line.market)}: {amount(line.units)} units for {amount(line.proceeds)} GC"
        cause = f"statement {statement.pk}, request {line.request_id}"
        yield Step(statement.compared_at, "Stated", text, by=statement.compared_by, cause=cause)


def quotes(evidence: list[dict[str, Any]]) -> Iterator[QuoteShown]:
    """The quotes behind a claim, as it kept them: the best first, then those that did not count."""
    for kept in evidence:
        if "market" not in kept:
            continue  # the guard
        confirmed = kept.get("confirmedBy")
        remark = "suspect: it did not count" if kept.get("suspect") else confirmed and f"confirmed by {confirmed}"
        yield QuoteShown(
            market=market(kept["market"]),
            reference=kept["reference"],
            sent_at=datetime.fromisoformat(kept["sentAt"]),
            price=kept["price"],
            remark=remark or "",
            curve=tuple((quantity, unit_price) for quantity, unit_price in kept.get("curve", ())),
        )


def _sends(order: TradeOrder, known: Known) -> str:
    """How often it was sent, and how many sends nothing has answered, if all answers were read."""
    if not order.sends:
        return "not sent yet"
    often = "once" if order.sends == 1 else f"{order.sends} times under one id"
    silent = order.sends - known.answered[order.pk] if known.whole else 0
    return f"sent {often}, {silent} without an answer" if silent > 0 else f"sent {often}"
