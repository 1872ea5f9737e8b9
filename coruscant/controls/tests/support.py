"""Controls for the tests."""

from datetime import timedelta
from typing import Any

from coruscant.controls.models import Control
from coruscant.controls.pull import pull


def pull_it(kind: str = "pause_claims", *, minutes: int = 5, **how: Any) -> Control:
    """Leia pulls a control for some minutes."""
    usual: dict[str, Any] = {"lasts": timedelta(minutes=minutes), "why": "A test.", "by": "leia", "by_id": 1}
    return pull(kind, **usual | how)
