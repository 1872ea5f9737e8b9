"""The error that ends a demo."""


class DemoError(RuntimeError):
    """The demo cannot go on; the message is a sentence for a person, then the end of a log where there is one."""
