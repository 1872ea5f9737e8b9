"""Which loans a client of the API may see and post to (docs/decisions/0037-what-a-client-may-do.md).

The client that opened a loan is the one whose application was accepted: nothing else is kept of it.
"""

from typing import Final

from django.contrib.auth.models import User
from django.db.models import QuerySet

from coruscant import history
from coruscant.admin import groups
from loans.clients.models import ApiClient, Scope
from loans.models import AcceptedRequest, Loan

#: All clients are in it; what it may do, an administrator may change.
GROUP: Final = "API clients"
groups.also_named.add(GROUP)


def opened_by(client: str, loans: QuerySet[Loan]) -> QuerySet[Loan]:
    """Those of `loans` that this client has opened."""
    return loans.filter(
        accepted_requests__client=client, accepted_requests__endpoint=AcceptedRequest.Endpoint.LOAN_APPLICATIONS
    )


def set_scope(user: User, scope: Scope | None) -> None:
    """Give a client its scope, which holds from its next call on; None leaves it as it is, or makes it `all`.

    Idempotent; locks the client's row.
    """
    with history.cause("scope", correlation_id=user.get_username()):
        client, _ = ApiClient.objects.select_for_update().get_or_create(
            user=user, defaults={"scope": scope or Scope.ALL}
        )
        if scope and client.scope != scope:
            client.scope = scope
            client.save(update_fields=["scope"])
