"""The LTVs of the rules, as the settings have them."""

from django.conf import settings

from loans.risk import Thresholds


def thresholds() -> Thresholds:
    """The thresholds in force, for all loans."""
    return Thresholds(
        activation_ltv=settings.ACTIVATION_LTV,
        margin_call_ltv=settings.WARNING_LTV,
        margin_call_clear_ltv=settings.WARNING_CLEAR_LTV,
        liquidation_ltv=settings.LIQUIDATION_LTV,
    )
