"""Model fields for exact figures."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models

from coruscant import money

if TYPE_CHECKING:
    _DecimalField = models.DecimalField[Decimal, Decimal]
else:
    _DecimalField = models.DecimalField


class AmountField(_DecimalField):
    """Units of Beskar or GC, numeric(44, 24)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", money.MAX_DIGITS)
        kwargs.setdefault("decimal_places", money.DECIMAL_PLACES)
        super().__init__(*args, **kwargs)
