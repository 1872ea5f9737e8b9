"""A queue's message: the market's own body, or that body in an SNS envelope (a subscription without raw delivery)."""

from pricing.feeds.event import MAX_CHARACTERS, Unreadable, read_object

# Wrapping escapes every quotation mark, and adds a signature and some addresses.
_MAX_ENVELOPE_CHARACTERS = 2 * MAX_CHARACTERS


def unwrap(body: str) -> str:
    """The market's body. Raises Unreadable, and nothing else."""
    if '"Notification"' not in body or '"Message"' not in body:
        return body
    envelope = read_object(body, at_most=_MAX_ENVELOPE_CHARACTERS)
    if envelope.get("Type") != "Notification" or "TopicArn" not in envelope:
        return body
    message = envelope.get("Message")
    if not isinstance(message, str):
        raise Unreadable("the SNS envelope holds no message")
    return message
