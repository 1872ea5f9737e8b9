"""c, too: the same chain with sales workers of other pools; with 30 % faults, a send waits a third of a second."""

from benchmarks.chain import claimed_bank, sell_off
from benchmarks.figures import Figure, Measured
from benchmarks.scale import Scale
from benchmarks.stage import Stage

#: Options of the two sales workers. Processes cannot be as many as threads: each is an interpreter of 100 MB.
POOLS = {
    "48 threads": ("--pool", "threads", "-c", "48"),
    "16 threads": ("--pool", "threads", "-c", "16"),
    "16 processes": ("--pool", "prefork", "-c", "16"),
    "48 greenlets": ("--pool", "gevent", "-c", "48"),
}


def measure(stage: Stage, scale: Scale) -> Measured:
    """Published per second by two workers of each pool, and what a sale costs in them."""
    claimed, figures, notes = claimed_bank(stage, scale), list[Figure](), list[str]()
    for name, pool in POOLS.items():
        stage.say(f"two workers of {name}")
        rates, where = sell_off(stage, scale, claimed, faults="0.3", pool=pool)
        beside = figures[0] if figures else None
        figures.append(Figure(what=f"published a second, 2 × {name}", runs=rates, unit="/s", yardstick=beside))
        notes.append(f"Processor milliseconds of the sales workers a liquidation, {name}: {where['sales workers']:g}")
    return Measured(figures=tuple(figures), notes=tuple(notes))
