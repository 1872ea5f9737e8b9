"""The states of the model: what the database holds, what the markets know, what each worker is about. All frozen.

The model's unit is the lot. A market is 0 or 1.
"""

from typing import Final, NamedTuple

ACTIVE: Final = "active"
SELLING: Final = "selling"
SETTLED: Final = "settled"

PENDING: Final = "pending"
UNRESOLVED: Final = "unresolved"
FILLED: Final = "filled"
REFUSED: Final = "refused"

IDLE: Final = "idle"
COMMITTED: Final = "committed"
CALLING: Final = "calling"
ANSWERED: Final = "answered"

SUCCESS: Final = "success"
REFUSAL: Final = "clean refusal"
DUPLICATE: Final = "duplicate"
MISMATCH: Final = "figures that do not fit, again"
DOUBTFUL: Final = "doubtful refusal"
UNCLEAR: Final = "unclear"
NEVER_SENT: Final = "never sent"

#: `Known.traded` of an order of which the market has told a person that it never will trade it.
VOID: Final = -1
#: `refusals` where not every send was answered by a clean refusal.
MIXED: Final = -1
#: The fence of a worker that can never book again.
STALE: Final = -1

MARKETS: Final = (0, 1)


class Order(NamedTuple):
    """An order in the database. `number` is what its id names beside the market; lots ordered and traded."""

    market: int
    number: int
    lots: int
    status: str = PENDING
    #: Committed before they leave; those that provably never left are taken off again.
    sends: int = 0
    #: Sends answered by a clean refusal; MIXED once another has proved that they are not all.
    refusals: int = 0
    traded: int = 0


class Books(NamedTuple):
    """What the database holds, so what a restore brings back."""

    sale: str = ACTIVE
    orders: tuple[Order, ...] = ()
    #: Lots that the loan's own figures say are sold.
    sold: int = 0
    fence: int = 0
    #: The database that the service has last been told it runs on.
    identity: int = 0
    #: After a restore: the markets whose statements have not been read.
    missing: tuple[int, ...] = ()
    #: After a restore: refusals of new orders prove nothing.
    doubted: bool = False


class Known(NamedTuple):
    """What a market, and the wire to it, have of an id; no restore touches it."""

    market: int
    number: int
    #: Lots, or VOID.
    traded: int = 0
    #: Requests answered by a clean refusal; MIXED once one was not.
    refusals: int = 0
    #: The most lots that a request which nobody waits for may still trade when it arrives; 0 if there is none.
    late: int = 0


class Worker(NamedTuple):
    """What a worker is about, in its memory."""

    stage: str = IDLE
    market: int = 0
    number: int = 0
    lots: int = 0
    fence: int = STALE
    answer: str = ""
    traded: int = 0


class State(NamedTuple):
    """All of it. `backup` is the past that a restore will bring back, once it is decided which."""

    books: Books
    known: tuple[Known, ...]
    workers: tuple[Worker, ...]
    backup: Books | None = None
    identity: int = 0
    #: After a person's release: orders that the books do not know, whose trades that person answers for.
    excused: tuple[tuple[int, int], ...] = ()


def pending(books: Books) -> Order | None:
    """The order without a verdict, if there is one."""
    for order in reversed(books.orders):
        if order.status in (PENDING, UNRESOLVED):
            return order
    return None


def with_order(books: Books, order: Order) -> Books:
    """The books with one order changed, or added."""
    orders = books.orders
    for place, there in enumerate(orders):
        if there.market == order.market and there.number == order.number:
            return books._replace(orders=(*orders[:place], order, *orders[place + 1 :]))
    return books._replace(orders=(*orders, order))


def order_of(books: Books, market: int, number: int) -> Order | None:
    """The order of an id."""
    for order in books.orders:
        if order.market == market and order.number == number:
            return order
    return None


def known_of(state: State, market: int, number: int) -> Known:
    """What the market knows of an id."""
    for known in state.known:
        if known.market == market and known.number == number:
            return known
    return Known(market, number)


def with_known(known: tuple[Known, ...], new: Known) -> tuple[Known, ...]:
    """What the markets know, with one id changed; what can no longer matter of it is dropped."""
    if new.traded and new.late:
        new = new._replace(late=0)  # an id trades once
    if new.traded == VOID and new.refusals:
        new = new._replace(refusals=0)
    others = [old for old in known if old.market != new.market or old.number != new.number]
    return tuple(sorted((*others, new)))


def with_worker(workers: tuple[Worker, ...], number: int, worker: Worker) -> tuple[Worker, ...]:
    """The workers with one changed."""
    return (*workers[:number], worker, *workers[number + 1 :])
