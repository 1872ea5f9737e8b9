"""Where an evaluation must begin, so that no dip is lost: pure functions.

docs/decisions/0004-timeline-of-the-best-price.md says why a window begins before its earliest quote.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pricing.aside import Aside, edges
from pricing.guard import Course
from pricing.markets import Market
from pricing.quotes import Freshness, Quote, expires_at
from pricing.timeline import pending_until


def _expiries(
    courses: Mapping[Market, Course], freshness: Freshness
) -> Iterator[tuple[Market, datetime, Quote | None]]:
    """When each effective quote expired before it had a successor: the market, the expiry, the successor if any."""
    for market, course in sorted(courses.items()):
        for one, successor in zip(course.effective, [*course.effective[1:], None], strict=True):
            expiry = expires_at(one.quote, freshness)
            if successor is None or successor.start > expiry:
                yield market, expiry, successor.quote if successor else None


def window_start(
    courses: Mapping[Market, Course],
    unevaluated: Sequence[Quote],
    freshness: Freshness,
    evaluated_to: datetime | None = None,
) -> datetime:
    """Where an evaluation must begin: at the earliest of the `unevaluated` quotes (at least one), or before it.

    It begins earlier at the expiry of an unevaluated quote's predecessor in its market, since our lag may have hidden
    the gap between the two. It also begins earlier at any expiry after `evaluated_to`, the end of the last evaluation,
    and where a jump was sent that an unevaluated quote confirms or replaces. What happened more than a maximum age and
    lag before the earliest unevaluated quote matters no more.
    """
    new = {quote.id for quote in unevaluated}
    instants = [quote.sent_at for quote in unevaluated]
    since = min(instants) - freshness.max_age - freshness.max_lag
    for _market, expiry, successor in _expiries(courses, freshness):
        ended = (successor is not None and successor.id in new) or (evaluated_to is not None and expiry > evaluated_to)
        if ended and expiry - freshness.max_age > since:
            instants.append(expiry)
    for course in courses.values():
        for jump in course.jumps:
            if jump.by is not None and jump.by.id in new and jump.quote.sent_at > since:
                instants.append(jump.quote.sent_at)
    return min(instants)


def no_longer_pending(
    courses: Mapping[Market, Course], freshness: Freshness, *, since: datetime | None, until: datetime
) -> list[datetime]:
    """When the jumps were sent that were pending at `since` (None: not known) and are not at `until`.

    No dip that they hid may be lost, so an evaluation begins there.
    """
    return [
        jump.quote.sent_at
        for course in courses.values()
        for jump in course.jumps
        if (since is None or pending_until(jump, freshness) > since) and pending_until(jump, freshness) <= until
    ]


def set_aside_or_back(aside: Aside, *, since: datetime | None, until: datetime) -> list[datetime]:
    """When a market's prices were set aside, or counted again, after `since` (None: not known), up to `until`.

    The price from there on is another one, and may have been a dip by now.
    """
    return [instant for instant in edges(aside) if (since is None or instant > since) and instant <= until]


def newly_confirmed_expiries(
    courses: Mapping[Market, Course],
    freshness: Freshness,
    *,
    drained_to: Mapping[Market, datetime | None],
    known_drained_to: Mapping[Market, datetime | None],
) -> list[datetime]:
    """The expiries that are certain now and were not at the last evaluation, which still counted the quote as live.

    `known_drained_to` is how far each feed was known to be drained then. The price after such an expiry may be a dip of
    the other market. It must be evaluated now: the market whose quote expired may never send an effective quote again.
    """
    found = []
    for market, expiry, _successor in _expiries(courses, freshness):
        drained, drained_before = drained_to.get(market), known_drained_to.get(market)
        confirmed_before = drained_before is not None and drained_before >= expiry
        if drained is not None and drained >= expiry and not confirmed_before:
            found.append(expiry)
    return found
