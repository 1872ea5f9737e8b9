"""What `manage.py doctor` examines: each check changes nothing, and says what it found or what to do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError
from django.conf import settings

from liquidation.monitoring.doctor import configuration, messaging, processes, stores
from liquidation.monitoring.doctor.trouble import Trouble

Check = Callable[[], str]

#: How SNS and SQS say that credentials allow too little.
_NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}

CHECKS: Mapping[str, Check] = {
    "settings": configuration.settings_are_safe,
    "Django's checks": configuration.django_is_content,
    "migrations": stores.migrations_are_applied,
    "triggers": stores.database_checks_pass,
    "role": stores.role_has_no_more_than_it_needs,
    "cache": stores.cache_answers,
    "broker": stores.broker_answers,
    "clocks": stores.clocks_agree,
    "disk": stores.disk_has_room,
    "topics": messaging.topics_are_there,
    "queues": messaging.queues_are_there,
    "subscriptions": messaging.queues_are_subscribed,
    "dead letters": messaging.dead_letter_queues_are_empty,
    "markets": messaging.markets_are_reachable,
    "beat": processes.a_beat_runs,
    "workers": processes.every_queue_has_a_worker,
    "silence": processes.nobody_has_fallen_silent,
    "invariants": processes.no_invariant_is_broken,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `remedy` is empty if all is well. While trying out, some trouble is `accepted`."""

    name: str
    found: str
    remedy: str = ""
    accepted: bool = False

    @property
    def is_trouble(self) -> bool:
        """Whether somebody has to do something."""
        return bool(self.remedy) and not self.accepted


def examine(checks: Mapping[str, Check] | None = None) -> Iterator[Finding]:
    """Run every check, one after the other. One that cannot be made is trouble as well."""
    for name, check in (CHECKS if checks is None else checks).items():
        try:
            yield Finding(name, check())
        except Trouble as trouble:
            accepted = trouble.only_with_real_money and (settings.DEMO or settings.DEBUG)
            yield Finding(name, trouble.found, trouble.remedy, accepted)
        except Exception as error:  # whatever it is, the other checks go on
            yield _unchecked(name, error)


def _unchecked(name: str, error: Exception) -> Finding:
    """What is said of a check that could not be made."""
    if isinstance(error, ClientError) and error.response["Error"].get("Code") in _NOT_ALLOWED:
        what = f"not permitted: needs {error.operation_name}, as in the policy `doctor`."
        return Finding(name, what, "Run doctor with credentials that have this policy: docs/operations.md#doctor.")
    what = f"could not be checked: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return Finding(name, what, "Mend what the other lines say of this store first, then run doctor again.")
