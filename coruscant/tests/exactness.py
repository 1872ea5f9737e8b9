"""The proofs that money is exact: a share in `make test`, twenty times as many examples in `make exactness`."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

#: What Hypothesis tries unless told otherwise; the profile "long" of conftest.py multiplies it.
_USUAL_EXAMPLES = 100


def proof(examples: int) -> Callable[[Any], Any]:
    """Mark a property as a proof of exactness that tries so many examples in `make test`."""
    times = max(1, settings().max_examples // _USUAL_EXAMPLES)

    def mark(test: Any) -> Any:
        tried = settings(deadline=None, max_examples=examples * times, suppress_health_check=[HealthCheck.too_slow])
        return pytest.mark.exactness(tried(test))

    return mark
