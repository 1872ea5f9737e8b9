"""Bugs of the history that the database writes: triggers, the columns they copy and compare, and causes."""

from proofs.mutants.planting import Edit, Mutant

_CAUSE = "coruscant.history.cause"
_TRIGGER_TESTS = ("coruscant/history/tests/test_triggers.py", "coruscant/history/tests/test_checks.py")
_CAUSE_TESTS = ("coruscant/history/tests/test_cause.py",)


def _edited(function: str, *changes: tuple[str, str]) -> str:
    """A statement that changes the text of a function in the database."""
    edited = f"pg_get_functiondef('{function}'::regproc)"
    for before, after in changes:
        edited = f"replace({edited}, $${before}$$, $${after}$$)"
    return f"DO $do$ BEGIN EXECUTE {edited}; END $do$"


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "claim-without-history",
        "there is no trigger for new liquidations",
        sql="DROP TRIGGER liquidation_liquidation_insert ON liquidation_liquidation",
        tests=_TRIGGER_TESTS,
    ),
    Mutant(
        "change-without-history",
        "there is no trigger for changes of loans",
        sql="DROP TRIGGER loans_loan_update ON loans_loan",
        tests=_TRIGGER_TESTS,
    ),
    Mutant(
        "column-not-copied",
        "the trigger forgets a column of the loan",
        sql=_edited("loans_loan_history", ('NEW."activated_at", ', ""), ('"activated_at", ', "")),
        tests=_TRIGGER_TESTS,
    ),
    Mutant(
        "column-not-compared",
        "a change of one column alone is not history",
        sql="CREATE OR REPLACE TRIGGER loans_loan_update AFTER UPDATE ON loans_loan FOR EACH ROW"
        " WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION loans_loan_history()",
        tests=_TRIGGER_TESTS,
    ),
    Mutant(
        "cause-leaks-into-the-next-transaction",
        "a cause stays in force for the session, which the next transaction uses again",
        (Edit(_CAUSE, "s, true)", "s, false)"),),
        tests=_CAUSE_TESTS,
        simulated=False,  # every write of the service names a cause of its own
    ),
    Mutant(
        "cause-leaks-out-of-a-savepoint",
        "a cause stays in force after its block, when a transaction goes on",
        (Edit(_CAUSE, "        if nested:", "        if False:"),),
        tests=_CAUSE_TESTS,
        simulated=False,  # every write of the service names a cause of its own
    ),
    Mutant(
        "empty-is-a-cause",
        "the empty string that a transaction leaves behind in its session counts as a cause",
        sql=_edited(
            "loans_loan_history",
            ("nullif(current_setting('coruscant.reason', true), '')", "current_setting('coruscant.reason', true)"),
        ),
        tests=_CAUSE_TESTS,
        simulated=False,  # every write of the service names a cause of its own
    ),
    Mutant(
        "actor-forgotten",
        "what a person did is kept as done by the system",
        (Edit(_CAUSE, "    token = _actor.set((name, user_id))\n", '    token = _actor.set(("system", None))\n'),),
        tests=_CAUSE_TESTS,
        simulated=False,  # it does not ask who acted
    ),
    Mutant(
        "history-rewritten",
        "history rows can be changed",
        sql="DROP TRIGGER loans_historicalloan_refuses_change ON loans_historicalloan",
        tests=_TRIGGER_TESTS,
        simulated=False,  # nothing in the service changes history
    ),
    Mutant(
        "loan-deleted",
        "a loan can be deleted, and its history says nothing of it",
        sql="DROP TRIGGER loans_loan_refuses_delete ON loans_loan",
        tests=_TRIGGER_TESTS,
        simulated=False,  # nothing in the service deletes a loan
    ),
)
