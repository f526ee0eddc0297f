"""Groups of notices, and the lookup of the record that a notice is about.

For each group, people choose how they get its notices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from django.db import models


class NoticeGroup(models.TextChoices):
    """The groups in which people choose and filter their notices."""

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


#: Emails about the account and requests to sign are always sent. For digests, people choose a frequency instead.
_NOT_CHOOSABLE = (NoticeGroup.ACCOUNT, NoticeGroup.SIGNATURES, NoticeGroup.DIGESTS)

#: Groups for which people choose how they get notices.
CHOOSABLE = tuple(group for group in NoticeGroup if group not in _NOT_CHOOSABLE)

#: Groups that usually cannot wait for a summary, the most urgent first.
URGENT = (NoticeGroup.REMINDERS, NoticeGroup.MENTIONS, NoticeGroup.INVITATIONS, NoticeGroup.MEETINGS)

#: Reasons why an email cannot be turned off. On the page of choices they follow “We always send these emails, because”.
FOR_SECURITY = "they protect your account"
FOR_SIGNING = "you have been asked to sign, and they contain your link to sign"
FOR_CONSENT = "you or your organisation must answer, and only you can"
FOR_PRIVACY = "the law requires us to tell people what data we have about them"
FOR_OPERATORS = "administrators of the server must know at once"


class Subject(NamedTuple):
    """The record that a notice is about. `kind` is a kind of record registered with the activity room."""

    kind: str
    record_id: int
    partnership_id: int | None


#: A function from the parameters of a notice to its record, or to None if the record no longer exists.
FindSubject: TypeAlias = Callable[[Mapping[str, Any]], Subject | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLookup:
    """How to find the record that a notice is about, from the notice's parameters.

    Without a `model`, the parameter is the primary key of the record itself. With a `model`, the parameter is a primary
    key of that model. `record_path` and `partnership_path` are then lookups from that model to the record and its
    partnership, such as "version__partnership". Without `partnership_path`, the record belongs to no partnership.
    """

    kind: str
    param: str
    model: type[models.Model] | None = None
    record_path: str = "pk"
    partnership_path: str = ""

    def __call__(self, params: Mapping[str, Any]) -> Subject | None:
        """Return the record with at most one query, or None if the record no longer exists."""
        pk = params.get(self.param)
        if pk is None:
            return None
        if self.model is None:
            return Subject(self.kind, record_id=pk, partnership_id=None)

        paths = [path for path in (self.record_path, self.partnership_path) if path]
        row = self.model._default_manager.filter(pk=pk).values(*paths).first()
        if row is None or row[self.record_path] is None:
            return None
        return Subject(self.kind, record_id=row[self.record_path], partnership_id=row.get(self.partnership_path))
