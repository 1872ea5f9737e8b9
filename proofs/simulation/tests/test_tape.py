"""The same engine, driven by a tape: what breaks a promise is shrunk to the few choices that it takes."""

import pytest

from liquidation import sell
from proofs.simulation.runner import play_tape, scheduler_on
from proofs.simulation.shrinking import search
from proofs.simulation.tape import LENGTH, Tape


def test_a_tape_is_written_by_its_loud_entries():
    tape = Tape.of([(3, 1), (700, 255)])
    assert (str(tape), len(tape.entries)) == ("3:1 700:255", LENGTH)
    assert Tape.parse(str(tape)).entries == tape.entries
    assert [Tape.of([(1, 7)]).next(), Tape([0, 7]).loud] == [0, [(1, 7)]]
    for nonsense in ("3", "3:256", f"{LENGTH}:1", "a:b"):
        with pytest.raises(ValueError, match=r".+"):
            Tape.parse(nonsense)


@pytest.mark.django_db(transaction=True)
class TestOnTheServices:
    def test_the_quiet_tape_has_no_fault_and_the_same_trace_every_time(self, database):
        with scheduler_on(database) as scheduler:
            one, other = (play_tape(Tape(), database, scheduler) for _ in range(2))
        assert (one.faults, one.violations, one.trace) == (0, (), other.trace)

    @pytest.mark.timeout(600)
    def test_no_tape_breaks_a_promise(self, database):
        assert search(database, 25) is None

    @pytest.mark.proof
    @pytest.mark.timeout(600)
    def test_a_planted_bug_is_shrunk_to_a_few_choices(self, database, monkeypatch):
        """An order without a verdict is forgotten, and another is placed."""
        monkeypatch.setattr(sell, "PENDING_ORDER_STATUSES", ())
        tape, result = search(database, 60)
        assert "one_pending_order" in result.violations[0] or "I1" in result.violations[0], result.violations
        assert 1 <= len(tape.loud) <= 5
        assert 1 <= result.faults <= 2
        with scheduler_on(database) as scheduler:
            assert play_tape(Tape.parse(str(tape)), database, scheduler).trace == result.trace
