"""Who is calling: a client by its credential, or a representative of the bank by the admin's session."""

import re
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from loans.clients.models import Scope
from loans.clients.use import remember_use

_TOKEN = re.compile(rb"[0-9A-Za-z]{1,256}")


class _Credential(TokenAuthentication):  # type: ignore[misc]
    """knox's authentication, with a 401 for what is malformed, revoked or expired, and a 403 for an inactive client."""

    def authenticate_credentials(self, token: bytes) -> tuple[AbstractBaseUser, Any]:
        if not _TOKEN.fullmatch(token):
            raise exceptions.AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)  # type: ignore[no-any-return]

    def validate_user(self, auth_token: AuthToken) -> tuple[AbstractBaseUser, Scope]:
        if not auth_token.user.is_active:
            raise exceptions.PermissionDenied("This client is not active.")
        known = AuthToken.objects.filter(pk=auth_token.pk).values_list("use__last_used_at", "user__api_client__scope")
        found = known.first()
        if found is None:  # revoked since it was read
            raise exceptions.AuthenticationFailed("Invalid token.")
        last_used_at, scope = found
        remember_use(auth_token, last_used_at)
        return auth_token.user, Scope(scope or Scope.ALL)


class ClientAuthentication(BaseAuthentication):
    """`Authorization: Token …` for clients; without that header, the session of a representative, with CSRF.

    A bad credential is refused even where anonymous calls are allowed: a client that tries to identify itself must not
    be treated as anonymous.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        if not request.META.get("HTTP_AUTHORIZATION", "").strip():
            # Without its cookie there is no session to look up.
            has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
            return SessionAuthentication().authenticate(request) if has_session else None
        found = _Credential().authenticate(request)
        if found is None:
            raise exceptions.AuthenticationFailed("Only the Token scheme is known.")
        return found  # type: ignore[no-any-return]

    def authenticate_header(self, request: Request) -> str:
        return 'Token realm="Coruscant Bank"'


def is_person(request: Request) -> bool:
    """Whether a person of the bank calls, by the session of the admin, and no client."""
    return bool(request.user.is_authenticated and request.auth is None)


def only_of(request: Request) -> str | None:
    """The name of the client that may see its own loans only, and no others; None if whoever calls may see all."""
    return request.user.get_username() if request.auth == Scope.OWN else None


class IsClientOrAnonymousAllowed(BasePermission):
    """A caller that is known needs the view's `permission_needed`; an unknown one needs API_ALLOW_ANONYMOUS."""

    message = "This client may not do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.user, AnonymousUser):
            return bool(settings.API_ALLOW_ANONYMOUS)
        return request.user.has_perm(view.permission_needed)
