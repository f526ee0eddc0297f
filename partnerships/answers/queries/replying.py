"""Find the emails in a batch to which their readers can reply.

A reply that arrives is checked by `services.receiving`. These functions predict the result of that check, so that an
email offers a reply only if the reply could be used. A run of digests has thousands of emails, so a batch is checked in
a fixed number of queries.
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
from partnerships.outbox.kinds import email_kind_with_code
from partnerships.plans.models import FINAL_STATUSES, Plan


@dataclass(frozen=True, slots=True)
class _OpenPlans:
    """The plans that are not over and that replies to a batch of emails could be about."""

    #: When the audience of each plan may first read a version, by the id of the plan.
    opened_at_by_plan: Mapping[int, dt.datetime | None]
    #: The ids of the published plans of each partnership, by the id of the partnership.
    published_by_partnership: Mapping[int, Collection[int]]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An email to check."""

    email: ReplyTo
    #: The plans that a reply could be about, if the reader of the email may read them.
    plan_ids: frozenset[int]


def emails_open_to_reply(emails: Collection[ReplyTo], now: dt.datetime) -> set[int]:
    """Return the ids of the emails to which a reply from their reader could be used.

    A reply becomes a comment if the reader may read one of the email's plans and that plan is not over. Otherwise
    the reply becomes a conversation if the reader may write conversations of exactly one of the email's
    partnerships. Stakeholders cannot write conversations.
    """
    open_plans = _open_plans(emails)
    open_plan_ids = open_plans.opened_at_by_plan.keys()

    # 1. The email shows its reader an open plan, so the caller has checked that they may read it.
    ids_showing_open_plan = {
        email.email_id for email in emails if not email.readable_plan_ids.isdisjoint(open_plan_ids)
    }
    candidates = [
        _Candidate(email, _plan_ids_to_check(email, open_plans, now))
        for email in emails
        if email.email_id not in ids_showing_open_plan
    ]
    if not candidates:
        return ids_showing_open_plan

    # 2. The reader may read another open plan that the email is about.
    account_holders = {candidate.email.person_id for candidate in candidates if not candidate.email.is_stakeholder}
    roles_by_person = _roles_by_person(account_holders, now)
    ids_open_for_comment = ids_showing_open_plan | _email_ids_with_readable_plan(candidates, roles_by_person, now)

    # 3. The reader may write conversations of the email's partnership.
    other_emails = [
        email for email in emails if email.email_id not in ids_open_for_comment and not email.is_stakeholder
    ]
    return ids_open_for_comment | _email_ids_with_writable_partnership(other_emails, roles_by_person)


def notices_open_to_reply(notices: Iterable[NoticeTo], now: dt.datetime) -> set[int]:
    """Return the ids of the notices to which a reply from their reader could be used.

    Notices about the reader's own answer cannot be replied to.
    """
    emails = []
    for notice in notices:
        if notice.kind.startswith("answers."):
            continue
        subject = subject_of(notice.kind, notice.params)
        if subject is None:
            continue
        is_plan = subject.kind == SubjectKind.PLAN
        partnership_id = subject.partnership_id
        emails.append(
            ReplyTo(
                email_id=notice.email_id,
                person_id=notice.person_id,
                is_stakeholder=notice.is_stakeholder,
                plan_ids=frozenset({subject.record_id}) if is_plan else frozenset(),
                partnership_ids=frozenset() if partnership_id is None else frozenset({partnership_id}),
            )
        )
    return emails_open_to_reply(emails, now) if emails else set()


def subject_of(kind_code: str, params: Mapping[str, Any]) -> Subject | None:
    """Return the record that a notice of this kind is about.

    Returns None if the notice is not about a single record, or the record was deleted.
    """
    kind = email_kind_with_code(kind_code)
    if kind is None or kind.about is None:
        return None
    return kind.about(params)


def _open_plans(emails: Iterable[ReplyTo]) -> _OpenPlans:
    """Return the plans that are not over and that replies to these emails could be about."""
    named_plan_ids = {pk for email in emails for pk in email.readable_plan_ids | email.plan_ids}
    partnership_ids = {pk for email in emails for pk in email.published_in_ids}
    could_be_about = Q(pk__in=named_plan_ids) | Q(partnership__in=partnership_ids, current_number__gt=0)
    plans = Plan.objects.filter(could_be_about).exclude(status__in=FINAL_STATUSES)

    opened_at_by_plan: dict[int, dt.datetime | None] = {}
    published_by_partnership: dict[int, set[int]] = defaultdict(set)
    for plan in plans.values_list("pk", "partnership_id", "open_at", "current_number", named=True):
        opened_at_by_plan[plan.pk] = plan.open_at
        # A draft that one email names must not be offered to readers of another email about the draft's partnership.
        if plan.partnership_id is not None and plan.current_number > 0:
            published_by_partnership[plan.partnership_id].add(plan.pk)
    return _OpenPlans(opened_at_by_plan, published_by_partnership)


def _plan_ids_to_check(email: ReplyTo, open_plans: _OpenPlans, now: dt.datetime) -> frozenset[int]:
    """Return the open plans that a reply to this email could be about. Stakeholders get no plans under embargo."""
    opened_at_by_plan = open_plans.opened_at_by_plan
    plan_ids = set(email.plan_ids & opened_at_by_plan.keys())
    for partnership_id in email.published_in_ids:
        plan_ids.update(open_plans.published_by_partnership.get(partnership_id, ()))
    if not email.is_stakeholder:
        return frozenset(plan_ids)

    def is_open_to_stakeholders(plan_id: int) -> bool:
        opened_at = opened_at_by_plan[plan_id]
        return opened_at is not None and opened_at <= now

    return frozenset(plan_id for plan_id in plan_ids if is_open_to_stakeholders(plan_id))


def _roles_by_person(person_ids: Collection[int], now: dt.datetime) -> dict[int, dict[int, str]]:
    """Return each person's roles today, by the id of the organisation.

    For example, `{7: {1: "lead"}}` if person 7 is a lead of organisation 1 and has no other role.
    """
    roles_by_person: dict[int, dict[int, str]] = {person_id: {} for person_id in person_ids}
    if not person_ids:
        return roles_by_person
    for membership in Membership.objects.current(timezone.localdate(now)).filter(person__in=person_ids):
        roles_by_person[membership.person_id][membership.organisation_id] = membership.role
    return roles_by_person


def _email_ids_with_readable_plan(
    candidates: Collection[_Candidate], roles_by_person: Mapping[int, Mapping[int, str]], now: dt.datetime
) -> set[int]:
    """Return the ids of the candidate emails with a plan that the reader of the email may read.

    Stakeholders must get the same result as from `rights.answerable_versions`, and people with an account the same as
    from `Plan.objects.published_today_for`.
    """
    reach = reach_of({plan_id for candidate in candidates for plan_id in candidate.plan_ids}, now)
    stakeholder_ids = {
        candidate.email.person_id for candidate in candidates if candidate.email.is_stakeholder and candidate.plan_ids
    }
    readers = readers_within(reach, sorted(stakeholder_ids), even_paused=True)
    plans_by_organisation: dict[int, set[int]] = defaultdict(set)
    for plan_id, organisation_id in zip(reach.inside_plans, reach.inside_organisations, strict=True):
        plans_by_organisation[organisation_id].add(plan_id)

    def may_read_any(candidate: _Candidate) -> bool:
        email, plan_ids = candidate.email, candidate.plan_ids
        if email.is_stakeholder:
            return any((email.person_id, plan_id) in readers for plan_id in plan_ids)
        if plan_ids.intersection(reach.network):
            return True
        own_organisation_ids = roles_by_person[email.person_id]
        return any(plan_ids & plans_by_organisation[organisation_id] for organisation_id in own_organisation_ids)

    return {candidate.email.email_id for candidate in candidates if may_read_any(candidate)}


def _email_ids_with_writable_partnership(
    emails: Collection[ReplyTo], roles_by_person: Mapping[int, Mapping[int, str]]
) -> set[int]:
    """Return the ids of the emails about exactly one partnership in which the reader may record conversations.

    The result must be the same as from `rights.may_forward_to`.
    """
    partnership_ids = {pk for email in emails for pk in email.partnership_ids}
    if not partnership_ids:
        return set()
    live_partnerships = Partnership.objects.live().filter(pk__in=partnership_ids)
    parties = Party.objects.accepted().filter(partnership__in=live_partnerships.values("pk"))
    partnerships_by_organisation: dict[int, set[int]] = defaultdict(set)
    writing_parties = parties.exclude(role=PartyRole.OBSERVER)
    for partnership_id, organisation_id in writing_parties.values_list("partnership_id", "organisation_id"):
        partnerships_by_organisation[organisation_id].add(partnership_id)

    def writable_by(person_id: int) -> set[int]:
        partnership_ids: set[int] = set()
        for organisation_id, role in roles_by_person[person_id].items():
            if role in EDITING_ROLES:
                partnership_ids |= partnerships_by_organisation[organisation_id]
        return partnership_ids

    return {email.email_id for email in emails if len(email.partnership_ids & writable_by(email.person_id)) == 1}
