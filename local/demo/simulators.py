"""A client of the simulators' own API: what the markets and the OTC service saw, and how they are to behave."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import requests

from local.demo.settings import Addresses

MARKETS = ("mos_espa", "black_spire_outpost")
REPEATED_WITHIN_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Trade:
    """An order that a market traded, by its own log: units, and GC in total."""

    market: str
    units: Decimal
    proceeds: Decimal


@dataclass(frozen=True, slots=True)
class ClientsLoan:
    """A loan as its client knows it: GC applied for and units posted; `sure` if every request has its answer."""

    amount: Decimal
    posted: Decimal
    sure: bool


class Simulators:
    """Calls the simulators. Every method raises requests.RequestException when one does not answer in time."""

    def __init__(self, addresses: Addresses) -> None:
        """Call them at these addresses."""
        self._addresses = addresses
        self._session = requests.Session()

    def crash(self, seconds: float) -> None:
        """Let the price of Beskar fall to half on both markets over so many seconds."""
        self.set_markets({"crash": {"to": "0.5", "over": str(seconds)}})

    def recover(self, seconds: float) -> None:
        """Let the price return to where it began."""
        self.set_markets({"recover": {"over": str(seconds)}})

    def lie(self, market: str, price: Decimal, seconds: float) -> None:
        """Let one market publish this price (GC a unit, whatever the quantity) for so many seconds."""
        self.set_markets({"lie": {"price": str(price), "for": str(seconds)}}, (market,))

    def publish(self, market: str) -> None:
        """Let one market publish its price now, even while it is paused."""
        self._session.post(f"{self._addresses.url(market)}/simulator/price-events", timeout=5).raise_for_status()

    def calm_down(self) -> None:
        """No new loans, no more faults, a steady price: so that what is under way can end."""
        self.set_rate(0)
        self.set_markets({"scenario": "calm", "recover": {"over": "3"}, "faultShare": "0", "priceFaultShare": "0"})

    def set_rate(self, rate: float) -> None:
        """Let so many loans be applied for a second from now on; none if it is 0."""
        self._put(f"{self._addresses.url('otc')}/simulator/settings", {"rate": str(rate)})

    def set_markets(self, settings: dict[str, Any], markets: Sequence[str] = MARKETS) -> None:
        """Change settings of both markets, or of some."""
        for market in markets:
            self._put(f"{self._addresses.url(market)}/simulator/settings", settings)

    def clients_loans(self) -> dict[str, ClientsLoan]:
        """Every loan that was applied for, as the OTC service knows it."""
        return {
            str(row["loanId"]): ClientsLoan(
                Decimal(row["amount"]), Decimal(row["posted"]), not row["uncertain"] and not row["inFlight"]
            )
            for row in self._get(f"{self._addresses.url('otc')}/simulator/loans")["loans"]
        }

    def repeat_requests(self, since: datetime) -> int:
        """Let the OTC service send every request again that the bank accepted since an instant; return how many."""
        url = f"{self._addresses.url('otc')}/simulator/repeat"
        answer = self._session.post(url, json={"since": str(since.timestamp())}, timeout=REPEATED_WITHIN_SECONDS)
        answer.raise_for_status()
        return int(answer.json()["repeated"])

    def otc_report(self, *, brief: bool = True) -> dict[str, Any]:
        """What the OTC service did and received; not `brief`, with the events themselves."""
        return self._get(f"{self._addresses.url('otc')}/simulator/report{'?brief=1' if brief else ''}")

    def market_state(self, market: str) -> dict[str, Any]:
        """A market's scenario, price, faults and counters."""
        return self._get(f"{self._addresses.url(market)}/simulator/state")

    def trades(self) -> dict[str, Trade]:
        """Every order both markets traded, by requestId."""
        found = {}
        for market in MARKETS:
            for row in self._get(f"{self._addresses.url(market)}/simulator/orders")["orders"]:
                found[str(row["requestId"])] = Trade(market, Decimal(row["units"]), Decimal(row["proceeds"]))
        return found

    def statements(self) -> list[tuple[str, Trade]]:
        """Every line of the statements of both markets: a requestId and its trade."""
        found = []
        for market in MARKETS:
            answer = self._session.get(f"{self._addresses.url(market)}/simulator/statement", timeout=5)
            answer.raise_for_status()
            for row in csv.DictReader(io.StringIO(answer.text)):
                found.append((row["requestId"], Trade(market, Decimal(row["units"]), Decimal(row["proceeds"]))))
        return found

    def _put(self, url: str, body: dict[str, Any]) -> None:
        self._session.put(url, json=body, timeout=5).raise_for_status()

    def _get(self, url: str) -> dict[str, Any]:
        answer = self._session.get(url, timeout=5)
        answer.raise_for_status()
        body = answer.json()
        if not isinstance(body, dict):
            raise requests.exceptions.InvalidJSONError(f"{url} answered no object")
        return body
