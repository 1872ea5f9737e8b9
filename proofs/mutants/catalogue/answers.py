"""Bugs in what a market's answer is taken to prove, and in the call itself."""

from proofs.mutants.planting import Edit, Mutant

_VERDICTS = "liquidation.verdicts"
_HTTP = "liquidation.venues.http"
_FIRST_SEND_ONLY = "return Verdict.REFUSED if first_send else Verdict.UNKNOWN"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "unknown-as-refusal",
        "a time-out counts as a refusal",
        (
            Edit(
                _VERDICTS,
                "case Unclear():\n            return Verdict.UNKNOWN",
                "case Unclear():\n            return Verdict.REFUSED",
            ),
        ),
        tests=("liquidation/tests/test_verdicts.py",),
    ),
    Mutant(
        "refusal-as-unknown",
        "a refusal of the only send counts as unknown",
        (Edit(_VERDICTS, _FIRST_SEND_ONLY, "return Verdict.UNKNOWN"),),
        tests=("liquidation/tests/test_verdicts.py",),
        simulated=False,  # it loses time only: the order is sent again and again until it trades
    ),
    Mutant(
        "refused-resend",
        "a refused resend counts as proof that nothing was traded before",
        (Edit(_VERDICTS, _FIRST_SEND_ONLY, "return Verdict.REFUSED"),),
        tests=("liquidation/tests/test_verdicts.py",),
    ),
    Mutant(
        "duplicate-as-refusal",
        "'seen before' counts as an ordinary refusal, and no person is asked",
        (Edit(_VERDICTS, "return _DUPLICATE.search(self.reason) is not None", "return False"),),
        tests=("liquidation/tests/test_verdicts.py",),
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
        tests=("liquidation/tests/test_verdicts.py",),
    ),
    Mutant(
        "echo-not-checked",
        "an answer that repeats another requestId, side or asset counts as a trade",
        (Edit(_VERDICTS, "not answer.echo_fits or not answer.venue_order_id", "not answer.venue_order_id"),),
        tests=("liquidation/tests/test_verdicts.py",),
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
