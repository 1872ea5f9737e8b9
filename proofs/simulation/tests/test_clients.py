"""When a client's answers contradict one another."""

from decimal import Decimal

from loans import postings
from proofs.simulation.clients import Request


def request(**known):
    return Request(postings.post_collateral, "posting", "loan", "borrower", Decimal(1), **known)


def test_another_content_may_be_accepted_first_while_its_answer_is_on_its_way():
    sent_again = request(reused={Decimal(1)})
    assert sent_again.answered
    sent_again.accepted.add(Decimal(2))
    assert not sent_again.contradicted


def test_the_same_content_is_not_accepted_and_refused():
    assert request(accepted={Decimal(1)}, reused={Decimal(1)}).contradicted
    assert request(accepted={Decimal(1)}, refusal="loan-closed").contradicted
    assert request(accepted={Decimal(1), Decimal(2)}).contradicted
    assert not request(accepted={Decimal(1)}, reused={Decimal(2)}).contradicted
