"""What the service says of the price and of controls, by its metrics."""

from dataclasses import dataclass
from decimal import Decimal

from prometheus_client.parser import text_string_to_metric_families

PAUSED = "pause_claims"


@dataclass(frozen=True, slots=True)
class Said:
    """One answer of /metrics: the best price in GC a unit, what is doubted, and which controls hold."""

    best: Decimal | None = None
    pending: int = 0
    disputed: bool = False
    suspect: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    spared: int = 0

    @property
    def paused(self) -> bool:
        """Whether claims are paused."""
        return PAUSED in self.controls


def read(metrics: str) -> Said:
    """Read the service's metrics; what is not in them is not said."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(metrics):
        found[family.name] = [(sample.labels, sample.value) for sample in family.samples]

    def figure(name: str) -> float:
        return sum(value for _labels, value in found.get(f"coruscant_{name}", []))

    def labels(name: str, label: str) -> tuple[str, ...]:
        return tuple(labels[label] for labels, value in found.get(f"coruscant_{name}", []) if value)

    best = found.get("coruscant_best_price")
    return Said(
        best=Decimal(str(best[0][1])) if best else None,
        pending=int(figure("price_pending")),
        disputed=bool(figure("price_disputed")),
        suspect=labels("price_suspect", "market"),
        controls=labels("controls_in_force", "kind"),
        spared=int(figure("claims_withheld")),
    )
