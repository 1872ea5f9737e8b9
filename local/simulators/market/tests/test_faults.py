import pytest

from local.simulators.market.faults import LYING_KINDS, USUAL_KINDS, Fault, Kind, Mismatch


def test_faults_are_read_from_text() -> None:
    assert Fault.parse(None) is None
    assert Fault.parse("none") is None
    assert Fault.parse("slow:0.5") == Fault(Kind.SLOW, seconds=0.5)
    assert Fault.parse("mismatch:other_side") == Fault(Kind.MISMATCH, variant=Mismatch.OTHER_SIDE)
    assert Fault.parse("refusal_odd_status:425") == Fault(Kind.REFUSAL_ODD_STATUS, variant="425")


def test_a_test_may_say_in_which_words_a_market_refuses() -> None:
    assert Fault.parse("refusal_doubtful:ask me: later") == Fault(Kind.REFUSAL_DOUBTFUL, variant="ask me: later")


@pytest.mark.parametrize(
    "text",
    ["", "bogus", "refusal:1", "slow:-1", "slow:nan", "mismatch:bogus", "refusal_odd_status:200", "cookies:ten"],
)
def test_text_that_names_no_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Fault.parse(text)


def test_a_kind_is_usual_or_lies() -> None:
    assert {*USUAL_KINDS, *LYING_KINDS} == set(Kind)
    assert not set(USUAL_KINDS) & set(LYING_KINDS)
