"""SNS envelopes: a subscription without raw delivery wraps each body in one."""

from pricing.feeds.event import MAX_CHARACTERS, Unreadable, read_object

# The envelope escapes every quotation mark, and adds a signature and some addresses.
_MAX_ENVELOPE_CHARACTERS = 2 * MAX_CHARACTERS


def unwrap(body: str) -> str:
    """The market's body, taken out of its envelope if it is in one. Raises Unreadable, and nothing else."""
    if '"Notification"' not in body or '"Message"' not in body:
        return body
    envelope = read_object(body, at_most=_MAX_ENVELOPE_CHARACTERS)
    if envelope.get("Type") != "Notification" or "TopicArn" not in envelope:
        return body
    message = envelope.get("Message")
    if not isinstance(message, str):
        raise Unreadable("the SNS envelope holds no message")
    return message
