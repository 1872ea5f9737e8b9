"""What a fault is, and what it may lay hands on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import ClassVar

from local.demo.running_demo import RunningDemo
from proofs.chaos.alarms import Alarms
from proofs.chaos.forgery import Forger
from proofs.chaos.monitor import Monitor
from proofs.chaos.price_cycle import PriceCycle
from proofs.chaos.proxy import Proxy


@dataclass(frozen=True, slots=True)
class Target:
    """Everything that can be broken.

    `say` prints a sentence to the person who watches; `go_on` keeps the rest running while a fault waits. The load is
    `price_cycle`.
    """

    demo: RunningDemo
    proxy: Proxy
    forger: Forger
    random: Random
    say: Callable[[str], None]
    monitor: Monitor
    go_on: Callable[[], None]
    alarms: Alarms
    price_cycle: PriceCycle


class Fault(ABC):
    """A way to break something. One instance is one occurrence: `inject`, `go_on` now and then, `heal`.

    Two faults that `touch` the same part are never played together. The fault ends with `heal`; recovery is
    measured from there. `seen_as` is what an operator finds of it in the service's logs, as a regular expression; it
    is empty for a fault that the service does not notice. With `seen_by_postgres` it is in PostgreSQL's log.
    One that `changes_the_bank` is played alone, once, after all others. `environment` are settings of the service in a
    run with this fault. `complaints` are broken promises.

    `alerts` of deploy/prometheus must fire by it when it is played alone: another fault may hide it.
    `alerts_if_left` must fire where it is not healed before they do; that may take `alarmed_within_seconds`. They end
    by themselves, but for those that `stays_until_people_act` names.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    touches: ClassVar[frozenset[str]]
    seen_as: ClassVar[str]
    seen_by_postgres: ClassVar[bool] = False
    lasts_seconds: ClassVar[float] = 0.0
    events_within_seconds: ClassVar[float] = 60.0
    changes_the_bank: ClassVar[bool] = False
    environment: ClassVar[Mapping[str, str]] = {}
    alerts: ClassVar[frozenset[str]] = frozenset()
    alerts_if_left: ClassVar[frozenset[str]] = frozenset()
    alarmed_within_seconds: ClassVar[float] = 180.0
    stays_until_people_act: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, target: Target) -> None:
        """Break this, later."""
        self.target = target
        self.demo = target.demo
        self.random = target.random
        self.over = False
        """Set by `go_on` to be healed before its time is up."""
        self.complaints: list[str] = []

    @abstractmethod
    def inject(self) -> None:
        """Begin."""

    def go_on(self) -> None:  # noqa: B027  (most faults need nothing)
        """What is to be done again about once a second while the fault lasts."""

    def met(self, since: datetime) -> bool:
        """Whether the service ran into it at all; `since` is when it began, by the database's clock."""
        return True

    def heal(self) -> None:  # noqa: B027  (a kill is over at once)
        """End it: from now on nothing is in the way of recovery."""

    def check(self) -> None:  # noqa: B027  (most faults break what the monitor watches)
        """Complain of what is not as promised after the recovery."""
