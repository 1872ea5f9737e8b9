"""Two bank representatives at the admin: one asks for what needs two people, the other agrees, each by a log-in."""

from collections.abc import Callable
from typing import Any

import requests
from django.contrib.auth.models import Group, User

from coruscant import clock
from coruscant.admin import groups
from coruscant.approvals.models import Approval, Outcome
from coruscant.approvals.people import ACCOUNT_AGE
from liquidation.reconciliation import two_people
from proofs.service.running_service import NotAsPromised, require

ASKS, AGREES = "leia", "han"
_PASSWORD = "for no database but a proof's"
_PATIENCE_SECONDS = 15
#: What was asked may have another effect by the time somebody agrees; then it is asked again.
_TRIES = 5


def make_people() -> None:
    """Make both accounts, old enough to agree."""
    for name in (ASKS, AGREES):
        made = User.objects.create_user(name, password=_PASSWORD, is_staff=True)
        made.groups.add(*Group.objects.filter(name__in=groups.COMMANDS))
        User.objects.filter(pk=made.pk).update(date_joined=clock.now() - 2 * ACCOUNT_AGE)


class TwoPeople:
    """Both of them, logged in. Whoever gets no answer looks at the page and presses the button again."""

    def __init__(self, address: Callable[[], str], wait_for: Callable[[Callable[[], object], str], None]) -> None:
        """Find the service at `address`; `wait_for` repeats something until it is true, or raises."""
        self._address = address
        self._wait_for = wait_for
        self._sessions: dict[str, requests.Session] = {}

    def adopt(self, difference_id: int) -> None:
        """Adopt the trade of a difference. Raises NotAsPromised if that cannot be done."""
        page = f"liquidation/reconciliationdifference/{difference_id}/adopt/"
        for _ in range(_TRIES):
            self._press(ASKS, page, why="The market's statement says so.")
            asked = Approval.objects.filter(action=two_people.ADOPT, arguments={"difference_id": difference_id}).first()
            if asked and self.agree(asked.pk):
                return
        raise NotAsPromised(f"difference {difference_id} is not adopted: {asked.note if asked else 'it was not asked'}")

    def agree(self, approval_id: int) -> bool:
        """Agree to what was asked; whether it was done then."""

        def decided() -> bool:
            self._press(AGREES, f"approvals/approval/{approval_id}/agree/")
            return Approval.objects.get(pk=approval_id).outcome != Outcome.ASKED

        self._wait_for(decided, f"approval {approval_id} is decided")
        return Approval.objects.get(pk=approval_id).outcome == Outcome.EXECUTED

    def _press(self, name: str, page: str, **fields: str) -> None:
        """Send the form of a page, if the service answers at all."""
        try:
            self._send(self._session(name), page, fields)
        except (requests.ConnectionError, requests.Timeout):
            return

    def _session(self, name: str) -> requests.Session:
        """The session of a person, who logs in if it has none yet."""
        if name not in self._sessions:
            session = requests.Session()
            session.get(f"{self._address()}/admin/login/", timeout=_PATIENCE_SECONDS)
            self._send(session, "login/", {"username": name, "password": _PASSWORD, "next": "/admin/"})
            require("sessionid" in session.cookies, f"{name} cannot log in")
            self._sessions[name] = session
        return self._sessions[name]

    def _send(self, session: requests.Session, page: str, fields: dict[str, Any]) -> None:
        token = {"csrfmiddlewaretoken": session.cookies["csrftoken"]}
        url = f"{self._address()}/admin/{page}"
        answer = session.post(url, data=fields | token, timeout=_PATIENCE_SECONDS, allow_redirects=False)
        require(answer.status_code in {200, 302, 502, 503}, f"{page} was answered with {answer.status_code}")
