"""Marks followers of new versions as waiting, and chooses whose digests are due.

`spread` marks the followers of newly published versions as waiting (`Watermark.due_at`). `choose` makes digests for
people who are due, with one statement. `lock_planning` prevents these functions from running at the same time. Running
one of them twice changes nothing more.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

import structlog
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from partnerships.digests.models import (
    OPEN_DIGEST_RECIPIENTS_SQL,
    Following,
    OpenDigest,
    Publication,
    RoleRule,
    SubjectWatermark,
    Watermark,
)
from partnerships.digests.planning.roles import apply_rules, apply_rules_about
from partnerships.digests.planning.subjects import mark_waiting as mark_changes_waiting
from partnerships.digests.planning.timing import lock_planning, run
from partnerships.digests.planning.watermarks import admit, mark_waiting, reschedule
from partnerships.digests.queries.readers import reach_of
from partnerships.kit.database import BY_INDEX, rows_of
from partnerships.outbox.queries.suppressions import SUPPRESSED
from partnerships.plans.models import Plan, Version

log = structlog.get_logger(__name__)

#: The most versions that are spread, people who are chosen and unreadable watermarks that are checked in a transaction.
_MAX_VERSIONS, MAX_PEOPLE, _MAX_UNREADABLE = 200, 5_000, 2_000
#: How often to check whether people without access have gained it. Not in every sweep, because a sweep with nothing to
#: do must cost nothing.
_LOOK_AGAIN = dt.timedelta(minutes=10)
#: How many people are chosen in the first batch: few, so that sending can begin early.
FIRST = 500
#: How far back to look for versions published without a signal.
_LOOK_BACK = dt.timedelta(hours=1)


# ---- Spreading


def record_publication(*, version: Version, now: dt.datetime) -> None:
    """Record a version to be spread; runs in the transaction that publishes the version."""
    Publication.objects.get_or_create(
        plan_id=version.plan_id,
        number=version.number,
        defaults={"published_at": version.published_at, "available_at": min(now, version.published_at)},
    )


def spread(*, now: dt.datetime) -> int:
    """Mark the followers of new versions as waiting, and return how many versions were spread.

    Versions under an embargo are spread to the plan's owners at once, and to everybody else when the embargo ends.
    """
    _record_unannounced(now)
    available = Publication.objects.filter(spread_at=None, available_at__lte=now)
    if not available.exists():
        return 0
    with transaction.atomic():
        lock_planning()
        # For many followers, PostgreSQL would compile the statement, which takes longer than running it.
        run("SET LOCAL jit = off", {})
        # Fetch them only now, under the lock, because another process may have spread some of them meanwhile.
        publications = list(available.order_by("available_at", "pk")[:_MAX_VERSIONS])
        first_number_by_plan: dict[int, int] = {}
        last_published_by_plan: dict[int, dt.datetime] = {}
        for publication in publications:
            plan_id, number, published_at = publication.plan_id, publication.number, publication.published_at
            first_number_by_plan[plan_id] = min(first_number_by_plan.get(plan_id, number), number)
            last_published_by_plan[plan_id] = max(last_published_by_plan.get(plan_id, published_at), published_at)

        new_follower_ids = apply_rules_about(plan_ids=first_number_by_plan, now=now)
        _include_new_followers(new_follower_ids, first_number_by_plan)
        embargo_ended_ids = {
            publication.plan_id for publication in publications if publication.available_at > publication.published_at
        }
        mark_waiting(last_published_by_plan, now=now, lifted=embargo_ended_ids)
        _mark_spread(publications, now)
    return len(publications)


def _mark_spread(publications: Collection[Publication], now: dt.datetime) -> None:
    """Mark versions as spread; versions under an embargo become available again when the embargo ends."""
    embargoed = Version.objects.filter(
        plan__in={publication.plan_id for publication in publications}, embargo_until__gt=now
    )
    embargo_end_by_version = {
        (plan_id, number): ends_at
        for plan_id, number, ends_at in embargoed.values_list("plan_id", "number", "embargo_until")
    }
    for publication in publications:
        embargo_ends_at = embargo_end_by_version.get((publication.plan_id, publication.number))
        if embargo_ends_at is None:
            publication.spread_at = now
        else:
            publication.available_at = embargo_ends_at
    Publication.objects.bulk_update(publications, ["spread_at", "available_at"])


def _record_unannounced(now: dt.datetime) -> None:
    """Record recent versions that were published without being recorded, for example by a restore."""
    recent = Version.objects.filter(published_at__gt=now - _LOOK_BACK)
    if not recent.exists():
        return
    announced = set(Publication.objects.filter(plan__in=recent.values("plan")).values_list("plan_id", "number"))
    for version in recent.only("plan_id", "number", "published_at"):
        if (version.plan_id, version.number) not in announced:
            record_publication(version=version, now=now)


def announce_joined(*, now: dt.datetime) -> int:
    """Announce plans that came under a followed partnership or organisation, and return how many.

    Applies the role rules first, and then finds followers of a published plan who have no watermark for the plan.
    """
    with transaction.atomic():
        lock_planning()
        apply_rules(RoleRule.objects.all(), now=now)
        watermarks = Watermark.objects.filter(recipient=OuterRef("person"), plan=OuterRef("plan"))
        followings_without_watermark = Following.objects.filter(
            ~Exists(watermarks), plan__current_number__gt=0
        ).order_by()
        plan_ids = sorted(set(followings_without_watermark.values_list("plan_id", flat=True)[:_MAX_VERSIONS]))
        person_ids = sorted(
            set(followings_without_watermark.filter(plan__in=plan_ids).values_list("person_id", flat=True))
        )
        if plan_ids:
            mark_waiting(dict.fromkeys(plan_ids, now), now=now, people=person_ids)
    return len(plan_ids)


def _include_new_followers(person_ids: Collection[int], first_number_by_plan: dict[int, int]) -> None:
    """Set the watermarks of people who have just become followers before the new versions, so that they get these."""
    if not person_ids:
        return
    for plan_id, number in first_number_by_plan.items():
        watermarks = Watermark.objects.filter(plan=plan_id, recipient__in=person_ids, number__gte=number)
        watermarks.update(number=number - 1)


def admit_newcomers(*, now: dt.datetime) -> int:
    """Check whether people without access have gained access, and return how many have.

    The people who were checked longest ago come first.
    """
    unreadable = Watermark.objects.filter(reading_class=Watermark.Reading.NONE, told_at__lte=now - _LOOK_AGAIN)
    watermarks = list(unreadable.order_by("told_at", "pk").only("recipient", "plan")[:_MAX_UNREADABLE])
    if not watermarks:
        return 0
    with transaction.atomic():
        lock_planning()
        reach = reach_of({watermark.plan_id for watermark in watermarks}, now)
        admitted_count = admit(reach, now=now, person_ids=sorted({watermark.recipient_id for watermark in watermarks}))
        # People who still have no access are checked again after `_LOOK_AGAIN`.
        still_unreadable = Watermark.objects.filter(
            pk__in=[watermark.pk for watermark in watermarks], reading_class=Watermark.Reading.NONE
        )
        still_unreadable.update(told_at=now)
    return admitted_count


# ---- Finding versions that were left unsent

#: Selects watermarks that are behind their plan although no digest is about to move them: they are not due, no version
#: waits to be spread, and no email with the plan is still to be sent, or failed or bounced with the newest version.
_PLANS_LEFT = """
SELECT t.plan_id, t.recipient_id
  FROM digests_watermark t
  JOIN plans_plan p ON p.id = t.plan_id
 WHERE t.number < p.current_number AND t.due_at IS NULL AND t.reading_class <> 'none'
   AND (p.embargoed_until IS NULL OR p.embargoed_until <= %(now)s)
   AND EXISTS (SELECT 1 FROM digests_following f WHERE f.person_id = t.recipient_id AND f.plan_id = t.plan_id)
   AND NOT EXISTS (SELECT 1 FROM digests_publication n WHERE n.plan_id = t.plan_id AND n.spread_at IS NULL)
   AND NOT EXISTS (
       SELECT 1 FROM outbox_email d JOIN digests_deliveryitem i ON i.delivery_id = d.id
        WHERE d.person_id = t.recipient_id AND i.plan_id = t.plan_id AND i.left_out = ''
          AND (d.status IN ('queued', 'sending')
               OR (i.to_number >= p.current_number
                   AND (d.status = 'failed' OR EXISTS (SELECT 1 FROM outbox_bounce b WHERE b.email_id = d.id)))))
   AND NOT EXISTS (SELECT 1 FROM people_user u WHERE u.id = t.recipient_id AND {suppressed})
 ORDER BY t.plan_id, t.recipient_id
"""

#: Selects the watermarks of subjects to which the same applies.
_SUBJECTS_LEFT = """
SELECT t.subject_id, t.recipient_id
  FROM digests_subjectwatermark t
  JOIN activity_subject x ON x.id = t.subject_id
 WHERE t.number < x.last_number AND t.due_at IS NULL
   AND EXISTS (SELECT 1 FROM digests_subjectfollowing f
                WHERE f.person_id = t.recipient_id AND f.subject_id = t.subject_id)
   AND NOT EXISTS (SELECT 1 FROM digests_subjectnews n WHERE n.subject_id = t.subject_id)
   AND NOT EXISTS (
       SELECT 1 FROM outbox_email d JOIN digests_deliverysubject i ON i.delivery_id = d.id
        WHERE d.person_id = t.recipient_id AND i.subject_id = t.subject_id AND i.left_out = ''
          AND (d.status IN ('queued', 'sending')
               OR (i.to_number >= x.last_number
                   AND (d.status = 'failed' OR EXISTS (SELECT 1 FROM outbox_bounce b WHERE b.email_id = d.id)))))
   AND NOT EXISTS (SELECT 1 FROM people_user u WHERE u.id = t.recipient_id AND {suppressed})
 ORDER BY t.subject_id, t.recipient_id
"""


def reconcile(*, now: dt.datetime) -> int:
    """Mark followers as waiting for versions and changes that no digest is about to send.

    Returns how many watermarks wait now. This is for people who regained access, and for faults. Digests that failed
    stay in the ledger and are not repeated.
    """
    people_by_plan: dict[int, list[int]] = defaultdict(list)
    with transaction.atomic():
        lock_planning()
        with connection.cursor() as cursor:
            cursor.execute(_PLANS_LEFT.format(suppressed=SUPPRESSED), {"now": now})
            for plan_id, person_id in cursor.fetchall():
                people_by_plan[plan_id].append(person_id)
        published_at_by_plan = dict(Plan.objects.filter(pk__in=people_by_plan).values_list("pk", "last_published_at"))
        for plan_id, people in people_by_plan.items():
            mark_waiting({plan_id: published_at_by_plan[plan_id] or now}, now=now, people=people)
        # Counted afterwards, because some people, such as authors, do not wait even though they were to be marked.
        waiting_count = sum(
            Watermark.objects.filter(plan=plan_id, recipient__in=people, due_at__isnull=False).count()
            for plan_id, people in people_by_plan.items()
        )
        waiting_count += _reconcile_subjects(now)
    if waiting_count:
        log.warning("left_unsent", count=waiting_count)
    return waiting_count


def _reconcile_subjects(now: dt.datetime) -> int:
    """Mark followers as waiting for changes of subjects that no digest is about to send.

    Returns how many watermarks wait now.
    """
    people_by_subject: dict[int, list[int]] = defaultdict(list)
    for subject_id, person_id in rows_of(_SUBJECTS_LEFT.format(suppressed=SUPPRESSED), {}):
        people_by_subject[subject_id].append(person_id)
    for subject_id, people in people_by_subject.items():
        mark_changes_waiting([subject_id], now=now, people=people)
    return sum(
        SubjectWatermark.objects.filter(subject=subject_id, recipient__in=people, due_at__isnull=False).count()
        for subject_id, people in people_by_subject.items()
    )


# ---- Choosing

#: Clears the due times of news that an earlier digest already contained.
_CLEAR_TOLD = """
WITH subjects AS (
    UPDATE digests_subjectwatermark t SET due_at = NULL, waiting_since = NULL
      FROM activity_subject x WHERE t.due_at <= %(now)s AND x.id = t.subject_id AND t.number >= x.last_number
)
UPDATE digests_watermark t SET due_at = NULL, waiting_since = NULL
  FROM plans_plan p WHERE t.due_at <= %(now)s AND p.id = t.plan_id AND t.number >= p.current_number
"""

# Only this statement makes digests, and only one runs at a time, so what `chosen` checks is still true at the insert.
#
# The rest is for the query planner. Delivery ids are drawn first, to avoid joins on rows without statistics. The empty
# interval prevents a search of the index of everything due for each person. OFFSET 0 prevents reading the whole ledger.
# People with a digest under way are gathered once, because statistics are out of date in the middle of a run.
_CHOOSE = f"""
WITH waiting AS (
    SELECT t.recipient_id, min(t.due_at) AS due_at, bool_or(t.slotted) AS slotted
      FROM (SELECT recipient_id, due_at, slotted FROM digests_watermark WHERE due_at <= %(now)s
            UNION ALL
            SELECT recipient_id, due_at, slotted FROM digests_subjectwatermark WHERE due_at <= %(now)s) t
     WHERE t.recipient_id NOT IN ({OPEN_DIGEST_RECIPIENTS_SQL})
     GROUP BY t.recipient_id ORDER BY due_at, t.recipient_id LIMIT %(people)s
),
dated AS (
    SELECT w.recipient_id,
           CASE WHEN w.slotted THEN (SELECT (%(now)s AT TIME ZONE u.time_zone)::date
                                       FROM people_user u WHERE u.id = w.recipient_id) END AS slot_on
      FROM waiting w
),
chosen AS MATERIALIZED (
    SELECT recipient_id, slot_on, outbox_next_id() AS delivery_id
      FROM dated
     WHERE slot_on IS NULL OR NOT EXISTS (
           SELECT 1 FROM digests_slot d
            WHERE d.recipient_id = dated.recipient_id AND d.slot_on = dated.slot_on OFFSET 0)
),
due AS MATERIALIZED (
    SELECT t.id, c.delivery_id, t.plan_id, t.number, t.reading_class, p.current_number
      FROM chosen c
      JOIN digests_watermark t ON t.recipient_id = c.recipient_id AND t.due_at + interval '0' <= %(now)s
      JOIN plans_plan p ON p.id = t.plan_id
       FOR UPDATE OF t
),
changed AS MATERIALIZED (
    SELECT t.id, c.delivery_id, t.subject_id, t.number, x.last_number
      FROM chosen c
      JOIN digests_subjectwatermark t ON t.recipient_id = c.recipient_id AND t.due_at + interval '0' <= %(now)s
      JOIN activity_subject x ON x.id = t.subject_id
       FOR UPDATE OF t
),
made AS (
    INSERT INTO outbox_email (id, lane, kind, person_id, available_at, created_at)
    SELECT delivery_id, 2, 'digests.digest', recipient_id, clock_timestamp(), %(now)s FROM chosen
),
under_way AS (
    INSERT INTO digests_opendigest (recipient_id, email_id) SELECT recipient_id, delivery_id FROM chosen
),
slots AS (
    INSERT INTO digests_slot (recipient_id, slot_on, email_id)
    SELECT recipient_id, slot_on, delivery_id FROM chosen WHERE slot_on IS NOT NULL
),
items AS (
    INSERT INTO digests_deliveryitem (delivery_id, plan_id, from_number, to_number, reading_class)
    SELECT delivery_id, plan_id, number, current_number, reading_class FROM due
),
subject_items AS (
    INSERT INTO digests_deliverysubject (delivery_id, subject_id, from_number, to_number)
    SELECT delivery_id, subject_id, number, last_number FROM changed ORDER BY delivery_id, id
),
chosen_plans AS (
    UPDATE digests_watermark t SET due_at = NULL, waiting_since = NULL, slotted = false
      FROM due WHERE t.id = due.id RETURNING t.id
),
chosen_subjects AS (
    UPDATE digests_subjectwatermark t SET due_at = NULL, waiting_since = NULL, slotted = false
      FROM changed WHERE t.id = changed.id RETURNING t.id
)
SELECT id FROM chosen_plans UNION ALL SELECT id FROM chosen_subjects
"""  # noqa: S608 - our own constant


def choose(*, now: dt.datetime, limit: int = MAX_PEOPLE) -> int:
    """Make digests for at most `limit` people who are due, and return how many plans and subjects are in the digests.

    People with a digest still to be sent get no other, and neither do people who already had one on this local date.
    One statement does everything, so that after a crash all news is either waiting or chosen.
    """
    if not _is_anything_due(now):
        return 0
    with transaction.atomic():
        lock_planning()
        run(BY_INDEX, {})
        item_count = run(_CHOOSE, {"now": now, "people": limit})
        _move_to_next_slot(now)
    return item_count


def _is_anything_due(now: dt.datetime) -> bool:
    """Return True if news for at least one person is due."""
    return (
        Watermark.objects.filter(due_at__lte=now).exists() or SubjectWatermark.objects.filter(due_at__lte=now).exists()
    )


def clear_already_sent(now: dt.datetime) -> None:
    """Clear the due times of news that an earlier digest already contained."""
    if _is_anything_due(now):
        with transaction.atomic():
            lock_planning()
            run(_CLEAR_TOLD, {"now": now})


def _move_to_next_slot(now: dt.datetime) -> None:
    """Move due news to the next slot of each person who already had a digest on this date.

    This happens if the clock was set back, or if the person changed the hour.
    """
    under_way = OpenDigest.objects.values("recipient")
    person_ids: set[int] = set()
    for watermarks in (Watermark.objects, SubjectWatermark.objects):
        still_due = watermarks.filter(due_at__lte=now, slotted=True).exclude(recipient__in=under_way)
        person_ids |= set(still_due.values_list("recipient", flat=True)[:MAX_PEOPLE])
    if person_ids:
        reschedule(person_ids=sorted(person_ids), now=now)
