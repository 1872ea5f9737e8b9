"""Bugs of hearing prices: the queue, what is drained, duplicates, and what the best price was."""

from proofs.mutants.planting import Edit, Mutant

_POLL = "pricing.ingest.poll"
_RECORDING = "pricing.ingest.record"
_QUOTES, _GUARD, _TIMELINE = "pricing.quotes", "pricing.guard", "pricing.timeline"
_RECORD = "            if gathered.messages or (wait and not gathered.failure):\n"
_DELETE = "            queue.delete(source, gathered.messages)\n"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "deleted-before-recorded",
        "messages are deleted before what they say is committed",
        (Edit(_POLL, _RECORD, _DELETE + _RECORD),),
        tests=("pricing/ingest/tests/test_poll.py",),
    ),
    Mutant(
        "never-deleted",
        "messages are not deleted once they are recorded",
        (Edit(_POLL, _DELETE, ""),),
        tests=("pricing/ingest/tests/test_poll.py",),
    ),
    Mutant(
        "drained-too-far",
        "a receive that brought messages counts as proof that nothing is left",
        (Edit(_RECORDING, "None if batch else began", "began"),),
        tests=("pricing/ingest/tests/test_record.py",),
    ),
    Mutant(
        "drained-to-the-earliest",
        "a receive that brought messages counts as proof that nothing older is left",
        (
            Edit(
                _RECORDING,
                "None if batch else began",
                "min([began, *(one.sent_at for one in batch if one.sent_at)])",
            ),
        ),
        tests=("pricing/ingest/tests/test_record.py",),
    ),
    Mutant(
        "hidden-messages-forgotten",
        "an empty receive counts as proof while a dead poller's messages are hidden",
        (Edit(_RECORDING, " and not (feed.in_flight_until and feed.in_flight_until > began)", ""),),
        tests=("pricing/ingest/tests/test_record.py",),
    ),
    Mutant(
        "lost-answer-forgotten",
        "a receive whose answer was lost, after others that came, leaves no trace",
        (Edit(_POLL, "                raise gathered.failure\n", ""),),
        tests=("pricing/ingest/tests/test_queue.py",),
        simulated=False,  # it needs a full receive just before it
    ),
    Mutant(
        "drained-moves-back",
        "a slower poller moves the feed's mark back",
        (Edit(_RECORDING, "max(drained_to, feed.drained_to or drained_to)", "drained_to"),),
        tests=("pricing/ingest/tests/test_record.py",),
        simulated=False,  # a mark too far back loses time only
    ),
    Mutant(
        "order-of-arrival",
        "prices are ordered by when they reached us",
        (
            Edit(
                _QUOTES,
                "return quote.sent_at, quote.market_time, quote.reference, quote.id",
                "return (quote.id,)  # type: ignore",
            ),
        ),
        tests=("pricing/tests/test_timeline.py",),
    ),
    Mutant(
        "clock-set-back",
        "after the clock was set back an evaluation looks less far than the one before",
        (Edit("pricing.evaluation_window", "    return evaluated_to\n", "    return now\n"),),
        tests=("pricing/tests/test_evaluation_window.py",),
        simulated=False,  # about one schedule in twenty thousand meets it
    ),
    Mutant(
        "history-from-any-quote",
        "a window's history begins at a quote that was not effective",
        (
            Edit(
                "pricing.reading",
                "effective_from IS NOT NULL AND effective_from < {since}\n            ORDER BY effective_from DESC, ",
                "sent_at < {since}\n            ORDER BY ",
            ),
        ),
        tests=("pricing/tests/test_evaluation_window.py",),
        simulated=False,  # it needs events that overtake each other just where a history begins
    ),
    Mutant(
        "silence-without-its-history",
        "a silence before the news is evaluated without what the other market sent meanwhile",
        (Edit("pricing.evaluation_window", "        if start >= since:\n", "        if True:\n"),),
        tests=("pricing/tests/test_evaluation_window.py",),
        simulated=False,  # one life in fifteen of that test meets it
    ),
    Mutant(
        "silence-learned-too-late",
        "a silence that is newly confirmed is not evaluated",
        (Edit("pricing.evaluation_window", ", *map(progress.known_drained_to.get, drained_further)", ","),),
        tests=("pricing/tests/test_evaluation_window.py",),
        simulated=False,  # its quotes are read anyway where anything else is amiss
    ),
    Mutant(
        "own-time-ignored",
        "an older event that was sent later replaces a newer one",
        (Edit(_GUARD, "and quote.market_time < current.quote.market_time", "and False"),),
        tests=("pricing/tests/test_timeline.py",),
    ),
    Mutant(
        "year-9999",
        "an event from the far future outranks its market for ever",
        (Edit(_GUARD, "            and quote.sent_at < expires_at(current.quote, self.freshness)\n", ""),),
        tests=("pricing/tests/test_timeline.py",),
    ),
    Mutant(
        "lag-taken-for-silence",
        "our own lag counts as a silent market",
        (Edit(_QUOTES, "if quote.too_late or (drained_to is not None and drained_to >= expiry):", "if True:"),),
        tests=("pricing/tests/test_timeline.py",),
    ),
    Mutant(
        "worst-price",
        "the lowest of the live prices counts as the best",
        (Edit(_TIMELINE, "or money.ZERO), reverse=True)", "or money.ZERO))"),),
        tests=("pricing/tests/test_timeline.py",),
    ),
    Mutant(
        "news-from-an-outage",
        "loans are liquidated by prices that came too late to apply",
        (
            Edit(
                _TIMELINE,
                "or not point.may_claim or any(quote.too_late for quote in point.quotes):",
                "or not point.may_claim:",
            ),
        ),
        tests=(
            "pricing/tests/test_timeline.py",
            "pricing/tests/test_evaluation_window.py",
            "liquidation/tests/test_evaluate.py",
        ),
    ),
    Mutant(
        "one-event-two-quotes",
        "an event that comes in two messages is recorded twice",
        sql="ALTER TABLE pricing_pricequote DROP CONSTRAINT an_event_is_one_quote",
        tests=("pricing/ingest/tests/test_record.py", "pricing/ingest/tests/test_poll.py"),
    ),
    Mutant(
        "one-message-two-quotes",
        "a message that is handed out again is recorded twice",
        sql="ALTER TABLE pricing_pricequote DROP CONSTRAINT a_message_is_one_quote",
        tests=("pricing/ingest/tests/test_record.py", "pricing/ingest/tests/test_poll.py"),
    ),
)
