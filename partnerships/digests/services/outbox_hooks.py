"""What digests do when something happens in the outbox."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import F

from partnerships.activity.services import record
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.emails.recipients import link_keys
from partnerships.digests.emails.rendering import page_prefix
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import (
    Delivery,
    DeliveryItem,
    DeliveryKind,
    DeliverySubject,
    InboxItem,
    SubjectWatermark,
    Subscription,
    SubscriptionStatus,
    Watermark,
)
from partnerships.digests.planning.matches import TOLD_MATCH, discard_matches
from partnerships.digests.planning.notices import TOLD_NOTICE
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.watermarks import catch_up
from partnerships.digests.services.stopping import stop_everything
from partnerships.kit.database import rows_of
from partnerships.kit.journal import moment
from partnerships.outbox.hooks import NoticeTo, OutboxHooks, StopLink
from partnerships.outbox.models import Bounce, Email, EmailStatus, Lane
from partnerships.outbox.restoring import Delivered, remember
from partnerships.people.models import User
from partnerships.people.services import find_person

#: Items are looked up by digest, because a plan may have very many; OFFSET 0 makes PostgreSQL use the index for each.
#: Watermarks are locked in the same order as in `watermarks`.
TOLD_ITEMS = """
    SELECT done.person_id AS recipient_id, i.plan_id, i.to_number, i.reading_class
      FROM done CROSS JOIN LATERAL (
           SELECT t.plan_id, t.to_number, t.reading_class FROM digests_deliveryitem t
            WHERE t.delivery_id = done.id AND t.left_out = '' OFFSET 0) i
     WHERE done.kind = 'digests.digest'
     ORDER BY done.person_id, i.plan_id
"""
MOVE_WATERMARKS = """
    UPDATE digests_watermark t
       SET number = GREATEST(t.number, item.to_number), reading_class = item.reading_class, told_at = clock_timestamp()
      FROM item WHERE t.recipient_id = item.recipient_id AND t.plan_id = item.plan_id
"""

TOLD_SUBJECTS = """
    SELECT done.person_id AS recipient_id, i.subject_id, i.to_number
      FROM done CROSS JOIN LATERAL (
           SELECT t.subject_id, t.to_number FROM digests_deliverysubject t
            WHERE t.delivery_id = done.id AND t.left_out = '' OFFSET 0) i
     WHERE done.kind = 'digests.digest'
     ORDER BY done.person_id, i.subject_id
"""
MOVE_SUBJECTS = """
    UPDATE digests_subjectwatermark t
       SET number = GREATEST(t.number, subject_item.to_number), told_at = clock_timestamp()
      FROM subject_item WHERE t.recipient_id = subject_item.recipient_id AND t.subject_id = subject_item.subject_id
"""

#: After a restore: numbers that were told are not given again, so a change made since is never taken for one of them.
#: Followers who were told of everything that the restored database has stay so, or each would be made an empty digest.
#: Subjects are locked in the order in which changes are numbered.
SKIP_NUMBERS = """
WITH told AS (
    SELECT kind, record, max(number) AS number
      FROM unnest(%(kinds)s::text[], %(records)s::bigint[], %(numbers)s::bigint[]) AS y(kind, record, number)
     GROUP BY kind, record
), locked AS MATERIALIZED (
    SELECT s.id, s.last_number AS restored, told.number
      FROM activity_subject s JOIN told ON told.kind = s.kind AND told.record = s.record_id
     WHERE s.last_number < told.number ORDER BY s.kind, s.record_id FOR UPDATE OF s
), kept_up AS (
    UPDATE digests_subjectwatermark t SET number = locked.number
      FROM locked WHERE t.subject_id = locked.id AND t.number = locked.restored
)
UPDATE activity_subject s SET last_number = locked.number FROM locked WHERE s.id = locked.id
"""
CATCH_UP_SUBJECTS = """
UPDATE digests_subjectwatermark t SET number = GREATEST(t.number, LEAST(x.number, s.last_number))
  FROM (SELECT person, kind, record, max(number) AS number
          FROM unnest(%(people)s::bigint[], %(kinds)s::text[], %(records)s::bigint[], %(numbers)s::bigint[])
               AS y(person, kind, record, number)
         GROUP BY person, kind, record) x
  JOIN activity_subject s ON s.kind = x.kind AND s.record_id = x.record
 WHERE t.recipient_id = x.person AND t.subject_id = s.id
"""

#: After a restore. A version that the restored database lacks gets its number again, with other content: nobody was
#: told of what was published after their email.
CATCH_UP = """
UPDATE digests_watermark t SET number = GREATEST(t.number, x.number)
  FROM (SELECT y.person, y.plan, max(v.number) AS number
          FROM unnest(%(people)s::bigint[], %(plans)s::bigint[], %(numbers)s::int[], %(times)s::timestamptz[])
               AS y(person, plan, number, at)
          JOIN plans_version v ON v.plan_id = y.plan AND v.number <= y.number AND v.published_at <= y.at
         GROUP BY y.person, y.plan) x
 WHERE t.recipient_id = x.person AND t.plan_id = x.plan
"""


#: After a restore. Items of the inbox that waited in the backup for a summary which has been delivered since.
TOLD_NOTICES = """
UPDATE digests_inboxitem i SET told_at = x.at
  FROM unnest(%(people)s::bigint[], %(items)s::bigint[], %(times)s::timestamptz[]) AS x(person, item, at)
 WHERE i.id = x.item AND i.person_id = x.person AND i.created_at <= x.at AND i.told_at IS NULL
"""
#: The same of matches, also of those that are found again.
TOLD_MATCHES = """
INSERT INTO digests_matchnotice (recipient_id, ask_id, offer_id, noted_at, slotted, told_at)
SELECT u.id, ask.id, offer.id, min(x.at), false, min(x.at)
  FROM unnest(%(people)s::bigint[], %(asks)s::bigint[], %(offers)s::bigint[], %(times)s::timestamptz[])
       AS x(person, ask, offer, at)
  JOIN people_user u ON u.id = x.person
  JOIN exchange_entry ask ON ask.id = x.ask AND ask.created_at <= x.at
  JOIN exchange_entry offer ON offer.id = x.offer AND offer.created_at <= x.at
 GROUP BY u.id, ask.id, offer.id
ON CONFLICT (recipient_id, ask_id, offer_id) DO UPDATE SET told_at = EXCLUDED.told_at
 WHERE digests_matchnotice.told_at IS NULL
"""
#: By what begins a fact in the journal about a notice or match: what counts it as told, and the columns for it.
_COUNTED_AS_TOLD = {
    TOLD_NOTICE: (TOLD_NOTICES, ("people", "items", "times")),
    TOLD_MATCH: (TOLD_MATCHES, ("people", "asks", "offers", "times")),
}


#: The journal's line for a plan: person, plan and number. One for a subject has its kind too.
_PLAN_TOLD = 3


class DigestHooks(OutboxHooks):
    """Reactions to suppressed, released, bounced and restored emails."""

    def lock(self) -> None:
        """Take the planning lock before any row lock."""
        lock_planning()

    def stop_links(self, *, notices: Sequence[NoticeTo], now: dt.datetime) -> dict[int, StopLink]:
        """The links of the page that asks what to stop.

        A mail program's one click stops at once.
        """
        keys = link_keys({notice.person_id for notice in notices})
        page, minute = page_prefix("digests:stop"), minute_of(now)
        return {
            notice.email_id: StopLink(
                page,
                make(
                    Purpose.STOP,
                    person_id=notice.person_id,
                    link_key=keys[notice.person_id],
                    number=notice.email_id,
                    minute=minute,
                ),
            )
            for notice in notices
        }

    def suppressed(
        self, *, address: str, reason: str, email_id: int | None, author_id: int | None, now: dt.datetime
    ) -> None:
        """Stop the subscriptions of this address and withdraw its queued emails."""
        people = User.objects.filter(email__iexact=address)
        Subscription.objects.filter(
            person__in=people,
            status__in=[SubscriptionStatus.ASKED, SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED],
        ).update(stopped_from=F("status"), status=SubscriptionStatus.SUPPRESSED, reason=reason)
        Email.objects.filter(
            person_id__in=people.values("pk"), status=EmailStatus.QUEUED, lane__gt=Lane.ACCOUNT
        ).update(
            status=EmailStatus.SUPPRESSED, settled_at=now, reason="An email to this address bounced.", reason_code=""
        )
        discard_matches(people.values_list("pk", flat=True), now=now)
        for person in people:
            record(
                actor_id=author_id,
                kind=EventKind.EMAILS_STOPPED,
                target_kind="person",
                target_id=person.pk,
                now=now,
                data={"reason": reason, "delivery": email_id},
            )

    def released(self, *, address: str, author_id: int | None, now: dt.datetime) -> int:
        """Restore the earlier status of subscriptions, and send what was missed.

        Returns how many subscriptions are active again.
        """
        people = User.objects.filter(email__iexact=address)
        stopped = Subscription.objects.filter(person__in=people, status=SubscriptionStatus.SUPPRESSED)
        count = stopped.filter(stopped_from=SubscriptionStatus.CONFIRMED).count()
        stopped.update(status=F("stopped_from"), stopped_from="", reason="")
        catch_up(people=[person.pk for person in people], now=now)
        for person in people:
            record(
                actor_id=author_id, kind=EventKind.EMAILS_ALLOWED, target_kind="person", target_id=person.pk, now=now
            )
        return count

    def came_back(self, *, email: Email, bounce: Bounce) -> None:
        """Move watermarks back, so that the next digest repeats this one.

        Not if another digest has contained it since.
        """
        other_deliveries = Delivery.objects.filter(
            recipient=email.person_id, status=EmailStatus.SENT, bounced=False
        ).exclude(pk=email.pk)
        for item in DeliveryItem.objects.included().filter(delivery=email.pk):
            if other_deliveries.filter(
                items__plan=item.plan_id, items__to_number=item.to_number, items__left_out=""
            ).exists():
                continue
            Watermark.objects.filter(recipient=email.person_id, plan=item.plan_id, number=item.to_number).update(
                number=item.from_number
            )
        for delivery_subject in DeliverySubject.objects.included().filter(delivery=email.pk):
            again = {
                "subjects__subject": delivery_subject.subject_id,
                "subjects__to_number": delivery_subject.to_number,
            }
            if other_deliveries.filter(**again, subjects__left_out="").exists():
                continue
            SubjectWatermark.objects.filter(
                recipient=email.person_id, subject=delivery_subject.subject_id, number=delivery_subject.to_number
            ).update(number=delivery_subject.from_number)

    def delivered_before(self, *, lines: Sequence[dict[str, Any]], now: dt.datetime) -> None:
        """Move watermarks to what was sent before the restore.

        At most to a version that the restored plan had at that time. Numbers of changes that were told are skipped from
        now on. Notices and matches that were told count as told.
        """
        facts = [(line, fact) for line in lines if line["kind"] == DeliveryKind.DIGEST for fact in line["told"] or ()]
        _count_as_told((line, fact) for line, fact in facts if fact[0] in _COUNTED_AS_TOLD)
        _remember_notices(lines)
        told_lines = [(line, (line["person"], *fact)) for line, fact in facts if fact[0] not in _COUNTED_AS_TOLD]
        _move_watermarks((*one, moment(line)) for line, one in told_lines if len(one) == _PLAN_TOLD)
        of_subjects = [one for _, one in told_lines if len(one) != _PLAN_TOLD]
        if columns := [list(column) for column in zip(*of_subjects, strict=True)]:
            rows_of(SKIP_NUMBERS, dict(zip(("kinds", "records", "numbers"), columns[1:], strict=True)))
        _move_subjects(of_subjects)

    def discarded(self, *, email_ids: Collection[int], now: dt.datetime) -> None:
        """Move watermarks as if discarded digests had been sent."""
        items = DeliveryItem.objects.included().filter(delivery__in=email_ids)
        rows = items.values_list("delivery__recipient", "plan", "to_number")
        _move_watermarks((*row, now) for row in rows)
        delivery_subjects = DeliverySubject.objects.included().filter(delivery__in=email_ids)
        _move_subjects(
            delivery_subjects.values_list("delivery__recipient", "subject__kind", "subject__record_id", "to_number")
        )

    def unsubscribed(self, *, address: str, now: dt.datetime) -> None:
        """Stop all digests of somebody who unsubscribed at the mail provider.

        Closing an account has stopped its digests already.
        """
        person = find_person(address)
        if person is not None and person.is_active:
            stop_everything(
                person=person, author=person, reason="Stopped by the person, at the mail provider.", now=now
            )


def _count_as_told(facts: Iterable[tuple[dict[str, Any], Sequence[Any]]]) -> None:
    """Count these notices and matches as told: each is a line of the journal and a fact in it."""
    told: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for line, (what, *numbers) in facts:
        # On 1 December 2026 some notices were followed by what is now in "notices".
        some = numbers[:1] if what == TOLD_NOTICE else numbers
        told[what].append((line["person"], *some, moment(line)))
    for what, rows in told.items():
        statement, names = _COUNTED_AS_TOLD[what]
        columns = [list(column) for column in zip(*rows, strict=True)]
        rows_of(statement, dict(zip(names, columns, strict=True)))


def _remember_notices(lines: Sequence[dict[str, Any]]) -> None:
    """Remember notices that a summary told and that the clock may make again: those the database does not have.

    Lines written before 1 December 2026 have none.
    """
    by_item = {(line["person"], notice[0]): (line, notice) for line in lines for notice in line.get("notices") or ()}
    rows = InboxItem.objects.filter(pk__in={item for _, item in by_item})
    there = {
        key
        for *key_parts, at in rows.values_list("person", "pk", "created_at")
        if (key := tuple(key_parts)) in by_item and at <= moment(by_item[key][0])
    }
    remember(
        [
            Delivered(kind, person, known_hash, line["email"], moment(line))
            for (person, item), (line, (_, kind, *hashes)) in by_item.items()
            if (person, item) not in there
            for known_hash in hashes
        ]
    )


def _move_watermarks(moves: Iterable[tuple[Any, ...]]) -> None:
    """Move watermarks (person, plan, number, time of the email), at most to versions of that time."""
    if columns := [list(column) for column in zip(*moves, strict=True)]:
        rows_of(CATCH_UP, dict(zip(("people", "plans", "numbers", "times"), columns, strict=True)))


def _move_subjects(moves: Iterable[tuple[int, str, int, int]]) -> None:
    """Move subject watermarks, at most to the newest change."""
    if columns := [list(column) for column in zip(*moves, strict=True)]:
        rows_of(CATCH_UP_SUBJECTS, dict(zip(("people", "kinds", "records", "numbers"), columns, strict=True)))
