"""One loan from its client's side: apply, post collateral, watch it, top up."""

import asyncio
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any

from local.simulators.exact import plain
from local.simulators.otc.bank_api import APPLICATIONS, TOP_UPS, Answer, BankApi
from local.simulators.otc.ledger import KnownLoan, Ledger
from local.simulators.otc.population import LoanPlan, units_for

_CHECKS = 30
_FIRST_GAP_SECONDS = 3.0
_LONGEST_GAP_SECONDS = 20.0
_OVER = frozenset({"liquidating", "liquidated"})


def figure(loan: dict[str, Any], name: str) -> Decimal | None:
    """Return a figure of a loan as the API shows it; None if it is missing or null."""
    try:
        value = Decimal(loan[name])
    except (KeyError, TypeError, InvalidOperation):
        return None
    return value if value.is_finite() else None


class LoanLife:
    """Plays one loan from application to end. `pace` multiplies every pause, so that tests need not wait."""

    def __init__(
        self,
        plan: LoanPlan,
        api: BankApi,
        ledger: Ledger,
        random: Random,
        *,
        guessed_units: Decimal | None = None,
        pace: float = 1.0,
        is_liquidated: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take a plan; `guessed_units` is what a client who posts before applying would post.

        `is_liquidated` says whether the event of the loan's liquidation was heard. Then nothing more is posted, even
        if the API calls the loan active: its books may have gone back.
        """
        self._plan = plan
        self._api = api
        self._ledger = ledger
        self._random = random
        self._guessed_units = guessed_units
        self._pace = pace
        self._is_liquidated = is_liquidated
        self._known = KnownLoan(plan.loan_id, plan.client.borrower_id, plan.amount)
        self._postings = 0
        self.first_required: Decimal | None = None

    async def live(self) -> None:
        """Apply, post collateral, and watch the loan if the client is one who tops up."""
        early = await self._post_too_early() if self._plan.early and self._guessed_units else None
        loan = await self._apply()
        if loan is None:
            return
        if early is not None:
            await self._send_posting(early)
            await self._pause(1, 3)
        loan = await self._until_required_is_known(loan)
        if loan is None or not await self._post_in_parts(loan):
            return
        await self._watch()

    async def _apply(self) -> dict[str, Any] | None:
        self._ledger.counters["applied"] += 1
        self._ledger.loans[self._plan.loan_id] = self._known
        body = {
            "requestId": self._request_id(0),
            "loanId": self._plan.loan_id,
            "amount": plain(self._plan.amount),
            "borrowerId": self._plan.client.borrower_id,
            **self._plan.extra_fields,
        }
        answer = await self._send(APPLICATIONS, body)
        if answer is None or not answer.accepted:
            self._known.status = "refused"
            return None
        self._ledger.counters["accepted"] += 1
        return self._seen(answer.loan())

    async def _until_required_is_known(self, loan: dict[str, Any]) -> dict[str, Any] | None:
        for _ in range(_CHECKS):
            required = figure(loan, "requiredCollateral")
            if required is not None:
                self.first_required = required
                return loan
            await self._pause(2, 3)
            loan = self._seen(await self._api.loan(self._plan.loan_id) or {})
        return None

    async def _post_in_parts(self, loan: dict[str, Any]) -> bool:
        required, client = figure(loan, "requiredCollateral") or Decimal(0), self._plan.client
        target = required * client.buffer
        if client.buffer == 1 and len(self._plan.parts) == 1 and required > 0:
            # Exactly the activation LTV, to the last decimal.
            await self._pause(0.5, 4)
            return await self._send_posting(self._posting(required)) is not None
        for part in self._plan.parts:
            await self._pause(0.5, 4)
            if target > 0 and await self._post(target * part) is None:
                return False
        return True

    async def _watch(self) -> None:
        gap = _FIRST_GAP_SECONDS
        for _ in range(_CHECKS):
            await self._pause(gap, gap * 1.5)
            gap = min(_LONGEST_GAP_SECONDS, gap * 1.3)
            loan = self._seen(await self._api.loan(self._plan.loan_id) or {})
            status, required = loan.get("status"), figure(loan, "requiredCollateral")
            if status in _OVER:
                return
            if status == "new" and required:
                # The price moved while the parts came in: post what is missing, and a little more.
                await self._post(required * Decimal("1.01"))
            elif status == "active" and self._plan.client.top_up_ltv is None:
                return
            elif status == "active" and required and self._wants_to_top_up(loan):
                self._ledger.counters["topUps"] += 1
                await self._post(required * Decimal(self._random.randint(40, 110)) / 100)

    def _wants_to_top_up(self, loan: dict[str, Any]) -> bool:
        ltv, top_up_ltv = figure(loan, "ltv"), self._plan.client.top_up_ltv
        return ltv is not None and top_up_ltv is not None and ltv >= top_up_ltv

    async def _post(self, units: Decimal) -> Answer | None:
        return await self._send_posting(self._posting(units_for(units, self._plan.client.decimals)))

    def _posting(self, units: Decimal) -> dict[str, Any]:
        self._postings += 1
        shares_id = self._postings == 1 and self._plan.one_id
        return {
            "requestId": self._request_id(0 if shares_id else self._postings),
            "loanId": self._plan.loan_id,
            "borrowerId": self._plan.client.borrower_id,
            "amount": plain(units),
        }

    async def _post_too_early(self) -> dict[str, Any]:
        posting = self._posting(units_for(self._guessed_units or Decimal(1), self._plan.client.decimals))
        answer = await self._api.post(TOP_UPS, posting)
        if answer is not None and answer.status != 404:
            self._ledger.add_violation(f"collateral before its loan {self._plan.loan_id} got {answer.status}, not 404")
        self._ledger.counters["earlyPostings"] += 1
        return posting

    async def _send_posting(self, posting: dict[str, Any]) -> Answer | None:
        """Send a posting; None unless it was accepted."""
        if self._is_liquidated():
            return None
        self._known.in_flight += 1
        answer = await self._send(TOP_UPS, posting)
        if answer is None:
            self._known.uncertain = True
        elif answer.accepted:
            self._ledger.counters["postings"] += 1
            self._known.accepted(Decimal(posting["amount"]))
            self._seen(answer.loan())
        self._known.in_flight -= 1
        return answer if answer is not None and answer.accepted else None

    async def _send(self, path: str, body: dict[str, Any]) -> Answer | None:
        """Send a request; some clients send it twice at once, some again a little later."""
        if self._random.random() >= self._plan.repeats:
            return await self._api.post(path, body)
        self._ledger.counters["repeats"] += 1
        if self._random.random() < 0.5:
            first, second = await asyncio.gather(self._api.post(path, body), self._api.post(path, body))
        else:
            first = await self._api.post(path, body)
            await self._pause(0.2, 3)
            second = await self._api.post(path, body)
            if first and first.accepted and second and second.accepted and not second.replayed:
                self._ledger.add_violation(f"a repeat of {body['requestId']} does not say Idempotency-Replayed")
        self._compare(body["requestId"], first, second)
        return first if first is not None and first.accepted else second

    def _compare(self, request_id: str, first: Answer | None, second: Answer | None) -> None:
        if first is None or second is None or not (first.accepted or second.accepted):
            return
        if first.accepted and not second.accepted:
            self._ledger.add_violation(f"a repeat of the accepted {request_id} got {second.status}")
        elif first.accepted and first.raw != second.raw:
            self._ledger.add_violation(f"a repeat of {request_id} got other bytes than the first answer")

    def _seen(self, loan: dict[str, Any]) -> dict[str, Any]:
        if isinstance(loan.get("status"), str):
            self._known.status = loan["status"]
        return loan

    def _request_id(self, step: int) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._plan.loan_id}/{step}"))

    async def _pause(self, shortest: float, longest: float) -> None:
        await asyncio.sleep(self._pace * self._random.uniform(shortest, longest))
