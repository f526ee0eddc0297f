"""Spreading new versions to followers, and choosing who is due a digest.

`spread` marks followers of newly published versions as waiting (`Watermark.due_at`). `choose` makes digests for people
who are due, with one statement. Both run one at a time under `lock_planning` and may run as often as you like.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

import structlog
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from partnerships.digests.models import (
    UNDER_WAY,
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

#: Plans spread, people chosen and unreadable watermarks checked in one transaction.
_PLANS, MAX_PEOPLE, _UNREADABLE = 200, 5_000, 2_000
#: How often to check whether people without access have gained it; an idle sweep must cost nothing.
_LOOK_AGAIN = dt.timedelta(minutes=10)
#: The first batch is small, so that sending can begin early.
FIRST = 500
#: How far back to look for versions published without a signal.
_LOOK_BACK = dt.timedelta(hours=1)


# ---- Spreading


def record_publication(*, version: Version, now: dt.datetime) -> None:
    """Record a version to be spread; call in the publishing transaction."""
    Publication.objects.get_or_create(
        plan_id=version.plan_id,
        number=version.number,
        defaults={"published_at": version.published_at, "available_at": min(now, version.published_at)},
    )


def spread(*, now: dt.datetime) -> int:
    """Mark followers of new versions as waiting; return how many versions.

    Versions under an embargo are spread to the plan's owners, and to everybody when the embargo ends.
    """
    _find_unannounced(now)
    if not Publication.objects.filter(spread_at=None, available_at__lte=now).exists():
        return 0
    with transaction.atomic():
        lock_planning()
        run("SET LOCAL jit = off", {})  # the planner would compile this for many followers; it does not pay
        waiting = list(
            Publication.objects.filter(spread_at=None, available_at__lte=now).order_by("available_at", "pk")[:_PLANS]
        )
        first: dict[int, int] = {}
        latest: dict[int, dt.datetime] = {}
        for publication in waiting:
            first[publication.plan_id] = min(first.get(publication.plan_id, publication.number), publication.number)
            latest[publication.plan_id] = max(
                latest.get(publication.plan_id, publication.published_at), publication.published_at
            )
        newcomers = apply_rules_about(plans=first, now=now)
        _include_newcomers(newcomers, first)
        lifted = {publication.plan_id for publication in waiting if publication.available_at > publication.published_at}
        mark_waiting(latest, now=now, lifted=lifted)
        embargoes = dict(
            Version.objects.filter(plan__in=first, embargo_until__gt=now).values_list("plan_id", "embargo_until")
        )
        numbers = {
            (plan, number): until
            for plan, number, until in Version.objects.filter(plan__in=embargoes, embargo_until__gt=now).values_list(
                "plan_id", "number", "embargo_until"
            )
        }
        for publication in waiting:
            until = numbers.get((publication.plan_id, publication.number))
            if until is None:
                publication.spread_at = now
            else:
                publication.available_at = until
        Publication.objects.bulk_update(waiting, ["spread_at", "available_at"])
    return len(waiting)


def _find_unannounced(now: dt.datetime) -> None:
    """Record recent versions published without a signal, such as restores."""
    recent = Version.objects.filter(published_at__gt=now - _LOOK_BACK)
    if not recent.exists():
        return
    announced = set(Publication.objects.filter(plan__in=recent.values("plan")).values_list("plan_id", "number"))
    for version in recent.only("plan_id", "number", "published_at"):
        if (version.plan_id, version.number) not in announced:
            record_publication(version=version, now=now)


def announce_joined(*, now: dt.datetime) -> int:
    """Announce plans that joined something followed; return how many.

    Finds followers without a watermark, and applies the role rules.
    """
    with transaction.atomic():
        lock_planning()
        apply_rules(RoleRule.objects.all(), now=now)
        watermarks = Watermark.objects.filter(recipient=OuterRef("person"), plan=OuterRef("plan"))
        missing = Following.objects.filter(~Exists(watermarks), plan__current_number__gt=0).order_by()
        plans = sorted(set(missing.values_list("plan_id", flat=True)[:_PLANS]))
        people = sorted(set(missing.filter(plan__in=plans).values_list("person_id", flat=True)))
        if plans:
            mark_waiting(dict.fromkeys(plans, now), now=now, people=people)
    return len(plans)


def _include_newcomers(newcomers: Collection[int], first: dict[int, int]) -> None:
    """Report the new version to people who became followers just now."""
    for plan, number in first.items() if newcomers else ():
        Watermark.objects.filter(plan=plan, recipient__in=newcomers, number__gte=number).update(number=number - 1)


def admit_newcomers(*, now: dt.datetime) -> int:
    """Check people without access, oldest first; return how many gained it."""
    rows = list(
        Watermark.objects.filter(reading_class=Watermark.Reading.NONE, told_at__lte=now - _LOOK_AGAIN)
        .order_by("told_at", "pk")
        .values_list("pk", "recipient", "plan")[:_UNREADABLE]
    )
    if not rows:
        return 0
    with transaction.atomic():
        lock_planning()
        admitted = admit(
            reach_of({plan for _, _, plan in rows}, now), now=now, people=sorted({person for _, person, _ in rows})
        )
        Watermark.objects.filter(pk__in=[pk for pk, _, _ in rows], reading_class=Watermark.Reading.NONE).update(
            told_at=now
        )
    return admitted


# ---- Finding versions that were left unsent

_LEFT = """
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


_LEFT_CHANGES = """
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
    """Mark versions and changes as waiting that no digest is about to send.

    This covers people who regained access, and faults. Digests that failed stay in the ledger and are not repeated.
    Returns how many watermarks now wait.
    """
    missing: dict[int, list[int]] = defaultdict(list)
    with transaction.atomic():
        lock_planning()
        with connection.cursor() as cursor:
            cursor.execute(_LEFT.format(suppressed=SUPPRESSED), {"now": now})
            for plan, person in cursor.fetchall():
                missing[plan].append(person)
        published = dict(Plan.objects.filter(pk__in=missing).values_list("pk", "last_published_at"))
        for plan, people in missing.items():
            mark_waiting({plan: published[plan] or now}, now=now, people=people)
        waits = [Watermark.objects.filter(plan=plan, recipient__in=people) for plan, people in missing.items()]
        count = sum(rows.filter(due_at__isnull=False).count() for rows in waits)
        count += _reconcile_changes(now)
    if count:
        log.warning("left_unsent", count=count)
    return count


def _reconcile_changes(now: dt.datetime) -> int:
    left: dict[int, list[int]] = defaultdict(list)
    for subject, person in rows_of(_LEFT_CHANGES.format(suppressed=SUPPRESSED), {}):
        left[subject].append(person)
    for subject, people in left.items():
        mark_changes_waiting([subject], now=now, people=people)
    return sum(
        SubjectWatermark.objects.filter(subject=subject, recipient__in=people, due_at__isnull=False).count()
        for subject, people in left.items()
    )


# ---- Choosing

_NOTHING_NEW = """
WITH subjects AS (
    UPDATE digests_subjectwatermark t SET due_at = NULL, waiting_since = NULL
      FROM activity_subject x WHERE t.due_at <= %(now)s AND x.id = t.subject_id AND t.number >= x.last_number
)
UPDATE digests_watermark t SET due_at = NULL, waiting_since = NULL
  FROM plans_plan p WHERE t.due_at <= %(now)s AND p.id = t.plan_id AND t.number >= p.current_number
"""

# Only this statement makes digests, and one runs at a time, so what `chosen` checks still holds at the insert. For the
# query planner: delivery ids are drawn first, to avoid joins on rows without statistics. The empty interval keeps it
# from searching the index of everything due for each person; OFFSET 0 keeps it from reading the whole ledger. People
# with a digest under way are gathered once, because statistics are out of date in the middle of a run.
_CHOOSE = f"""
WITH waiting AS (
    SELECT t.recipient_id, min(t.due_at) AS due_at, bool_or(t.slotted) AS slotted
      FROM (SELECT recipient_id, due_at, slotted FROM digests_watermark WHERE due_at <= %(now)s
            UNION ALL
            SELECT recipient_id, due_at, slotted FROM digests_subjectwatermark WHERE due_at <= %(now)s) t
     WHERE t.recipient_id NOT IN ({UNDER_WAY})
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
    """Make digests for `limit` people who are due; return how many items.

    People with a digest under way are left out, and so are those who already had one for this local date. It is one
    statement, so that a crash leaves everything either waiting or chosen.
    """
    if not _anything_due(now):
        return 0
    with transaction.atomic():
        lock_planning()
        run(BY_INDEX, {})
        chosen = run(_CHOOSE, {"now": now, "people": limit})
        _move_to_next_slot(now)
    return chosen


def _anything_due(now: dt.datetime) -> bool:
    """Whether anything that waits for a person is due."""
    return (
        Watermark.objects.filter(due_at__lte=now).exists() or SubjectWatermark.objects.filter(due_at__lte=now).exists()
    )


def clear_already_sent(now: dt.datetime) -> None:
    """Clear what is due if a digest under way has already reported it."""
    if _anything_due(now):
        with transaction.atomic():
            lock_planning()
            run(_NOTHING_NEW, {"now": now})


def _move_to_next_slot(now: dt.datetime) -> None:
    """Move what is due to the next slot if its date already had a digest.

    This happens when the clock was set back or the hour was changed.
    """
    under_way = OpenDigest.objects.values("recipient")
    stuck: set[int] = set()
    for waiting in (Watermark.objects, SubjectWatermark.objects):
        rows = waiting.filter(due_at__lte=now, slotted=True).exclude(recipient__in=under_way)
        stuck |= set(rows.values_list("recipient", flat=True)[:MAX_PEOPLE])
    if stuck:
        reschedule(people=sorted(stuck), now=now)
