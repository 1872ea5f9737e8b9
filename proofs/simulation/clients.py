"""The bank's clients: they apply, post collateral, and repeat every request until it is answered."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import OperationalError

from coruscant.errors import DomainError
from loans import applications, postings, selectors
from loans.idempotency import Accepted, RequestIdReused
from proofs.simulation.world import World


@dataclass(slots=True)
class Request:
    """A request as its client knows it; `bodies` are the answers that came, `reused` the amounts refused as reuse."""

    service: Callable[..., Accepted]
    request_id: str
    loan_id: str
    borrower_id: str
    amount: Decimal
    sent: bool = False
    bodies: list[str] = field(default_factory=list)
    accepted: set[Decimal] = field(default_factory=set)
    reused: set[Decimal] = field(default_factory=set)
    refusal: str = ""
    #: After a restore: it was accepted, and is sent again since the books may have lost it.
    to_repeat: bool = False
    #: After a restore: it was refused before, and its client asks no more.
    is_over: bool = False

    @property
    def answered(self) -> bool:
        """Whether the client need not ask again."""
        return bool(self.bodies or self.refused) and not self.to_repeat

    @property
    def refused(self) -> bool:
        """Whether the last word was no."""
        return bool(self.refusal or self.amount in self.reused)

    @property
    def contradicted(self) -> bool:
        """Whether the same content was accepted and refused, or two contents were accepted.

        Another content, sent first, may have been accepted while its answer is still on its way.
        """
        return bool((self.accepted and self.refusal) or self.accepted & self.reused or len(self.accepted) > 1)

    def __str__(self) -> str:
        """How the trace calls it."""
        return f"{self.request_id} of {self.loan_id}"


class Clients:
    """All requests of a world."""

    def __init__(self, world: World) -> None:
        """Nobody has asked for anything."""
        self.world = world
        self.requests: list[Request] = []

    def plan(self, loans: int) -> None:
        """Plan some loans: each an application and one to three postings, at any time, in any order."""
        random = self.world.random
        for number in range(1, loans + 1):
            loan_id, borrower = f"loan-{number}", f"borrower-{number}"
            amount = Decimal(random.choice(("1000", "1000", "500", "2750.5", "0.000001")))
            request_id = f"application-{number}"
            self.requests.append(Request(applications.apply_for_loan, request_id, loan_id, borrower, amount))
            for posting in range(1, random.choice((1, 1, 2, 3)) + 1):
                share = Decimal(random.choice(("1", "1", "1", "0.6", "0.25", "1.5", "0.00001")))
                units = (amount / 25 * share).quantize(Decimal(10) ** -20)
                self.requests.append(
                    Request(postings.post_collateral, f"posting-{number}-{posting}", loan_id, borrower, units)
                )

    @property
    def all_answered(self) -> bool:
        """Whether nobody has anything to repeat."""
        return all(request.answered for request in self.requests if request.sent)

    def restored(self, in_books: Collection[str]) -> None:
        """The books went back: whatever was accepted is repeated. What they have lost may be answered anew.

        `in_books` are the ids of the requests that they have. What was refused is not sent again.
        """
        for request in self.requests:
            request.is_over, request.to_repeat = request.refused, bool(request.bodies) and not request.refused
            if request.request_id not in in_books and not request.refused:
                request.bodies.clear()
                request.accepted.clear()

    def send(self, request: Request) -> None:
        """One HTTP request: the answer reaches the client unless the process dies before."""
        request.sent = True
        amount = request.amount
        changed = self.world.happens("client.changes_its_mind")
        if changed:
            amount += 1
        try:
            accepted = request.service(
                client="",
                request_id=request.request_id,
                loan_id=request.loan_id,
                borrower_id=request.borrower_id,
                amount=amount,
            )
        except (selectors.LoanNotFound, OperationalError) as error:
            self.world.log(f"{request} is not answered: {type(error).__name__}")
        except RequestIdReused:
            request.reused.add(amount)
            request.to_repeat = request.to_repeat and amount != request.amount
            self.world.log(f"{request} is refused: it was sent before with another amount")
        except DomainError as error:
            request.refusal, request.to_repeat = error.code, False
            self.world.log(f"{request} is refused: {error.code}")
        else:
            request.bodies.append(accepted.body)
            request.accepted.add(amount)
            request.amount, request.to_repeat = amount, False
            self.world.log(f"{request} is accepted{' again' if accepted.replayed else ''}")
