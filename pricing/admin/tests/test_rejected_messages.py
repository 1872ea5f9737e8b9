"""What a representative sees of messages that could not be understood."""

from datetime import UTC, datetime

from pricing.models import RejectedMessage

THEN = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)


def test_a_rejected_message_is_shown_whole_and_harmless(browser):
    body = '{"levels": "<script>alert(1)</script>", "n": 1e400}' + "x" * 5000
    message = RejectedMessage.objects.create(
        market="mos_espa",
        queue="q",
        message_id="m",
        body=body,
        reason="levels: not a list",
        sent_at=THEN,
        received_at=THEN,
    )
    text = browser.get(f"/admin/pricing/rejectedmessage/{message.pk}/change/").content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;, &quot;n&quot;: 1e400}" + "x" * 5000 in text
    assert "levels: not a list" in text
    assert "levels: not a list" in browser.get("/admin/pricing/rejectedmessage/").content.decode()
