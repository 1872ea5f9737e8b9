"""How often each fault happens, by seed: from never to far too often."""

import random
from typing import Any

#: The chance of each fault at each occasion, in a world of severity 1.
RATES: dict[str, float] = {
    # processes
    "actor.killed": 0.012,
    "actor.stalled": 0.012,
    "database.lost": 0.002,
    "database.lost_at_commit": 0.008,
    # tasks
    "task.lost": 0.12,
    "task.doubled": 0.10,
    "task.late": 0.12,
    "task.out_of_order": 0.3,
    "broker.down": 0.03,
    # markets
    "market.never_reached": 0.05,
    "market.request_lost": 0.05,
    "market.request_late": 0.05,
    "market.refuses": 0.15,
    "market.fails": 0.05,
    "market.refuses_resend": 0.3,
    "market.calls_it_a_duplicate": 0.1,
    "market.answer_lost": 0.10,
    "market.answer_broken": 0.05,
    "market.wrong_figures": 0.05,
    "market.partial_fill": 0.25,
    "market.price_moved": 0.4,
    "market.answer_overtaken": 0.02,
    "market.trades_far_off": 0.02,
    # markets that lie
    "liar.refuses_after_trading": 0.25,
    "liar.refuses_in_doubt": 0.2,
    "liar.refuses_with_figures": 0.15,
    "liar.refuses_oddly": 0.15,
    "liar.remembers_a_refusal": 0.3,
    "liar.trades_nothing": 0.15,
    "liar.wrong_total": 0.25,
    "liar.says_more": 0.2,
    # messaging
    "sns.refuses": 0.12,
    "sns.refuses_one": 0.12,
    "sns.answer_lost": 0.10,
    "sqs.receive_lost": 0.05,
    "sqs.receive_refused": 0.04,
    "sqs.few": 0.2,
    "sqs.out_of_order": 0.2,
    "sqs.again": 0.10,
    "sqs.not_deleted": 0.08,
    # prices
    "price.doubled": 0.08,
    "price.unreadable": 0.05,
    "price.of_another_item": 0.05,
    "price.own_time_wrong": 0.06,
    "price.silence": 0.05,
    "price.false": 0.06,
    "price.stays_false": 0.5,
    # what is shared
    "cache.down": 0.05,
    "redis.emptied": 0.02,
    "clock.stepped": 0.0,  # only in worlds whose clock steps: see `Faults`
    # clients
    "client.repeats": 0.2,
    "client.changes_its_mind": 0.03,
}

#: None, mild, usual twice, hard, brutal.
SEVERITIES = (0.0, 0.3, 1.0, 1.0, 2.0, 3.5)
_CEILING = 0.6


class _First(random.Random):
    """Takes the first of everything."""

    def choice(self, seq: Any) -> Any:
        """The first."""
        return seq[0]


class Faults:
    """The rates of one world; in its calm phase nothing goes wrong."""

    def __init__(self, random: random.Random) -> None:
        """Choose the severity, and which kinds of faults this world knows at all."""
        self.severity = random.choice(SEVERITIES)
        kinds = sorted({name.partition(".")[0] for name in RATES})
        weights = {kind: random.choice((0.0, 0.5, 1.0, 1.0, 1.5)) for kind in kinds}
        self.rates = {
            name: min(_CEILING, rate * self.severity * weights[name.partition(".")[0]]) for name, rate in RATES.items()
        }
        self.clock_steps = self.severity > 0 and random.random() < 0.15
        if self.clock_steps:
            self.rates["clock.stepped"] = 0.05
        #: How often a turn ends at a point: no fault, but the density of the interleaving.
        self.switch = random.choice((0.05, 0.15, 0.3, 0.6, 1.0))
        self.calm = False

    @classmethod
    def all_possible(cls) -> "Faults":
        """Every fault at its usual rate, for a tape, which decides each occasion by itself."""
        faults = cls(_First())
        faults.severity, faults.rates = 1.0, dict(RATES)
        return faults

    def rate(self, name: str) -> float:
        """The chance of a fault now."""
        return 0.0 if self.calm else self.rates[name]
