"""Which emails their readers can reply to, for many at once.

The same rule as `services.receiving` applies to a reply when it comes in.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.utils import timezone

from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.digests.queries.readers import PlanReach, reach_of, readers_within
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.outbox.groups import Subject
from partnerships.outbox.hooks import NoticeTo, ReplyTo
from partnerships.outbox.kinds import kind_of
from partnerships.plans.models import OVER, Plan


def taking_replies(emails: Collection[ReplyTo], now: dt.datetime) -> set[int]:
    """The emails to which a reply of their reader could be used.

    A reply becomes a comment if its reader may read one of the email's plans, and that plan is not over. Otherwise it
    becomes a conversation, if they may write conversations of exactly one of its partnerships.
    """
    open_plans, within = _open_plans(emails)
    found = {email.email for email in emails if not email.plans_read.isdisjoint(open_plans)}
    rest = [email for email in emails if email.email not in found]
    if not rest:
        return found
    plans = {
        email.email: (email.plans & open_plans.keys()).union(*(within[pk] for pk in email.plans_of)) for email in rest
    }
    acting = _acting({email.person_id for email in rest if not email.is_stakeholder}, now)
    reach = reach_of({pk for some in plans.values() for pk in some}, now)
    for email in rest:
        if email.is_stakeholder:
            plans[email.email] = frozenset(pk for pk in plans[email.email] if _is_past(open_plans[pk], now))
    found |= _with_plan_to_read(rest, plans, acting, reach)
    rest = [email for email in rest if email.email not in found and not email.is_stakeholder]
    return found | _with_partnership_to_write(rest, acting)


def notices_taking_replies(notices: Iterable[NoticeTo], now: dt.datetime) -> set[int]:
    """The notices to which a reply of their reader could be used.

    Emails about an answer of theirs ask for no further one.
    """
    emails = []
    for notice in notices:
        subject = None if notice.kind.startswith("answers.") else subject_of(notice.kind, notice.params)
        if subject is None:
            continue
        within = subject.partnership_id
        emails.append(
            ReplyTo(
                email=notice.email,
                person_id=notice.person_id,
                is_stakeholder=notice.is_stakeholder,
                plans=frozenset({subject.record_id} if subject.kind == SubjectKind.PLAN else ()),
                partnerships=frozenset({within} if within is not None else ()),
            )
        )
    return taking_replies(emails, now) if emails else set()


def subject_of(kind: str, params: Mapping[str, Any]) -> Subject | None:
    """The record that a notice is about."""
    known = kind_of(kind)
    return known.about(params) if known and known.about else None


def _is_past(at: dt.datetime | None, now: dt.datetime) -> bool:
    return at is not None and at <= now


def _open_plans(emails: Iterable[ReplyTo]) -> tuple[dict[int, dt.datetime | None], dict[int, set[int]]]:
    """The plans that a reply could be about, with `open_at`, and those of each partnership; none that are over."""
    plans = {pk for email in emails for pk in email.plans_read | email.plans}
    partnerships = {pk for email in emails for pk in email.plans_of}
    found: dict[int, dt.datetime | None] = {}
    within: dict[int, set[int]] = defaultdict(set)
    asked = Q(pk__in=plans) | Q(partnership__in=partnerships, current_number__gt=0)
    rows = Plan.objects.filter(asked).exclude(status__in=OVER).values_list("pk", "partnership", "open_at")
    for pk, partnership, open_at in rows:
        found[pk] = open_at
        within[partnership or 0].add(pk)
    return found, within


def _acting(people: Collection[int], now: dt.datetime) -> dict[int, dict[int, str]]:
    """The organisations that each person with an account acts for today, with the role."""
    found: dict[int, dict[int, str]] = {person: {} for person in people}
    current = Membership.objects.current(timezone.localdate(now)).filter(person__in=people) if people else ()
    for membership in current:
        found[membership.person_id][membership.organisation_id] = membership.role
    return found


def _with_plan_to_read(
    emails: Iterable[ReplyTo],
    plans: dict[int, frozenset[int]],
    acting: dict[int, dict[int, str]],
    reach: PlanReach,
) -> set[int]:
    """The emails about a plan that their reader may read.

    Stakeholders as `rights.answerable` has it, people with an account as `Plan.objects.present_for`.
    """
    stakeholders = sorted({email.person_id for email in emails if email.is_stakeholder and plans[email.email]})
    readers = readers_within(reach, stakeholders, even_paused=True)
    inside: dict[int, set[int]] = defaultdict(set)
    for plan, organisation in zip(reach.inside_plans, reach.inside_organisations, strict=True):
        inside[organisation].add(plan)

    def may_read(one: ReplyTo) -> bool:
        if one.is_stakeholder:
            return any((one.person_id, plan) in readers for plan in plans[one.email])
        mine = (inside[organisation] for organisation in acting[one.person_id])
        return any(not plans[one.email].isdisjoint(some) for some in (reach.network, *mine))

    return {email.email for email in emails if may_read(email)}


def _with_partnership_to_write(emails: Collection[ReplyTo], acting: dict[int, dict[int, str]]) -> set[int]:
    """The emails about exactly one partnership whose conversations their reader writes.

    As `rights.may_forward_to` has it.
    """
    wanted = {pk for email in emails for pk in email.partnerships}
    if not wanted:
        return set()
    live = Partnership.objects.live().filter(pk__in=wanted).values("pk")
    present = Party.objects.present().exclude(role=PartyRole.OBSERVER).filter(partnership__in=live)
    within: dict[int, set[int]] = defaultdict(set)
    for partnership, organisation in present.values_list("partnership", "organisation"):
        within[organisation].add(partnership)

    def written_by(person: int) -> set[int]:
        edited = (organisation for organisation, role in acting[person].items() if role in EDITING_ROLES)
        return {partnership for organisation in edited for partnership in within[organisation]}

    return {email.email for email in emails if len(email.partnerships & written_by(email.person_id)) == 1}
