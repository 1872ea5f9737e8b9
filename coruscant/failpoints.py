"""Named points between two side effects, where tests make a process fail.

`reach("sell.order_committed")` does nothing until an observer is set. Names are `<app>.<what has just happened>`.
"""

from collections.abc import Callable

_observer: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """Let the observer, if there is one, know that execution has come to `name`; it may raise, pause or kill."""
    if _observer is not None:
        _observer(name)


def arm(observer: Callable[[str], None] | None) -> None:
    """Set the one observer of all failpoints in this process, or remove it with None."""
    global _observer  # noqa: PLW0603
    _observer = observer
