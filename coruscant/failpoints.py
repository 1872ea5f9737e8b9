"""Named points between two side effects, where tests make a process fail.

`reach("sell.order_committed")` is a no-op until something is armed. Names are `<room>.<what has just happened>`.
"""

from collections.abc import Callable

_observer: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """Tell an armed test that execution has come to `name`; the test may raise, pause or kill."""
    if _observer is not None:
        _observer(name)


def arm(observer: Callable[[str], None] | None) -> None:
    """Set the one observer of all failpoints in this process, or remove it with None."""
    global _observer  # noqa: PLW0603
    _observer = observer
