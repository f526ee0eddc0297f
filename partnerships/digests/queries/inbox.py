"""Reads what the inbox shows: each notice with the present name of its record.

The inbox neither names nor links a record that its reader may no longer read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse

from partnerships.agreements.models import Partnership, Post
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation, Meeting, Report
from partnerships.digests.models import DeliveryItem, DeliverySubject, InboxItem, InboxItemQuerySet
from partnerships.exchange.models import Entry
from partnerships.kit.text import shorten
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import Lookup, count_for, count_lookup
from partnerships.outbox.kinds import kind_of
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.recommendations.models import Recommendation

#: Characters of a record's name in the inbox.
_MAX_NAME = 90


@dataclass(frozen=True, slots=True)
class Shown:
    """How the inbox shows records of one kind: those that a person may see, the field of the name, and the page."""

    records: Callable[[User], QuerySet[Any, Any]]
    name: str
    page: str


#: By the kind of record, as `Subject.kind`.
SHOWN: dict[str, Shown] = {
    "plan": Shown(Plan.objects.visible_to, "title", "plans:detail"),
    "partnership": Shown(Partnership.objects.visible_to, "title", "agreements:detail"),
    "post": Shown(Post.objects.visible_to, "title", "agreements:post"),
    "organisation": Shown(Organisation.objects.visible_to, "name", "organisations:detail"),
    "entry": Shown(Entry.objects.visible_to, "title", "exchange:detail"),
    "commitment": Shown(Commitment.objects.visible_to, "text", "commitments:detail"),
    "conversation": Shown(Conversation.objects.visible_to, "subject", "conversations:detail"),
    "meeting": Shown(Meeting.objects.visible_to, "title", "conversations:meeting"),
    "recommendation": Shown(Recommendation.objects.visible_to, "text", "recommendations:detail"),
    "progress_report": Shown(Report.objects.visible_to, "round__partnership__title", "conversations:report"),
}


@dataclass(frozen=True, slots=True)
class InboxLine:
    """One notice as its reader sees it; `may_open` says whether they may open the record."""

    item: InboxItem
    what: str
    name: str
    partnership: str
    may_open: bool


def unread_count(person: User) -> int:
    """Return how many notices the person has not read; the database counts them by an index."""
    return count_for(_unread, person)


def unread_lookup(person: User) -> Lookup:
    """Return the query of `unread_count`, for `read_ahead`, which sends the queries of a page together."""
    return count_lookup(_unread, person)


def _unread(person: User) -> InboxItemQuerySet:
    return InboxItem.objects.unread().filter(person=person)


def lines_of(person: User, items: Sequence[InboxItem]) -> list[InboxLine]:
    """Return the items as lines, in the same order, with one query for each kind of record.

    A digest is named after the records that it told about.
    """
    told = _told_in(items)
    ids_by_kind: dict[str, set[int]] = defaultdict(set)
    for item in items:
        for kind, record_id in told.get(item.pk, [(item.record_kind, item.record_id or 0)]):
            if kind in SHOWN:
                ids_by_kind[kind].add(record_id)
    names: dict[tuple[str, int], str] = {}
    for kind, record_ids in ids_by_kind.items():
        shown = SHOWN[kind]
        readable = shown.records(person).filter(pk__in=record_ids).values_list("pk", shown.name)
        names |= {(kind, pk): shorten(str(name or ""), _MAX_NAME) for pk, name in readable}
    partnerships = _partnerships(person, items)
    return [
        _digest_line(item, told[item.pk], names) if item.pk in told else _line(item, names, partnerships)
        for item in items
    ]


def _told_in(items: Iterable[InboxItem]) -> dict[int, list[tuple[str, int]]]:
    """Return the records (kind, id) that each digest among these items told about, by item id."""
    digests = {item.record_id: item.pk for item in items if item.record_kind == "digest"}
    if not digests:
        return {}
    told: dict[int, list[tuple[str, int]]] = {pk: [] for pk in digests.values()}
    subjects = DeliverySubject.objects.included().filter(delivery__in=list(digests)).exclude(told=[]).order_by("pk")
    for delivery, kind, record_id in subjects.values_list("delivery", "subject__kind", "subject__record_id"):
        told[digests[delivery]].append((kind, record_id))
    plans = DeliveryItem.objects.included().filter(delivery__in=list(digests)).order_by("pk")
    for delivery, plan in plans.values_list("delivery", "plan"):
        told[digests[delivery]].append(("plan", plan))
    return told


def _digest_line(item: InboxItem, told: list[tuple[str, int]], names: dict[tuple[str, int], str]) -> InboxLine:
    """Return a digest as a line, with the names that its reader may still read.

    The line is in the section of a partnership if the digest told only about that partnership.
    """
    readable = [key for key in dict.fromkeys(told) if key in names]
    more = f" and {len(readable) - 1:,} more" if len(readable) > 1 else ""
    kind = kind_of(item.kind)
    return InboxLine(
        item=item,
        what=kind.label if kind else "Digest",
        name=f"{names[readable[0]]}{more}" if readable else "",
        partnership=names[readable[0]] if len(readable) == 1 and readable[0][0] == "partnership" else "",
        may_open=True,
    )


def _partnerships(person: User, items: Iterable[InboxItem]) -> dict[int, str]:
    """Return the titles of those partnerships of these items that the person may see, by id."""
    partnership_ids = {item.partnership_id for item in items if item.partnership_id}
    if not partnership_ids:
        return {}
    return dict(Partnership.objects.visible_to(person).filter(pk__in=partnership_ids).values_list("pk", "title"))


def _line(item: InboxItem, names: dict[tuple[str, int], str], partnerships: dict[int, str]) -> InboxLine:
    """Return a notice as a line; `names` has the records that its reader may read."""
    kind = kind_of(item.kind)
    key = (item.record_kind, item.record_id or 0)
    has_record = bool(item.record_kind)
    return InboxLine(
        item=item,
        what=kind.label if kind else "Notice",
        name=names.get(key, "something you can no longer read" if has_record else ""),
        partnership=partnerships.get(item.partnership_id or 0, ""),
        may_open=key in names or not has_record,
    )


def record_page(item: InboxItem) -> str:
    """Return the path of the page of an item's record, whether or not the reader may open it; "" if there is none."""
    shown = SHOWN.get(item.record_kind)
    if shown is None or item.record_id is None:
        return ""
    return reverse(shown.page, kwargs={"pk": item.record_id})


def page_of_item(person: User, item: InboxItem) -> str:
    """Return the path to which a notice leads, or "" if the person may not read its record.

    Notices about several records, such as those of a followed view, lead to a list.
    """
    if item.kind == "lists.followed":
        return reverse("lists:views")
    if item.record_kind not in SHOWN:
        return reverse("web:my-work")
    return page_of_record(person, item.record_kind, item.record_id)


def page_of_record(person: User, kind: str, record_id: int | None) -> str:
    """Return the path of a record's page, or "" if it has none or the person may not read the record."""
    shown = SHOWN.get(kind)
    if shown is None:
        return ""
    record: Model | None = shown.records(person).filter(pk=record_id).first()
    return reverse(shown.page, kwargs={"pk": record.pk}) if record is not None else ""
