"""How much of a rejected message is kept, and for how long."""

import hashlib
from datetime import timedelta

import pytest

from coruscant import clock
from coruscant.admin.tests.plans import plans
from pricing.ingest import prune, rejected
from pricing.ingest.tests.support import feed, record_messages
from pricing.models import RejectedMessage
from pricing.tests.builders import at, message

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("garbage", "garbage"),
        ("x" * 300_000, "x" * 65_536),
        ("x" + "é" * 300_000, "x" + "é" * 32_767),
        ("\x00" * 300_000, "\\x00" * 16_384),
        ("\ud800" * 20_000, "\\ud800" * 10_922 + "\\ud8"),
    ],
    ids=["short", "long", "cut within a letter", "escapes", "cut within an escape"],
)
def test_the_first_64_kib_are_kept_with_the_digest_of_all(body, kept):
    record_messages(message(body, at(1), "long"))
    row = RejectedMessage.objects.get()
    assert row.body == kept
    assert len(row.body.encode()) <= 64 * 1024
    assert row.body_sha256 == hashlib.sha256(body.encode(errors="surrogatepass")).hexdigest()


def test_bodies_expire_with_the_quotes_and_the_rest_of_the_row_stays():
    for name in ("old", "older"):
        record_messages(message(f"garbage {name}", at(1), name))
    rows = list(RejectedMessage.objects.values())
    for days, emptied in ((29, False), (30, True)):
        with clock.driven_by(lambda days=days: at(60) + timedelta(days=days)):
            prune.prune(batch=1)
        assert list(RejectedMessage.objects.values()) == [row | ({"body": ""} if emptied else {}) for row in rows]
    assert feed().rejected == 2


def test_a_body_that_a_lost_run_has_left_is_overdue():
    record_messages(message("garbage", at(1)))
    for hours, overdue in ((24, False), (26, True)):
        with clock.driven_by(lambda hours=hours: at(60) + timedelta(days=30, hours=hours)):
            assert prune.overdue() is overdue
    rejected.expire(at(3600), batch=10, max_batches=1)
    with clock.driven_by(lambda: at(60) + timedelta(days=40)):
        assert not prune.overdue()


def test_bodies_are_found_by_an_index_that_holds_no_emptied_row():
    with plans(bitmaps=False) as found:
        rejected.overdue(at(1))
        rejected.expire(at(1), batch=10, max_batches=1)
    assert len(found) == 2
    for plan in found:
        assert "'rejected_bodies'" in plan
        assert "Filter" not in plan
        assert "Sort" not in plan
