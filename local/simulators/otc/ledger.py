"""What the OTC service knows of its loans: what was lent, what was posted, and breaches of contract."""

import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from local.simulators.exact import exact

MOST_SENTENCES = 200
"""Violations are kept up to this many."""

OF_A_REPEAT = "a repeat of"
"""How the sentences begin that are about the second answer to a request."""


@dataclass(slots=True)
class KnownLoan:
    """A loan that was applied for. `posted` are the units of accepted postings.

    `in_flight` postings have no final answer yet; with `uncertain` one never got any.
    """

    loan_id: str
    borrower_id: str
    amount: Decimal
    posted: Decimal = Decimal(0)
    in_flight: int = 0
    uncertain: bool = False
    status: str = "applied"

    def accepted(self, units: Decimal) -> None:
        """A posting of so many units was accepted."""
        with exact():
            self.posted += units


@dataclass(slots=True)
class Ledger:
    """Loans, counters, and violations of the loan API's contract, as sentences."""

    loans: dict[str, KnownLoan] = field(default_factory=dict)
    counters: Counter[str] = field(default_factory=Counter)
    errors_by_status: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    _found_at: dict[str, float] = field(default_factory=dict)

    def add_violation(self, sentence: str) -> None:
        """Record that the service broke its contract; the same sentence is kept once."""
        if sentence not in self.violations and len(self.violations) < MOST_SENTENCES:
            self.violations.append(sentence)
            self._found_at[sentence] = time.time()

    def excuse_repeats(self, since: float) -> None:
        """Forget what was wrong with repeats from an instant on: the service has lost what it had accepted."""
        self.violations = [
            sentence
            for sentence in self.violations
            if not (sentence.startswith(OF_A_REPEAT) and self._found_at[sentence] >= since)
        ]
