"""Bugs of a bank whose books went back in time: what is noticed, what is held, and what is adopted."""

from proofs.mutants.planting import Edit, Mutant

_IDENTITY, _HOLDS = "coruscant.restores.identity", "coruscant.restores.holds"
_SELL, _ORDERS, _CLAIM, _PUBLISH = "liquidation.sell", "liquidation.orders", "liquidation.claim", "liquidation.publish"
_LAST_SEND, _RESTORED = "liquidation.last_send", "liquidation.restored"
_COMPARE, _DIFFERENCES = "liquidation.reconciliation.compare", "liquidation.reconciliation.differences"
_RELEASE, _ATTRIBUTION = "liquidation.reconciliation.release", "liquidation.reconciliation.attribution"

_NOTICED = ("coruscant/restores/tests/test_identity.py",)
_HELD = ("liquidation/tests/test_restored.py", "liquidation/tests/test_restored_replaced.py")
_GONE_BACK = ("liquidation/tests/test_restored_databases.py",)
_COMPARED = ("liquidation/reconciliation/tests/test_compare.py",)
_ADOPTED = ("liquidation/reconciliation/tests/test_differences.py",)
_RELEASED = ("liquidation/reconciliation/tests/test_release.py",)


def _mutant(name: str, bug: str, *edits: Edit, tests: tuple[str, ...], simulated: bool = False) -> Mutant:
    """In the simulation books go back, too, but most of these take more schedules than are worth their time."""
    return Mutant(name, bug, edits, tests=tests, simulated=simulated)


MUTANTS: tuple[Mutant, ...] = (
    _mutant(
        "replaced-database-accepted",
        "a restored database goes on as if nothing had happened",
        Edit(_IDENTITY, "    if was != found and not (promoted and not in_transaction):\n", "    if False:\n"),
        tests=(*_NOTICED, *_GONE_BACK),
        simulated=True,
    ),
    _mutant(
        "every-promotion-accepted",
        "a standby that may lack commits is taken for a synchronous one",
        Edit(_IDENTITY, "settings.DATABASE_FAILOVER == SYNCHRONOUS", "settings.DATABASE_FAILOVER"),
        tests=_NOTICED,
    ),
    _mutant(
        "promotion-without-witness",
        "a promotion is accepted within a transaction, where no witness is asked",
        Edit(_IDENTITY, "(promoted and not in_transaction)", "promoted"),
        tests=_NOTICED,
    ),
    _mutant(
        "witness-not-asked",
        "a data directory that was put back looks like the same database",
        Edit(_LAST_SEND, "request_id=request_id, sends__gte=send", "request_id=request_id"),
        tests=("liquidation/tests/test_last_send.py",),
    ),
    _mutant(
        "doubted-for-ever",
        "the send that the books lack speaks against them again after a person has accepted them",
        Edit(_LAST_SEND, "if accepted and by_somebody and", "if accepted and not accepted and"),
        tests=(*_HELD, "liquidation/tests/test_last_send.py"),
    ),
    _mutant(
        "hold-forgotten",
        "a sale that a restore holds is sold",
        Edit(
            _SELL,
            "        if liquidation.held_by_id or not identity.accepted():\n            return Outcome.HELD\n",
            "",
        ),
        tests=_HELD,
        simulated=True,
    ),
    _mutant(
        "answer-booked-after-restore",
        "an answer decides although the restore has begun meanwhile",
        Edit(_SELL, "attempt.fence or held or", "attempt.fence or"),
        tests=_HELD,
    ),
    _mutant(
        "send-forgotten-with-the-restore",
        "the books count the first send again although a late answer to it has come",
        Edit(_SELL, "order.sends = max(order.sends, attempt.send)", "order.sends = order.sends"),
        tests=_HELD,
    ),
    _mutant(
        "another-orders-answer",
        "an answer is booked on the order that has the row's number in the restored database",
        Edit(_SELL, "if order is None or order.request_id != attempt.request_id:", "if order is None:"),
        tests=_HELD,
    ),
    _mutant(
        "held-event-published",
        "an event is published that may have been another before the restore",
        Edit(
            _PUBLISH,
            "LiquidationEvent.objects.filter(liquidation__held_by__isnull=True)",
            "LiquidationEvent.objects.all()",
        ),
        tests=_HELD,
    ),
    _mutant(
        "first-send-counted-anew",
        "after a restore, three refusals of an order that may have traded are believed",
        Edit(_ORDERS, "    if order.refusals_prove_nothing:\n", "    if False:\n"),
        tests=_HELD,
    ),
    _mutant(
        "new-order-trusted-after-restore",
        "refusals are believed of an order whose id a lost one may have had",
        Edit(_ORDERS, "refusals_prove_nothing=liquidation.orders_may_be_missing", "refusals_prove_nothing=False"),
        tests=_HELD,
    ),
    _mutant(
        "claims-released-by-nobody",
        "loans are claimed while their postings may be lost",
        Edit(_HOLDS, "Q(claims_released_at__isnull=True) | Q(claims", "Q(claims"),
        tests=_HELD,
    ),
    _mutant(
        "dips-of-the-hold-claim",
        "prices from before claims were released claim loans afterwards",
        Edit(_HOLDS, " | Q(claims_released_at__gte=applies_before)", ""),
        tests=_HELD,
    ),
    _mutant(
        "claimed-and-sold-again",
        "a loan that was claimed and sold in the gap is claimed and sold again",
        Edit(_CLAIM, "restore = holds.uncompared()", "restore = None"),
        tests=_HELD,
    ),
    _mutant(
        "settled-sales-not-held",
        "a restore holds no event that may have been published",
        Edit(_RESTORED, " | Q(event__sent_at__isnull=True)", ""),
        tests=_HELD,
    ),
    _mutant(
        "known-trade-not-compared",
        "the figures of a statement are not compared with the books",
        Edit(
            _COMPARE,
            "return None if (order.units_traded, order.proceeds) == (trade.units, trade.proceeds) else Kind.FIGURES",
            "return None",
        ),
        tests=_COMPARED,
    ),
    _mutant(
        "compared-one-way",
        "a trade that the market does not state is not noticed",
        Edit(_COMPARE, "        _open(found, _missing(market, found), now)\n", ""),
        tests=_COMPARED,
    ),
    _mutant(
        "attributed-no-further",
        "the loan of an order is not found that comes after many others which were lost as well",
        Edit(_ATTRIBUTION, "end = max(end, number + ahead)", "end = max(end, number)"),
        tests=("liquidation/reconciliation/tests/test_attribution.py",),
    ),
    _mutant(
        "adopted-twice",
        "a trade is booked again when it is adopted again",
        Edit(_DIFFERENCES, "if found is None or found.status != DifferenceStatus.OPEN:", "if found is None:"),
        tests=_ADOPTED,
    ),
    _mutant(
        "settled-beside-a-pending-order",
        "an adopted trade settles a sale while another order may have traded",
        Edit(_DIFFERENCES, "may_settle=not others.exists()", "may_settle=True"),
        tests=_ADOPTED,
    ),
    _mutant(
        "adopted-under-a-worker",
        "a worker that waits for the answer books the adopted trade again",
        Edit(_DIFFERENCES, "sale.fence + 1, None, now", "sale.fence, None, now"),
        tests=_ADOPTED,
    ),
    _mutant(
        "claimed-before-postings-came-back",
        "a loan is claimed for an adopted trade while its postings may be lost",
        Edit(_DIFFERENCES, "if holds.claims_wait():", "if False:"),
        tests=_ADOPTED,
    ),
    _mutant(
        "order-number-used-again",
        "after an adopted order the next one has an id that a lost one had",
        Edit(
            _ORDERS,
            "return max((order.number for order in latest_orders if order.market == market), default=0)",
            "return sum(order.market == market for order in latest_orders)",
        ),
        tests=_ADOPTED,
    ),
    _mutant(
        "released-with-a-difference",
        "sales go on although a statement differs from the books",
        Edit(
            _RELEASE,
            "        if restore is None or"
            " ReconciliationDifference.objects.filter(status=DifferenceStatus.OPEN).exists():\n",
            "        if restore is None:\n",
        ),
        tests=_RELEASED,
    ),
    _mutant(
        "released-by-one-market",
        "the statement of one market lets the sales at both go on",
        Edit(_RELEASE, "if not all(gap.values()):", "if not any(gap.values()):"),
        tests=_RELEASED,
    ),
    _mutant(
        "statement-from-before-the-restore",
        "a statement counts that was compared with other books",
        Edit(_RELEASE, ", compared_since=restore.begun_at", ""),
        tests=_RELEASED,
    ),
    _mutant(
        "shown-order-called-untraded",
        "a pending order is booked as not traded although a statement shows its trade",
        Edit(_RELEASE, "        ~Exists(shown),\n", ""),
        tests=_RELEASED,
    ),
    _mutant(
        "sent-since-and-called-untraded",
        "an order that was released and sent again is booked as not traded by an older statement",
        Edit(_RELEASE, "        liquidation__held_by=restore,\n", ""),
        tests=_RELEASED,
    ),
    _mutant(
        "older-than-the-statements",
        "an order is booked as not traded by statements that begin after it",
        Edit(_RELEASE, "        created_at__gte=period[0] + holds.CLOCKS_DIFFER,\n", ""),
        tests=_RELEASED,
    ),
    _mutant(
        "statement-ends-with-the-restore",
        "a statement counts that ends before a send from before the restore has arrived at the market",
        Edit(_HOLDS, "restore.begun_at + last_call + CLOCKS_DIFFER", "restore.begun_at"),
        tests=_RELEASED,
    ),
    _mutant(
        "statement-begins-with-the-restore",
        "a statement counts that a market's clock behind ours lets begin after a lost trade",
        Edit(_HOLDS, "first, last = restore.since - CLOCKS_DIFFER, ", "first, last = restore.since, "),
        tests=_RELEASED,
    ),
    _mutant(
        "order-at-the-beginning-of-a-statement",
        "an order is booked as not traded whose trade, by the market's clock, was before the statement",
        Edit(_RELEASE, "period[0] + holds.CLOCKS_DIFFER", "period[0]"),
        tests=_RELEASED,
    ),
    _mutant(
        "begun-before-the-last-send",
        "a restore is said to have begun before it holds every sale",
        Edit(_RESTORED, '        list(concerned.select_for_update(of=("self",)).values_list("pk"))\n', ""),
        tests=_HELD,
    ),
    _mutant(
        "told-and-called-untraded",
        "an order that the market has called a success is booked as not traded, since its statement is silent",
        Edit(_RELEASE, "        ~Exists(told),\n", ""),
        tests=_RELEASED,
    ),
    _mutant(
        "held-by-a-restore-that-is-over",
        "a claim that is being written while the restore ends is held for ever",
        Edit(_RELEASE, "locks.exclusive(locks.EVALUATION)", "assert locks.EVALUATION"),
        tests=_RELEASED,
    ),
)
