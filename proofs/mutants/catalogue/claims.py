"""Bugs of evaluating loans: thresholds, locks, the claim, the evaluation and its window."""

from proofs.mutants.planting import Edit, Mutant

_CLAIM = "liquidation.claim"
_EVALUATE = "liquidation.evaluate"
_RISK = "loans.risk"
_POINTS = "[*window.lows, *([last] if last and may_claim else [])]"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "no-second-look",
        "a candidate is claimed without looking again at the locked row",
        (Edit(_CLAIM, "if status == LoanStatus.ACTIVE", "if True or status == LoanStatus.ACTIVE"),),
        tests=("liquidation/tests/test_claim.py",),
    ),
    Mutant(
        "unlocked-claim",
        "candidates are checked without locking them",
        (Edit(_CLAIM, "Loan.objects.select_for_update()", "Loan.objects"),),
        tests=("liquidation/tests/test_claim.py", "loans/tests/test_postings_concurrency.py"),
    ),
    Mutant(
        "claimed-twice",
        "a loan can be claimed again, and nothing in the database stops it",
        (Edit(_CLAIM, "if status == LoanStatus.ACTIVE", "if status != LoanStatus.LIQUIDATED"),),
        sql="ALTER TABLE liquidation_liquidation DROP CONSTRAINT liquidation_liquidation_loan_id_key",
        tests=("liquidation/tests/test_claim.py", "loans/tests/test_postings_concurrency.py"),
    ),
    Mutant(
        "last-instead-of-low",
        "only the last price of a window is evaluated",
        (Edit(_EVALUATE, _POINTS, "([last] if last and may_claim else [])"),),
        tests=("liquidation/tests/test_evaluate.py",),
    ),
    Mutant(
        "lowest-low-only",
        "of a window's lows only the lowest is evaluated",
        (Edit(_EVALUATE, _POINTS, "[*window.lows[:1], *([last] if last and may_claim else [])]"),),
        tests=("liquidation/tests/test_evaluate.py",),
    ),
    Mutant(
        "marked-before-evaluated",
        "quotes are marked as evaluated before loans are",
        (
            Edit(
                _EVALUATE,
                "        window = evaluation_window.open_window(now, resumed_at)\n",
                "        window = evaluation_window.open_window(now, resumed_at)\n"
                "        evaluation_window.mark_evaluated(window)\n",
            ),
        ),
        tests=("liquidation/tests/test_evaluate.py",),
    ),
    Mutant(
        "all-marked",
        "quotes that came during an evaluation are marked as evaluated by it",
        (
            Edit(
                "pricing.evaluation_window",
                "filter(as_evaluated, evaluated_at=None)",
                "filter(evaluated_at=None)",
            ),
        ),
        tests=("liquidation/tests/test_evaluate.py",),
    ),
    Mutant(
        "enqueued-in-transaction",
        "sales are enqueued before their claim is committed",
        (
            Edit(
                _EVALUATE,
                "            recover.mark_enqueued(self._marked)\n",
                "            recover.mark_enqueued(self._marked)\n"
                "            for pk in self._marked:\n                enqueue.now(chains.sale(pk))\n",
            ),
        ),
    ),
    Mutant(
        "stale-evaluation",
        "an evaluation that stalled goes on with its old window",
        (Edit(_EVALUATE, "if newest != number or not identity.accepted():", "if not identity.accepted():"),),
        tests=("liquidation/tests/test_evaluate.py",),
    ),
    Mutant(
        "threshold-above-only",
        "a loan exactly at the threshold is spared",
        (Edit(_RISK, "balance >= threshold * collateral * price", "balance > threshold * collateral * price"),),
        tests=("loans/tests/test_risk.py",),
    ),
    Mutant(
        "search-rounds-up",
        "the bound of the search for breached loans is rounded up",
        (Edit(_RISK, "money.round_down(ltv * price", "money.round_up(ltv * price"),),
        tests=("loans/tests/test_risk.py",),
    ),
    Mutant(
        "rounded-value",
        "LTV is computed with 28 digits",
        (
            Edit(
                _RISK,
                "    with money.exact():\n        return balance >= threshold",
                "    if True:\n        return balance >= threshold",
            ),
        ),
        tests=("loans/tests/test_risk.py",),
    ),
    Mutant(
        "no-activation-barrier",
        "a posting activates by a price that an evaluation has already passed",
        (Edit(_EVALUATE, "    activation.wait_until_settled()\n", ""),),
        tests=("liquidation/tests/test_evaluate.py", "loans/tests/test_activation_concurrency.py"),
    ),
    Mutant(
        "past-price-applies",
        "a dip that was over before a loan was active applies to it",
        (Edit("loans.activation", "    return point.until or point.at", "    return point.at"),),
        tests=("loans/tests/test_postings.py", "liquidation/tests/test_evaluate.py"),
    ),
)
