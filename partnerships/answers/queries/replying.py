"""Which emails their readers can reply to, for many at once.

The same rule as `services.receiving` applies to a reply when it comes in.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.digests.queries.readers import newest_numbers, reach_of, reading_classes
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.outbox.hooks import ReplyTo
from partnerships.plans.models import OVER, Plan


def taking_replies(emails: Collection[ReplyTo], now: dt.datetime) -> set[int]:
    """The emails to which a reply of their reader could be used.

    It becomes a comment if its reader may read one of its plans that is not over, and else a conversation if they may
    write those of exactly one of its partnerships.
    """
    open_plans, within = _open_plans(emails)
    found = {one.email for one in emails if not one.plans_read.isdisjoint(open_plans)}
    rest = [one for one in emails if one.email not in found]
    if not rest:
        return found
    plans = {one.email: (one.plans & open_plans).union(*(within[pk] for pk in one.plans_of)) for one in rest}
    acting = _acting({one.person_id for one in rest if not one.is_stakeholder}, now)
    found |= _with_plan_to_read(rest, plans, acting, now)
    rest = [one for one in rest if one.email not in found and not one.is_stakeholder]
    return found | _with_partnership_to_write(rest, acting)


def _open_plans(emails: Iterable[ReplyTo]) -> tuple[set[int], dict[int, set[int]]]:
    """The plans that a reply could be about, and those of each partnership; none that are over."""
    plans = {pk for one in emails for pk in one.plans_read | one.plans}
    partnerships = {pk for one in emails for pk in one.plans_of}
    found: set[int] = set()
    within: dict[int, set[int]] = defaultdict(set)
    asked = Q(pk__in=plans) | Q(partnership__in=partnerships, current_number__gt=0)
    for pk, partnership in Plan.objects.filter(asked).exclude(status__in=OVER).values_list("pk", "partnership"):
        found.add(pk)
        within[partnership or 0].add(pk)
    return found, within


def _acting(people: Collection[int], now: dt.datetime) -> dict[int, dict[int, str]]:
    """The organisations that each person with an account acts for today, with the role."""
    found: dict[int, dict[int, str]] = {person: {} for person in people}
    current = Membership.objects.current(timezone.localdate(now)).filter(person__in=people) if people else ()
    for one in current:
        found[one.person_id][one.organisation_id] = one.role
    return found


def _with_plan_to_read(
    emails: Iterable[ReplyTo], plans: dict[int, frozenset[int]], acting: dict[int, dict[int, str]], now: dt.datetime
) -> set[int]:
    """The emails about a plan that their reader may read.

    Stakeholders as `rights.answerable` has it, people with an account as `Plan.objects.present_for`.
    """
    wanted = {pk for some in plans.values() for pk in some}
    if not wanted:
        return set()
    people = sorted({one.person_id for one in emails if one.is_stakeholder})
    readers = reading_classes(wanted, now=now, people=people, even_paused=True)
    newest = newest_numbers({plan for _, plan in readers}, now)
    reach = reach_of(wanted, now) if acting else reach_of((), now)
    inside: dict[int, set[int]] = defaultdict(set)
    for plan, organisation in zip(reach.inside_plans, reach.inside_organisations, strict=True):
        inside[organisation].add(plan)

    def may_read(one: ReplyTo) -> bool:
        if one.is_stakeholder:
            return any((one.person_id, plan) in readers and newest[plan][1] > 0 for plan in plans[one.email])
        mine = (inside[organisation] for organisation in acting[one.person_id])
        return any(not plans[one.email].isdisjoint(some) for some in (reach.network, *mine))

    return {one.email for one in emails if may_read(one)}


def _with_partnership_to_write(emails: Collection[ReplyTo], acting: dict[int, dict[int, str]]) -> set[int]:
    """The emails about exactly one partnership whose conversations their reader writes.

    As `rights.may_forward_to` has it.
    """
    wanted = {pk for one in emails for pk in one.partnerships}
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

    return {one.email for one in emails if len(one.partnerships & written_by(one.person_id)) == 1}
