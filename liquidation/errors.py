"""What can go wrong in a liquidation, as rules a caller can break or as work that must be taken up again."""

from coruscant.errors import DomainError


class OrderNotUnresolved(DomainError):
    """A person answered for an order that is not, or no longer, waiting for one."""

    code = "order-not-unresolved"
    title = "The order is not waiting for a person"
    status = 409


class FiguresDoNotFit(DomainError):
    """A person entered figures that the order cannot have traded."""

    code = "figures-do-not-fit"
    title = "The figures do not fit the order"
    status = 422


class SaleUnfinished(Exception):  # not an error: the sale goes on later
    """A sale stopped before its end and is due again; the row says when."""


class EventNotSent(Exception):  # not an error: the event stays in the outbox
    """SNS did not take an event; it stays due."""
