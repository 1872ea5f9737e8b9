"""The doctor's checks of settings. Ones that are wrong in themselves have ended the process before."""

from collections.abc import Sequence

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage

from coruscant import startup
from liquidation.monitoring.doctor.trouble import Trouble


def settings_are_safe() -> str:
    """Nothing is set that is only for trying out."""
    chosen = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}
    found = [f"{name} {sentence}." for name, sentence in startup.dangers(chosen)]
    found += [f"{name} is true." for name in ("DEMO", "DEBUG") if chosen[name]]
    if found:
        remedy = "Set them right, then DEMO and DEBUG to false: docs/operations.md#what-it-refuses-to-start-with."
        raise Trouble(" ".join(found), remedy, only_with_real_money=True)
    return "safe with real money"


def django_is_content() -> str:
    """`manage.py check --deploy` is silent."""
    raise_if_any(checks.run_checks(include_deployment_checks=True), only_with_real_money=True)
    return "silent, those for deployment too"


def raise_if_any(messages: Sequence[CheckMessage], *, only_with_real_money: bool = False) -> None:
    """Raise Trouble with what Django's checks say, and their hints."""
    said = [message for message in messages if not message.is_silenced()]
    if said:
        found = " ".join(dict.fromkeys(f"{message.msg} ({message.id})" for message in said))
        hints = " ".join(dict.fromkeys(message.hint for message in said if message.hint))
        remedy = hints or "The message says it."
        raise Trouble(" ".join(found.split()), remedy, only_with_real_money=only_with_real_money)
