"""What the printable page of a loan's evidence shows, made of the document alone."""

from typing import Any, Final

_NAMES: Final = {
    "loan": "Loan", "posting": "Posting", "marginCall": "Margin call", "liquidation": "Liquidation", "order": "Order",
    "event": "Event", "difference": "Difference", "approval": "Approval", "control": "Control", "restore": "Restore",
}  # fmt: skip


def page_of(document: dict[str, Any]) -> dict[str, Any]:
    """The document, and each step of its timeline in words."""
    evidence = document["evidence"]
    sale = evidence["liquidation"]
    numbers = {order["id"]: order["sequence"] for order in sale["orders"]} if sale else {}
    return {**document, "steps": [_step(step, numbers) for step in evidence["timeline"]]}


def _step(step: dict[str, Any], numbers: dict[int, int]) -> dict[str, Any]:
    """One change: what changed, to what, and by whom. `numbers` are the sequences of orders."""
    name = _NAMES[step["table"]]
    if step["table"] not in {"loan", "liquidation", "event"}:  # of these a loan has one
        name = f"{name} {numbers.get(step['row'], step['row']) if step['table'] == 'order' else step['row']}"
    created = step["change"] == "created"
    values = [
        f"{column} {_text(value)}"
        for column, value in step["values"].items()
        if not isinstance(value, dict | list) and not (created and value in (None, "", False))
    ]
    return {"at": step["at"], "what": f"{name} {step['change']}", "values": "; ".join(values), "cause": step["cause"]}


def _text(value: Any) -> str:
    match value:
        case None | "":
            return "none"
        case bool():
            return "yes" if value else "no"
    return str(value)
