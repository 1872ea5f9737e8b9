"""A stand-in for the loan API: keeps the parts of its contract that clients rely on."""

from collections import Counter
from decimal import Decimal
from typing import Any

from aiohttp import web

from local.simulators.exact import plain, read_json, write_json
from local.simulators.lifecycle import listen

PRICE = Decimal(50)


class StubBank:
    """Loans in memory, at a price of 50 GC a unit.

    With `drop_first` every request is done and then left without an answer the first time it comes.
    """

    def __init__(self, *, drop_first: bool = False, forgetful: bool = False) -> None:
        self.loans: dict[str, dict[str, Decimal]] = {}
        self.answers: dict[tuple[str, str], str] = {}
        self.deliveries: Counter[tuple[str, str]] = Counter()
        self.requests: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()
        self._drop_first = drop_first
        self._forgetful = forgetful
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        app = web.Application()
        app.router.add_post("/loan-applications", self._post)
        app.router.add_post("/collateral-top-ups", self._post)
        app.router.add_get("/loans/{loan_id}", self._get)
        self._runner, port = await listen(app, "127.0.0.1", 0)
        return port

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        body = read_json(await request.read())
        self.requests.append(body)
        self.tokens.add(request.headers.get("Authorization"))
        key = (request.path, body["requestId"])
        self.deliveries[key] += 1
        known = None if self._forgetful else self.answers.get(key)
        if known is not None:
            return web.Response(text=known, status=202, headers={"Idempotency-Replayed": "true"})
        loan_id, amount = body["loanId"], Decimal(body["amount"])
        if request.path == "/loan-applications":
            self.loans[loan_id] = {"amount": amount, "collateral": Decimal(0)}
        elif loan_id not in self.loans:
            return web.Response(status=404)
        else:
            self.loans[loan_id]["collateral"] += amount
        self.answers[key] = write_json(self._show(loan_id))
        if self._drop_first and self.deliveries[key] == 1 and request.transport is not None:
            request.transport.abort()
        return web.Response(text=self.answers[key], status=202)

    async def _get(self, request: web.Request) -> web.Response:
        return web.Response(text=write_json(self._show(request.match_info["loan_id"])))

    def _show(self, loan_id: str) -> dict[str, Any]:
        loan = self.loans[loan_id]
        missing = max(Decimal(0), loan["amount"] * 2 / PRICE - loan["collateral"])
        return {
            "loanId": loan_id,
            "status": "new" if missing else "active",
            "ltv": "0.5",
            "requiredCollateral": plain(missing),
        }
