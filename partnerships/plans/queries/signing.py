"""The state of each signature of a plan, and which decisions count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from partnerships import documents
from partnerships.agreements.models import Party, PartyRole, PartyStatus, PostRole
from partnerships.agreements.queries import people_in_post
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.naming import named_then
from partnerships.organisations.queries import leads_of
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Audience, Plan, PlanOwner, Signatory, SignOff, Version
from partnerships.plans.queries.owners import parties_that_may_own

#: The state of one signatory of a plan.
SigningState: TypeAlias = documents.SigningState[Signatory, SignOff]


def organisations_to_ask(plan: Plan) -> QuerySet[Organisation]:
    """Who can still be asked to sign a plan.

    These are its owners, and present parties except observers.
    """
    already_asked = plan.signatories.filter(removed_at=None).values("organisation")
    parties = Party.objects.filter(
        partnership=plan.partnership_id, status=PartyStatus.ACCEPTED, partnership__isnull=False
    ).exclude(role=PartyRole.OBSERVER)
    owners = Q(pk__in=plan.owners.values("organisation"))
    partners = Q(pk__in=parties.values("organisation")) if plan.audience != Audience.OWNERS else Q(pk__in=[])
    return Organisation.objects.filter(owners | partners).exclude(pk__in=already_asked).order_by("name", "pk")


def signing_states(plan: Plan) -> list[SigningState]:
    """The state of every required signatory of a plan, by name."""
    return signing_states_of([plan])[plan.pk]


def signing_states_of(plans: Sequence[Plan]) -> dict[int, list[SigningState]]:
    """The states of the required signatories of each plan, by name.

    A decision counts for the present version when every version after the one decided on is minor.
    """
    by_pk = {plan.pk: plan for plan in plans}
    decisions: dict[tuple[int, int], SignOff] = {}
    older: dict[tuple[int, int], SignOff] = {}
    read_ahead([lookup(_sign_offs_of, list(by_pk)), lookup(_signatories_of, list(by_pk))])
    for sign_off in rows_for(_sign_offs_of, list(by_pk)):
        counts = sign_off.version.number >= by_pk[sign_off.plan_id].substantive_number
        (decisions if counts else older)[sign_off.plan_id, sign_off.organisation_id] = sign_off
    states: dict[int, list[SigningState]] = {pk: [] for pk in by_pk}
    signatories: list[Any] = rows_for(_signatories_of, list(by_pk))
    for signatory in signatories:
        signatory.plan = by_pk[signatory.plan_id]
        key = signatory.plan_id, signatory.organisation_id
        states[signatory.plan_id].append(
            SigningState(
                signatory,
                decisions.get(key),
                older.get(key),
                takes_part=signatory.takes_part,
                is_awaited=signatory.plan.is_awaiting_sign_off,
            )
        )
    return states


def _sign_offs_of(plans: list[int]) -> QuerySet[SignOff]:
    return (
        SignOff.objects.filter(plan__in=plans)
        .annotate(organisation_then=named_then("signed_at"))
        .select_related("version", "person", "organisation", "condition_met")
        .defer("version__content", "version__prose")
        .order_by("version__number", "pk")
    )


def _signatories_of(plans: list[int]) -> QuerySet[Signatory]:
    required = Signatory.objects.filter(plan__in=plans, removed_at=None).select_related("organisation")
    return required.annotate(takes_part=still_takes_part()).order_by("organisation__name", "pk")


def decisions_for(version: Version) -> list[SignOff]:
    """Each organisation's last decision that counts for this version.

    It was made on this version, or on one since which all versions are minor.
    """
    substantive = (
        Version.objects.filter(plan=version.plan_id, number__lte=version.number, minor=False)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
    )
    sign_offs = (
        SignOff.objects.filter(
            plan=version.plan_id, version__number__gte=substantive or 0, version__number__lte=version.number
        )
        .annotate(organisation_then=named_then("signed_at"))
        .select_related("version", "person", "organisation", "condition_met")
        .defer("version__content", "version__prose")
        .order_by("version__number", "pk")
    )
    last = {sign_off.organisation_id: sign_off for sign_off in sign_offs}
    return sorted(last.values(), key=lambda sign_off: (sign_off.organisation.name, sign_off.pk))


def still_takes_part() -> Q:
    """The condition on signatories that still own or may read the plan.

    Observers, and organisations that left, do not sign.
    """
    body = OuterRef("organisation")
    owner = Exists(PlanOwner.objects.filter(plan=OuterRef("plan"), organisation=body))
    party = Exists(parties_that_may_own().filter(partnership=OuterRef("plan__partnership"), organisation=body))
    return Q(owner) | (Q(party) & ~Q(plan__audience=Audience.OWNERS))


def number_to_sign(plan: Plan) -> int:
    """The number of the version to sign: the newest that is not under embargo.

    0 if there is none.
    """
    return plan.announced_number


def next_post(signatory: Signatory, now: dt.datetime) -> list[User]:
    """The people who are told that a signature is late, if they may read the plan.

    The organisation's escalation post, of the plan's partnership or of the whole organisation; its leads while that
    post is vacant.
    """
    organisation, plan = signatory.organisation, signatory.plan
    day = timezone.localdate(now)
    holders = people_in_post(organisation, PostRole.ESCALATION, day=day, partnership=plan.partnership_id)
    return _readers(plan, holders) or _readers(plan, leads_of(organisation))


def _readers(plan: Plan, people: Iterable[User]) -> list[User]:
    return [person for person in people if Plan.objects.inside_for(person).filter(pk=plan.pk).exists()]


def organisations_led_by(person: User, plan: Plan) -> list[Organisation]:
    """The organisations asked to sign for which the person speaks."""
    already_asked = plan.signatories.filter(removed_at=None).values("organisation")
    return list(Organisation.objects.of_person(person, Role.LEAD).filter(pk__in=already_asked).order_by("name", "pk"))


def asked_again(plan: Plan) -> list[SigningState]:
    """Signatories asked before who are asked again when sign-off is asked for.

    While the plan waits, nobody is.
    """
    return [] if plan.is_awaiting_sign_off else [state for state in signing_states(plan) if state.must_decide]
