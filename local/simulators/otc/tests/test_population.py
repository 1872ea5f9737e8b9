from decimal import Decimal
from random import Random

from local.simulators.otc.population import LARGEST_LOAN, SMALLEST_LOAN, draw_clients, draw_loan, units_for


def test_clients_are_of_very_different_size_and_the_same_for_the_same_seed() -> None:
    random = Random(7)
    clients = draw_clients(400, random)
    amounts = [draw_loan("l", client, random).amount for client in clients]
    assert clients == draw_clients(400, Random(7))
    assert min(amounts) >= SMALLEST_LOAN
    assert max(amounts) <= LARGEST_LOAN
    assert max(amounts) / min(amounts) > 500
    typical = sorted(amounts)[len(amounts) // 2]
    assert 1000 < typical < 6000
    # At a price of 31 GC an order of 100 units fetches about 3100 GC.
    assert sum(amount <= 15_000 for amount in amounts) / len(amounts) > 0.8
    assert any(amount > 30_000 for amount in amounts)


def test_some_clients_post_exactly_enough_and_most_only_a_little_more() -> None:
    buffers = [client.buffer for client in draw_clients(400, Random(7))]
    assert 0.1 < sum(buffer == 1 for buffer in buffers) / 400 < 0.3
    assert sum(buffer < Decimal("1.13") for buffer in buffers) / 400 > 0.75


def test_units_are_rounded_up_and_never_to_zero() -> None:
    assert units_for(Decimal("1.2345"), 2) == Decimal("1.24")
    assert units_for(Decimal("0.0000001"), 4) == Decimal("0.0001")
