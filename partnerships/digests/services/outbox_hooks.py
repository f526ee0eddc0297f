"""Updates watermarks and subscriptions when emails are accepted, bounce or are restored."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import F

from partnerships.activity.services import record
from partnerships.digests.emails.links import Purpose, make, minute_of, page_prefix
from partnerships.digests.emails.recipients import link_keys
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
from partnerships.outbox.restoring import DeliveredEmail, remember_deliveries
from partnerships.people.models import User
from partnerships.people.services import find_person

#: Selects the plans that accepted digests (`done`) reported. OFFSET 0 makes PostgreSQL look up the items by digest,
#: because a plan may have very many. Watermarks are locked in the same order as in `planning.watermarks`.
TOLD_ITEMS = """
    SELECT done.person_id AS recipient_id, i.plan_id, i.to_number, i.reading_class
      FROM done CROSS JOIN LATERAL (
           SELECT t.plan_id, t.to_number, t.reading_class FROM digests_deliveryitem t
            WHERE t.delivery_id = done.id AND t.left_out = '' OFFSET 0) i
     WHERE done.kind = 'digests.digest'
     ORDER BY done.person_id, i.plan_id
"""
#: Moves the watermarks of these plans; a part of the same statement.
MOVE_WATERMARKS = """
    UPDATE digests_watermark t
       SET number = GREATEST(t.number, item.to_number), reading_class = item.reading_class, told_at = clock_timestamp()
      FROM item WHERE t.recipient_id = item.recipient_id AND t.plan_id = item.plan_id
"""

#: These two do the same for the subjects that accepted digests reported.
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

#: After a restore, makes the next numbers of changes begin above the numbers that were sent. Otherwise the restored
#: database would use numbers again that followers already received, and the new changes would never be sent. Watermarks
#: of followers who have received every change in the restored database move too; otherwise each would get an empty
#: digest. Subjects are locked in the order in which changes are numbered, to prevent deadlocks.
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
#: After a restore, moves watermarks to the last change that was sent, at most to the newest change.
CATCH_UP_SUBJECTS = """
UPDATE digests_subjectwatermark t SET number = GREATEST(t.number, LEAST(x.number, s.last_number))
  FROM (SELECT person, kind, record, max(number) AS number
          FROM unnest(%(people)s::bigint[], %(kinds)s::text[], %(records)s::bigint[], %(numbers)s::bigint[])
               AS y(person, kind, record, number)
         GROUP BY person, kind, record) x
  JOIN activity_subject s ON s.kind = x.kind AND s.record_id = x.record
 WHERE t.recipient_id = x.person AND t.subject_id = s.id
"""

#: After a restore, moves watermarks to the last version that was sent, at most to a version published before the email.
#: The number of a version that the restored database lacks will be used again, for other content.
CATCH_UP = """
UPDATE digests_watermark t SET number = GREATEST(t.number, x.number)
  FROM (SELECT y.person, y.plan, max(v.number) AS number
          FROM unnest(%(people)s::bigint[], %(plans)s::bigint[], %(numbers)s::int[], %(times)s::timestamptz[])
               AS y(person, plan, number, at)
          JOIN plans_version v ON v.plan_id = y.plan AND v.number <= y.number AND v.published_at <= y.at
         GROUP BY y.person, y.plan) x
 WHERE t.recipient_id = x.person AND t.plan_id = x.plan
"""


#: After a restore, marks inbox items as sent if they wait for a summary in the backup, but were in a summary that was
#: delivered after the backup.
TOLD_NOTICES = """
UPDATE digests_inboxitem i SET told_at = x.at
  FROM unnest(%(people)s::bigint[], %(items)s::bigint[], %(times)s::timestamptz[]) AS x(person, item, at)
 WHERE i.id = x.item AND i.person_id = x.person AND i.created_at <= x.at AND i.told_at IS NULL
"""
#: After a restore, marks matches as sent, including matches that the backup lacks, because they will be found again.
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
#: For facts in the journal about notices and matches, by the code with which a fact begins: the statement that marks
#: them as told, and its parameters.
_COUNTED_AS_TOLD = {
    TOLD_NOTICE: (TOLD_NOTICES, ("people", "items", "times")),
    TOLD_MATCH: (TOLD_MATCHES, ("people", "asks", "offers", "times")),
}


#: The length of a fact about a plan: person, plan and number. A fact about a subject also has the kind of the subject.
_PLAN_FACT_LENGTH = 3


class DigestHooks(OutboxHooks):
    """Updates subscriptions and watermarks when emails are suppressed, released, bounce, are discarded or restored."""

    def lock(self) -> None:
        """Take the planning lock, before the outbox locks any rows."""
        lock_planning()

    def stop_links(self, *, notices: Sequence[NoticeTo], now: dt.datetime) -> dict[int, StopLink]:
        """Return, by email id, the link to the page that asks what to stop; by one click, email apps stop at once."""
        key_by_person = link_keys({notice.person_id for notice in notices})
        page, minute = page_prefix("digests:stop"), minute_of(now)
        return {
            notice.email_id: StopLink(
                page,
                make(
                    Purpose.STOP,
                    person_id=notice.person_id,
                    link_key=key_by_person[notice.person_id],
                    record_id=notice.email_id,
                    minute=minute,
                ),
            )
            for notice in notices
        }

    def suppressed(
        self, *, address: str, reason: str, email_id: int | None, author_id: int | None, now: dt.datetime
    ) -> None:
        """Stop the subscriptions of this address, and withdraw its queued emails."""
        people = User.objects.filter(email__iexact=address)
        active_subscriptions = Subscription.objects.filter(
            person__in=people,
            status__in=[SubscriptionStatus.ASKED, SubscriptionStatus.CONFIRMED, SubscriptionStatus.PAUSED],
        )
        active_subscriptions.update(stopped_from=F("status"), status=SubscriptionStatus.SUPPRESSED, reason=reason)
        queued_emails = Email.objects.filter(
            person_id__in=people.values("pk"), status=EmailStatus.QUEUED, lane__gt=Lane.ACCOUNT
        )
        queued_emails.update(
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
        """Restore the earlier status of subscriptions, and send the news that was missed.

        Returns how many subscriptions are active again.
        """
        people = User.objects.filter(email__iexact=address)
        suppressed_subscriptions = Subscription.objects.filter(person__in=people, status=SubscriptionStatus.SUPPRESSED)
        resumed_count = suppressed_subscriptions.filter(stopped_from=SubscriptionStatus.CONFIRMED).count()
        suppressed_subscriptions.update(status=F("stopped_from"), stopped_from="", reason="")
        catch_up(people=[person.pk for person in people], now=now)
        for person in people:
            record(
                actor_id=author_id, kind=EventKind.EMAILS_ALLOWED, target_kind="person", target_id=person.pk, now=now
            )
        return resumed_count

    def bounced(self, *, email: Email, bounce: Bounce) -> None:
        """Move watermarks back after a bounce, so that the next digest repeats the content of the email.

        Content that another digest has also contained is not repeated.
        """
        other_deliveries = Delivery.objects.filter(
            recipient=email.person_id, status=EmailStatus.SENT, bounced=False
        ).exclude(pk=email.pk)
        for item in DeliveryItem.objects.included().filter(delivery=email.pk):
            same_content = other_deliveries.filter(
                items__plan=item.plan_id, items__to_number=item.to_number, items__left_out=""
            )
            if not same_content.exists():
                watermarks = Watermark.objects.filter(recipient=email.person_id, plan=item.plan_id)
                watermarks.filter(number=item.to_number).update(number=item.from_number)

        for delivery_subject in DeliverySubject.objects.included().filter(delivery=email.pk):
            same_content = other_deliveries.filter(
                subjects__subject=delivery_subject.subject_id,
                subjects__to_number=delivery_subject.to_number,
                subjects__left_out="",
            )
            if not same_content.exists():
                subject_watermarks = SubjectWatermark.objects.filter(
                    recipient=email.person_id, subject=delivery_subject.subject_id, number=delivery_subject.to_number
                )
                subject_watermarks.update(number=delivery_subject.from_number)

    def delivered_before(self, *, lines: Sequence[dict[str, Any]], now: dt.datetime) -> None:
        """Count the content of digests delivered after the backup as sent: notices, matches, plans and subjects."""
        digest_lines = [line for line in lines if line["kind"] == DeliveryKind.DIGEST]
        facts = [(line, fact) for line in digest_lines for fact in line["told"] or ()]
        _mark_as_sent((line, fact) for line, fact in facts if fact[0] in _COUNTED_AS_TOLD)
        _remember_notices(lines)

        watermark_facts = [(line, (line["person"], *fact)) for line, fact in facts if fact[0] not in _COUNTED_AS_TOLD]
        _move_watermarks((*fact, moment(line)) for line, fact in watermark_facts if len(fact) == _PLAN_FACT_LENGTH)
        subject_facts = [fact for _, fact in watermark_facts if len(fact) != _PLAN_FACT_LENGTH]
        if subject_facts:
            _people, kinds, record_ids, numbers = (list(column) for column in zip(*subject_facts, strict=True))
            rows_of(SKIP_NUMBERS, {"kinds": kinds, "records": record_ids, "numbers": numbers})
        _move_subjects(subject_facts)

    def discarded(self, *, email_ids: Collection[int], now: dt.datetime) -> None:
        """Move watermarks as if the discarded digests had been sent."""
        items = DeliveryItem.objects.included().filter(delivery__in=email_ids)
        rows = items.values_list("delivery__recipient", "plan", "to_number")
        _move_watermarks((*row, now) for row in rows)
        delivery_subjects = DeliverySubject.objects.included().filter(delivery__in=email_ids)
        _move_subjects(
            delivery_subjects.values_list("delivery__recipient", "subject__kind", "subject__record_id", "to_number")
        )

    def unsubscribed(self, *, address: str, now: dt.datetime) -> None:
        """Stop all digests of a person who unsubscribed at the mail provider.

        Digests of a closed account are stopped already.
        """
        person = find_person(address)
        if person is not None and person.is_active:
            stop_everything(
                person=person, author=person, reason="Stopped by the person, at the mail provider.", now=now
            )


def _mark_as_sent(facts: Iterable[tuple[dict[str, Any], Sequence[Any]]]) -> None:
    """Mark notices and matches as sent; each item is a line of the journal and one fact in that line."""
    rows_by_code: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for line, (code, *fact_ids) in facts:
        # Facts about notices written on 1 December 2026 also contain what is now in "notices".
        ids = fact_ids[:1] if code == TOLD_NOTICE else fact_ids
        rows_by_code[code].append((line["person"], *ids, moment(line)))
    for code, rows in rows_by_code.items():
        statement, names = _COUNTED_AS_TOLD[code]
        columns = [list(column) for column in zip(*rows, strict=True)]
        rows_of(statement, dict(zip(names, columns, strict=True)))


def _remember_notices(lines: Sequence[dict[str, Any]]) -> None:
    """Remember notices that summaries contained and the restored database lacks, because jobs may record them again.

    Lines written before 1 December 2026 have no notices.
    """
    line_by_notice = {
        (line["person"], notice[0]): (line, notice) for line in lines for notice in line.get("notices") or ()
    }
    items = InboxItem.objects.filter(pk__in={item_id for _, item_id in line_by_notice})
    existing_keys = set()
    for person_id, item_id, created_at in items.values_list("person", "pk", "created_at"):
        key = (person_id, item_id)
        # An item that was created after the email is a different one, for which the id was used again.
        if key in line_by_notice and created_at <= moment(line_by_notice[key][0]):
            existing_keys.add(key)
    remember_deliveries(
        [
            DeliveredEmail(kind, person_id, notice_hash, line["email"], moment(line))
            for (person_id, item_id), (line, (_, kind, *hashes)) in line_by_notice.items()
            if (person_id, item_id) not in existing_keys
            for notice_hash in hashes
        ]
    )


def _move_watermarks(moves: Iterable[tuple[Any, ...]]) -> None:
    """Move watermarks of plans, at most to versions of that time; each move is person, plan, number and time."""
    columns = [list(column) for column in zip(*moves, strict=True)]
    if columns:
        rows_of(CATCH_UP, dict(zip(("people", "plans", "numbers", "times"), columns, strict=True)))


def _move_subjects(moves: Iterable[tuple[int, str, int, int]]) -> None:
    """Move watermarks of subjects, at most to the newest change; each move is person, kind, record and number."""
    columns = [list(column) for column in zip(*moves, strict=True)]
    if columns:
        rows_of(CATCH_UP_SUBJECTS, dict(zip(("people", "kinds", "records", "numbers"), columns, strict=True)))
