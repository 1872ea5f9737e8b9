"""Bugs of publishing events, and of recovery."""

from proofs.mutants.planting import Edit, Mutant

_SETTLEMENT = "liquidation.settlement"
_PUBLISH = "liquidation.publish"
_OUTBOX = "coruscant.outbox"
_RECOVERY = "liquidation.recover"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "no-outbox",
        "the event is written after the settlement has committed",
        (
            Edit(
                _SETTLEMENT,
                "    return (liquidation, (*SALE_FIGURES, *_SETTLEMENT)), (event, None)\n",
                "    _after(event)\n    return ((liquidation, (*SALE_FIGURES, *_SETTLEMENT)),)\n",
            ),
            Edit(
                _SETTLEMENT,
                "def settle(",
                "def _after(event):\n"
                "    from coruscant import failpoints, history\n"
                "    from django.db import transaction\n"
                "    def later():\n"
                '        failpoints.reach("no outbox")\n'
                '        with history.cause("sell", correlation_id=""):\n'
                "            event.save()\n"
                "    transaction.on_commit(later)\n\n\n"
                "def settle(",
            ),
        ),
        tests=("liquidation/tests/test_sell.py", "liquidation/tests/test_sell_answers.py"),
    ),
    Mutant(
        "marked-before-sent",
        "an event is marked as sent before it is",
        (
            Edit(
                _OUTBOX,
                '        failpoints.reach("publish.counted")\n',
                '        failpoints.reach("publish.counted")\n'
                '        self._mark_sent({event.pk: "not yet" for event in events})\n',
            ),
        ),
        tests=("liquidation/tests/test_publish.py",),
    ),
    Mutant(
        "new-event-id",
        "an event that is sent again has another eventId",
        (
            Edit(
                _OUTBOX,
                '"Message": event.body}',
                '"Message": event.body.replace(str(event.event_id), f"{event.sends:08d}{str(event.event_id)[8:]}")}',
            ),
        ),
        tests=("liquidation/tests/test_publish.py",),
    ),
    Mutant(
        "sent-in-transaction",
        "SNS is called with the events' rows locked",
        (
            Edit(
                _PUBLISH,
                "    events = _LIQUIDATION_EVENTS.take(_of([liquidation_id], others=BATCH - 1))\n",
                "    from django.db import transaction\n"
                "    with transaction.atomic():\n"
                "        if events := _LIQUIDATION_EVENTS.take(_of([liquidation_id], others=BATCH - 1)):\n"
                "            aws.sns().list_topics()\n",
            ),
        ),
    ),
    Mutant(
        "lost-sales",
        "recovery does not enqueue sales again",
        (Edit(_RECOVERY, "        enqueue.now(chains.sale(pk), expires=expires)\n", "        pass\n"),),
        tests=("liquidation/tests/test_recover.py",),
    ),
    Mutant(
        "lost-events",
        "recovery does not enqueue publications again",
        (Edit(_RECOVERY, "        enqueue.now(chains.publication(pk), expires=expires)\n", "        pass\n"),),
        tests=("liquidation/tests/test_recover.py",),
    ),
    Mutant(
        "recovery-floods",
        "recovery enqueues however many tasks wait already, so that all of them expire before they are run",
        (Edit(_RECOVERY, "max(0, limit - enqueue.waiting(queue))", "limit"),),
        tests=("liquidation/tests/test_recover.py",),
        simulated=False,  # its broker has no order that a task must wait for
    ),
    Mutant(
        "lost-quotes",
        "recovery does not enqueue the evaluation of unevaluated quotes",
        (Edit(_RECOVERY, "    if evaluation_window.anything_unevaluated(now):\n", "    if False:\n"),),
        tests=("liquidation/tests/test_recover.py",),
        simulated=False,  # in the simulation, as by beat, the evaluation comes again by itself
    ),
    Mutant(
        "enqueued-once",
        "what was enqueued once is never enqueued again",
        (Edit(_RECOVERY, " | Q(enqueued_at__lte=now - ENQUEUED_AGAIN_AFTER)", ""),),
        tests=("liquidation/tests/test_recover.py",),
    ),
    Mutant(
        "broker-down-is-an-error",
        "a broker that is down after the commit fails the request",
        (
            Edit(
                "coruscant.enqueue",
                "except (OperationalError, OSError) as error:",
                "except ZeroDivisionError as error:",
            ),
        ),
        tests=("liquidation/tests/test_recover.py",),
        simulated=False,  # the simulation has a broker of its own in this place
    ),
    Mutant(
        "two-events-allowed",
        "the database allows two events of a liquidation",
        sql="ALTER TABLE liquidation_liquidationevent DROP CONSTRAINT liquidation_liquidationevent_liquidation_id_key",
        tests=("liquidation/tests/test_models_constraints.py",),
        simulated=False,  # the second line of defence: a settled liquidation is not settled again
    ),
)
