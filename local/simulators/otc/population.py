"""Who the clients are and what they will do: drawn from a seeded random generator. Pure."""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from random import Random
from typing import Any

SMALLEST_LOAN = Decimal(10)
LARGEST_LOAN = Decimal(500_000)
_MEDIAN_LOAN = 2500.0
_SPREAD = 1.4


@dataclass(frozen=True, slots=True)
class Client:
    """A client's habits.

    `buffer` multiplies the collateral required; `top_up_ltv` is the LTV at which this client tops up, if
    ever; `decimals` is how finely they count units.
    """

    borrower_id: str
    typical_loan: float
    buffer: Decimal
    top_up_ltv: Decimal | None
    decimals: int


@dataclass(frozen=True, slots=True)
class LoanPlan:
    """What a client intends with one loan.

    `amount` is in GC; `parts` are the shares of the collateral in each posting; `repeats` is the chance
    that any request is sent once more; with `early` the first posting comes before its loan; with
    `one_id` the application and the first posting share a requestId, which the API allows.
    """

    loan_id: str
    client: Client
    amount: Decimal
    parts: tuple[Decimal, ...]
    repeats: float
    early: bool
    one_id: bool
    extra_fields: dict[str, Any]


def draw_clients(count: int, random: Random) -> list[Client]:
    """Draw so many clients: most post little more than required, some exactly that, some much more."""
    return [_draw_client(f"client-{number:05d}", random) for number in range(1, count + 1)]


def _draw_client(borrower_id: str, random: Random) -> Client:
    character = random.random()
    if character < 0.2:
        buffer = Decimal(1)
    elif character < 0.85:
        buffer = Decimal(random.randint(1001, 1120)) / 1000
    else:
        buffer = Decimal(random.randint(1200, 1800)) / 1000
    tops_up = random.random() < 0.4
    return Client(
        borrower_id=borrower_id,
        typical_loan=_MEDIAN_LOAN * math.exp(random.gauss(0, _SPREAD)),
        buffer=buffer,
        top_up_ltv=Decimal(random.randint(55, 74)) / 100 if tops_up else None,
        decimals=random.choice((2, 4, 4, 8)),
    )


def draw_loan(loan_id: str, client: Client, random: Random) -> LoanPlan:
    """Draw what this client does next."""
    drawn = Decimal(f"{client.typical_loan * math.exp(random.gauss(0, 0.3)):.2f}")
    return LoanPlan(
        loan_id=loan_id,
        client=client,
        amount=max(SMALLEST_LOAN, min(LARGEST_LOAN, drawn)),
        parts=_draw_parts(random),
        repeats=0.08,
        early=random.random() < 0.02,
        one_id=random.random() < 0.1,
        extra_fields=_draw_extra_fields(drawn, random),
    )


def _draw_parts(random: Random) -> tuple[Decimal, ...]:
    number = random.choice((1, 1, 1, 2, 2, 3))
    weights = [random.randint(1, 5) for _ in range(number)]
    return tuple(Decimal(weight) / sum(weights) for weight in weights)


def _draw_extra_fields(amount: Decimal, random: Random) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if random.random() < 0.5:
        fields["assetType"] = "BESKAR"
    if random.random() < 0.3:
        guess = (amount / 25).quantize(Decimal("0.01"))
        fields["collateralAmount"] = random.choice((str(guess), guess))
    return fields


def units_for(needed: Decimal, decimals: int) -> Decimal:
    """Round units up to the decimals a client uses; never to zero."""
    step = Decimal(1).scaleb(-decimals)
    return max(step, needed.quantize(step, rounding=ROUND_CEILING))
