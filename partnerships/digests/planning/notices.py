"""Schedules notices for summaries, and reads the notices of a digest.

A summary is a digest. Waiting notices are added to the next digest, or get a digest for themselves when they are due.
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
from partnerships.digests.models import OPEN_DIGEST_RECIPIENTS_SQL, DeliveryKind, InboxItem, Preference
from partnerships.digests.queries.inbox import record_page
from partnerships.digests.schedule import next_slot
from partnerships.kit.bank_holidays import holidays
from partnerships.outbox.groups import URGENT, NoticeGroup
from partnerships.outbox.kinds import DueEmail, SummaryLine, email_kind_with_code
from partnerships.outbox.models import Lane
from partnerships.outbox.queries.suppressions import SUPPRESSED
from partnerships.outbox.restoring import email_hashes
from partnerships.people.models import User

#: A change of a record: the kind and id of the record, and the time. It identifies the notice of the same change.
Act: TypeAlias = tuple[str, int | None, dt.datetime]
#: How many notices an email lists; the inbox shows the others.
MAX_NOTICES = 20
#: The code at the beginning of a fact in the journal: a digest reported this item of the inbox.
TOLD_NOTICE = "notice"

#: Makes a digest for everybody with notices that are due, unless a digest to them is still to be sent.
_CHOOSE = f"""
WITH chosen AS MATERIALIZED (
    SELECT w.person_id, outbox_next_id() AS email_id
      FROM (SELECT DISTINCT i.person_id
              FROM digests_inboxitem i JOIN people_user u ON u.id = i.person_id
             WHERE i.told_at IS NULL AND i.due_at <= %(now)s AND u.is_active AND NOT {SUPPRESSED}) w
     WHERE w.person_id NOT IN ({OPEN_DIGEST_RECIPIENTS_SQL})
),
under_way AS (
    INSERT INTO digests_opendigest (recipient_id, email_id) SELECT person_id, email_id FROM chosen
)
INSERT INTO outbox_email (id, lane, kind, person_id, available_at, created_at)
SELECT email_id, 2, 'digests.digest', person_id, clock_timestamp(), %(now)s FROM chosen
"""  # noqa: S608 - our own constants


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice as an email shows it; `record` is the page of the record that the notice is about, or ""."""

    subject: str
    partnership: str
    path: str
    at: dt.datetime
    record: str = ""
    group: str = ""

    @property
    def urgency(self) -> int:
        """Return how urgent the notice is, where 0 is the most urgent."""
        return URGENT.index(NoticeGroup(self.group)) if self.group in URGENT else len(URGENT)


class DigestNotices(NamedTuple):
    """The notices that the digests of a batch contain; the keys are ids of emails."""

    lines: dict[int, tuple[NoticeLine, ...]]
    #: Digests that were composed before and must now leave out a notice.
    withdrawn: set[int]
    #: The ids of the partnerships that the notices are about.
    partnerships: dict[int, set[int]]
    #: The notices as facts for the journal, so that they are not sent again after a restore.
    told: dict[int, list[list[int | str]]]
    #: Id, kind and hashes of each notice. After a restore, they identify a notice that a job records a second time.
    hashes: dict[int, list[list[int | str]]]


def next_summary(person: User, preference: Preference, *, now: dt.datetime) -> dt.datetime:
    """Return when the next summary of this person is due."""
    rhythm = preference.summary_rhythm(person.time_zone)
    return next_slot(rhythm, after=now, holidays=holidays(rhythm.working_days_of))


def reschedule_notices(person: User, preference: Preference, *, now: dt.datetime) -> None:
    """Update when the notices that wait for this person are due, after a change of preferences."""
    waiting = InboxItem.objects.for_summary().filter(person=person)
    if waiting.exists():
        waiting.update(due_at=next_summary(person, preference, now=now))


def choose_notices(*, now: dt.datetime) -> int:
    """Make summaries for people with notices that are due, and return how many.

    The caller must hold the lock for planning. People with a digest still to be sent get none, because that digest will
    contain the notices.
    """
    if not InboxItem.objects.for_summary().filter(due_at__lte=now).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_CHOOSE, {"now": now})
        return int(cursor.rowcount)


def notices_for_digests(
    email_by_person: dict[int, int],
    in_doubt_ids: Collection[int],
    acts_by_email: Mapping[int, Collection[Act]],
    *,
    now: dt.datetime,
) -> DigestNotices:
    """Add the waiting notices to digests, in the transaction that claims the digests, and return the notices.

    `email_by_person` has the digest of each person. Notices that the person has read on the site or may no longer know
    are left out. Digests to the people in `in_doubt_ids` may have arrived already, so they get no notice that they did
    not have before. `acts_by_email` are the changes that each digest reports elsewhere; notices of these count as sent,
    without a line.
    """
    digest_notices = DigestNotices(lines={}, withdrawn=set(), partnerships={}, told={}, hashes={})
    if not email_by_person:
        return digest_notices
    is_waiting = Q(told_at=None, due_at__isnull=False) & ~Q(person__in=in_doubt_ids)
    is_in_digest = Q(delivery_id__in=email_by_person.values())
    items = InboxItem.objects.filter(person__in=email_by_person).filter(is_waiting | is_in_digest)
    items_by_person: dict[int, list[InboxItem]] = defaultdict(list)
    for item in items.select_for_update().order_by("created_at", "pk"):
        items_by_person[item.person_id].append(item)

    person_by_id = User.objects.in_bulk(items_by_person)
    for person_id, person_items in items_by_person.items():
        delivery_id = email_by_person[person_id]
        lines, omitted_items = _lines_of(
            person_by_id[person_id], person_items, acts_by_email.get(delivery_id, ()), now=now
        )
        if any(item.delivery_id == delivery_id for item in omitted_items):
            digest_notices.withdrawn.add(delivery_id)
        for item in person_items:
            item.told_at = now
            item.delivery_id = None if item in omitted_items else delivery_id
        InboxItem.objects.bulk_update(person_items, ["told_at", "delivery_id", "left_out"])

        reported_items = [item for item in person_items if item.delivery_id is not None]
        digest_notices.told[delivery_id] = [[TOLD_NOTICE, item.pk] for item in reported_items]
        digest_notices.hashes[delivery_id] = [
            [item.pk, item.kind, *email_hashes(item.kind, item.params)] for item in reported_items
        ]
        digest_notices.partnerships[delivery_id] = {
            item.partnership_id for item in reported_items if item.partnership_id is not None
        }
        if lines:
            digest_notices.lines[delivery_id] = lines

    return digest_notices


def _lines_of(
    person: User, items: Iterable[InboxItem], acts: Collection[Act], *, now: dt.datetime
) -> tuple[tuple[NoticeLine, ...], list[InboxItem]]:
    """Return the lines of a digest about these notices, and the notices that the digest leaves out.

    The lines are sorted by partnership. Sets the reason on each notice that is left out, without saving it.
    """
    items_with_lines: list[tuple[InboxItem, SummaryLine]] = []
    omitted_items: list[InboxItem] = []
    for item in items:
        line: SummaryLine | str = (
            "The recipient read the notice on the site." if item.read_at else line_of(item, now=now)
        )
        if not isinstance(line, SummaryLine):
            item.left_out = line[:200]
            omitted_items.append(item)
        elif not is_reported_by(item, acts):
            items_with_lines.append((item, line))

    partnership_ids = {item.partnership_id for item, _ in items_with_lines if item.partnership_id}
    visible_partnerships = Partnership.objects.visible_to(person).filter(pk__in=partnership_ids)
    title_by_partnership = dict(visible_partnerships.values_list("pk", "title"))
    lines = [
        NoticeLine(
            subject=line.subject,
            partnership=title_by_partnership.get(item.partnership_id or 0, ""),
            path=reverse("digests:inbox-open", kwargs={"pk": item.pk}),
            at=item.created_at,
            record=record_page(item),
            group=item.group,
        )
        for item, line in items_with_lines
    ]
    # Notices without a partnership come last.
    return tuple(sorted(lines, key=lambda line: (not line.partnership, line.partnership, line.at))), omitted_items


def is_reported_by(item: InboxItem, acts: Collection[Act]) -> bool:
    """Return True if a digest that reports these changes already reports the change that the notice is about.

    A service records a change and its notices with the same time, so the time identifies the change.
    """
    return (item.record_kind, item.record_id, item.created_at) in acts


def line_of(item: InboxItem, *, now: dt.datetime) -> SummaryLine | str:
    """Return the line that the notice's composer writes now, or the reason why the notice must be left out.

    The composer checks the same rights as for an email about the notice alone.
    """
    kind = email_kind_with_code(item.kind)
    if kind is None:
        return "This kind of email no longer exists."
    due = DueEmail(
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
    """Return the notices in a digest to this person, without notices of changes that the digest also reports."""
    items = InboxItem.objects.filter(delivery_id=delivery_id, person=person).order_by("created_at", "pk")
    return [item for item in items if not is_reported_by(item, acts)]


def upcoming_notices(person: User, acts: Collection[Act]) -> list[InboxItem]:
    """Return the notices in the person's next digest, without notices of changes that it will also report."""
    items = InboxItem.objects.for_summary().filter(person=person).order_by("created_at", "pk")
    return [item for item in items if not is_reported_by(item, acts)]


def reclaim_notices(delivery_id: int, *, due_at: dt.datetime) -> None:
    """Make the notices in a digest that will not be sent wait until this time."""
    InboxItem.objects.filter(delivery_id=delivery_id).update(told_at=None, delivery_id=None, due_at=due_at)


def add_digests(person_by_email: Mapping[int, int], *, now: dt.datetime) -> None:
    """Add digests to the inboxes of their readers; `person_by_email` has the id of the reader of each email."""
    InboxItem.objects.bulk_create(
        [
            InboxItem(
                person_id=person_id,
                kind=DeliveryKind.DIGEST,
                group=NoticeGroup.DIGESTS,
                record_kind="digest",
                record_id=email_id,
                created_at=now,
            )
            for email_id, person_id in person_by_email.items()
        ],
        ignore_conflicts=True,
    )
