"""What happens in every cell: loans become active, get notice and margin calls, recover, are claimed and sold.

The price goes up and down in steps. The effect of each step is awaited before the next one. So every failpoint is
reached at least twice, and what happens to each loan is known to the last margin call. LTVs of the three kinds of
loans, all of 1000 GC, at the prices of the scenario (0.50 activates, NOTICE_LTV gives notice, 0.70 makes a margin call,
below 0.60 clears it, and ends a notice, 0.80 claims):

    units       50    57    60    38    48    50   36.5    42    34    30
    34        0.588 0.516 0.490 0.774 0.613 0.588 0.806
    36        0.556 0.487 0.463 0.731 0.579 0.556 0.761 0.661 0.817
    40        0.500 0.439 0.417 0.658 0.521 0.500 0.685 0.595 0.735 0.833
"""

import time
from dataclasses import dataclass

import requests
from celery import signature

from loans.models import Loan
from proofs.kill_matrix.bank import Bank
from proofs.service.running_service import require

AMOUNT = "1000"
NOTICE_LTV = "0.65"
#: Units posted, and how many loans there are of each.
LOANS = {"34": 2, "36": 2, "40": 3}
#: How many margin calls a loan of so many units has had in the end.
MARGIN_CALLS = {"34": 1, "36": 2, "40": 1}
#: One loan of 40 units is rescued by a posting of so many more, which clears its margin call.
RESCUED, RESCUE = "loan-40-0", "11"
#: Posted for it afterwards: it is active and without a margin call, so these take the shorter way.
DUST = ("0.001", "0.002")
#: More loans of 40 units: more sales than an evaluation enqueues, so that workers enqueue the rest.
EXTRA_LOANS = 68
#: The last price is a dip: it is over before any process can have acted on it.
DIP, AFTER_DIP, DIP_SECONDS = "30", "60", 0.3
#: What each market does to the orders it gets, in turn; then it behaves.
FAULTS = ("refusal", None, "dropped_after_trading", None, None, "error_500", None, "refusal_4xx")

_ACTIVE = "SELECT count(*) FROM loans_loan WHERE status = 'active'"
_CLAIMED = "SELECT count(*) FROM liquidation_liquidation"
_CALLED = "SELECT count(*) FROM loans_margincall WHERE closed_at IS NULL"
_NOTICED = "SELECT count(*) FROM loans_marginnotice WHERE ended_at IS NULL"
_OLD = "SELECT count(*) FROM pricing_pricequote WHERE sent_at < now() - interval '1 day'"
_HEARD = "SELECT count(DISTINCT market) FROM pricing_pricequote WHERE sent_at > now() - interval '1 day'"
_EVALUATED = (
    "SELECT count(*) FROM pricing_pricequote WHERE evaluated_at IS NOT NULL AND sent_at > now() - interval '1 day'"
)


@dataclass(frozen=True, slots=True)
class Step:
    """Both markets go to a price; then so many loans are active, claimed, have an open margin call, or notice."""

    price: str
    active: int
    claimed: int
    called: int
    noticed: int = 0


class Scenario:
    """Plays the scenario against the service, and knows what the result must be."""

    def __init__(self, bank: Bank, *, many_loans: bool) -> None:
        """With `many_loans` there are EXTRA_LOANS more of 40 units."""
        self._bank = bank
        self._loans = LOANS | {"40": LOANS["40"] + (EXTRA_LOANS if many_loans else 0)}
        self._accepted: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def _steps(self) -> list[Step]:
        many = self._loans["40"]
        return [
            Step("50", many, 0, 0),
            Step("57", many + 2, 0, 0),
            Step("60", many + 4, 0, 0),
            Step("38", many + 4, 0, 4, many),
            Step("48", many + 4, 0, 2),
            Step("50", many + 4, 0, 0),
            Step("36.5", many + 2, 2, 2, many),
            Step("42", many + 2, 2, 2),
            Step("34", many, 4, many),
        ]

    def play(self) -> None:
        """From the first application to the last event. Raises NotAsPromised if a step has no effect in time."""
        bank = self._bank
        for market in bank.markets:
            market.next_faults(FAULTS)
        for units, number in self._loans.items():
            for index in range(number):
                self._lend(f"loan-{units}-{index}", units)
        for number, step in enumerate(self._steps):
            bank.set_price(step.price)
            self._reach(step)
            if number == 1:
                bank.eventually(lambda: bank.count(_HEARD) == len(bank.markets), "both markets are heard")
                signature("pricing.prune_quotes").apply_async()  # it keeps the newest quotes of each market
        self._post(RESCUED, RESCUE)
        called = self._loans["40"] - 1
        bank.eventually(lambda: bank.count(_CALLED) == called, "the margin call of the rescued loan is cleared")
        for dust in DUST:
            self._post(RESCUED, dust)
        bank.set_price(DIP)
        time.sleep(DIP_SECONDS)
        bank.set_price(AFTER_DIP)
        self._finish(claimed=sum(self._loans.values()) - 1)

    def _reach(self, step: Step) -> None:
        def reached() -> bool:
            figures = tuple(self._bank.count(query) for query in (_ACTIVE, _CLAIMED, _CALLED, _NOTICED))
            return figures == (step.active, step.claimed, step.called, step.noticed)

        self._bank.eventually(reached, f"at a price of {step.price} loans are as {step} says")

    def _finish(self, claimed: int) -> None:
        bank = self._bank
        bank.eventually(lambda: bank.count(_CLAIMED) == claimed, "the dip is seen")
        bank.eventually(bank.everything_is_settled, "all are sold and published")
        bank.eventually(lambda: bank.count(_OLD) == len(bank.markets), "old quotes are pruned")
        for market in bank.markets:
            market.settings(paused=True)
        bank.eventually(self._every_price_is_evaluated, "every price that was published is recorded and evaluated")
        bank.eventually(lambda: len(set(bank.branch.heard())) == claimed, "every event is heard")

    def check(self) -> None:
        """Nothing happened twice or was lost, and the books agree with what markets and clients have seen."""
        bank = self._bank
        bank.books_and_markets_agree()
        bank.every_event_was_heard()
        self._every_request_has_its_answer()
        rescued = Loan.objects.get(loan_id=RESCUED)
        require(rescued.status == "active", f"the rescued loan is {rescued.status}")
        for units, margin_calls in MARGIN_CALLS.items():
            for loan in Loan.objects.filter(loan_id__startswith=f"loan-{units}-"):
                found = loan.margin_calls.count()
                require(found == margin_calls, f"{loan.loan_id} had {found} margin calls, not {margin_calls}")

    def _every_request_has_its_answer(self) -> None:
        for path, body, first in self._accepted:
            again = self._bank.post(path, **body)
            answer = (again.status_code, again.headers.get("Idempotency-Replayed"), again.content)
            require(answer == (202, "true", first), f"{path} {body} was answered {first!r}, now {answer}")
        require(Loan.objects.count() == len({body["loanId"] for _, body, _ in self._accepted}), "loans were invented")

    def _lend(self, loan_id: str, units: str) -> None:
        body = {"requestId": f"a-{loan_id}", "loanId": loan_id, "amount": AMOUNT, "borrowerId": "B"}
        self._ask("/loan-applications", body)
        self._post(loan_id, units)

    def _post(self, loan_id: str, units: str) -> None:
        body = {"requestId": f"c-{loan_id}-{units}", "loanId": loan_id, "amount": units, "borrowerId": "B"}
        self._ask("/collateral-top-ups", body)

    def _ask(self, path: str, body: dict[str, str]) -> None:
        """Send a request until it is accepted, as a client does whose connection broke."""
        answers: list[requests.Response] = []

        def accepted() -> bool:
            try:
                answers.append(self._bank.post(path, **body))
            except (requests.ConnectionError, requests.Timeout):
                return False
            require(answers[-1].status_code in {202, 502, 503}, f"{path} {body}: {answers[-1].text}")
            return answers[-1].status_code == 202

        self._bank.eventually(accepted, f"{path} accepts {body}")
        self._accepted.append((path, body, answers[-1].content))

    def _every_price_is_evaluated(self) -> bool:
        published = sum(int(market.state()["published"]) for market in self._bank.markets)
        return self._bank.count(_EVALUATED) == published
