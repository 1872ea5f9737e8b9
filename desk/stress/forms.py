"""What people type: a price, or a fall in percent, and a name to keep it by."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from coruscant import money
from coruscant.admin.commands import AmountFormField

#: What is asked when nothing is: a fall of 30 %.
USUAL_FALL = Decimal("0.3")


class FallField(forms.CharField):
    """A fall from 0 up to, not including, 100 percent, typed by a person; a ratio for the rules."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: Any) -> Any:
        """The ratio. Refuses anything else with a ValidationError."""
        text = str(super().to_python(value) or "").strip().removesuffix("%").strip()
        if not text:
            return None
        try:
            percent = money.ZERO if text == "0" else money.parse_amount(text)
        except money.NotAnAmount as error:
            raise ValidationError(f"The fall {error}.") from None
        with money.exact():
            ratio = percent / 100
        if ratio >= 1 or ratio != money.round_down(ratio, money.DECIMAL_PLACES):
            raise ValidationError("The fall must be below 100 percent, with up to 22 decimals.")
        return ratio


class QuestionForm(forms.Form):
    """A price, or a fall; the usual fall if neither is given."""

    price = AmountFormField(required=False, label="Price, GC a unit")
    fall = FallField(required=False, label="or a fall, %")

    def clean(self) -> dict[str, Any]:
        """Exactly one of both."""
        found = super().clean() or {}
        if found.get("price") is not None and found.get("fall") is not None:
            raise ValidationError("Give a price or a fall, not both.")
        if not self.errors and found.get("price") is None and found.get("fall") is None:
            found["fall"] = USUAL_FALL
        return found


class ScenarioForm(QuestionForm):
    """A question, and the name that it is kept by."""

    name = forms.CharField(max_length=80, label="Name", widget=UnfoldAdminTextInputWidget)
