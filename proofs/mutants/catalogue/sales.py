"""Bugs of selling: the lease, the fence, the order, the booking and the settlement."""

from proofs.mutants.planting import Edit, Mutant

_SELL = "liquidation.sell"
_SETTLEMENT = "liquidation.settlement"
_SIZING = "liquidation.sizing"
_SALES = "loans.sales"
_LOCKING = "liquidation.locking"

_TESTS = ("liquidation/tests/test_sell.py", "liquidation/tests/test_sell_answers.py")
_NO_LEASE = Edit(_SELL, "if liquidation.leased_until and liquidation.leased_until > now", "if False")

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "no-lease",
        "a worker takes a sale whose lease is another's; only the order's due time stops it",
        (_NO_LEASE,),
        tests=_TESTS,
    ),
    Mutant(
        "no-lease-nor-due-time",
        "a worker sends an order that another is sending",
        (_NO_LEASE, Edit(_SELL, "if order.due_at > now:", "if False:")),
        tests=_TESTS,
    ),
    Mutant(
        "no-fence",
        "a worker whose lease has run out books what it hears late",
        (Edit(_SELL, "if liquidation.fence != attempt.fence or ", "if "),),
        tests=_TESTS,
    ),
    Mutant(
        "answered-for-under-a-worker",
        "a worker that is sending an order books what it hears although a person has answered for the order",
        (Edit("liquidation.resolution", "liquidation.fence + 1, None", "liquidation.fence, None"),),
        tests=("liquidation/tests/test_resolution.py", "liquidation/tests/test_two_people_concurrency.py"),
        simulated=False,
    ),
    Mutant(
        "local-clock",
        "leases and due times of a sale are measured by the worker's own clock",
        (
            Edit(
                _SELL,
                "        if liquidation.status == LiquidationStatus.SETTLED:",
                "        now = datetime.now().astimezone()\n"
                "        if liquidation.status == LiquidationStatus.SETTLED:",
            ),
        ),
        tests=_TESTS,
    ),
    Mutant(
        "new-request-id",
        "an order without an answer is sent again under a new requestId",
        (
            Edit(
                _SELL,
                '    counted = None if order._state.adding else ("sends", "due_at")\n',
                "    import uuid\n"
                "    old, adding = order.request_id, order._state.adding\n"
                "    if not adding:\n"
                "        order.request_id = str(uuid.uuid4())\n"
                "        order.payload = order.payload.replace(old, order.request_id)\n"
                '    counted = None if adding else ("sends", "due_at", "request_id", "payload")\n',
            ),
        ),
        tests=_TESTS,
    ),
    Mutant(
        "sent-before-written",
        "the order is sent before it is committed",
        (
            Edit(
                _SELL,
                "        return _count_send(liquidation, order, fence, now)",
                "        attempt = _count_send(liquidation, order, fence, now)\n"
                "        venues.send_order(attempt.market, attempt.payload,"
                " request_id=attempt.request_id, at_most_seconds=5)\n"
                "        return attempt",
            ),
        ),
        tests=_TESTS,
    ),
    Mutant(
        "unlocked-sale",
        "the sale reads its rows without locking them",
        (Edit(_LOCKING, " FOR UPDATE OF loan, sale\n", "\n"),),
    ),
    Mutant(
        "liquidation-locked-first",
        "the sale locks the liquidation before the loan",
        (Edit(_LOCKING, "FOR UPDATE OF loan, sale", "FOR UPDATE OF sale, loan"),),
        tests=_TESTS,
    ),
    Mutant(
        "partial-fill-as-full",
        "a partial fill is booked as what was ordered",
        (Edit(_SELL, "units=proved.units,", "units=order.quantity,"),),
        tests=_TESTS,
    ),
    Mutant(
        "proceeds-not-added",
        "each sale's proceeds replace those before",
        (Edit(_SELL, "liquidation.proceeds += proceeds", "liquidation.proceeds = proceeds"),),
        tests=_TESTS,
    ),
    Mutant(
        "balance-below-zero",
        "proceeds above the debt make the balance negative",
        (Edit(_SALES, "max(ZERO, loan.outstanding_balance - proceeds)", "loan.outstanding_balance - proceeds"),),
        tests=("loans/tests/test_sales.py",),
    ),
    Mutant(
        "surplus-forgotten",
        "what was sold above the debt is not kept as surplus",
        (Edit(_SETTLEMENT, "max(ZERO, liquidation.proceeds - liquidation.balance_at_claim)", "ZERO"),),
        tests=_TESTS,
    ),
    Mutant(
        "settled-while-unknown",
        "a sale is settled while an order has no verdict",
        (Edit(_SETTLEMENT, "if liquidation.orders.filter(status__in=PENDING_ORDER_STATUSES).exists():", "if False:"),),
        tests=_TESTS,
        simulated=False,  # it takes a setting that changes while an order has no verdict
    ),
    Mutant(
        "order-before-the-last-one-is-known",
        "a new order is placed while another has no verdict",
        (Edit(_SELL, "latest[0].status in PENDING_ORDER_STATUSES", 'latest[0].status == "open"'),),
        tests=_TESTS,
    ),
    Mutant(
        "sized-one-step-short",
        "the order is rounded down to the step: one step too small",
        (Edit(_SIZING, "    return left * step", "    return max(step, (left - 1) * step)"),),
        tests=("liquidation/tests/test_sizing.py",),
        simulated=False,  # it costs money, and breaks no promise
    ),
    Mutant(
        "sized-one-step-long",
        "the order is one step too large",
        (Edit(_SIZING, "    return left * step", "    return (left + 1) * step"),),
        tests=("liquidation/tests/test_sizing.py",),
        simulated=False,  # it costs money, and breaks no promise
    ),
    Mutant(
        "two-pending-orders",
        "the database allows two orders of one sale without a verdict",
        sql="DROP INDEX one_pending_order_a_liquidation",
        tests=("liquidation/tests/test_models_constraints.py",),
        simulated=False,  # the second line of defence: the code never tries
    ),
    Mutant(
        "sold-more-than-claimed",
        "the database allows more units sold than were claimed",
        sql="ALTER TABLE liquidation_liquidation DROP CONSTRAINT never_more_sold_than_claimed",
        tests=("liquidation/tests/test_models_constraints.py",),
        simulated=False,  # the second line of defence: the code never tries
    ),
    Mutant(
        "fill-without-figures",
        "the database allows a fill of more than was ordered",
        sql="ALTER TABLE liquidation_tradeorder DROP CONSTRAINT only_a_fill_has_figures_and_they_fit",
        tests=("liquidation/tests/test_models_constraints.py",),
        simulated=False,  # the second line of defence: the code never tries
    ),
)
