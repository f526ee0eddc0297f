"""Which kinds of event followers are notified of, with which sentence, and why not of the others.

Each room registers its kinds of event at start-up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from partnerships.activity.event_kinds import label_of
from partnerships.activity.folding import FoldRule
from partnerships.activity.subjects import Audience

#: Slots in a sentence: the label of the field that changed, its values before and after, and other values of the event.
FIELD, CHANGE, NAMES = "{field}", "{change}", "{names}"


class Group(TextChoices):
    """Groups of kinds of event. People choose by group the events about which they are notified."""

    STATUS = "status", "Status"
    PARTIES = "parties", "Parties and roles"
    TERMS = "terms", "Terms"
    DATES = "dates", "Review and end dates"
    OBJECTIVES = "objectives", "Objectives"
    COMMITMENTS = "commitments", "Commitments"
    ASKS_AND_OFFERS = "asks_and_offers", "Asks and offers"
    MEETINGS = "meetings", "Meetings"
    DOCUMENTS = "documents", "Documents"
    REPORTS = "reports", "Progress reports"
    PLANS = "plans", "Plans"
    ORGANISATION = "organisation", "Organisation"
    CONTACTS = "contacts", "Contacts"
    CONVERSATIONS = "conversations", "Conversations"
    RECOMMENDATIONS = "recommendations", "Recommendations"


@dataclass(frozen=True, slots=True)
class FollowerNotice:
    """The way in which followers are notified of one kind of event."""

    kind: str
    group: Group
    #: Used in both parts of an email and, without its values, in timelines.
    sentence: str
    #: How several events of this kind become lines.
    fold: FoldRule
    #: Whether people who chose "dates and money only" are notified.
    touches_dates_or_money: bool
    #: Whether stakeholders without an account may be notified.
    audience: Audience
    #: The key in an event's data with the part of the record that changed, such as the party that joined a partnership.
    #: "" if the event is about the whole record.
    subject_key: str
    #: Whether digests of plans report such events already, with the changes in the plan.
    is_in_plan_digests: bool
    #: For a question, the key in the data with the last day for answers.
    deadline_key: str = ""

    @property
    def phrase(self) -> str:
        """Return the sentence without its slots, for timelines."""
        return self.sentence.replace(FIELD, "").replace(CHANGE, "").replace(NAMES, "")


class NoticeRule(NamedTuple):
    """How one kind of event is announced, as a row of a table of several kinds."""

    fold: FoldRule
    #: The slots that follow the label of the event in its sentence, for example "{field}{change}".
    slots: str = ""
    touches_dates_or_money: bool = False
    audience: Audience = Audience.INSIDE


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence for both parts of an email."""

    text: str
    html: SafeString


_notices_by_kind: dict[str, FollowerNotice] = {}
_reasons_by_kind: dict[str, str] = {}


def register_follower_notice(
    kind: TextChoices,
    *,
    group: Group,
    fold: FoldRule,
    sentence: str = "",
    touches_dates_or_money: bool = False,
    audience: Audience = Audience.INSIDE,
    subject_key: str = "",
    is_in_plan_digests: bool = False,
    deadline_key: str = "",
) -> None:
    """Register that followers are notified of this kind of event. `FollowerNotice` explains the arguments.

    Without a `sentence`, the notice has the label of the event. Raises `ValueError` if the kind was registered
    differently.
    """
    sentence = sentence or str(kind.label)
    notice = FollowerNotice(
        kind=kind.value,
        group=group,
        sentence=sentence,
        fold=fold,
        touches_dates_or_money=touches_dates_or_money,
        audience=audience,
        subject_key=subject_key,
        is_in_plan_digests=is_in_plan_digests,
        deadline_key=deadline_key,
    )
    if _notices_by_kind.setdefault(notice.kind, notice) != notice or notice.kind in _reasons_by_kind:
        raise ValueError(f"{notice.kind} is registered twice.")


def register_without_notice(kinds: Iterable[TextChoices], *, because: str) -> None:
    """Register that followers are not notified of these kinds of event, and why.

    Raises `ValueError` if one of the kinds was registered differently.
    """
    for kind in kinds:
        if _reasons_by_kind.setdefault(kind.value, because) != because or kind.value in _notices_by_kind:
            raise ValueError(f"{kind.value} is registered twice.")


def follower_notice_of(kind: str) -> FollowerNotice | None:
    """Return the way in which followers are notified of this kind of event, or None if they are not."""
    return _notices_by_kind.get(kind)


def notices_by_kind(groups: Collection[Group] | None = None) -> tuple[FollowerNotice, ...]:
    """Return the notices of all kinds of event that have one, by code, or only the notices in these groups."""
    return tuple(
        _notices_by_kind[code]
        for code in sorted(_notices_by_kind)
        if groups is None or _notices_by_kind[code].group in groups
    )


def reasons_without_notice() -> Mapping[str, str]:
    """Return the reason why followers are not notified of a kind of event, by its code."""
    return dict(_reasons_by_kind)


def phrase_of(kind: str, wording: str | None = None) -> str:
    """Return the phrase with which timelines describe an event of this kind.

    An old event without a code has a sentence of its own, `wording`, which is then the phrase.
    """
    notice = follower_notice_of(kind)
    return notice.phrase if notice is not None and not wording else label_of(kind, wording)


def _change_format(was: str, now: str, moves: int, *, names_field: bool) -> tuple[str, tuple[str, ...]]:
    """Return the words about a change, with a slot for each value, and the values.

    `names_field` says whether the name of the field comes before these words. `moves` is how often the field changed.
    """
    times = f", changed {moves} times" if moves > 1 else ""
    if was and now:
        return ("" if names_field else ":") + " was {}, now {}" + times, (was, now)
    if now:
        return (" now {}" if names_field else ": {}") + times, (now,)
    if was:
        return ": no longer {}" + times, (was,)
    return "", ()


def sentence_of(
    notice: FollowerNotice, *, field: str, was: str, now: str, moves: int, names: Iterable[str] = ()
) -> Sentence:
    """Return the sentence about one net change, for both parts of an email.

    `field`, `was`, `now` and `names` are texts for people. `field`, `was` and `now` are "" if no field changed.
    """
    template = notice.sentence
    if field and notice.fold != FoldRule.FIELDS:
        # The kind's own sentence has no slot for a field, so the line is built from its phrase.
        template = f"{notice.phrase}{FIELD}{CHANGE}"
    change, values = _change_format(was, now, moves, names_field=FIELD in template)
    joined_names = ", ".join(filter(None, names))
    text = html = ""
    for part in re.split(r"(\{\w+\})", template):
        if part == CHANGE:
            text += change.format(*values)
            html += format_html(change.replace("{}", "<strong>{}</strong>"), *values) if values else ""
        elif part == FIELD and field:
            text += f": {field}"
            html += format_html(": {}", field)
        elif part == NAMES and joined_names:
            text += f": {joined_names}"
            html += format_html(": <strong>{}</strong>", joined_names)
        elif part not in (FIELD, NAMES):
            text += part
            html += format_html("{}", part)
    return Sentence(text, mark_safe(html))  # noqa: S308 - put together by format_html
