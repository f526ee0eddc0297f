"""Notices that wait for a summary: when they are due, and in which email.

A summary is a digest: what waits goes in whatever digest leaves next, or in one of its own when it is due.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from django.db import connection
from django.db.models import Q
from django.urls import reverse

from partnerships.agreements.models import Partnership
from partnerships.digests.models import UNDER_WAY, DeliveryKind, InboxItem, Preference
from partnerships.digests.queries.inbox import record_page
from partnerships.digests.schedule import next_slot
from partnerships.kit.bank_holidays import holidays
from partnerships.outbox.groups import URGENT, NoticeGroup
from partnerships.outbox.kinds import Due, Line, kind_of
from partnerships.outbox.models import Lane
from partnerships.outbox.queries.suppressions import SUPPRESSED
from partnerships.outbox.restoring import hashes_of
from partnerships.people.models import User

#: A change of a record at a time: kind and id of the record, and when.
Act: TypeAlias = tuple[str, int | None, dt.datetime]
#: How many notices an email lists; the inbox has the rest.
MAX_NOTICES = 20
#: What begins a fact in the journal: a digest told this item of the inbox.
TOLD_NOTICE = "notice"

_CHOOSE = f"""
WITH chosen AS MATERIALIZED (
    SELECT w.person_id, outbox_next_id() AS email_id
      FROM (SELECT DISTINCT i.person_id
              FROM digests_inboxitem i JOIN people_user u ON u.id = i.person_id
             WHERE i.told_at IS NULL AND i.due_at <= %(now)s AND u.is_active AND NOT {SUPPRESSED}) w
     WHERE w.person_id NOT IN ({UNDER_WAY})
),
under_way AS (
    INSERT INTO digests_opendigest (recipient_id, email_id) SELECT person_id, email_id FROM chosen
)
INSERT INTO outbox_email (id, lane, kind, person_id, available_at, created_at)
SELECT email_id, 2, 'digests.digest', person_id, clock_timestamp(), %(now)s FROM chosen
"""  # noqa: S608 - our own constants


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice as an email shows it.

    `record` is the page of what it is about, or "".
    """

    subject: str
    partnership: str
    path: str
    at: dt.datetime
    record: str = ""
    group: str = ""

    @property
    def urgency(self) -> int:
        """How early it must be read: 0 is the most urgent."""
        return URGENT.index(NoticeGroup(self.group)) if self.group in URGENT else len(URGENT)


class TakenNotices(NamedTuple):
    """What the digests of a batch take with them, by email.

    `withdrawn` are the digests that must drop some; `partnerships` those that the notices are about; `told` are the
    notices for the journal, so that a restore does not tell them again, and `hashes` by what each is recognised if the
    clock makes it again.
    """

    lines: dict[int, tuple[NoticeLine, ...]]
    withdrawn: set[int]
    partnerships: dict[int, set[int]]
    told: dict[int, list[list[int | str]]]
    hashes: dict[int, list[list[int | str]]]


def next_summary(person: User, preference: Preference, *, now: dt.datetime) -> dt.datetime:
    """When the next summary of this person is due."""
    rhythm = preference.summary_rhythm(person.time_zone)
    return next_slot(rhythm, after=now, holidays=holidays(rhythm.working_days_of))


def reschedule_notices(person: User, preference: Preference, *, now: dt.datetime) -> None:
    """Work out again when the notices that wait for this person are due."""
    waiting = InboxItem.objects.for_summary().filter(person=person)
    if waiting.exists():
        waiting.update(due_at=next_summary(person, preference, now=now))


def choose_notices(*, now: dt.datetime) -> int:
    """Make summaries for people who are due one; return how many.

    The caller holds the lock. A digest under way takes the notices with it.
    """
    if not InboxItem.objects.for_summary().filter(due_at__lte=now).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_CHOOSE, {"now": now})
        return int(cursor.rowcount)


def notices_for_digests(
    recipients: dict[int, int], in_doubt: Collection[int], acts: Mapping[int, Collection[Act]], *, now: dt.datetime
) -> TakenNotices:
    """The notices in each digest.

    `recipients` maps people to their digests. Notices count as told in the transaction that claims. What was read on
    the site, or may not be told any more, is left out. A digest of somebody in `in_doubt` gets no notice that it did
    not have before. `acts` are what each digest tells as changes: notices of the same acts count as told with it, but
    are not said twice.
    """
    taken = TakenNotices({}, set(), {}, {}, {})
    if not recipients:
        return taken
    waiting = Q(told_at=None, due_at__isnull=False) & ~Q(person__in=in_doubt)
    rows = InboxItem.objects.filter(person__in=recipients).filter(waiting | Q(delivery_id__in=recipients.values()))
    items: dict[int, list[InboxItem]] = defaultdict(list)
    for item in rows.select_for_update().order_by("created_at", "pk"):
        items[item.person_id].append(item)
    people = User.objects.in_bulk(items)
    for person_id, person_items in items.items():
        delivery = recipients[person_id]
        kept_items, dropped = _told(people[person_id], person_items, acts.get(delivery, ()), now=now)
        if any(item.delivery_id == delivery for item in dropped):
            taken.withdrawn.add(delivery)
        for item in person_items:
            item.told_at, item.delivery_id = now, None if item in dropped else delivery
        told = [item for item in person_items if item.delivery_id == delivery]
        taken.told[delivery] = [[TOLD_NOTICE, item.pk] for item in told]
        taken.hashes[delivery] = [[item.pk, item.kind, *hashes_of(item.kind, item.params)] for item in told]
        taken.partnerships[delivery] = {
            item.partnership_id for item in person_items if item.delivery_id and item.partnership_id is not None
        }
        InboxItem.objects.bulk_update(person_items, ["told_at", "delivery_id", "left_out"])
        if kept_items:
            taken.lines[delivery] = kept_items
    return taken


def _told(
    person: User, items: Iterable[InboxItem], acts: Collection[Act], *, now: dt.datetime
) -> tuple[tuple[NoticeLine, ...], list[InboxItem]]:
    """What a digest says of these notices, and those it leaves out."""
    line_of_item: list[tuple[InboxItem, Line]] = []
    dropped: list[InboxItem] = []
    for item in items:
        line: Line | str = "The person read it on the site." if item.read_at else line_of(item, now=now)
        if isinstance(line, Line):
            if not is_said(item, acts):
                line_of_item.append((item, line))
        else:
            item.left_out = line[:200]
            dropped.append(item)
    numbers = {item.partnership_id for item, _ in line_of_item if item.partnership_id}
    names = dict(Partnership.objects.visible_to(person).filter(pk__in=numbers).values_list("pk", "title"))
    lines = [
        NoticeLine(
            subject=line.subject,
            partnership=names.get(item.partnership_id or 0, ""),
            path=reverse("digests:inbox-open", kwargs={"pk": item.pk}),
            at=item.created_at,
            record=record_page(item),
            group=item.group,
        )
        for item, line in line_of_item
    ]
    return tuple(sorted(lines, key=lambda line: (not line.partnership, line.partnership, line.at))), dropped


def is_said(item: InboxItem, acts: Collection[Act]) -> bool:
    """Whether these acts, which a digest tells as changes, are what the notice is about.

    A service records a change and its notices with the same time.
    """
    return (item.record_kind, item.record_id, item.created_at) in acts


def line_of(item: InboxItem, *, now: dt.datetime) -> Line | str:
    """A notice as its composer puts it now, or why it must not be told.

    The composer checks the same rights as for an email of its own.
    """
    kind = kind_of(item.kind)
    if kind is None:
        return "This kind of email no longer exists."
    due = Due(
        pk=item.pk,
        kind=item.kind,
        lane=Lane.NOTICE,
        person_id=item.person_id,
        address="",
        params=item.params,
        secrets={},
        message_id="",
        subject="",
        created_at=item.created_at,
        in_doubt=False,
        unanswered=0,
        recipe=None,
        memo=None,
        repeat_of_id=None,
    )
    try:
        return kind.composer.line(due, now=now)
    except (KeyError, ValueError) as error:
        return f"The notice could not be written: {type(error).__name__}"


def notices_in(delivery_id: int, person: User, acts: Collection[Act]) -> list[InboxItem]:
    """The notices in a digest to this person, without those of acts that it told as changes."""
    items = InboxItem.objects.filter(delivery_id=delivery_id, person=person).order_by("created_at", "pk")
    return [item for item in items if not is_said(item, acts)]


def upcoming_notices(person: User, acts: Collection[Act]) -> list[InboxItem]:
    """The notices in the person's next digest, without those of acts that it will tell as changes."""
    items = InboxItem.objects.for_summary().filter(person=person).order_by("created_at", "pk")
    return [item for item in items if not is_said(item, acts)]


def reclaim_notices(delivery_id: int, *, due_at: dt.datetime) -> None:
    """Let the notices of a digest that will not be sent wait again."""
    InboxItem.objects.filter(delivery_id=delivery_id).update(told_at=None, delivery_id=None, due_at=due_at)


def add_digests(digests: Mapping[int, int], *, now: dt.datetime) -> None:
    """Put digests in the inbox of their readers.

    Keys are emails, values people.
    """
    InboxItem.objects.bulk_create(
        [
            InboxItem(
                person_id=person,
                kind=DeliveryKind.DIGEST,
                group=NoticeGroup.DIGESTS,
                record_kind="digest",
                record_id=number,
                created_at=now,
            )
            for number, person in digests.items()
        ],
        ignore_conflicts=True,
    )
