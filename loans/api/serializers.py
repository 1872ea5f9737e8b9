"""Fields of requests and of responses.

Those of requests validate. Those of responses only describe them in the schema; `loans.representation` writes them.
"""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from coruscant.money import LONGEST_TEXT, NotAnAmount, parse_amount
from coruscant.text import is_storable
from loans.models import LoanStatus

_MAX_ID_LENGTH = 128
# Blank is what Python calls white space, and the byte order mark, which JavaScript does.
_BLANK = r"\s\u001c-\u001f\u0085\ufeff"
ID_SCHEMA = {
    "type": "string",
    "minLength": 1,
    "maxLength": _MAX_ID_LENGTH,
    "pattern": rf"^[^\u0000]*[^\u0000{_BLANK}][^\u0000]*$",
}
_BLANK_TEXT = re.compile(rf"[{_BLANK}]*")
_AMOUNT_PATTERN = r"^(?=[0-9.]*[1-9])([0-9]{1,20}(\.[0-9]{1,24})?|[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]{1,4})$"


def id_fault(value: object) -> str | None:
    """What is wrong with an identifier, as one sentence; None if it is valid."""
    if not isinstance(value, str):
        return "Must be a string."
    if len(value) > _MAX_ID_LENGTH:
        return f"Must have at most {_MAX_ID_LENGTH} characters."
    if _BLANK_TEXT.fullmatch(value):
        return "Must not be blank."
    if not is_storable(value):
        return "Must not hold NUL or lone surrogates."
    return None


@extend_schema_field(ID_SCHEMA)
class IdField(serializers.Field[str, Any, str, Any]):
    """An identifier: text that is not blank, of at most 128 characters, kept unchanged."""

    def to_internal_value(self, data: Any) -> str:
        if fault := id_fault(data):
            raise serializers.ValidationError(fault)
        return str(data)


@extend_schema_field(
    {
        "type": "string",
        "maxLength": LONGEST_TEXT,
        "pattern": _AMOUNT_PATTERN,
        "description": "A positive decimal as a string: at most 20 integer digits and 24 decimals, also once an"
        " exponent is applied.",
    }
)
class AmountStringField(serializers.Field[Decimal, Any, str, Any]):
    """A positive amount in a string."""

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return parse_amount(data)
        except NotAnAmount as fault:
            raise serializers.ValidationError(f"{str(fault).capitalize()}.") from None


class _NamedRequest(serializers.Serializer[Any]):
    """The fields of both requests, as the services name them. Unknown fields are ignored."""

    requestId = IdField(  # noqa: N815
        source="request_id", help_text="Identifies the request: the same id again gets the stored first answer"
    )
    loanId = IdField(source="loan_id", help_text="The loan")  # noqa: N815
    borrowerId = IdField(source="borrower_id", help_text="The client of the bank")  # noqa: N815


class LoanApplicationSerializer(_NamedRequest):
    """An application for a loan."""

    amount = AmountStringField(help_text="GC to be disbursed")


class CollateralTopUpSerializer(_NamedRequest):
    """Collateral for a loan: its first, or more."""

    amount = AmountStringField(help_text="Units of Beskar posted")


class LoanFiltersSerializer(serializers.Serializer[Any]):
    """Filters of the list of loans."""

    status = serializers.ChoiceField(choices=LoanStatus.choices, required=False)
    borrowerId = IdField(source="borrower_id", required=False)  # noqa: N815


@extend_schema_field({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"})
class FigureField(serializers.Field[Any, Any, str, Any]):
    """A plain decimal in a string: no exponent, no trailing zeros."""


class OpenWarningSerializer(serializers.Serializer[Any]):
    """A margin call that is open."""

    openedAt = serializers.DateTimeField()  # noqa: N815
    price = FigureField(help_text="GC a unit, at the call")
    ltv = FigureField(allow_null=True, help_text="LTV at the call, rounded half-even to 24 decimals")


class LiquidationFiguresSerializer(serializers.Serializer[Any]):
    """The figures of a liquidation event."""

    eventId = serializers.CharField()  # noqa: N815
    collateralSold = FigureField(help_text="Units")  # noqa: N815
    collateralSoldValue = FigureField(help_text="GC")  # noqa: N815
    outstandingCollateral = FigureField(help_text="Units to be returned to the client")  # noqa: N815
    outstandingBalance = FigureField(help_text="GC that the sale could not cover")  # noqa: N815


class LoanSerializer(serializers.Serializer[Any]):
    """A loan as it is now. Figures that depend on the price are null while no fresh price is known."""

    loanId = serializers.CharField()  # noqa: N815
    borrowerId = serializers.CharField()  # noqa: N815
    amount = FigureField(help_text="GC")
    collateral = FigureField(help_text="Units of Beskar")
    status = serializers.ChoiceField(choices=LoanStatus.choices)
    outstandingBalance = FigureField(help_text="GC")  # noqa: N815
    ltv = FigureField(allow_null=True, help_text="At the best price now, rounded half-even to 24 decimals")
    collateralValue = FigureField(allow_null=True, help_text="GC at the best price now, exact")  # noqa: N815
    requiredCollateral = FigureField(  # noqa: N815
        allow_null=True,
        help_text="Units missing to reach the activation LTV (50 % by default), rounded up to 24 decimals; 0 once"
        " the loan is claimed",
    )
    openWarning = OpenWarningSerializer(allow_null=True)  # noqa: N815
    createdAt = serializers.DateTimeField()  # noqa: N815
    activatedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    liquidation = LiquidationFiguresSerializer(allow_null=True, help_text="Of a liquidated loan, else null")


class TermsOfLoanSerializer(serializers.Serializer[Any]):
    """The LTVs at which something happens to a loan, as ratios: 0.5 is 50 %."""

    version = serializers.IntegerField()
    activationLtv = FigureField(help_text="A new loan becomes active at or below it")  # noqa: N815
    marginCallLtv = FigureField(help_text="A margin call comes at or above it")  # noqa: N815
    marginCallClearLtv = FigureField(help_text="A margin call ends below it")  # noqa: N815
    liquidationLtv = FigureField(help_text="The loan is liquidated at or above it")  # noqa: N815


class PostingOfLoanSerializer(serializers.Serializer[Any]):
    """Collateral that was posted."""

    requestId = serializers.CharField()  # noqa: N815
    amount = FigureField(help_text="Units of Beskar")
    at = serializers.DateTimeField()


class LoanDetailSerializer(LoanSerializer):
    """A loan as it is now, with its terms and its postings."""

    warningPrice = FigureField(  # noqa: N815
        allow_null=True,
        help_text="The highest price, GC a unit, at which the loan as it stands gets a margin call under its terms,"
        " rounded down to 24 decimals; null without collateral or debt",
    )
    liquidationPrice = FigureField(allow_null=True, help_text="The same of its liquidation")  # noqa: N815
    terms = TermsOfLoanSerializer()
    postings = PostingOfLoanSerializer(many=True, help_text="The newest 100, newest first")


class LoanPageSerializer(serializers.Serializer[Any]):
    """A page of loans, newest first."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = LoanSerializer(many=True)


class FieldErrorSerializer(serializers.Serializer[Any]):
    """What is wrong with one field."""

    field = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField(help_text="A URI that names the kind of problem")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(required=False)
    errors = FieldErrorSerializer(many=True, required=False, help_text="Every bad field")  # type: ignore[assignment]
