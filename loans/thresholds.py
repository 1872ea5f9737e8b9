"""The LTV thresholds of the settings."""

from django.conf import settings

from loans.risk import Thresholds


def thresholds() -> Thresholds:
    """The thresholds that apply to all loans."""
    return Thresholds(
        activation_ltv=settings.ACTIVATION_LTV,
        margin_call_ltv=settings.WARNING_LTV,
        margin_call_clear_ltv=settings.WARNING_CLEAR_LTV,
        liquidation_ltv=settings.LIQUIDATION_LTV,
    )
