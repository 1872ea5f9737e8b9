"""What is observed must be a run of the model."""

import re
from dataclasses import replace

import pytest

from proofs.model import state
from proofs.model.replay import Committed, Heard, NotAStep, OrderRow, Replay, Restored, SaleRow, Traded

CLAIMED = SaleRow(state.SELLING, collateral=100, sold=0)
OPEN = OrderRow("a-1", market=0, number=1, lots=60, status=state.PENDING, sends=1, never_sent=0, refused=0)
FILLED = replace(OPEN, status=state.FILLED, traded=60)


def sale(*orders, sold=0, status=state.SELLING):
    return SaleRow(status, 100, sold, orders)


def held(*orders, sold=0):
    return replace(sale(*orders, sold=sold), held=True)


def operators(row):
    return Committed(0, {7: row}, by_operator=True)


def commit(row, actor=0):
    return Committed(actor, {7: row})


def sent(times, refused=0, **fields):
    return replace(OPEN, sends=times, refused=refused, **fields)


def refusals(count):
    """The order is sent so often, and clean refusals are heard and booked."""
    for send in range(1, count + 1):
        yield commit(sale(sent(send, send - 1)))
        yield Heard(0, "a-1", state.REFUSAL)
        if send < 3:
            yield commit(sale(sent(send, send)))


def play(*observed):
    replay = Replay(actors=2)
    replay.play([commit(CLAIMED), *observed])
    return replay


def test_a_sale_from_claim_to_settlement_is_a_run():
    replay = play(
        commit(sale(OPEN)),
        Traded("a-1", 60),
        Heard(0, "a-1", state.SUCCESS, 60),
        commit(sale(FILLED, sold=60, status=state.SETTLED)),
    )
    assert replay.steps == 5


def test_sales_do_not_disturb_one_another():
    play(
        Committed(0, {7: sale(OPEN), 8: CLAIMED}),
        Committed(1, {7: sale(OPEN), 8: sale(replace(OPEN, request_id="b-1"))}),
        Heard(1, "b-1", state.NEVER_SENT),
        Committed(1, {7: sale(OPEN), 8: sale(replace(OPEN, request_id="b-1", status=state.REFUSED, never_sent=1))}),
        Heard(0, "a-1", state.UNCLEAR),
        Committed(0, {7: sale(OPEN), 8: sale(replace(OPEN, request_id="b-1", status=state.REFUSED, never_sent=1))}),
    )


def test_three_refusals_and_then_an_order_elsewhere_are_a_run():
    refused = sent(3, 3, status=state.REFUSED)
    play(
        *refusals(3),
        commit(sale(refused)),
        commit(sale(refused, replace(OPEN, request_id="b-1", market=1))),
    )


def test_two_refusals_are_no_verdict():
    with pytest.raises(NotAStep, match=re.escape("sale 7: actor 0 committed")):
        play(*list(refusals(2))[:-1], commit(sale(sent(2, 2, status=state.REFUSED))))


def test_refusals_after_a_lost_answer_are_no_verdict():
    with pytest.raises(NotAStep):
        play(
            commit(sale(OPEN)),
            Heard(0, "a-1", state.UNCLEAR),
            commit(sale(OPEN)),
            *(
                seen
                for send in (2, 3, 4)
                for seen in (
                    commit(sale(sent(send, send - 2))),
                    Heard(0, "a-1", state.REFUSAL),
                    commit(sale(sent(send, send - 1, status=state.REFUSED if send == 4 else state.PENDING))),
                )
            ),
        )


def test_a_market_that_refuses_thrice_what_it_has_traded_is_not_what_is_assumed():
    with pytest.raises(NotAStep, match="clean refusal"):
        play(*list(refusals(3))[:-1], Traded("a-1", 60), Heard(0, "a-1", state.REFUSAL))


def test_a_market_may_refuse_as_often_as_it_likes_once_a_request_of_the_order_has_no_answer():
    refused = [
        seen
        for send in (2, 3, 4)
        for seen in (
            commit(sale(sent(send, send - 2)), actor=1),
            Heard(1, "a-1", state.REFUSAL),
            commit(sale(sent(send, send - 1)), actor=1),
        )
    ]
    play(commit(sale(OPEN)), *refused, Traded("a-1", 60))
    play(commit(sale(OPEN)), *refused[:2], Traded("a-1", 60), *refused[2:])


def test_a_worker_that_died_may_have_been_told_of_the_trade():
    twice = [commit(sale(OPEN)), Traded("a-1", 60), *list(refusals(2))[1:]]
    play(*twice, commit(sale(sent(3, 2))), commit(sale(sent(4, 2))), Heard(0, "a-1", state.REFUSAL))
    with pytest.raises(NotAStep, match="clean refusal"):
        play(*twice, commit(sale(sent(3, 2))), Heard(0, "a-1", state.REFUSAL))


def test_another_worker_takes_the_sale_and_the_late_one_books_nothing():
    taken = [
        commit(sale(OPEN)),
        commit(sale(sent(2)), actor=1),
        Traded("a-1", 60),
        Heard(0, "a-1", state.SUCCESS, 60),
    ]
    play(*taken, commit(sale(sent(2))), Heard(1, "a-1", state.SUCCESS, 60))
    with pytest.raises(NotAStep):
        play(*taken, commit(sale(sent(2, status=state.FILLED, traded=60), sold=60)))


def test_whoever_dies_leaves_a_request_that_may_arrive_late():
    play(
        commit(sale(OPEN)),
        Heard(0, "a-1", state.UNCLEAR),
        commit(sale(OPEN)),
        commit(sale(sent(2)), actor=1),
        commit(sale(sent(3))),  # actor 1 is dead; that its request was on its way is not observed
        Traded("a-1", 60),
        Heard(0, "a-1", state.DUPLICATE),
        commit(sale(sent(3, status=state.UNRESOLVED))),
        operators(sale(sent(3, status=state.FILLED, traded=60), sold=60)),
    )


def test_no_order_is_placed_while_another_has_no_verdict():
    with pytest.raises(NotAStep):
        play(commit(sale(OPEN)), commit(sale(OPEN, replace(OPEN, request_id="b-1", market=1))))


def test_a_send_that_is_not_counted_is_no_step():
    with pytest.raises(NotAStep):
        play(commit(sale(OPEN)), Heard(0, "a-1", state.UNCLEAR), commit(sale(OPEN)), Heard(0, "a-1", state.UNCLEAR))


def test_an_order_that_no_commit_has_made_is_no_step():
    with pytest.raises(NotAStep, match="no commit has made this order"):
        play(Traded("a-1", 60))


def test_a_trade_is_booked_with_its_figures():
    traded = [commit(sale(OPEN)), Traded("a-1", 59), Heard(0, "a-1", state.SUCCESS, 59)]
    play(*traded, commit(sale(replace(FILLED, traded=59), sold=59)))
    with pytest.raises(NotAStep):
        play(*traded, commit(sale(FILLED, sold=60)))


def test_figures_that_do_not_fit_call_a_person_at_their_second_time():
    mismatch = [
        commit(sale(OPEN)),
        Heard(0, "a-1", state.MISMATCH, 61),
        commit(sale(OPEN)),
        commit(sale(sent(2))),
        Heard(0, "a-1", state.MISMATCH, 61),
    ]
    play(*mismatch, commit(sale(sent(2, status=state.UNRESOLVED))))
    with pytest.raises(NotAStep):
        play(*mismatch, commit(sale(sent(2, status=state.REFUSED))))


def test_a_true_answer_whose_price_is_far_from_the_expected_one_may_be_doubted_or_believed():
    def told(*, far):
        yield from (commit(sale(OPEN)), Traded("a-1", 60), Heard(0, "a-1", state.SUCCESS, 60, far), commit(sale(OPEN)))
        yield from (commit(sale(sent(2))), Heard(0, "a-1", state.SUCCESS, 60, far))

    play(*told(far=True), commit(sale(sent(2, status=state.UNRESOLVED))))
    play(
        commit(sale(OPEN)),
        Traded("a-1", 60),
        Heard(0, "a-1", state.SUCCESS, 60, far=True),
        commit(sale(FILLED, sold=60)),
    )
    with pytest.raises(NotAStep):
        play(*told(far=False), commit(sale(sent(2, status=state.UNRESOLVED))))


def test_a_restore_brings_back_what_once_was_committed_and_nothing_else():
    sold = [
        commit(sale(OPEN)),
        Traded("a-1", 60),
        Heard(0, "a-1", state.SUCCESS, 60),
        commit(sale(FILLED, sold=60)),
    ]
    play(*sold, Restored({7: sale(OPEN)}))
    play(*sold, Restored({}))
    with pytest.raises(NotAStep, match="restored"):
        play(*sold, Restored({7: sale(sent(2))}))


def test_after_a_restore_nothing_is_sent():
    with pytest.raises(NotAStep):
        play(commit(sale(OPEN)), Restored({7: CLAIMED}), commit(sale(OPEN)))
    with pytest.raises(NotAStep):
        play(commit(sale(OPEN)), Restored({7: CLAIMED}), operators(held()), commit(held(OPEN)))


def test_what_a_statement_shows_is_adopted_and_what_it_does_not_show_is_closed():
    other = replace(FILLED, request_id="b-1", market=1)
    play(
        *refusals(3),
        commit(sale(sent(3, 3, status=state.REFUSED))),
        commit(sale(sent(3, 3, status=state.REFUSED), replace(OPEN, request_id="b-1", market=1))),
        Traded("b-1", 60),
        Restored({7: sale(OPEN)}),
        operators(held(OPEN)),
        operators(held(OPEN, other, sold=60)),
        operators(sale(replace(OPEN, status=state.REFUSED), other, sold=60)),
        commit(
            sale(
                replace(OPEN, status=state.REFUSED), other, replace(OPEN, request_id="a-2", number=2, lots=40), sold=60
            )
        ),
    )


def test_a_sale_that_statements_show_to_be_done_is_settled_with_them_or_by_the_next_worker():
    all_sold = replace(OPEN, request_id="b-1", market=1, lots=100, status=state.FILLED, traded=100)
    refused = replace(OPEN, status=state.REFUSED)
    lost = [
        *refusals(3),
        commit(sale(sent(3, 3, status=state.REFUSED))),
        commit(sale(sent(3, 3, status=state.REFUSED), replace(all_sold, status=state.PENDING, traded=0))),
        Traded("b-1", 100),
        Restored({7: sale(OPEN)}),
        operators(held(OPEN)),
        operators(held(OPEN, all_sold, sold=100)),
    ]
    settled = sale(refused, all_sold, sold=100, status=state.SETTLED)
    play(*lost, operators(settled))
    play(*lost, operators(sale(refused, all_sold, sold=100)), commit(settled))


def test_an_order_that_a_statement_shows_is_not_closed():
    lost = [commit(sale(OPEN)), Traded("a-1", 60), Restored({7: sale(OPEN)}), operators(held(OPEN))]
    play(*lost, operators(held(FILLED, sold=60)), operators(sale(FILLED, sold=60)))
    with pytest.raises(NotAStep):
        play(*lost, operators(sale(replace(OPEN, status=state.REFUSED))))


def test_refusals_of_an_order_placed_after_a_restore_prove_nothing():
    again = [commit(sale(OPEN)), Restored({7: CLAIMED}), operators(held()), operators(CLAIMED), *refusals(3)]
    play(*again, commit(sale(sent(3, 3))))
    with pytest.raises(NotAStep):
        play(*again, commit(sale(sent(3, 3, status=state.REFUSED))))


def test_numbers_go_on_after_the_highest_that_was_adopted():
    second = replace(FILLED, request_id="a-2", number=2)
    lost = [
        *refusals(3),
        commit(sale(sent(3, 3, status=state.REFUSED))),
        commit(sale(sent(3, 3, status=state.REFUSED), replace(OPEN, request_id="a-2", number=2))),
        Traded("a-2", 60),
        Restored({7: CLAIMED}),
        operators(held()),
        operators(held(second, sold=60)),
        operators(sale(second, sold=60)),
    ]
    play(*lost, commit(sale(second, replace(OPEN, request_id="a-3", number=3, lots=40), sold=60)))
    with pytest.raises(NotAStep):
        play(*lost, commit(sale(second, replace(OPEN, request_id="a-2", number=2, lots=40), sold=60)))


def test_a_claim_that_was_lost_is_made_again_and_held():
    lost = [commit(sale(OPEN)), Restored({})]
    with pytest.raises(NotAStep):
        play(*lost, commit(CLAIMED))
    begun = [*lost, Committed(0, {}, by_operator=True)]
    play(*begun, commit(held()), operators(CLAIMED), commit(sale(OPEN)))
    play(*begun, Committed(0, {}, by_operator=True), commit(CLAIMED), *refusals(3))


def test_a_sale_that_is_first_seen_after_a_restore_may_be_held_once_somebody_notices():
    replay = Replay(actors=2)
    replay.play([Restored({7: CLAIMED}), commit(CLAIMED), operators(held())])


def test_a_sale_that_is_first_seen_after_a_restore_may_be_held():
    other = {7: CLAIMED}
    begun = [Restored(other), Committed(0, {7: held()}, by_operator=True)]
    play(*begun, Committed(1, {7: held(), 8: held()}), Committed(1, {7: held(), 8: held()}))
    with pytest.raises(NotAStep):
        play(*begun, Committed(1, {7: held(), 8: held(OPEN)}))


def test_the_last_adoption_may_release_the_sale_at_once():
    lost = [commit(sale(OPEN)), Traded("a-1", 60), Restored({7: CLAIMED}), operators(held())]
    adopted = replace(FILLED, sends=0)
    play(*lost, operators(sale(adopted, sold=60)))
    with pytest.raises(NotAStep):
        play(*lost, operators(sale(replace(adopted, traded=50), sold=50)))


def test_an_order_that_is_older_than_the_statements_is_sent_on_and_never_believed_refused():
    old = [
        commit(sale(OPEN)),
        Traded("a-1", 60),
        Restored({7: sale(OPEN)}),
        operators(held(OPEN)),
        operators(sale(OPEN)),
    ]
    play(
        *old,
        commit(sale(sent(2))),
        Heard(0, "a-1", state.SUCCESS, 60),
        commit(sale(sent(2, status=state.FILLED, traded=60), sold=60)),
    )
    with pytest.raises(NotAStep):
        play(*old, operators(sale(replace(OPEN, status=state.REFUSED))))


def test_a_late_answer_reminds_restored_books_of_its_send():
    again = [commit(sale(OPEN)), Heard(0, "a-1", state.UNCLEAR), commit(sale(OPEN)), commit(sale(sent(2)), 1)]
    lost = [*again, Restored({7: sale(OPEN)}), Heard(1, "a-1", state.UNCLEAR)]
    play(*lost, commit(sale(sent(2)), 1))
    with pytest.raises(NotAStep):
        play(*lost, commit(sale(sent(2, refused=1)), 1), commit(sale(sent(1)), 1))


def test_people_stop_an_order_that_is_still_sent_and_its_worker_books_nothing():
    sending = [commit(sale(OPEN)), Traded("a-1", 60)]
    stopped = [operators(sale(replace(OPEN, status=state.UNRESOLVED))), operators(sale(FILLED, sold=60))]
    play(*sending, *stopped, Heard(0, "a-1", state.SUCCESS, 60), commit(sale(FILLED, sold=60)))
    with pytest.raises(NotAStep):
        play(*sending[:1], operators(sale(replace(OPEN, status=state.REFUSED))))
    with pytest.raises(NotAStep):
        play(*sending, stopped[0], operators(sale(replace(OPEN, status=state.REFUSED))))


def test_an_order_for_more_than_is_left_calls_a_person():
    both = [
        *refusals(3),
        commit(sale(sent(3, 3, status=state.REFUSED))),
        commit(sale(sent(3, 3, status=state.REFUSED), replace(OPEN, request_id="a-2", number=2))),
        Traded("a-2", 60),
        Restored({7: sale(OPEN)}),
        operators(held(OPEN)),
    ]
    adopted = replace(FILLED, request_id="a-2", number=2, sends=0)
    stays = [operators(held(OPEN, adopted, sold=60)), operators(sale(OPEN, adopted, sold=60))]
    play(*both, *stays, commit(sale(replace(OPEN, status=state.UNRESOLVED), adopted, sold=60)))
    with pytest.raises(NotAStep):
        play(*both, *stays, commit(sale(sent(2), adopted, sold=60)))
