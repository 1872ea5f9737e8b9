"""Steps of the loan itself: its application, collateral, activation, terms, notices and margin calls. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coruscant.admin.figures import percent
from desk.loan.step import Change, Known, Step, told
from desk.loan.words import amount, price
from loans import risk
from loans.events.models import LoanEvent, LoanEventType
from loans.models import MarginCall

#: Actions whose changes of balance and collateral other steps tell of: a posting, an order, a claim.
_TOLD_BY_OTHERS: Final = frozenset(
    {"posting", "activation", "claim", "sell", "resolve", "resolve-by-two", "adopt", "move_loans"}
)
_WHY_ENDED: Final = {
    MarginCall.CloseReason.CLEARED: "LTV fell below the clearing LTV",
    MarginCall.CloseReason.CLAIMED: "by the claim",
}


def loan(change: Change, known: Known) -> Step | None:
    """Its application, its activation, a move to other terms, and what no service has changed."""
    values = change.values
    if change.created:
        at = values["createdAt"]
        text = f"for {amount(values['amount'])} GC, under terms {values['terms']}"
        return change.step("Application", text, at=at, told=known.told_of(LoanEventType.APPLICATION, at))
    if "terms" in values:
        return change.step("Terms moved", f"to terms {values['terms']}")
    if values.get("activatedAt"):
        at = values["activatedAt"]
        text = _at_activation(change.state)
        return change.step("Active", text, kind="good", at=at, told=known.told_of(LoanEventType.ACTIVATION, at))
    return None if change.cause["action"] in _TOLD_BY_OTHERS else unexpected(change)


def posting(change: Change, known: Known) -> Step:
    """Collateral that was posted."""
    values = change.values
    if not change.created:
        return unexpected(change)
    return change.step("Posted", f"{amount(values['amount'])} units", at=values["createdAt"])


def margin_call(change: Change, known: Known) -> Step:
    """It opens, and it ends."""
    values, state = change.values, change.state
    if change.created:
        at = values["openedAt"]
        text = _at_price(values)
        return change.step(
            "Margin call", text, kind="warning", at=at, told=known.told_of(LoanEventType.MARGIN_CALL, at)
        )
    if not values.get("closedAt"):
        return unexpected(change)
    at = values["closedAt"]
    heard = known.told_of(LoanEventType.MARGIN_CALL_CLEARED, at)
    why = _WHY_ENDED[MarginCall.CloseReason(state["closeReason"])]
    return change.step("Margin call ended", why, at=at, told=heard)


def without_history(known: Known) -> Iterator[Step]:
    """Notices before a margin call, claims that a pause withheld, and the claim that the database refuses."""
    for notice in known.books.margin_notices:
        ltv = percent(risk.ltv(notice.outstanding_balance, notice.collateral, notice.price))
        heard = known.told_of(LoanEventType.MARGIN_NOTICE, notice.noticed_at)
        text = f"at {ltv} ({price(notice.price)}): a margin call is near"
        yield Step(notice.noticed_at, "Notice", text, kind="warning", by="price", told=heard)
        if notice.ended_at:
            yield Step(notice.ended_at, "Notice ended")
    for one in known.books.withheld:
        pause = one.control
        ltv = percent(risk.ltv(one.outstanding_balance, one.collateral, one.price))
        text = f"at {ltv} ({price(one.price)}), by pause No. {pause.pk}: {pause.why}"
        yield Step(one.withheld_at, "Claim withheld", text, kind="warning", by=pause.pulled_by)
    if failure := known.books.claim_failure:
        text = f"by the database, at {price(failure.price)}: {failure.reason}"
        yield Step(failure.failed_at, "Claim refused", text, kind="danger", by="claim")


def event(row: LoanEvent) -> Step:
    """An event that no other step names."""
    return Step(row.created_at, "Event", LoanEventType(row.event_type).label.lower(), told=told(row))


def unexpected(change: Change) -> Step:
    """A change that no service makes, column by column: nothing that history has goes untold."""
    changed = [f"{column} {_plain(value)}" for column, value in change.values.items() if not isinstance(value, list)]
    return change.step("Changed", f"{_NAMES[change.table]}: {', '.join(changed)}", kind="warning")


_NAMES: Final = {
    "loan": "the loan", "marginCall": "the margin call", "liquidation": "the liquidation", "order": "the order",
    "event": "the event", "posting": "the posting", "difference": "the difference",
}  # fmt: skip


def _plain(value: Any) -> str:
    return "none" if value is None else str(value)


def _at_price(values: Mapping[str, Any]) -> str:
    """The LTV of a row that keeps the figures of an instant."""
    ltv = risk.ltv(values["outstandingBalance"], values["collateral"], values["price"])
    return f"at {percent(ltv)} ({price(values['price'])})"


def _at_activation(state: Mapping[str, Any]) -> str:
    """The LTV at which the loan became active, if its price was kept."""
    found = state["activationPrice"]
    if found is None:
        return ""
    ltv = risk.ltv(state["outstandingBalance"], state["collateral"], found)
    return f"at {percent(ltv)} ({price(found)})"
