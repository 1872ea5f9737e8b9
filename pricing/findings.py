"""What an evaluation finds out about quotes, stored with them: which were effective, and the jumps that were held.

Readers need it to know how far back they must read (`pricing.reading`), people to know what the guard did.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Case, F, Value, When

from pricing import guard as guarding
from pricing import records
from pricing.guard import Course, Guards, Jump, Mode, in_force
from pricing.markets import Market
from pricing.models import HeldJump, PriceQuote
from pricing.quotes import Quote, name_of, position, unit_price
from pricing.reading import Finding, History
from pricing.timeline import pending_until

_NOTHING: Finding = (None, "", "")


@dataclass(frozen=True, slots=True)
class Found:
    """What is true of quotes, by their ids; of which it is not stored yet; and the jumps that are no longer pending."""

    quotes: Mapping[int, Quote]
    findings: Mapping[int, Finding]
    changed: frozenset[int]
    jumps: tuple[HeldJump, ...]

    def columns(self, quotes: Iterable[Quote]) -> dict[str, Any]:
        """The columns of these quotes, for one UPDATE."""
        found = {quote.id: self.findings.get(quote.id, _NOTHING) for quote in quotes}
        at_once = [pk for pk, (since, *_) in found.items() if since and since == self.quotes[pk].sent_at]
        later = {pk: since for pk, (since, *_) in found.items() if since and pk not in at_once}
        return {
            "effective_from": Case(
                When(pk__in=at_once, then=F("sent_at")),
                *(When(pk=pk, then=Value(since)) for pk, since in later.items()),
                default=None,
            ),
            "alone": _texts({pk: alone for pk, (_since, alone, _by) in found.items()}),
            "confirmed_by": _texts({pk: by for pk, (_since, _alone, by) in found.items()}),
        }

    def save(self, marked: Collection[int]) -> None:
        """Store what is true of all quotes but the `marked`, and the jumps. Writes nothing if there is neither.

        Idempotent. A quote dated back since the window was opened is left to the next evaluation.
        """
        for pk in self.changed - set(marked):
            quote = self.quotes[pk]
            rows = PriceQuote.objects.filter(pk=pk, sent_at=quote.sent_at, evaluated_at__isnull=False)
            rows.update(**self.columns([quote]))
        if self.jumps:
            HeldJump.objects.bulk_create(self.jumps, ignore_conflicts=True)


def of(history: History, courses: Mapping[Market, Course], guards: Guards, until: datetime) -> Found:
    """What the courses of these quotes say that is not stored with them yet."""
    found = {quote.id: _NOTHING for quote in history.quotes if _is_judged(quote, history)}
    for course in courses.values():
        for one in course.effective:
            found[one.quote.id] = (one.start, str(one.alone), one.confirmed_by)
    changed = frozenset(pk for pk, finding in found.items() if history.findings.get(pk) != finding)
    quotes = {quote.id: quote for quote in history.quotes}
    return Found(quotes, found, changed, _held(history, courses, guards, until))


def _is_judged(quote: Quote, history: History) -> bool:
    """Whether a market's course says anything of this quote: its earlier ones were read for the other market only."""
    settled = history.settled.get(quote.market)
    return settled is None or position(quote) >= position(settled.quote)


def _texts(values: Mapping[int, str]) -> Case | Value:
    given = {pk: text for pk, text in values.items() if text}
    return (
        Case(*(When(pk=pk, then=Value(text)) for pk, text in given.items()), default=Value("")) if given else Value("")
    )


def _held(history: History, courses: Mapping[Market, Course], guards: Guards, until: datetime) -> tuple[HeldJump, ...]:
    """The jumps that the guard held, or would have if it only watched, and that are no longer pending."""
    watching = any(guard.mode is Mode.WATCH for guard in guards)
    freshness = records.freshness()
    if watching:
        courses = history.courses(guarding.as_if_on(guards), freshness)
    unevaluated = {quote.id for quote in history.unevaluated}
    held = []
    for course in courses.values():
        for jump in course.jumps:
            ended = pending_until(jump, freshness)
            # A quote that confirms or replaces it may reach us only after an evaluation that ended later.
            news = jump.quote.id in unevaluated or (jump.by is not None and jump.by.id in unevaluated)
            known = not news and history.evaluated_to and ended <= history.evaluated_to
            if jump.quote.sent_at < ended <= until and not known:
                held.append(_row(jump, ended, in_force(guards, jump.quote.sent_at).mode))
    return tuple(held)


def _row(jump: Jump, ended: datetime, mode: Mode) -> HeldJump:
    expired = jump.end is None or jump.end > ended
    outcome = HeldJump.Outcome.CONFIRMED if jump.confirmed else HeldJump.Outcome.REPLACED
    return HeldJump(
        market=jump.quote.market,
        reference=jump.quote.reference,
        sent_at=jump.quote.sent_at,
        price=unit_price(jump.quote.sell, settings.PRICE_REFERENCE_QUANTITY),
        against=unit_price(jump.against.sell, settings.PRICE_REFERENCE_QUANTITY),
        mode=mode,
        outcome=HeldJump.Outcome.EXPIRED if expired else outcome,
        by=name_of(jump.by) if jump.by and not expired else "",
        ended_at=ended,
    )
