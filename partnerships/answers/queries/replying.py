"""Which emails their readers can reply to, for many at once.

The same rule as `services.receiving` applies to a reply when it comes in.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.digests.queries.readers import reach_of, readers_within
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.outbox.groups import Subject
from partnerships.outbox.hooks import NoticeTo, ReplyTo
from partnerships.outbox.kinds import kind_of
from partnerships.plans.models import OVER, Plan


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An email, and the plans that a reply to it could be about if its reader may read them."""

    email: ReplyTo
    plans: frozenset[int]


def emails_open_to_reply(emails: Collection[ReplyTo], now: dt.datetime) -> set[int]:
    """The emails to which a reply of their reader could be used.

    A reply becomes a comment if its reader may read one of the email's plans, and that plan is not over. Otherwise it
    becomes a conversation, if they may write conversations of exactly one of its partnerships.
    """
    open_plans = _open_plans(emails)
    about_a_plan_read = {email.email for email in emails if not email.plans_read.isdisjoint(open_plans.open_at)}
    candidates = [
        _Candidate(email, _plans_to_check(email, open_plans, now))
        for email in emails
        if email.email not in about_a_plan_read
    ]
    if not candidates:
        return about_a_plan_read
    with_account = {candidate.email.person_id for candidate in candidates if not candidate.email.is_stakeholder}
    roles = _roles_of_people(with_account, now)
    about_a_plan = about_a_plan_read | _with_plan_to_read(candidates, roles, now)
    remaining = [email for email in emails if email.email not in about_a_plan and not email.is_stakeholder]
    return about_a_plan | _with_partnership_to_write(remaining, roles)


def notices_open_to_reply(notices: Iterable[NoticeTo], now: dt.datetime) -> set[int]:
    """The notices to which a reply of their reader could be used.

    Notices about the reader's own answer never invite a reply.
    """
    emails = []
    for notice in notices:
        subject = None if notice.kind.startswith("answers.") else subject_of(notice.kind, notice.params)
        if subject is None:
            continue
        partnership = subject.partnership_id
        emails.append(
            ReplyTo(
                email=notice.email,
                person_id=notice.person_id,
                is_stakeholder=notice.is_stakeholder,
                plans=frozenset({subject.record_id} if subject.kind == SubjectKind.PLAN else ()),
                partnerships=frozenset({partnership} if partnership is not None else ()),
            )
        )
    return emails_open_to_reply(emails, now) if emails else set()


def subject_of(kind: str, params: Mapping[str, Any]) -> Subject | None:
    """The record that a notice is about."""
    known = kind_of(kind)
    return known.about(params) if known and known.about else None


@dataclass(frozen=True, slots=True)
class _OpenPlans:
    """Plans that are not over: their `open_at` by id, and the ids of the published ones by partnership."""

    open_at: Mapping[int, dt.datetime | None]
    published_in: Mapping[int, Collection[int]]


def _open_plans(emails: Iterable[ReplyTo]) -> _OpenPlans:
    """The open plans among those that replies to these emails could be about."""
    plans = {pk for email in emails for pk in email.plans_read | email.plans}
    partnerships = {pk for email in emails for pk in email.plans_of}
    could_be_about = Q(pk__in=plans) | Q(partnership__in=partnerships, current_number__gt=0)
    open_at: dict[int, dt.datetime | None] = {}
    published_in: dict[int, set[int]] = defaultdict(set)
    rows = Plan.objects.filter(could_be_about).exclude(status__in=OVER)
    for pk, partnership, opened, number in rows.values_list("pk", "partnership", "open_at", "current_number"):
        open_at[pk] = opened
        # An unpublished plan that one email names is not one of its partnership's plans for the other emails.
        if partnership is not None and number > 0:
            published_in[partnership].add(pk)
    return _OpenPlans(open_at, published_in)


def _plans_to_check(email: ReplyTo, open_plans: _OpenPlans, now: dt.datetime) -> frozenset[int]:
    """The open plans that a reply to this email could be about; for stakeholders those without a present embargo."""
    named = email.plans & open_plans.open_at.keys()
    plans = named.union(*(open_plans.published_in.get(pk, ()) for pk in email.plans_of))
    if not email.is_stakeholder:
        return plans
    return frozenset(pk for pk in plans if (opened := open_plans.open_at[pk]) is not None and opened <= now)


def _roles_of_people(people: Collection[int], now: dt.datetime) -> dict[int, dict[int, str]]:
    """The organisations that each person with an account acts for today, with their role."""
    roles: dict[int, dict[int, str]] = {person: {} for person in people}
    current = Membership.objects.current(timezone.localdate(now)).filter(person__in=people) if people else ()
    for membership in current:
        roles[membership.person_id][membership.organisation_id] = membership.role
    return roles


def _with_plan_to_read(
    candidates: Collection[_Candidate], roles: Mapping[int, Mapping[int, str]], now: dt.datetime
) -> set[int]:
    """The emails about a plan that their reader may read.

    Must agree with `rights.answerable` for stakeholders, and with `Plan.objects.present_for` for everybody else.
    """
    reach = reach_of({plan for candidate in candidates for plan in candidate.plans}, now)
    stakeholders = {
        candidate.email.person_id for candidate in candidates if candidate.email.is_stakeholder and candidate.plans
    }
    readers = readers_within(reach, sorted(stakeholders), even_paused=True)
    inside: dict[int, set[int]] = defaultdict(set)
    for plan, organisation in zip(reach.inside_plans, reach.inside_organisations, strict=True):
        inside[organisation].add(plan)

    def may_read(email: ReplyTo, plans: frozenset[int]) -> bool:
        if email.is_stakeholder:
            return any((email.person_id, plan) in readers for plan in plans)
        inside_of_theirs = (inside[organisation] for organisation in roles[email.person_id])
        return any(not plans.isdisjoint(readable) for readable in (reach.network, *inside_of_theirs))

    return {candidate.email.email for candidate in candidates if may_read(candidate.email, candidate.plans)}


def _with_partnership_to_write(emails: Collection[ReplyTo], roles: Mapping[int, Mapping[int, str]]) -> set[int]:
    """The emails about exactly one partnership whose conversations their reader may write.

    Must agree with `rights.may_forward_to`.
    """
    wanted = {pk for email in emails for pk in email.partnerships}
    if not wanted:
        return set()
    live = Partnership.objects.live().filter(pk__in=wanted).values("pk")
    present = Party.objects.present().exclude(role=PartyRole.OBSERVER).filter(partnership__in=live)
    partnerships_of: dict[int, set[int]] = defaultdict(set)
    for partnership, organisation in present.values_list("partnership", "organisation"):
        partnerships_of[organisation].add(partnership)

    def written_by(person: int) -> set[int]:
        edited = (organisation for organisation, role in roles[person].items() if role in EDITING_ROLES)
        return {partnership for organisation in edited for partnership in partnerships_of[organisation]}

    return {email.email for email in emails if len(email.partnerships & written_by(email.person_id)) == 1}
