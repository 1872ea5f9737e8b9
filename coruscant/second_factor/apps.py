"""Registers the check of SECOND_FACTOR_GROUPS."""

from django.apps import AppConfig


class SecondFactorConfig(AppConfig):
    name = "coruscant.second_factor"

    def ready(self) -> None:
        from coruscant.second_factor import checks  # noqa: F401, PLC0415  (apps must be ready)
