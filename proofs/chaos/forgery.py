"""Price messages that no honest market sends, published on the markets' own topics; a seed decides their content."""

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import requests

from local.demo.settings import Addresses
from local.demo.simulators import MARKETS
from local.simulators.exact import read_json, write_json
from local.simulators.market.server import MARKETS as WIRES
from local.simulators.messaging import sns_client

MARK = "forged"
"""Every unreadable body holds this word and a number of its own, by which it is found among the rejected messages."""

_AT_ONCE = 10
_REMEMBERED = 60
_LAST_INSTANT = "9999-12-31T23:59:59.999Z"
_LAST_SECOND = 253_402_300_799
_HUGE = 70_000


class Forger:
    """Publishes on both topics, past the wire that the service uses."""

    def __init__(
        self, addresses: Addresses, endpoint: str, random: Random, breathe: Callable[[], None] = lambda: None
    ) -> None:
        """Ask the markets at `addresses` for what they say; publish at `endpoint`, and `breathe` between batches."""
        self._breathe = breathe
        self._addresses = addresses
        self._endpoint = endpoint
        self._random = random
        self._memory: dict[str, deque[dict[str, Any]]] = {market: deque(maxlen=_REMEMBERED) for market in MARKETS}
        self._number = 0
        self.unreadable = 0
        """How many bodies were published that nobody can read."""

    def remember(self) -> None:
        """Look at what the markets say now, to use it later. Raises requests.RequestException."""
        for market, memory in self._memory.items():
            answer = requests.get(f"{self._addresses.url(market)}/simulator/state", timeout=5)
            answer.raise_for_status()
            event = read_json(answer.content)["lastEvent"]
            if event and (not memory or memory[-1] != event):
                memory.append(event)

    def from_the_future(self) -> None:
        """Publish each market's last price with the last instant there is."""
        self.remember()
        for market in MARKETS:
            last = {"timestamp": _LAST_INSTANT} if market == "mos_espa" else {"time": _LAST_SECOND}
            self._publish(market, [write_json(self._renewed(self._memory[market][-1]) | last)])

    def doubled(self, count: int) -> None:
        """Publish each market's last price again, so many times."""
        self.remember()
        for market in MARKETS:
            self._publish(market, [write_json(self._memory[market][-1])] * count)

    def reordered(self, count: int) -> None:
        """Publish so many of each market's old prices, as events of their own, in any order."""
        self.remember()
        for market in MARKETS:
            old = list(self._memory[market])
            self._publish(market, [write_json(self._renewed(self._random.choice(old))) for _ in range(count)])

    def malformed(self, count: int) -> None:
        """Publish so many bodies that are no price event at all."""
        self._publish_unreadable(count, self._malformed)

    def poisonous(self, count: int) -> None:
        """Publish so many bodies that look like price events and hold what hurts."""
        self._publish_unreadable(count, self._poisonous)

    def _publish_unreadable(self, count: int, kinds: Any) -> None:
        self.remember()
        for market in MARKETS:
            sound = self._memory[market][-1]
            self._publish(market, [self._random.choice(list(kinds(market, sound))) for _ in range(count)])
            self.unreadable += count

    def _malformed(self, market: str, sound: dict[str, Any]) -> Iterator[str]:
        mark, text = self._mark(), write_json(sound)
        yield f"the price of Beskar is high, {mark}"
        yield f'["{mark}"]'
        yield f'{{"{mark}": ' + text[: self._random.randrange(1, len(text))]
        yield f'{{"{mark}": ' + '{"a":' * 5000
        yield f'"{mark}"' + text
        yield f'{{"{mark}": {text}}}'
        yield f'<price mark="{mark}"/>'
        yield f"{mark}\n\t{text}\r\n"

    def _poisonous(self, market: str, sound: dict[str, Any]) -> Iterator[str]:
        mark = self._mark()
        ours = {"mark": mark}
        own_time, side, figure = ("timestamp", "levels", "sell") if market == "mos_espa" else ("time", "sell", "price")
        for value in ("0", "-1", "1e400", "NaN", "Infinity", "1" * 45, "0." + "0" * 30 + "1", ""):
            levels = [{**level, figure: value} for level in sound[side]]
            yield write_json(sound | ours | {side: levels})
        yield write_json(sound | ours | {side: []})
        yield write_json(sound | ours | {side: sound[side] * 50})
        yield write_json(sound | ours | {side: [{**level, figure: None} for level in sound[side]]})
        yield write_json(sound | ours | {own_time: "9" * 100})
        yield write_json(sound | ours | {own_time: None})
        yield write_json(sound | {"mark": mark + "x" * (_HUGE if self._random.random() < 0.05 else 10)})[:-1]
        name = "eventId" if market == "mos_espa" else "item"
        for text in ("\x00", "\ud800", "", "y" * 300):
            # The lone surrogate and the NUL travel as escapes, as JSON allows.
            yield write_json(sound | ours | {name: text})
        yield write_json(sound | ours)[:-1] + f', "{own_time}": 1, "{own_time}": 2}}'

    def _mark(self) -> str:
        self._number += 1
        return f"{MARK}-{self._number}-"

    def _renewed(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event under an id of its own, where its market has ids."""
        return event | {"eventId": str(uuid.UUID(int=self._random.getrandbits(128)))} if "eventId" in event else event

    def _publish(self, market: str, bodies: Iterable[str]) -> None:
        sns = sns_client(self._endpoint)
        arn = sns.create_topic(Name=WIRES[market].topic)["TopicArn"]
        for batch in batches(bodies):
            answer = sns.publish_batch(
                TopicArn=arn,
                PublishBatchRequestEntries=[{"Id": str(index), "Message": body} for index, body in enumerate(batch)],
            )
            if answer.get("Failed"):
                raise OSError(f"SNS did not take all: {answer['Failed']}")
            self._breathe()


def batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    """As many bodies together as SNS takes at once: ten, and 256 KiB in all."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == _AT_ONCE or size + len(body) > 240_000):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body)
    if batch:
        yield batch
