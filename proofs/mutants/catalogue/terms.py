"""Bugs of loan terms: whose terms decide, what a move of loans must do first, and what it must not do."""

from proofs.mutants.planting import Edit, Mutant

_CLAIM = "liquidation.claim"
_EVALUATE = "liquidation.evaluate"
_MOVES = "liquidation.moves"
_TESTS_OF_MOVES = ("liquidation/tests/test_moves.py",)

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "terms-of-the-newest",
        "a claim is decided by the newest terms of the batch, not by the loan's own",
        (Edit(_CLAIM, "ltvs[version])", "ltvs[max(ltvs)])"),),
        tests=("liquidation/tests/test_claim.py",),
    ),
    Mutant(
        "first-terms-only",
        "the searches look at loans of the first of the terms in use only",
        (Edit("loans.candidates", "in in_use.items())", "in list(in_use.items())[:1])"),),
        tests=("loans/tests/test_candidates.py", "loans/tests/test_candidates_exact.py"),
    ),
    Mutant(
        "terms-read-with-the-window",
        "the terms in use are read before the activation barrier, so a loan under newer ones can be overlooked",
        (
            Edit(
                _EVALUATE,
                "open_window(now, resumed_at)\n    activation.wait_until_settled()\n",
                "open_window(now, resumed_at)\n        early = terms.in_use()\n    activation.wait_until_settled()\n",
            ),
            Edit(_EVALUATE, "_steps(window, in_use, first_sales))", "_steps(window, early, first_sales))"),
        ),
        tests=("liquidation/tests/test_evaluate_terms.py",),
    ),
    Mutant(
        "terms-made-while-a-loan-is-opened",
        "new terms do not wait for loans that are being opened",
        (Edit("loans.terms", "    locks.share(locks.TERMS)\n", ""),),
        tests=("loans/tests/test_terms_concurrency.py",),
    ),
    Mutant(
        "call-of-the-first-terms",
        "a margin call is recorded under the first terms",
        (Edit("loans.margin_calls", "SELECT id, terms_id, %(price)s", "SELECT id, 1, %(price)s"),),
        tests=("loans/tests/test_terms.py",),
    ),
    Mutant(
        "posting-misses-a-move",
        "a posting answers by the terms that its loan had when it looked",
        (Edit("loans.postings", " AND terms_id = %(terms)s", ""),),
        tests=("loans/tests/test_terms.py",),
    ),
    Mutant(
        "older-prices-after-a-move",
        "prices from before a move apply to the moved loans under their new terms",
        (Edit(_MOVES, 'Greatest(F("prices_apply_from"), Value(window.until))', 'F("prices_apply_from")'),),
        tests=_TESTS_OF_MOVES,
    ),
    Mutant(
        "moved-before-evaluated",
        "loans are moved before the prices up to then are evaluated under their old terms",
        (Edit(_EVALUATE, "    while _first_change(waiting):\n        pass\n    return window", "    return window"),),
        tests=_TESTS_OF_MOVES,
    ),
    Mutant(
        "more-sold-than-agreed",
        "a move is carried out though more loans would be sold than both people were shown",
        (Edit(_MOVES, "if sold > most_sold or due > most_sold + most_called:", "if due > most_sold + most_called:"),),
        tests=_TESTS_OF_MOVES,
    ),
    Mutant(
        "more-called-than-agreed",
        "a move is carried out though more loans would be called than both people were shown",
        (Edit(_MOVES, "if sold > most_sold or due > most_sold + most_called:", "if sold > most_sold:"),),
        tests=_TESTS_OF_MOVES,
    ),
    Mutant(
        "moved-in-the-middle",
        "an evaluation goes on with its window after a move in the middle of it",
        (
            Edit(
                _EVALUATE, "        cursor.execute(\"SELECT nextval('liquidation_evaluation_number')\")", "        pass"
            ),
        ),
        tests=_TESTS_OF_MOVES,
    ),
    Mutant(
        "moved-unlocked",
        "loans are moved while a posting to one of them is under way",
        (Edit(_MOVES, "move.loans.select_for_update()", "move.loans"),),
        tests=("liquidation/tests/test_moves_concurrency.py",),
    ),
    Mutant(
        "moved-on-old-news",
        "loans are moved while a feed is behind, so that a dip from before is judged under no terms",
        (Edit(_MOVES, "    check_feeds(clock.now())\n", ""),),
        tests=_TESTS_OF_MOVES,
    ),
)
