"""Clients of the API, in a process of their own: `python -m benchmarks.clients URL --clients 50 …`.

Each client posts collateral over a connection of its own, one request after another. Prints one JSON object.
"""

import argparse
import asyncio
import json
import random
import time
import uuid
from collections import Counter

import aiohttp

from benchmarks.figures import percentile

_WARM_UP_SECONDS = 1.0


async def _client(
    session: aiohttp.ClientSession, url: str, loans: int, seed: int, end: float, found: list[tuple[float, float, int]]
) -> None:
    seeded = random.Random(seed)
    while time.perf_counter() < end:
        loan = seeded.randint(1, loans)
        body = {
            "requestId": str(uuid.uuid4()),
            "loanId": f"loan-{loan}",
            "borrowerId": f"borrower-{loan // 10}",
            "amount": "0.001",
        }
        began = time.perf_counter()
        async with session.post(url, json=body) as answer:
            await answer.read()
            found.append((began, time.perf_counter() - began, answer.status))


async def run(url: str, *, clients: int, seconds: float, loans: int) -> dict[str, object]:
    """Requests per second, p50 and p99 in ms, and how many answers had which status, after a warm-up."""
    found: list[tuple[float, float, int]] = []
    start = time.perf_counter() + _WARM_UP_SECONDS
    end = start + seconds
    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        await asyncio.gather(*(_client(session, url, loans, seed, end, found) for seed in range(clients)))
    counted = [(took, status) for began, took, status in found if began >= start]
    waits = [took for took, _status in counted]
    return {
        "rate": len(counted) / (time.perf_counter() - start),
        "p50": 1000 * percentile(waits, 0.5),
        "p99": 1000 * percentile(waits, 0.99),
        "statuses": Counter(str(status) for _took, status in counted),
    }


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.clients", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--loans", type=int, required=True)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(run(given.url, clients=given.clients, seconds=given.seconds, loans=given.loans))))


if __name__ == "__main__":
    main()
