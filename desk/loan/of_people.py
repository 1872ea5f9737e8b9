"""Steps of what people decided, and of restores, as far as they concern a loan. Pure."""

from coruscant.admin.figures import instant
from coruscant.approvals.models import Outcome
from coruscant.controls.models import ControlKind
from desk.loan.step import Change, Known, Step


def approval(change: Change, known: Known) -> Step:
    """What somebody asked for, and what became of that."""
    values, state = change.values, change.state
    title = f"Approval {change.row}"
    if change.created:
        effect = state["effect"].splitlines()[0]
        return change.step(title, f"asked for: {effect} {state['why']}", by=state["askedByName"], at=values["askedAt"])
    outcome = Outcome(state["outcome"])
    text = ". ".join(filter(None, (outcome.label, state["note"])))
    kind = {Outcome.EXECUTED: "good", Outcome.FAILED: "danger"}.get(outcome, "")
    by = state["decidedByName"] or "time"
    return change.step(title, text, kind=kind, by=by, at=state["decidedAt"] or change.at)


def control(change: Change, known: Known) -> Step:
    """The pause that withheld a claim of the loan."""
    values, state = change.values, change.state
    title, until = f"{ControlKind(state['kind']).label}, No. {change.row}", instant(state["until"])
    if change.created:
        by = state["pulledBy"]
        return change.step(title, f"until {until}: {state['why']}", kind="warning", by=by, at=values["beganAt"])
    if state["endedBy"]:
        return change.step(title, f"ended at {until}", by=state["endedBy"])
    return change.step(title, f"extended until {until}")


def restore(change: Change, known: Known) -> Step:
    """The books went back, and what was held since is released."""
    values, state = change.values, change.state
    title = f"Restore {change.row}"
    if change.created:
        text = f"the books went back to {instant(values['since'])}"
        return change.step(title, text, kind="warning", by=state["begunBy"], at=values["begunAt"])
    if values.get("comparedAt"):
        return change.step(title, "statements of all markets are compared", at=values["comparedAt"])
    if values.get("claimsReleasedAt"):
        by = state["claimsReleasedBy"]
        return change.step(title, "claims are released", by=by, at=values["claimsReleasedAt"])
    return change.step(title, "changed")
