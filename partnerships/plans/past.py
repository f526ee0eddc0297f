"""What a plan was when an organisation left its partnership: all that the people of a former party still know of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from partnerships.activity.models import Event
from partnerships.agreements.models import Party, PartyStatus
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan, Status, Version

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from partnerships.people.models import User


def _parts(user: User | AnonymousUser) -> dict[int, Party]:
    """The parts that the person's organisations had in partnerships they left, the last to end of each."""
    left = Party.objects.filter(status=PartyStatus.LEFT, organisation__in=Organisation.objects.of_person(user))
    return {party.partnership_id: party for party in left.order_by("left_at", "pk")}


def as_read_by(user: User | AnonymousUser, plans: Iterable[Plan]) -> list[Plan]:
    """The plans as the person may know them: as they are, or as they were when the person's organisation left.

    What comes back from history is never to be saved.
    """
    plans = list(plans)
    parts = _parts(user) if user.is_authenticated and any(plan.partnership_id for plan in plans) else {}
    doubtful = [plan for plan in plans if plan.partnership_id in parts]
    if not doubtful:
        return plans
    known = set(
        Plan.objects.known_today_to(user).filter(pk__in=[plan.pk for plan in doubtful]).values_list("pk", flat=True)
    )
    for plan in doubtful:
        if plan.pk not in known:
            _take_back(user, plan, parts[plan.partnership_id or 0])
    return plans


def _take_back(user: User | AnonymousUser, plan: Plan, party: Party) -> None:
    """Give the plan the name, number and status it had when the party left, by what was written down then."""
    held = Version.objects.visible_to(user).filter(plan=plan).without_content().order_by("-number").first()
    if held is None:
        return
    here = Q(target_kind__in=("plan", "plan_draft", "plan_signing"), target_id=plan.pk)
    published = Q(target_kind="plan_version", target_id__in=plan.versions.values("pk"))
    told = Event.objects.filter(here | published, at__lte=party.left_at, data__after__has_key="status")
    last = told.order_by("-at", "-id").values_list("data", flat=True).first()
    plan.title, plan.current_number = held.title, held.number
    plan.last_published_at, plan.embargoed_until = held.published_at, None
    plan.status = last["after"]["status"] if last else Status.SHARED
    plan.superseded_by_id = None if plan.status != Status.SUPERSEDED else plan.superseded_by_id


def named(user: User | AnonymousUser, titled: Q) -> Q:
    """The condition on plans that `titled` (about `title`) holds of the title by which the person knows them."""
    today = Plan.objects.known_today_to(user)
    held = Version.objects.visible_to(user).filter(titled).exclude(plan__in=today.values("pk"))
    return Q(pk__in=today.filter(titled).values("pk")) | Q(pk__in=held.values("plan"))


def events_of_plans(user: User) -> Q:
    """The condition on events about plans: those the person knows today, or up to the moment they left."""
    left = Plan.objects.filter(
        pk=OuterRef("target_id"),
        partnership__parties__organisation__in=Organisation.objects.of_person(user),
        partnership__parties__status=PartyStatus.LEFT,
        partnership__parties__left_at__gte=OuterRef("at"),
    )
    return Q(target_id__in=Plan.objects.known_today_to(user).values("pk")) | Q(Exists(left))
