"""Bugs of applications and postings: locks, replays, and what the database refuses."""

from proofs.mutants.planting import Edit, Mutant

_POSTINGS = "loans.postings"
_APPLICATIONS = "loans.applications"
_IDEMPOTENCY = "loans.idempotency"
_UNLOCKED = Edit(_POSTINGS, "Loan.objects.select_for_update()", "Loan.objects")
_NO_MARGIN_CALL = Edit(_POSTINGS, "AND closed_at IS NULL)", "AND false)")

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "unlocked-posting",
        "a posting adds to collateral that it has not locked",
        (_UNLOCKED,),
        tests=("loans/tests/test_postings_concurrency.py",),
    ),
    Mutant(
        "posting-over-a-posting",
        "a posting in one statement forgets another that came between",
        (Edit(_POSTINGS, "AND collateral = %(seen)s AND", "AND"),),
        tests=("loans/tests/test_postings_concurrency.py",),
    ),
    Mutant(
        "posting-over-a-claim",
        "a posting in one statement does not see that the loan was claimed meanwhile",
        (Edit(_POSTINGS, "AND status = 'active' AND", "AND"),),
        tests=("loans/tests/test_postings_concurrency.py",),
    ),
    Mutant(
        "posting-without-its-loan",
        "a posting is written although its loan has changed since it was seen, and only the loan is not",
        (
            Edit(_POSTINGS, "%(now)s FROM changed\n    )", "%(now)s FROM loans_loan WHERE id = %(loan)s\n    )"),
            Edit(_POSTINGS, "id, %(now)s FROM changed\n", "id, %(now)s FROM loans_loan WHERE id = %(loan)s\n"),
        ),
        tests=("loans/tests/test_postings_concurrency.py",),
    ),
    Mutant(
        "margin-call-not-closed",
        "a posting leaves a margin call open that it clears",
        (Edit(_POSTINGS, "LoanStatus.ACTIVE or seen.has_margin_call:", "LoanStatus.ACTIVE:"), _NO_MARGIN_CALL),
        tests=("loans/tests/test_postings.py",),
    ),
    Mutant(
        "margin-call-overlooked",
        "a posting in one statement overlooks a margin call that came between",
        (_NO_MARGIN_CALL,),
        tests=("loans/tests/test_postings_concurrency.py",),
    ),
    Mutant(
        "posting-past-a-lock",
        "a posting in one statement waits for whoever holds the loan, and does not look again",
        (Edit(_POSTINGS, "FOR UPDATE SKIP LOCKED", "FOR UPDATE"),),
        tests=("loans/tests/test_postings_concurrency.py",),
        simulated=False,  # it would have to be one instant: the posting begins while the margin call is being written
    ),
    Mutant(
        "posting-after-claim",
        "collateral is posted for a loan that is being liquidated",
        (
            Edit(
                _POSTINGS,
                "if loan.status not in {LoanStatus.NEW, LoanStatus.ACTIVE}:",
                "if loan.status == LoanStatus.LIQUIDATED:",
            ),
        ),
        tests=("loans/tests/test_postings.py",),
    ),
    Mutant(
        "equal-application-refused",
        "an application that runs at once with its equal is refused instead of answered alike",
        (
            Edit(
                _APPLICATIONS,
                "            return found\n        if Loan.objects.filter(loan_id=loan_id)",
                "            pass\n        if Loan.objects.filter(loan_id=loan_id)",
            ),
        ),
        tests=("loans/tests/test_applications_concurrency.py",),
    ),
    Mutant(
        "one-request-two-effects",
        "two equal requests run at once, and nothing in the database stops the second",
        (_UNLOCKED,),
        sql="ALTER TABLE loans_acceptedrequest DROP CONSTRAINT one_request_one_effect",
        tests=("loans/tests/test_postings_concurrency.py",),
    ),
    Mutant(
        "request-forgotten",
        "a request that comes again takes effect again, and nothing in the database stops it",
        (Edit(_IDEMPOTENCY, "    if first is None or first[0] is None:\n", "    if True:\n"),),
        sql="ALTER TABLE loans_acceptedrequest DROP CONSTRAINT one_request_one_effect",
        tests=("loans/tests/test_postings.py",),
    ),
    Mutant(
        "answer-not-stored",
        "a repeated request is answered by the present state instead of its first answer",
        (Edit(_IDEMPOTENCY, "Accepted(body=body", 'Accepted(body=body.replace("new", "active")'),),
        tests=("loans/tests/test_postings.py",),
    ),
    Mutant(
        "content-not-compared",
        "a requestId that comes again with other content gets the first answer",
        (Edit(_IDEMPOTENCY, "if content_digest != request.content_digest:", "if False:"),),
        tests=("loans/tests/test_postings.py",),
    ),
    Mutant(
        "two-effects-allowed",
        "the database allows a requestId to be accepted twice",
        sql="ALTER TABLE loans_acceptedrequest DROP CONSTRAINT one_request_one_effect",
        tests=("loans/tests/test_postings_concurrency.py", "liquidation/tests/test_models_constraints.py"),
        simulated=False,  # its clients send no requestId for two loans at once
    ),
    Mutant(
        "negative-collateral",
        "the database allows negative collateral",
        sql="ALTER TABLE loans_loan DROP CONSTRAINT collateral_is_never_negative",
        tests=("liquidation/tests/test_models_constraints.py",),
        simulated=False,  # the second line of defence: the code never tries
    ),
    Mutant(
        "two-liquidations-allowed",
        "the database allows two liquidations of a loan",
        sql="ALTER TABLE liquidation_liquidation DROP CONSTRAINT liquidation_liquidation_loan_id_key",
        tests=("liquidation/tests/test_models_constraints.py",),
        simulated=False,  # the second line of defence: a claim looks at the locked loan
    ),
    Mutant(
        "two-margin-calls",
        "the database allows two open margin calls of a loan",
        sql="DROP INDEX one_open_margin_call_a_loan",
        tests=("liquidation/tests/test_models_constraints.py",),
        simulated=False,  # the second line of defence: margin calls are opened on locked loans
    ),
)
