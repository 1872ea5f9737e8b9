"""c, too: the chain with other pools of sales workers. With 30 % faults, a sale spends most of its time waiting."""

from benchmarks.chain import claimed_bank, sell_off
from benchmarks.figures import Figure, Measured
from benchmarks.scale import Scale
from benchmarks.stage import Stage

#: Options of the two sales workers. There cannot be as many processes as threads: each needs 100 MB.
POOLS = {
    "48 threads": ("--pool", "threads", "-c", "48"),
    "16 threads": ("--pool", "threads", "-c", "16"),
    "16 processes": ("--pool", "prefork", "-c", "16"),
    "48 greenlets": ("--pool", "gevent", "-c", "48"),
}


def measure(stage: Stage, scale: Scale) -> Measured:
    """Published per second by two workers of each pool, and what a sale costs them. No target: it is a comparison."""
    claimed, figures, notes = claimed_bank(stage, scale), list[Figure](), list[str]()
    for name, pool in POOLS.items():
        stage.say(f"two workers of {name}")
        rates, where = sell_off(stage, scale, claimed, faults="0.3", pool=pool)
        first = figures[0] if figures else None
        figures.append(Figure(what=f"published a second, 2 × {name}", runs=rates, unit="/s", yardstick=first))
        notes.append(f"Processor milliseconds of the sales workers a liquidation, {name}: {where['sales workers']:g}")
    return Measured(figures=tuple(figures), notes=tuple(notes))
