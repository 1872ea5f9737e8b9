"""The one error this package raises for a person to read."""


class EmbeddedStackError(RuntimeError):
    """A server could not be started, stopped or found; the message is one sentence, then the end of its log."""
