"""What happens while the price falls, and the rules by which it went well."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from local.demo import incident
from local.demo.incident import check_lie, check_pauses, check_said
from local.demo.said import Said

BEGAN = datetime(2026, 11, 26, tzinfo=UTC)
LIE: dict[str, Any] = {
    "quotes": 10, "began": BEGAN, "ended": BEGAN + timedelta(seconds=9), "held": 1, "activated": 3, "cleared": 1,
    "claimed": 8, "activated_by_it": 0, "cleared_by_it": 0, "claimed_by_it": 0,
}  # fmt: skip
PAUSE: dict[str, Any] = {
    "began_at": BEGAN, "until": BEGAN + timedelta(seconds=4), "over": True, "claimed_in_it": 0, "claimed_after": 8,
    "spared": ["l1", "l2"],
}  # fmt: skip


def passed(lie: dict[str, Any], *pauses: dict[str, Any]) -> list[bool]:
    return [check.passed for check in check_lie(LIE | lie, pauses or [PAUSE])]


class Recorder:
    """Notes what the demo is told to do."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.done.append((name, *arguments))


def test_claims_are_paused_a_market_lies_in_the_fall_and_the_pause_ends_first() -> None:
    recorder: Any = Recorder()
    planned = list(incident.steps(recorder, recorder, 5))
    for step in planned:
        step.act()
    assert [name for name, *_ in recorder.done] == ["pause_claims", "crash", "lie", "resume_claims"]
    assert recorder.done[1:3] == [("crash", 5), ("lie", "mos_espa", Decimal(5000), 10)]
    assert [step.after for step in planned] == [0, 0, 3, 6.5]


def test_false_price_that_decided_nothing_passes() -> None:
    assert passed({}) == [True, True, True]


def test_lie_that_nobody_heard_or_held_back_fails() -> None:
    assert passed({"quotes": 0, "began": None, "ended": None}) == [False, True, True]
    assert passed({"held": 0}) == [False, True, True]


def test_anything_that_a_false_price_decided_fails() -> None:
    assert passed({"activated_by_it": 1}) == [True, False, True]
    assert passed({"cleared_by_it": 1}) == [True, False, True]
    assert passed({"claimed_by_it": 1}) == [True, True, False]


def test_no_claim_while_a_market_lies_fails_unless_claims_were_paused_nearly_all_the_time() -> None:
    assert passed({"claimed": 0}) == [True, True, False]
    assert passed({"claimed": 0}, PAUSE | {"until": BEGAN + timedelta(seconds=7)}) == [True, True, True]


def test_dispute_that_was_not_told_or_does_not_end_fails() -> None:
    disputed = Said(disputed=True, suspect=("mos_espa",))

    def check(*said: Said) -> bool:
        return check_said([(BEGAN + timedelta(seconds=3 * number), one) for number, one in enumerate(said)], LIE).passed

    assert check(Said(), disputed, Said(), Said(), Said())
    assert not check(Said(), Said(), Said(), Said(), Said())
    assert not check(Said(), Said(disputed=True), Said(), Said(), Said())
    assert not check(Said(), disputed, disputed, disputed, disputed)
    assert not check()
    assert check(Said(), Said(), Said()), "two looks are too few"


def test_claim_in_a_pause_and_none_after_it_fails() -> None:
    assert check_pauses([PAUSE]).passed
    assert check_pauses([PAUSE]).sentence == ("0 loans claimed in a pause of 4.0 s, 8 after it; 2 spared in it: l1, l2")
    assert not check_pauses([]).passed
    for wrong in ({"claimed_in_it": 1}, {"claimed_after": 0}, {"over": False}):
        assert not check_pauses([PAUSE | wrong]).passed
