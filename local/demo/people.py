"""The bank's people, and two risk officers who pause claims in the admin: where it takes two, the other agrees."""

import requests

from local.demo.books import Books
from local.demo.errors import DemoError
from local.demo.logins import COLLEAGUE, PASSWORD, RISK_OFFICER
from local.demo.settings import Addresses

PULL, END = "controls.pull", "controls.end"
LASTS_MINUTES = 1
ANSWERS_WITHIN_SECONDS = 15


class Person:
    """A browser of one person, logged in by the first page. Raises requests.RequestException, DemoError."""

    def __init__(self, addresses: Addresses, name: str) -> None:
        """Nothing is asked yet."""
        self._addresses = addresses
        self._name = name
        self._session = requests.Session()

    def log_in(self) -> None:
        """Log in, unless this person is."""
        if "sessionid" in self._session.cookies:
            return
        self.press("login/", username=self._name, password=PASSWORD)
        if "sessionid" not in self._session.cookies:
            raise DemoError(f"{self._name} could not log in to the admin.")

    def press(self, page: str, **fields: str) -> None:
        """Fill in the form of a page of the admin, and send it. What came of it is in the books."""
        url = f"{self._addresses.url('web')}/admin/{page}"
        self._session.get(url, timeout=ANSWERS_WITHIN_SECONDS).raise_for_status()
        form = {"csrfmiddlewaretoken": self._session.cookies["csrftoken"], **fields}
        answer = self._session.post(url, data=form, timeout=ANSWERS_WITHIN_SECONDS, allow_redirects=False)
        answer.raise_for_status()


class People:
    """Whoever is on duty. Every method raises requests.RequestException, psycopg.Error or DemoError if it fails."""

    def __init__(self, addresses: Addresses, books: Books) -> None:
        """Two people, not logged in yet."""
        self._books = books
        self._asks = Person(addresses, RISK_OFFICER)
        self._agrees = Person(addresses, COLLEAGUE)

    def log_in(self) -> None:
        """Log both in."""
        self._asks.log_in()
        self._agrees.log_in()

    def pause_claims(self, why: str) -> None:
        """Pause claims for a minute. One person may do so once an hour; otherwise the other one agrees."""
        self.log_in()
        form = {"kind": "pause_claims", "market": "", "minutes": str(LASTS_MINUTES), "why": why}
        self._asks.press("controls/control/pull/", **form)
        if self._books.pause_in_force() is None:
            self._agree(PULL)
        if self._books.pause_in_force() is None:
            raise DemoError("The pause of claims was not pulled.")

    def resume_claims(self, why: str) -> None:
        """End the pause of claims that holds, if one does: that takes both."""
        pause = self._books.pause_in_force()
        if pause is None:
            return
        self.log_in()
        self._asks.press(f"controls/control/{pause}/end/", why=why)
        self._agree(END)
        if self._books.pause_in_force() == pause:
            raise DemoError("The pause of claims was not ended.")

    def _agree(self, action: str) -> None:
        approval = self._books.asked(action, RISK_OFFICER)
        if approval is not None:
            self._agrees.press(f"approvals/approval/{approval}/agree/")
