"""What a metric is here: a name, a sentence, labels, and rows of one value a label and the figure."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from prometheus_client.core import GaugeMetricFamily


class Figures(NamedTuple):
    """One metric. No row: it is absent at present."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    rows: Iterable[tuple[Any, ...]]


def families(found: Iterable[Figures]) -> Iterator[GaugeMetricFamily]:
    """As Prometheus' client writes them."""
    for name, meaning, labels, rows in found:
        family = GaugeMetricFamily(name, meaning, labels=labels)
        for *values, figure in rows:
            family.add_metric([str(value) for value in values], float(figure))
        yield family
