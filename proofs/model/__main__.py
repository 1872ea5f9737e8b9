"""`python -m proofs.model`: check the protocol with all its rules, then without each of them."""

import argparse
from collections.abc import Collection, Sequence
from dataclasses import replace

from proofs.model.check import Found, check
from proofs.model.promises import ALL_PROMISES, DAMAGE, Promise
from proofs.model.rules import WHOLE, Assumptions, Bounds, Model, Rules, sentences, without

#: What `make test` checks.
SMALL = replace(WHOLE, orders=2, need=1, collateral=2)
#: Where to look for what a missing rule does: in the smallest world first.
HUNTS = (replace(WHOLE, orders=2, restore=False), replace(SMALL, release=False), SMALL, WHOLE)
#: Of the two markets, which remember a refusal.
KINDS = ((False, False), (False, True), (True, True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, and print; the exit code is 1 if a promise is broken, or if a rule is left out and none is."""
    parser = argparse.ArgumentParser(prog="python -m proofs.model", description=__doc__)
    parser.add_argument("--small", action="store_true", help="less to sell: some seconds")
    parser.add_argument("--without", metavar="RULE", help="leave out this rule or assumption, and print what happens")
    parser.add_argument("--list", action="store_true", help="name the rules and assumptions")
    options = parser.parse_args(arguments)
    if options.list:
        for kind in (Rules, Assumptions):
            for name, sentence in sentences(kind).items():
                print(f"{name:<18} {sentence}")
        return 0
    bounds = SMALL if options.small else WHOLE
    if options.without:
        found = left_out(options.without)
        print("\n".join(found.lines()))
        return 0 if found.broken else 1
    return _everything(bounds)


def _everything(bounds: Bounds) -> int:
    wrong = 0
    for kinds in KINDS:
        found = whole(replace(bounds, remembers=kinds))
        remembering = sum(kinds)
        print(f"all rules, {remembering} of 2 markets remember their refusals: {_told(found)}", flush=True)
        if not found.holds:
            print("\n".join(found.lines()))
            wrong += 1
    for kind in (Rules, Assumptions):
        print(f"\nwithout one of the {kind.__name__.lower()}")
        for name in sentences(kind):
            found = left_out(name)
            print(f"  {name:<18} {_told(found)}", flush=True)
            wrong += found.broken is None
    return 1 if wrong else 0


def whole(bounds: Bounds, promises: Collection[Promise] = ALL_PROMISES) -> Found:
    """The check of all rules together."""
    return check(Model(bounds=bounds), promises)


def left_out(name: str) -> Found:
    """The check without a rule or an assumption, until a market's statement would show it."""
    rules, assumptions = without(name)
    for bounds in HUNTS:
        found = check(Model(rules, assumptions, bounds), DAMAGE)
        if found.broken:
            break
    return found


def _told(found: Found) -> str:
    if found.broken:
        return f"BROKEN after {len(found.trace)} steps: {found.broken}"
    verdict = "DEAD END" if found.dead_end else "nothing found"
    return f"{verdict} in {found.states:,} states, {found.steps:,} steps, {found.seconds:.0f} s"


if __name__ == "__main__":
    raise SystemExit(main())
