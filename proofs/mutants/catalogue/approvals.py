"""Bugs of what needs two people: who may agree, how often, and to what."""

from proofs.mutants.planting import Edit, Mutant

_DECIDE, _PEOPLE = "coruscant.approvals.decide", "coruscant.approvals.people"
_DECIDE_TESTS = ("coruscant/approvals/tests/test_decide.py", "coruscant/approvals/tests/test_admin.py")
_AT_ONCE = ("coruscant/approvals/tests/test_decide_concurrency.py",)
_ORDERS = ("liquidation/tests/test_two_people.py",)
_ROWS = ("coruscant/approvals/tests/test_models.py",)

# The simulation has nobody who agrees to anything, so tests notice all of these.
MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "approved-by-the-same-person",
        "whoever asked agrees as well",
        (Edit(_PEOPLE, "    if person.pk == approval.asked_by_id:\n", "    if False:\n"),),
        sql="ALTER TABLE approvals_approval DROP CONSTRAINT nobody_decides_what_they_asked",
        tests=_DECIDE_TESTS,
        simulated=False,
    ),
    Mutant(
        "superuser-agrees-alone",
        "superusers agree to what they have asked themselves",
        (
            Edit(
                _PEOPLE,
                "    if person.pk == approval.asked_by_id:\n",
                "    if person.pk == approval.asked_by_id and not person.is_superuser:\n",
            ),
        ),
        sql="ALTER TABLE approvals_approval DROP CONSTRAINT nobody_decides_what_they_asked",
        tests=_DECIDE_TESTS,
        simulated=False,
    ),
    Mutant(
        "agreed-twice",
        "what was agreed to once can be agreed to again, and is done again",
        (Edit(_DECIDE, "    if approval.outcome != Outcome.ASKED:\n", "    if False:\n"),),
        sql="DROP TRIGGER approvals_approval_decided_once ON approvals_approval",
        tests=_DECIDE_TESTS,
        simulated=False,
    ),
    Mutant(
        "approval-not-locked",
        "two people who agree at once both find it waiting",
        (Edit(_DECIDE, "Approval.objects.select_for_update().get", "Approval.objects.get"),),
        sql="DROP TRIGGER approvals_approval_decided_once ON approvals_approval",
        tests=_AT_ONCE,
        simulated=False,
    ),
    Mutant(
        "young-account-agrees",
        "an account that was made just now agrees",
        (Edit(_PEOPLE, "    if now - person.date_joined < ACCOUNT_AGE:\n", "    if False:\n"),),
        tests=_DECIDE_TESTS,
        simulated=False,
    ),
    Mutant(
        "agreed-without-a-log-in",
        "whatever names a person agrees in their name, such as the command line",
        (Edit(_PEOPLE, " or signed_in != str(request.user.pk):\n", ":\n"),),
        tests=_DECIDE_TESTS,
        simulated=False,
    ),
    Mutant(
        "asker-has-left",
        "what somebody asked who has left the bank since is still done",
        (Edit(_PEOPLE, "    _check_holds(asker, action.permission)\n", ""),),
        tests=_DECIDE_TESTS,
        simulated=False,
    ),
    Mutant(
        "effect-not-looked-at-again",
        "it is done although it would by now do something else than was agreed to",
        (Edit(_DECIDE, "        if effect != approval.effect:\n", "        if False:\n"),),
        tests=_DECIDE_TESTS,
        simulated=False,
    ),
    Mutant(
        "effect-looked-at-without-locks",
        "the effect is looked at again, and the rows change before it is done",
        (Edit(_DECIDE, "        action.lock(approval.arguments)\n", ""),),
        tests=_AT_ONCE,
        simulated=False,
    ),
    Mutant(
        "failed-action-half-done",
        "an action that fails leaves behind what it has written before",
        (Edit(_DECIDE, "            with transaction.atomic():\n", "            if True:\n"),),
        tests=_DECIDE_TESTS,
        simulated=False,
    ),
    Mutant(
        "agreed-too-late",
        "what has expired can be agreed to until it is marked",
        (Edit(_DECIDE, " and now >= approval.expires_at):\n", " and False):\n"),),
        sql="ALTER TABLE approvals_approval DROP CONSTRAINT it_was_agreed_in_time",
        tests=_DECIDE_TESTS,
        simulated=False,
    ),
    Mutant(
        "arguments-rewritten",
        "what was asked can be changed before somebody agrees to it",
        sql="DROP TRIGGER approvals_approval_decided_once ON approvals_approval",
        tests=_ROWS,
        simulated=False,
    ),
    Mutant(
        "four-eyes-closed",
        "one person alone resolves an order where the bank wants two",
        (Edit("liquidation.resolution", "        if settings.FOUR_EYES and not two_people:\n", "        if False:\n"),),
        tests=_ORDERS,
        simulated=False,
    ),
    Mutant(
        "answers-left-out-of-the-effect",
        "two people agree on a trade without what the market has said, and what it says meanwhile changes nothing",
        (Edit("liquidation.two_people", " That cannot be undone.\\n{_answers(order)}", " That cannot be undone."),),
        tests=_ORDERS,
        simulated=False,
    ),
    Mutant(
        "other-figures-booked",
        "what is booked is not what was agreed to",
        (
            Edit(
                "liquidation.two_people",
                "resolve_as_traded(**sent, actor",
                "resolve_as_traded(**(sent | {'units': sent['units'] / 2}), actor",
            ),
        ),
        tests=_ORDERS,
        simulated=False,
    ),
    Mutant(
        "large-posting-by-one",
        "a posting above the limit needs nobody else",
        (Edit("loans.postings", "amount > settings.FOUR_EYES_POSTING_UNITS", "amount < 0"),),
        tests=("loans/tests/test_two_people.py",),
        simulated=False,
    ),
)
