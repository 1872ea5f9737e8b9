"""The base of every error that a rule of the business raises, and how each answers over HTTP."""

from typing import ClassVar


class DomainError(Exception):
    """A rule was broken by the caller: nothing was changed.

    `code` is stable and machine-readable, `title` names the rule, `status` is the HTTP status the API answers
    with, and the instance's text is one sentence for a person.
    """

    code: ClassVar[str] = "rule-broken"
    title: ClassVar[str] = "A rule of the business was broken"
    status: ClassVar[int] = 400
