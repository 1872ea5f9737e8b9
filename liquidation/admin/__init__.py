"""The pages of the liquidation app in the admin; importing them registers them."""

from liquidation import moves_two_people  # noqa: F401
from liquidation.admin import controls, liquidations, orders, reconciliations  # noqa: F401
