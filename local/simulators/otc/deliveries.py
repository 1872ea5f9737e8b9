"""What a subscriber of SNS keeps of each delivery, and sentences about what is wrong. No I/O."""

import threading
from typing import Any

from local.simulators.exact import BadJsonError, read_json
from local.simulators.otc.ledger import MOST_SENTENCES


class Deliveries:
    """Events by their ids, each once, whose bytes must never change. Safe to use from several threads."""

    #: How sentences call one.
    what = "an event"

    def __init__(self) -> None:
        """Begin with no event."""
        self._lock = threading.Lock()
        self._raw_by_event: dict[str, str] = {}
        self._violations: list[str] = []
        self.received = 0

    def receive(self, raw: str) -> None:
        """Take one delivery of an event, byte for byte."""
        with self._lock:
            self.received += 1
            try:
                event = read_json(raw)
            except BadJsonError as error:
                self._add_violation(f"{self.what} is {error}: {raw[:200]}")
                return
            event_id = event.get("eventId") if isinstance(event, dict) else None
            if isinstance(event_id, str) and self._raw_by_event.setdefault(event_id, raw) != raw:
                self._add_violation(f"{self.what} {event_id} came with other bytes than before: {raw[:500]}")
                return
            faults = self._faults(event)
            for fault in faults:
                self._add_violation(f"{fault}: {raw[:500]}")
            if not faults:
                self._keep(event)

    def _faults(self, event: Any) -> list[str]:
        """What is wrong with an event by itself, as sentences."""
        raise NotImplementedError

    def _keep(self, event: dict[str, str]) -> None:
        """Take an event without faults; it may be one that was delivered before."""
        raise NotImplementedError

    def _add_violation(self, sentence: str) -> None:
        if len(self._violations) < MOST_SENTENCES:
            self._violations.append(sentence)
