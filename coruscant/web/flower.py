"""Who may see Flower, which knows nobody: the proxy asks here before it lets a person through."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from coruscant.web.problems import problem, refuse_writes

#: Flower shows tasks and whose rows they are for, so it is for those who may see these rows.
_PERMISSION = "liquidation.view_liquidation"


@never_cache
def may_see_flower(request: HttpRequest) -> HttpResponse:
    """204 for a person of the bank who may see liquidations, 403 for any other; 401 for nobody.

    Nobody is also who has not shown the second factor. This is no page of the admin: the proxy, which asks, could not
    follow to the one that asks for it.
    """
    if refused := refuse_writes(request):
        return refused
    if not request.user.is_authenticated:
        return problem(HTTPStatus.UNAUTHORIZED)
    if not (request.user.is_staff and request.user.has_perm(_PERMISSION)):
        return problem(HTTPStatus.FORBIDDEN)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
