"""Groups of notices, and the record that a notice is about.

People choose by group how they get notices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from django.db import models


class NoticeGroup(models.TextChoices):
    """What a notice is about, as people choose and filter."""

    ACCOUNT = "account", "Your account"
    SIGNATURES = "signatures", "Signatures you are asked for"
    INVITATIONS = "invitations", "Invitations and requests"
    MENTIONS = "mentions", "Mentions in comments"
    REMINDERS = "reminders", "Reminders of dates"
    MEETINGS = "meetings", "Meetings and minutes"
    ASKS = "asks", "Asks and offers"
    COMMITMENTS = "commitments", "Commitments"
    PLANS = "plans", "Plans: shares, requests and decisions"
    PARTNERSHIPS = "partnerships", "Partnerships and their terms"
    REPORTS = "reports", "Progress reports, and reports sent to you"
    VIEWS = "views", "Views of lists that you follow"
    DIGESTS = "digests", "Digests of what you follow"


#: Groups that people choose a way for. Emails about the account and requests to sign always come, and digests have a
#: frequency of their own.
CHOOSABLE = tuple(
    group for group in NoticeGroup if group not in (NoticeGroup.ACCOUNT, NoticeGroup.SIGNATURES, NoticeGroup.DIGESTS)
)

#: Groups that usually cannot wait for a summary, the most urgent first.
URGENT = (NoticeGroup.REMINDERS, NoticeGroup.MENTIONS, NoticeGroup.INVITATIONS, NoticeGroup.MEETINGS)

#: Why these emails cannot be turned off, as the page of choices says.
FOR_SECURITY = "it protects your account"
FOR_SIGNING = "somebody waits for your signature, and the email has your link to sign"
FOR_CONSENT = "you or your organisation must answer it, and only you can"
FOR_PRIVACY = "the law requires us to tell people what we hold about them"
FOR_OPERATORS = "operators must know at once"


class Subject(NamedTuple):
    """The record a notice is about; `kind` as in activity."""

    kind: str
    record_id: int
    partnership_id: int | None


#: Finds the record from the parameters of a notice; None if it no longer exists.
FindSubject: TypeAlias = Callable[[Mapping[str, Any]], Subject | None]


@dataclass(frozen=True, slots=True)
class About:
    """How to find the record that a notice is about.

    `param` is the parameter with the number of a `model`; `record` and `partnership` are paths from there. Without a
    `model` the parameter is the number of the record.
    """

    kind: str
    param: str
    model: type[models.Model] | None = None
    record: str = "pk"
    partnership: str = ""

    def __call__(self, params: Mapping[str, Any]) -> Subject | None:
        """The record, in one query; None if it no longer exists."""
        number = params.get(self.param)
        if number is None or self.model is None:
            return None if number is None else Subject(self.kind, number, None)
        paths = (self.record, self.partnership) if self.partnership else (self.record,)
        row = self.model._default_manager.filter(pk=number).values_list(*paths).first()
        if row is None or row[0] is None:
            return None
        return Subject(self.kind, row[0], row[1] if self.partnership else None)
