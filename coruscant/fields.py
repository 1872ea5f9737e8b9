"""Model fields for exact figures."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models

from coruscant import money

_Set = TypeVar("_Set")
_Get = TypeVar("_Get")

if TYPE_CHECKING:
    from django.db.models import DecimalField as _DecimalField
else:

    class _DecimalField(models.DecimalField):
        """Django's field, subscriptable as its stubs are."""

        def __class_getitem__(cls, _types: Any) -> type:
            return cls


class AmountField(_DecimalField[_Set, _Get]):
    """An exact amount in units of Beskar or GC: numeric(44, 24)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", money.MAX_DIGITS)
        kwargs.setdefault("decimal_places", money.DECIMAL_PLACES)
        super().__init__(*args, **kwargs)
