"""Sessions of people, which end SESSION_COOKIE_AGE after log-in.

Those of Django begin that time anew whenever something is written to them. So whoever has taken a cookie could keep its
session: some pages write to it when they are only looked at.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends import db
from django.dispatch import receiver
from django.http import HttpRequest


class SessionStore(db.SessionStore):
    """Django's in the database, as SESSION_ENGINE wants it named."""

    def get_expire_at_browser_close(self) -> bool:
        """As the setting says: Django's would keep the cookie of a session that has an end of its own."""
        return bool(settings.SESSION_EXPIRE_AT_BROWSER_CLOSE)


@receiver(user_logged_in)
def _set_end(request: HttpRequest, **_signal: Any) -> None:
    request.session.set_expiry(timedelta(seconds=settings.SESSION_COOKIE_AGE))
