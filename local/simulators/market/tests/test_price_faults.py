from decimal import Decimal
from random import Random

from local.simulators.market.price_faults import deliveries


def test_a_price_event_usually_comes_once() -> None:
    assert deliveries("now", "before", Decimal(0), Random(1)) == ["now"]


def test_a_spoiled_delivery_still_brings_the_event_first() -> None:
    random = Random(1)
    came = [deliveries("now", "before", Decimal(1), random) for _ in range(60)]
    assert all(bodies[0] == "now" and len(bodies) == 2 for bodies in came)
    assert {"now", "before", "null"} <= {bodies[1] for bodies in came}
