"""How large a run of the benchmarks is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes in loans, durations in seconds, numbers of repetitions.

    `banks` are the sizes that are compared, smallest first; the largest is the bank of the crash and of the lists.
    One loan in ten is near the edge, and the crash breaches it.
    """

    name: str
    banks: tuple[int, ...]
    runs: int
    quiet_ticks: int
    loop_claims: int
    calm_seconds: float
    chain_backlog: int
    chain_window_seconds: float
    live_loans: int
    live_seconds: int
    load_seconds: float
    list_requests: int
    queued_messages: int
    settled: int
    day_share: float

    @property
    def largest(self) -> int:
        """The size of the largest bank."""
        return self.banks[-1]


FULL = Scale(
    name="full",
    banks=(10_000, 100_000, 1_000_000),
    runs=3,
    quiet_ticks=100,
    loop_claims=300,
    calm_seconds=6,
    chain_backlog=10_000,
    chain_window_seconds=12,
    live_loans=100_000,
    live_seconds=60,
    load_seconds=8,
    list_requests=500,
    queued_messages=3_000,
    settled=1_000,
    day_share=1,
)
QUICK = Scale(
    name="quick",
    banks=(10_000, 100_000),
    runs=3,
    quiet_ticks=40,
    loop_claims=100,
    calm_seconds=4,
    chain_backlog=3_000,
    chain_window_seconds=4,
    live_loans=20_000,
    live_seconds=20,
    load_seconds=4,
    list_requests=200,
    queued_messages=1_000,
    settled=200,
    day_share=0.1,
)
#: For the tests of the benchmarks: its figures say nothing.
TINY = Scale(
    name="tiny",
    banks=(200, 400),
    runs=1,
    quiet_ticks=3,
    loop_claims=3,
    calm_seconds=1,
    chain_backlog=600,
    chain_window_seconds=1,
    live_loans=400,
    live_seconds=3,
    load_seconds=1,
    list_requests=5,
    queued_messages=40,
    settled=10,
    day_share=0.001,
)
SCALES = {scale.name: scale for scale in (FULL, QUICK, TINY)}
