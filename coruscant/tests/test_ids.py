"""Ids are the same for the same thing, and differ wherever anything differs."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from coruscant import ids

OURS = uuid.UUID("6f1c2f0a-5d1e-4a52-9c0b-6c1f7f2b9d11")
ORDER = {"application": "r-1", "loan_id": "l-1", "market": "mos_espa", "number": 1}


def test_an_id_is_what_anybody_can_compute():
    """Told to the markets and kept in their statements: it must never change from release to release."""
    assert ids.order_id(OURS, **ORDER) == str(uuid.uuid5(OURS, '["order", "r-1", "l-1", "mos_espa", 1]'))
    assert ids.liquidation_event_id(OURS, application="r-1", loan_id="l-1") == uuid.uuid5(
        OURS, '["event", "r-1", "l-1", "liquidation", 1]'
    )
    assert ids.loan_event_id(OURS, '"at": "noon"') == uuid.uuid5(OURS, r'["loan event", "\"at\": \"noon\""]')


def test_an_id_differs_wherever_anything_differs():
    others = [
        ORDER | {"application": "r-2"}, ORDER | {"loan_id": "l-2"}, ORDER | {"market": "black_spire_outpost"},
        ORDER | {"number": 2}, ORDER | {"application": "r-1l", "loan_id": "-1"},
    ]  # fmt: skip
    made = [ids.order_id(OURS, **order) for order in [ORDER, *others]]
    made.append(ids.order_id(uuid.uuid4(), **ORDER))
    made.append(str(ids.liquidation_event_id(OURS, application="r-1", loan_id="l-1")))
    made += [str(ids.loan_event_id(OURS, said)) for said in ("noon", "one o'clock")]
    assert len(set(made)) == len(made)


@given(first=st.tuples(st.text(), st.text()), second=st.tuples(st.text(), st.text()))
def test_no_two_pairs_of_texts_run_into_one(first, second):
    made = [ids.order_id(OURS, application=a, loan_id=b, market="m", number=1) for a, b in (first, second)]
    assert (made[0] == made[1]) is (first == second)
