"""Bugs of the guard over prices: what is believed too early, too late, or at the wrong price."""

from proofs.mutants.planting import Edit, Mutant

_GUARD, _TIMELINE, _QUOTES = "pricing.guard", "pricing.timeline", "pricing.quotes"
_TESTS = ("pricing/tests/test_guard.py",)


def _unit(name: str, bug: str, module: str, before: str, after: str) -> Mutant:
    return Mutant(name, bug, (Edit(module, before, after),), tests=_TESTS)


MUTANTS: tuple[Mutant, ...] = (
    _unit(
        "guard-off",
        "every jump is believed at once",
        _GUARD,
        "        return self.mode is Mode.ON\n",
        "        return False\n",
    ),
    _unit(
        "confirmed-by-itself",
        "a jump confirms itself",
        _GUARD,
        "next((other for other in fresh if",
        "next((other for other in [quote, *fresh] if",
    ),
    _unit(
        "confirmed-by-a-duplicate",
        "the same event delivered twice confirms a jump",
        _GUARD,
        "later.market_time > earlier.market_time",
        "later.market_time >= earlier.market_time",
    ),
    _unit(
        "confirmed-retroactively",
        "a confirmed jump is effective from when it was sent",
        _GUARD,
        "self._believe(Effective(self.pending.quote, instant, alone",
        "self._believe(Effective(self.pending.quote, self.pending.quote.sent_at, alone",
    ),
    _unit(
        "deepest-level-unlooked-at",
        "only the first level of a curve is compared",
        _GUARD,
        "for quantity in sorted({level.quantity for level in (*before, *after)}):",
        "for quantity in sorted({level.quantity for level in (*before, *after)})[:1]:",
    ),
    _unit(
        "jump-at-the-threshold",
        "a change of exactly the share counts as a jump",
        _GUARD,
        "> share * old:",
        ">= share * old:",
    ),
    _unit(
        "replaced-quote-confirms",
        "another market's quote goes on confirming after it was replaced",
        _GUARD,
        "        self.others[quote.market] = quote\n",
        "        self.others.setdefault(quote.market, quote)\n",
    ),
    _unit(
        "expired-quote-confirms",
        "another market's quote confirms a jump although it had expired",
        _GUARD,
        "fresh = [other for other in self.others.values() if quote.sent_at < expires_at(other, self.freshness)]",
        "fresh = list(self.others.values())",
    ),
    _unit(
        "never-alone",
        "a market that alone confirmed its jump is never suspect",
        _TIMELINE,
        "    return disputed, suspect if len(suspect) < len(known) else []\n",
        "    return disputed, []\n",
    ),
    _unit(
        "alone-for-one-quote",
        "a market is suspect for one quote only",
        _GUARD,
        "self._believe(Effective(quote, quote.sent_at, alone, by))",
        "self._believe(Effective(quote, quote.sent_at, alone if by else Alone.NO, by))",
    ),
    _unit(
        "both-alone-do-not-count",
        "if both markets jumped apart, neither counts",
        _TIMELINE,
        "suspect if len(suspect) < len(known) else []",
        "suspect",
    ),
    _unit(
        "pending-low-ignored-at-activation",
        "while a jump down is pending, loans are activated at the price before it",
        _TIMELINE,
        "    lower = min([*known, *(jump.price for jump in pending if jump.price is not None)], default=None)\n",
        "    lower = min(known, default=None)\n",
    ),
    _unit(
        "dispute-lends-by-the-higher",
        "while the price is disputed, loans are activated by the higher price",
        _TIMELINE,
        "if known and not disputed and not pending:",
        "if known and not pending:",
    ),
    _unit(
        "claims-while-pending",
        "loans are claimed and called while a jump is pending",
        _QUOTES,
        "        return self.price is not None and not self.pending\n",
        "        return self.price is not None\n",
    ),
    _unit(
        "overtaken-price-claims",
        "a price claims although the market had said a higher one, confirmed later",
        _TIMELINE,
        "        counting = _overtaken(counting, markets, guard)\n",
        "        pass\n",
    ),
    Mutant(
        "dip-behind-a-jump-lost",
        "what waited for a jump is not judged once that has expired",
        (
            Edit(
                "pricing.evaluation_window",
                "instants += window_start.no_longer_pending(",
                "_nothing = window_start.no_longer_pending(",
            ),
        ),
        tests=("pricing/tests/test_evaluation_window.py",),
    ),
    Mutant(
        "posting-activates-by-the-best-price",
        "a posting activates its loan by the higher price while that is disputed",
        (
            Edit(
                "loans.postings",
                "activate_if_covered(loan, point.cautious, now)",
                "activate_if_covered(loan, point, now)",
            ),
        ),
        tests=("loans/tests/test_postings.py",),
    ),
    Mutant(
        "anchor-pruned",
        "the quote that later ones are judged against is removed with old ones",
        (Edit("pricing.ingest.prune", "min(before, anchor or before)", "before"),),
        tests=("pricing/ingest/tests/test_prune.py",),
        simulated=False,  # no schedule lasts as long as quotes are kept
    ),
    Mutant(
        "dated-back-still-effective",
        "an event that is dated back keeps what was found of it at its later time",
        (
            Edit(
                "pricing.ingest.record", 'quote.effective_from, quote.alone, quote.confirmed_by = None, "", ""', "pass"
            ),
        ),
        tests=("pricing/ingest/tests/test_record.py",),
        simulated=False,  # the next evaluation corrects it
    ),
    Mutant(
        "sized-on-a-suspect-curve",
        "an order is sized on the curve of a market that does not count",
        (Edit("pricing.snapshot", "counts = market not in suspect and not", "counts = not"),),
        tests=("pricing/tests/test_best_price.py",),
        simulated=False,  # it sells less than it could at worst
    ),
    Mutant(
        "guard-without-the-barrier",
        "the guard changes while a posting is about to activate by the old one",
        (Edit("pricing.two_people", "    locks.exclusive(locks.ACTIVATION)\n", ""),),
        tests=("pricing/tests/test_two_people_concurrency.py",),
        simulated=False,  # nobody changes the guard there
    ),
    Mutant(
        "guard-beside-terms",
        "the guard changes while terms are made that it does not fit",
        (Edit("pricing.two_people", "    locks.share(locks.TERMS)\n", ""),),
        tests=("pricing/tests/test_two_people_concurrency.py",),
        simulated=False,  # nobody changes the guard there
    ),
)
