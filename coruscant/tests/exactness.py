"""The proofs that money is exact: a share in `make test`, twenty times as many examples in `make exactness`."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

#: What Hypothesis tries by default; the profile "long" of conftest.py multiplies it.
_USUAL_EXAMPLES = 100


def examples(count: int, **more: Any) -> settings:
    """Settings that try so many examples in `make test`."""
    times = max(1, settings().max_examples // _USUAL_EXAMPLES)
    return settings(deadline=None, max_examples=count * times, suppress_health_check=[HealthCheck.too_slow], **more)


def proof(count: int) -> Callable[[Any], Any]:
    """Mark a property as a proof of exactness that tries so many examples in `make test`."""

    def mark(test: Any) -> Any:
        return pytest.mark.exactness(examples(count)(test))

    return mark
