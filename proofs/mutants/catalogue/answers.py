"""Bugs in what a market's answer is taken to prove, and in the call itself."""

from proofs.mutants.planting import Edit, Mutant

_VERDICTS = "liquidation.verdicts"
_HTTP = "liquidation.venues.http"
_VENUES = "liquidation.venues.answers"
_ORDERS = "liquidation.orders"
_SELL = "liquidation.sell"
_BAND = "liquidation.band"
_IDS = "coruscant.ids"
_TABLE = ("liquidation/tests/test_verdicts.py",)
_READERS = ("liquidation/venues/tests/test_venues.py",)
_SALES = ("liquidation/tests/test_sell.py", "liquidation/tests/test_sell_answers.py")

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "unknown-as-refusal",
        "a time-out counts as a refusal",
        (
            Edit(
                _VERDICTS,
                "        case _:\n            return Verdict.UNKNOWN",
                "        case _:\n            return Verdict.REFUSED",
            ),
        ),
        tests=_TABLE,
    ),
    Mutant(
        "refusal-as-unknown",
        "a refusal of the first send counts as unknown",
        (Edit(_VERDICTS, "else Verdict.ASK_AGAIN", "else Verdict.UNKNOWN"),),
        tests=_TABLE,
        simulated=False,  # it loses time only
    ),
    Mutant(
        "refused-resend",
        "refusals count, although an earlier send may have traded",
        (Edit(_VERDICTS, "if earlier.may_have_traded:", "if False:"),),
        tests=_TABLE,
    ),
    Mutant(
        "first-refusal-believed",
        "one clean refusal is enough",
        (Edit(_VERDICTS, "REFUSALS_BELIEVED = 3", "REFUSALS_BELIEVED = 1"),),
        tests=_TABLE,
    ),
    Mutant(
        "second-refusal-believed",
        "two clean refusals are enough",
        (Edit(_VERDICTS, "REFUSALS_BELIEVED = 3", "REFUSALS_BELIEVED = 2"),),
        tests=_TABLE,
    ),
    Mutant(
        "doubtful-words-believed",
        "a refusal is clean whatever it says",
        (Edit(_VERDICTS, "not self.doubt and _DOUBT.search(self.reason) is None", "not self.doubt"),),
        tests=_TABLE,
    ),
    Mutant(
        "refusal-with-figures-believed",
        "a refusal is clean whatever else it says",
        (Edit(_VENUES, "if more else []", "if False else []"),),
        tests=_READERS,
    ),
    Mutant(
        "odd-status-believed",
        "a refusal is clean under any status",
        (Edit(_VENUES, "if status not in _REFUSAL_STATUSES:", "if False:"),),
        tests=_READERS,
    ),
    Mutant(
        "stale-refusal-counts",
        "the refusal that a stale lease holder heard counts towards the three",
        (
            Edit(
                _ORDERS,
                "WHERE order_id = %s AND NOT stale AND send < %s",
                "WHERE order_id = %s AND send < %s",
            ),
        ),
        tests=("liquidation/tests/test_orders.py",),
        simulated=False,  # the other two must be clean as well, so a simulated market hardly ever has traded
    ),
    Mutant(
        "stale-answer-dropped",
        "what a stale lease holder heard is not kept",
        (
            Edit(
                _ORDERS,
                'rows.write((order, ("sends",)), (late, None))',
                'rows.write((order, ("sends",)))',
            ),
        ),
        tests=_SALES,
        simulated=False,  # it decides nothing
    ),
    Mutant(
        "band-inverted",
        "what lies outside the band is booked, and what lies within it is not",
        (Edit(_BAND, "            if low <= proceeds <=", "            if not low <= proceeds <="),),
        tests=("liquidation/tests/test_band.py",),
    ),
    Mutant(
        "no-band",
        "any total is booked",
        (Edit(_SELL, "and band.can_be_true(", "and (lambda *_: True)("),),
        tests=_SALES,
    ),
    Mutant(
        "zero-is-a-mismatch",
        "a market that trades nothing calls a person",
        (Edit(_VERDICTS, "self.echo_fits and self.units == 0 and self.proceeds == 0", "False"),),
        tests=_TABLE,
        simulated=False,  # it costs a person's time only
    ),
    Mutant(
        "empty-error-refuses",
        "an empty or null error makes a success a refusal",
        (
            Edit(
                _VENUES,
                "        return bool(value.strip())\n    return isinstance(value, Decimal) or bool(value)",
                "        return True\n    return True",
            ),
        ),
        tests=_READERS,
        simulated=False,  # the order is asked for for ever instead
    ),
    Mutant(
        "cookie-kept",
        "a cookie of one order is sent with the next",
        (Edit(_HTTP, "DefaultCookiePolicy(allowed_domains=())", "DefaultCookiePolicy()"),),
        tests=_READERS,
        simulated=False,  # the simulation has no HTTP
    ),
    Mutant(
        "id-without-market",
        "an order's id does not depend on its market",
        (Edit(_IDS, '"order", application, loan_id, market, number', '"order", application, loan_id, number'),),
        tests=("coruscant/tests/test_ids.py",),
    ),
    Mutant(
        "namespace-forgotten",
        "two installations compute the same ids",
        (Edit(_IDS, "uuid.uuid5(namespace, ", "uuid.uuid5(uuid.NAMESPACE_OID, "),),
        tests=("coruscant/tests/test_ids.py",),
        simulated=False,  # there is one installation
    ),
    Mutant(
        "random-ids",
        "an order's id is drawn at random",
        (Edit(_IDS, "return str(_id(namespace, ", "return str(_id(uuid.uuid4(), "),),
        tests=("coruscant/tests/test_ids.py",),
        simulated=False,  # until a database is restored, no id is computed twice
    ),
    Mutant(
        "duplicate-as-refusal",
        "'seen before' counts as an ordinary doubt, and no person is asked",
        (Edit(_VERDICTS, "return _DUPLICATE.search(self.reason) is not None", "return False"),),
        tests=_TABLE,
        simulated=False,  # the order is asked for for ever instead, and a simulated market answers one day
    ),
    Mutant(
        "figures-not-checked",
        "a market may say it traded more than was ordered, or for nothing",
        (
            Edit(
                _VERDICTS,
                "if not 0 < answer.units <= ordered or answer.proceeds <= 0:",
                "if answer.units <= 0 or answer.proceeds < 0:",
            ),
        ),
        tests=_TABLE,
    ),
    Mutant(
        "echo-not-checked",
        "an answer that repeats another requestId, side or asset counts as a trade",
        (Edit(_VERDICTS, "not answer.echo_fits or not answer.venue_order_id", "not answer.venue_order_id"),),
        tests=_TABLE,
        simulated=False,  # a simulated market that repeats another's requestId gives the right figures
    ),
    Mutant(
        "post-repeated-below",
        "the HTTP library repeats a POST by itself",
        (Edit(_HTTP, "max_retries=0", 'max_retries=__import__("urllib3").Retry(3, allowed_methods=None)'),),
        tests=("liquidation/venues/tests/test_http_deadline.py",),
        simulated=False,  # the simulation has no sockets
    ),
    Mutant(
        "timeout-per-read",
        "the time-out of a market call is per read, so that a slow answer may take for ever",
        (Edit(_HTTP, "_deadline.set(time.monotonic() + timeout_seconds)", "_deadline.set(time.monotonic() + 86400)"),),
        tests=("liquidation/venues/tests/test_http_deadline.py",),
        simulated=False,  # the simulation has no sockets
    ),
)
