"""Bugs of controls: boundaries a moment off, pauses that are forgotten, and one person who does what takes two.

The simulation notices most of the pauses' and says so in some hundred schedules; tests notice all of them at once.
"""

from proofs.mutants.planting import Edit, Mutant

_FORCE, _PULL = "coruscant.controls.in_force", "coruscant.controls.pull"
_CLAIM, _ACTIVATION, _ORDERS = "liquidation.claim", "loans.activation", "liquidation.orders"
_WITHHELD, _SET_ASIDE = "liquidation.controls.withheld", "liquidation.controls.set_aside"
_HOLDS = "Q(until__gte=applies_before) | Q(until__gt=instant)"
_PAUSE = "if pause := in_force.pause_of_claims(point.applies_before, clock.now()):"

_PULLED = ("coruscant/controls/tests/test_pull.py",)
_IN_FORCE = ("coruscant/controls/tests/test_in_force.py",)
_SPARED = ("liquidation/controls/tests/test_withheld.py",)
_ASIDE = ("liquidation/controls/tests/test_set_aside.py",)
_PAUSED = ("loans/tests/test_activation_pause.py",)


def _by_tests(name: str, bug: str, *edits: Edit, tests: tuple[str, ...]) -> Mutant:
    """What no schedule of the simulation does: it keeps to the rules of who may."""
    return Mutant(name, bug, edits, tests=tests, simulated=False)


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "pause-unlooked-at",
        "loans are claimed while claims are paused",
        (Edit(_CLAIM, _PAUSE, "if pause := None:"),),
        tests=_SPARED,
    ),
    Mutant(
        "pause-as-of-the-window",
        "a pause does not stop an evaluation that has opened its window before: it is read too early",
        (Edit(_CLAIM, _PAUSE, f"if (p{_PAUSE.removeprefix('if p')[:-1]}) and pause.began_at < point.applies_before:"),),
        tests=_SPARED,
    ),
    Mutant(
        "pause-without-the-lock",
        "a pause begins in the middle of a batch that is claiming",
        (Edit(_PULL, "    locks.exclusive(locks.EVALUATION)\n", ""),),
        tests=_SPARED,
    ),
    Mutant(
        "pause-forgotten-by-recovery",
        "a dip in a pause that is evaluated after it claims loans",
        (Edit(_FORCE, _HOLDS, "Q(until__gt=instant)"),),
        tests=(*_SPARED, *_IN_FORCE),
    ),
    Mutant(
        "resumed-a-moment-early",
        "a price that ended with the pause claims loans",
        (Edit(_FORCE, "Q(until__gte=applies_before)", "Q(until__gt=applies_before)"),),
        tests=(*_SPARED, *_IN_FORCE),
    ),
    Mutant(
        "held-a-moment-long",
        "a pause still holds at the instant at which it ends",
        (Edit(_FORCE, "| Q(until__gt=instant)", "| Q(until__gte=instant)"),),
        tests=_IN_FORCE,
        simulated=False,  # which instant that is, only a test can say
    ),
    Mutant(
        "pause-by-the-price-alone",
        "a pause that holds lets a price claim whose time is later, since the clock was set back",
        (Edit(_FORCE, _HOLDS, "Q(until__gte=applies_before)"),),
        tests=_IN_FORCE,
        simulated=False,  # it pulls no controls where clocks step
    ),
    Mutant(
        "price-at-the-resumption-unlooked-at",
        "a price that outlasts the pause and has a successor by the next evaluation claims nobody",
        (Edit("pricing.evaluation_window", "            start = resumed_at\n", "            pass\n"),),
        tests=_SPARED,
    ),
    Mutant(
        "spared-and-not-listed",
        "nobody can say which loans a pause has spared",
        (Edit(_WITHHELD, "    made = WithheldClaim.objects.bulk_create(\n", "    made = list(\n"),),
        tests=_SPARED,
    ),
    Mutant(
        "posting-activates-in-a-pause",
        "a posting activates a loan while activations are paused",
        (
            Edit(
                _ACTIVATION, "    if in_force.activations_pause(point.applies_before, now):\n        return False\n", ""
            ),
        ),
        tests=_PAUSED,
    ),
    Mutant(
        "price-activates-in-a-pause",
        "an evaluation activates loans while activations are paused",
        (
            Edit(
                _ACTIVATION,
                "    if in_force.activations_pause(point.applies_before, clock.now()):\n        return 0\n",
                "",
            ),
        ),
        tests=_PAUSED,
    ),
    Mutant(
        "pause-without-the-barrier",
        "activations pause while a posting is about to activate by what it has read",
        (Edit(_PULL, "    locks.exclusive(locks.ACTIVATION)\n", ""),),
        tests=_PAUSED,
    ),
    Mutant(
        "closed-market-gets-orders",
        "a market that is to get no new orders gets them",
        (Edit(_ORDERS, " - in_force.markets_without_new_orders(now)", ""),),
        tests=("liquidation/controls/tests/test_controls.py",),
    ),
    Mutant(
        "set-aside-counts-all-the-same",
        "prices that are set aside are shown as such, and count",
        (Edit("pricing.timeline", "        if is_aside(self.aside, self.market, instant):\n", "        if False:\n"),),
        tests=_ASIDE,
    ),
    Mutant(
        "confirmed-by-a-quote-set-aside",
        "a quote of a market that is set aside confirms a jump",
        (Edit("pricing.guard", "for at in (quote.sent_at, instant))", "for at in ())"),),
        tests=_ASIDE,
    ),
    Mutant(
        "confirmed-by-what-was-set-aside",
        "what a market sent while it was set aside confirms a jump once it counts again",
        (Edit("pricing.guard", "for at in (quote.sent_at, instant))", "for at in (instant,))"),),
        tests=("pricing/tests/test_guard.py",),
        simulated=False,  # two markets must meet within one life of a quote, around one edge
    ),
    Mutant(
        "set-aside-opens-no-window",
        "a dip at the edge of an interval of prices set aside is evaluated only if a quote came then",
        (Edit("pricing.window_start", "for instant in edges(aside) if", "for instant in () if"),),
        tests=("pricing/tests/test_evaluation_window.py",),
    ),
    Mutant(
        "set-aside-is-not-read",
        "the price now counts prices that are set aside",
        (Edit("pricing.written", "settled, read_aside(aside)", "settled, ()"),),
        tests=_ASIDE,
    ),
    Mutant(
        "set-aside-ends-a-moment-late",
        "prices are set aside at the instant at which they count again",
        (Edit("pricing.aside", "one.start <= instant < one.end", "one.start <= instant <= one.end"),),
        tests=("pricing/tests/test_timeline.py",),
        simulated=False,  # no quote comes in that microsecond
    ),
    _by_tests(
        "hold-outlasted-unseen",
        "a price that outlasted the hold of a restore claims nobody unless an evaluation met it",
        Edit(
            "liquidation.evaluate",
            "(in_force.claims_resumed_at(now), holds.claims_released_at())",
            "(in_force.claims_resumed_at(now),)",
        ),
        tests=("liquidation/tests/test_restored.py",),
    ),
    _by_tests(
        "resumed-by-one",
        "one person alone ends a pause early, or extends it",
        Edit(_PULL, '    if not two_people:\n        raise SecondPersonNeeded("That takes a second person.")\n', ""),
        tests=_PULLED,
    ),
    _by_tests(
        "an-hour-and-another",
        "one person pulls a control again as soon as it is over",
        Edit(_PULL, "until__gt=now - ALONE\n", "until__gt=now\n"),
        tests=_PULLED,
    ),
    _by_tests(
        "people-take-turns",
        "people pull a control one after the other, each alone, for ever",
        Edit(_PULL, "Q(two_people=False) | Q(pulled_by_id=by_id)", "Q(pulled_by_id=by_id)"),
        tests=_PULLED,
    ),
    _by_tests(
        "higher-market-set-aside-by-one",
        "one person alone lowers the best price",
        Edit(_SET_ASIDE, "        if _decides(before) != _decides(after) or after.pending:\n", "        if False:\n"),
        tests=_ASIDE,
    ),
    _by_tests(
        "more-claimed-than-agreed",
        "setting a market aside claims more loans than both people were shown",
        Edit(_SET_ASIDE, 'if claims.count > sent["at_most"]:', "if False:"),
        tests=_ASIDE,
    ),
    _by_tests(
        "lower-price-than-agreed",
        "a market is set aside although the price has fallen below what both people were shown",
        Edit(_SET_ASIDE, "(floor is None or after < floor)", "floor is None"),
        tests=_ASIDE,
    ),
)
