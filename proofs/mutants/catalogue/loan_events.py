"""Bugs of loan events: of what is told of a loan, when it is written, and when it is sent."""

from proofs.mutants.planting import Edit, Mutant

_WRITE, _BODY, _TOPIC = "loans.events.write", "loans.events.body", "loans.events.topic"
_NOTICES = "loans.margin_notices"
_INSERT = "    with connection.cursor() as cursor:\n        cursor.execute(_INSERT, written)\n"

_WRITTEN = ("loans/events/tests/test_write.py",)
_NOTICED = ("loans/tests/test_margin_notices.py",)
_SENT = ("liquidation/tests/test_publish_loan_events.py",)

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "told-after-commit",
        "a loan event is written after its transition has committed, and may be lost",
        (
            Edit(
                _WRITE,
                _INSERT,
                "    from django.db import transaction\n"
                "    transaction.on_commit(lambda: connection.cursor().execute(_INSERT, written))\n",
            ),
        ),
        tests=_WRITTEN,
    ),
    Mutant(
        "told-twice",
        "a margin call is told twice, under two ids",
        (
            Edit(
                "loans.margin_calls",
                "        write_events(LoanEventType.MARGIN_CALL, called, price, now)\n",
                "        for _twice in range(2):\n"
                "            write_events(LoanEventType.MARGIN_CALL, called, price, now)\n",
            ),
        ),
        tests=_WRITTEN,
    ),
    Mutant(
        "told-before-commit",
        "a loan event is sent from within the transaction of its transition",
        (
            Edit(
                _WRITE,
                _INSERT,
                _INSERT
                + "    from coruscant import aws, outbox\n"
                + "    arn = outbox.topic_arn(LoanEventTopic.objects.get().topic)\n"
                + "    entries = [{'Id': str(n), 'Message': body} for n, body in enumerate(bodies)]\n"
                + "    aws.sns().publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)\n",
            ),
        ),
        tests=_WRITTEN,
    ),
    Mutant(
        "sequence-from-the-first",
        "the number of a loan's next event follows its first one",
        (Edit(_WRITE, '.order_by("-sequence")', '.order_by("sequence")'),),
        tests=_WRITTEN,
    ),
    Mutant(
        "sequence-from-zero",
        "the sequence that is told is one behind that of the books",
        (Edit(_BODY, '"{loan.last + 1}"', '"{loan.last}"'),),
        tests=_WRITTEN,
    ),
    Mutant(
        "claim-untold",
        "nobody hears that a liquidation has started",
        (
            Edit(
                "loans.sales",
                "    write_events(LoanEventType.LIQUIDATION_STARTED, list(keys), price, now)\n",
                "",
            ),
        ),
        tests=_SENT,
    ),
    Mutant(
        "told-as-it-was",
        "an activation by a posting tells of the loan as it was before",
        (
            Edit(
                "loans.postings",
                '        loan.save(update_fields=["collateral", *(activation.FIELDS if activated else ())])\n'
                "        if activated:\n"
                "            write_events(LoanEventType.ACTIVATION, [loan.pk], point.cautious.price, now)\n",
                "        if activated:\n"
                "            write_events(LoanEventType.ACTIVATION, [loan.pk], point.cautious.price, now)\n"
                '        loan.save(update_fields=["collateral", *(activation.FIELDS if activated else ())])\n',
            ),
        ),
        tests=_WRITTEN,
    ),
    Mutant(
        "noticed-each-tick",
        "a loan with an open notice is noticed again",
        (
            Edit(
                "loans.candidates",
                " AND n.ended_at IS NULL) ORDER BY l.debt_per_unit DESC",
                " AND false) ORDER BY l.debt_per_unit DESC",
            ),
            Edit(_NOTICES, "n.loan_id = l.id AND n.ended_at IS NULL)", "false)"),
        ),
        sql="DROP INDEX one_open_margin_notice_a_loan",
        tests=_NOTICED,
        simulated=False,  # notices are off in the simulation
    ),
    Mutant(
        "notice-beside-a-call",
        "a loan with an open margin call is noticed, and its notice outlives the call",
        (
            Edit(_NOTICES, "c.loan_id = l.id AND c.closed_at IS NULL)", "false)"),
            Edit(
                "loans.candidates",
                "(w.closed_at IS NULL OR w.cleared_to >= %s)) AND NOT EXISTS",
                "(false AND w.cleared_to >= %s)) AND NOT EXISTS",
            ),
            Edit("loans.margin_calls", "        margin_notices.end(called, now)\n", ""),
        ),
        tests=_NOTICED,
        simulated=False,
    ),
    Mutant(
        "notice-of-a-pending-jump",
        "notice is given at a price that nothing has confirmed yet",
        (
            Edit(_NOTICES, "    if not point.may_claim:\n        return iter(())\n", ""),
            Edit(
                "liquidation.evaluate",
                "            if last.may_claim:\n                yield Step(\n",
                "            if True:\n                yield Step(\n",
            ),
        ),
        tests=_NOTICED,
        simulated=False,
    ),
    Mutant(
        "claim-told-as-cleared",
        "a margin call that a claim closes is told as cleared",
        (
            Edit(
                "loans.sales",
                "    margin_calls.close_for_claim(list(keys), now)\n",
                "    called = list(margin_calls.open_margin_calls(list(keys)).values_list('loan_id', flat=True))\n"
                "    margin_calls.close_for_claim(list(keys), now)\n"
                "    write_events(LoanEventType.MARGIN_CALL_CLEARED, called, price, now)\n",
            ),
        ),
        tests=_WRITTEN,
    ),
    Mutant(
        "loan-events-first",
        "loan events are sent while liquidation events are due",
        (
            Edit(
                "liquidation.publish",
                "    if first := _LIQUIDATION_EVENTS.take(oldest_first):\n",
                "    if first := []:\n",
            ),
        ),
        tests=_SENT,
        simulated=False,  # in the simulation all are sent in the end, in whatever order
    ),
    Mutant(
        "forgotten-id-again",
        "after a restore, another event gets the id of one that the books have forgotten",
        (Edit(_BODY, "loan_event_id(namespace, said)", 'loan_event_id(namespace, f"{loan[:2]} {loan.last}")'),),
        tests=("loans/events/tests/test_body.py",),
    ),
    Mutant(
        "named-at-once",
        "transitions that looked before the topic was named are taken for forgotten events",
        (Edit(_TOPIC, "clock.now() + GRACE", "clock.now()"),),
        tests=("loans/events/tests/test_topic.py",),
        simulated=False,  # every schedule begins with a topic
    ),
    Mutant(
        "told-may-change",
        "what was told may be changed in the database",
        sql="DROP TRIGGER loans_loanevent_refuses_change ON loans_loanevent",
        tests=_WRITTEN,
        simulated=False,  # the second line of defence: nobody changes it
    ),
)
