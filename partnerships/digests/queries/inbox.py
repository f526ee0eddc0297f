"""Reads the content of the inbox: each notice, with the present name of its record.

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
from partnerships.outbox.kinds import email_kind_with_code
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.recommendations.models import Recommendation

#: The longest name of a record in the inbox, in characters.
_MAX_NAME = 90


@dataclass(frozen=True, slots=True)
class Shown:
    """How the inbox shows records of one kind: the records that a person may see, the name's field, and the page."""

    records: Callable[[User], QuerySet[Any, Any]]
    name: str
    page: str


#: How the inbox shows each kind of record. The keys are kinds as in `Subject.kind`.
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
    """One notice as its reader sees it; `may_open` is true if the reader may open the record."""

    item: InboxItem
    what: str
    name: str
    partnership: str
    may_open: bool


def unread_count(person: User) -> int:
    """Return how many notices the person has not read; the database counts them from an index."""
    return count_for(_unread, person)


def unread_lookup(person: User) -> Lookup:
    """Return the lookup of the number of unread notices, for `read_ahead`."""
    return count_lookup(_unread, person)


def _unread(person: User) -> InboxItemQuerySet:
    """Return the notices that the person has not read."""
    return InboxItem.objects.unread().filter(person=person)


def lines_of(person: User, items: Sequence[InboxItem]) -> list[InboxLine]:
    """Return the items as lines, in the same order, with one query for each kind of record.

    A digest is named after the records that it reported.
    """
    records_by_digest = _records_reported_in(items)
    ids_by_kind: dict[str, set[int]] = defaultdict(set)
    for item in items:
        for kind, record_id in records_by_digest.get(item.pk, [(item.record_kind, item.record_id or 0)]):
            if kind in SHOWN:
                ids_by_kind[kind].add(record_id)
    names: dict[tuple[str, int], str] = {}
    for kind, record_ids in ids_by_kind.items():
        shown = SHOWN[kind]
        readable_names = shown.records(person).filter(pk__in=record_ids).values_list("pk", shown.name)
        names |= {(kind, pk): shorten(str(name or ""), _MAX_NAME) for pk, name in readable_names}
    title_by_partnership = _partnership_titles(person, items)
    lines = []
    for item in items:
        if item.pk in records_by_digest:
            lines.append(_digest_line(item, records_by_digest[item.pk], names))
        else:
            lines.append(_line(item, names, title_by_partnership))
    return lines


def _records_reported_in(items: Iterable[InboxItem]) -> dict[int, list[tuple[str, int]]]:
    """Return the records (kind, id) that each digest among these items reported, by item id."""
    item_by_digest = {item.record_id: item.pk for item in items if item.record_kind == "digest"}
    if not item_by_digest:
        return {}
    records_by_item: dict[int, list[tuple[str, int]]] = {pk: [] for pk in item_by_digest.values()}
    subjects = (
        DeliverySubject.objects.included().filter(delivery__in=list(item_by_digest)).exclude(told=[]).order_by("pk")
    )
    for delivery, kind, record_id in subjects.values_list("delivery", "subject__kind", "subject__record_id"):
        records_by_item[item_by_digest[delivery]].append((kind, record_id))
    plans = DeliveryItem.objects.included().filter(delivery__in=list(item_by_digest)).order_by("pk")
    for delivery, plan in plans.values_list("delivery", "plan"):
        records_by_item[item_by_digest[delivery]].append(("plan", plan))
    return records_by_item


def _digest_line(item: InboxItem, records: list[tuple[str, int]], names: dict[tuple[str, int], str]) -> InboxLine:
    """Return a digest as a line, with the names of records that its reader may still read.

    The line is in the section of a partnership if the digest reported only that partnership.
    """
    # A digest can have several items about one record. A dict keeps the first of each.
    readable_keys = [key for key in dict.fromkeys(records) if key in names]
    name = names[readable_keys[0]] if readable_keys else ""
    only_kind = readable_keys[0][0] if len(readable_keys) == 1 else ""
    more_count = len(readable_keys) - 1
    kind = email_kind_with_code(item.kind)
    return InboxLine(
        item=item,
        what=kind.label if kind else "Digest",
        name=f"{name} and {more_count:,} more" if more_count > 0 else name,
        partnership=name if only_kind == "partnership" else "",
        may_open=True,
    )


def _partnership_titles(person: User, items: Iterable[InboxItem]) -> dict[int, str]:
    """Return the titles of these items' partnerships, as far as the person may see them, by id."""
    partnership_ids = {item.partnership_id for item in items if item.partnership_id}
    if not partnership_ids:
        return {}
    return dict(Partnership.objects.visible_to(person).filter(pk__in=partnership_ids).values_list("pk", "title"))


def _line(item: InboxItem, names: dict[tuple[str, int], str], title_by_partnership: dict[int, str]) -> InboxLine:
    """Return a notice as a line; `names` has the names of records that its reader may read."""
    kind = email_kind_with_code(item.kind)
    key = (item.record_kind, item.record_id or 0)
    has_record = bool(item.record_kind)
    return InboxLine(
        item=item,
        what=kind.label if kind else "Notice",
        name=names.get(key, "something you can no longer read" if has_record else ""),
        partnership=title_by_partnership.get(item.partnership_id or 0, ""),
        may_open=key in names or not has_record,
    )


def record_page(item: InboxItem) -> str:
    """Return the path of the page of an item's record, even if the reader may not open it; "" without a page."""
    shown = SHOWN.get(item.record_kind)
    if shown is None or item.record_id is None:
        return ""
    return reverse(shown.page, kwargs={"pk": item.record_id})


def page_of_item(person: User, item: InboxItem) -> str:
    """Return the path to which a notice leads, or "" if the person may not read its record.

    Notices about several records, such as the notices of a followed view, lead to a list.
    """
    if item.kind == "lists.followed":
        return reverse("lists:views")
    if item.record_kind not in SHOWN:
        return reverse("web:my-work")
    return page_of_record(person, item.record_kind, item.record_id)


def page_of_record(person: User, kind: str, record_id: int | None) -> str:
    """Return the path of a record's page, or "" if the record has none or the person may not read it."""
    shown = SHOWN.get(kind)
    if shown is None:
        return ""
    record: Model | None = shown.records(person).filter(pk=record_id).first()
    return reverse(shown.page, kwargs={"pk": record.pk}) if record is not None else ""
