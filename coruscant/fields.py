"""Model fields for exact figures."""

from typing import TYPE_CHECKING, Any, Final

from django.db import models

from coruscant import money

#: For sums over many amounts.
SUM_DIGITS: Final = 64

if TYPE_CHECKING:
    AmountField = models.DecimalField
else:

    class AmountField(models.DecimalField):
        """An exact amount in units of Beskar or GC: numeric(44, 24)."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.setdefault("max_digits", money.MAX_DIGITS)
            kwargs.setdefault("decimal_places", money.DECIMAL_PLACES)
            super().__init__(*args, **kwargs)
