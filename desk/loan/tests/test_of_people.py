"""Steps of approvals, controls and restores."""

import pytest

from desk.loan import of_people
from desk.loan.tests.changes import LATER, NOON, change, known, shown

ASKED = {
    "effect": "Book 40 units.\nMore of it.", "why": "It says so.", "askedByName": "leia", "askedAt": NOON,
    "outcome": "asked", "decidedByName": "", "decidedAt": None, "note": "",
}  # fmt: skip
PAUSE = {
    "kind": "pause_claims", "market": "", "beganAt": NOON, "until": LATER, "why": "a market lies", "pulledBy": "leia",
    "endedBy": "",
}  # fmt: skip
RESTORE = {"since": NOON, "begunAt": LATER, "begunBy": "leia", "comparedAt": None, "claimsReleasedBy": ""}


def test_what_was_asked_names_the_effect_the_reason_and_the_person():
    step = of_people.approval(change("approval", ASKED, created=True), known())
    assert shown(step) == ("Approval 9", "asked for: Book 40 units. It says so.", "")
    assert (step.at, step.by) == (NOON, "leia")


@pytest.mark.parametrize(
    ("outcome", "by", "note", "text", "kind"),
    [
        ("executed", "han", "Booked.", "Agreed and done. Booked.", "good"),
        ("failed", "han", "Too late.", "Agreed, but not done. Too late.", "danger"),
        ("expired", "", "", "Expired", ""),
    ],
)
def test_what_became_of_it_names_who_decided(outcome, by, note, text, kind):
    values = {"outcome": outcome, "decidedByName": by, "decidedAt": LATER, "note": note}
    step = of_people.approval(change("approval", values, state=ASKED), known())
    assert shown(step) == ("Approval 9", text, kind)
    assert (step.at, step.by) == (LATER, by or "time")


def test_a_pause_begins_is_extended_and_is_ended():
    began = of_people.control(change("control", PAUSE, created=True), known())
    assert shown(began) == ("Pause claims, No. 9", "until 2026-05-04 12:00:01 UTC: a market lies", "warning")
    assert (began.at, began.by) == (NOON, "leia")
    extended = of_people.control(change("control", {"until": NOON}, state=PAUSE), known())
    assert extended.text == "extended until 2026-05-04 12:00:00 UTC"
    ended = of_people.control(change("control", {"until": NOON, "endedBy": "han"}, state=PAUSE), known())
    assert (ended.text, ended.by) == ("ended at 2026-05-04 12:00:00 UTC", "han")


def test_a_restore_begins_and_what_it_holds_is_released():
    began = of_people.restore(change("restore", RESTORE, created=True), known())
    assert shown(began) == ("Restore 9", "the books went back to 2026-05-04 12:00:00 UTC", "warning")
    assert (began.at, began.by) == (LATER, "leia")
    compared = of_people.restore(change("restore", {"comparedAt": LATER}, state=RESTORE), known())
    assert compared.text == "statements of all markets are compared"
    values = {"claimsReleasedAt": LATER, "claimsReleasedBy": "han and leia"}
    released = of_people.restore(change("restore", values, state=RESTORE), known())
    assert (released.text, released.by) == ("claims are released", "han and leia")
    assert of_people.restore(change("restore", {"reason": "x"}, state=RESTORE), known()).text == "changed"
