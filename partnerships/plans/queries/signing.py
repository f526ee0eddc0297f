"""Queries about who must sign a plan, the state of each signature, and which decisions are valid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from partnerships import documents
from partnerships.agreements.models import Party, PartyRole, PartyStatus, PostRole
from partnerships.agreements.queries import people_in_post
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.naming import official_name_at
from partnerships.organisations.queries import leads_of
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Audience, Plan, PlanOwner, Signatory, SignOff, Version
from partnerships.plans.queries.owners import parties_allowed_to_own

#: The state of one signatory of a plan.
SigningState: TypeAlias = documents.SigningState[Signatory, SignOff]


def organisations_to_ask(plan: Plan) -> QuerySet[Organisation]:
    """Return the organisations that could be asked to sign the plan, and have not been asked.

    These are its owners, and the present parties of its partnership except observers. If only the owners may read the
    plan, parties are left out.
    """
    may_sign = Q(pk__in=plan.owners.values("organisation"))
    if plan.partnership_id is not None and plan.audience != Audience.OWNERS:
        parties = Party.objects.filter(partnership=plan.partnership_id, status=PartyStatus.ACCEPTED)
        may_sign |= Q(pk__in=parties.exclude(role=PartyRole.OBSERVER).values("organisation"))
    already_asked = plan.signatories.filter(removed_at=None).values("organisation")
    return Organisation.objects.filter(may_sign).exclude(pk__in=already_asked).order_by("name", "pk")


def signing_states(plan: Plan) -> list[SigningState]:
    """Return the state of every required signatory of a plan, sorted by the names of the organisations."""
    return signing_states_of([plan])[plan.pk]


def signing_states_of(plans: Sequence[Plan]) -> dict[int, list[SigningState]]:
    """Return the states of the required signatories of each plan, by plan id and sorted by name.

    A decision on an earlier version is still valid if all later versions are minor. For example, a signature on version
    2 remains valid when version 3 only corrects a spelling.
    """
    plan_by_pk = {plan.pk: plan for plan in plans}
    plan_ids = list(plan_by_pk)
    read_ahead(signing_lookups(plan_ids))

    # By plan and organisation. Sign-offs are in the order of versions, so the last one of each organisation remains.
    valid_sign_offs: dict[tuple[int, int], SignOff] = {}
    earlier_sign_offs: dict[tuple[int, int], SignOff] = {}
    for sign_off in rows_for(_sign_offs_of, plan_ids):
        is_valid = sign_off.version.number >= plan_by_pk[sign_off.plan_id].substantive_number
        sign_offs = valid_sign_offs if is_valid else earlier_sign_offs
        sign_offs[sign_off.plan_id, sign_off.organisation_id] = sign_off

    states_by_pk: dict[int, list[SigningState]] = {pk: [] for pk in plan_ids}
    signatories: list[Any] = rows_for(_signatories_of, plan_ids)
    for signatory in signatories:
        signatory.plan = plan_by_pk[signatory.plan_id]
        key = signatory.plan_id, signatory.organisation_id
        states_by_pk[signatory.plan_id].append(
            SigningState(
                signatory=signatory,
                sign_off=valid_sign_offs.get(key),
                earlier=earlier_sign_offs.get(key),
                takes_part=signatory.takes_part,
                is_awaited=signatory.plan.is_awaiting_sign_off,
            )
        )
    return states_by_pk


def signing_lookups(plan_ids: list[int]) -> list[Lookup]:
    """Return the lookups that `signing_states_of` makes, for `read_ahead`."""
    return [lookup(_sign_offs_of, plan_ids), lookup(_signatories_of, plan_ids)]


def _sign_offs_of(plan_ids: list[int]) -> QuerySet[SignOff]:
    """Return the decisions on any version of these plans."""
    return _for_display(SignOff.objects.filter(plan__in=plan_ids))


def _for_display(sign_offs: QuerySet[SignOff]) -> QuerySet[SignOff]:
    """Return the sign-offs in the order of versions, with the name that each organisation had when it signed."""
    return (
        sign_offs.annotate(organisation_then=official_name_at("signed_at"))
        .select_related("version", "person", "organisation", "condition_met")
        .defer("version__content", "version__prose")
        .order_by("version__number", "pk")
    )


def _signatories_of(plan_ids: list[int]) -> QuerySet[Signatory]:
    """Return the required signatories of these plans, each with whether it still takes part."""
    required_signatories = Signatory.objects.filter(plan__in=plan_ids, removed_at=None).select_related("organisation")
    return required_signatories.annotate(takes_part=takes_part_condition()).order_by("organisation__name", "pk")


def decisions_for(version: Version) -> list[SignOff]:
    """Return the last valid decision of each organisation on this version, sorted by the organisations' names.

    A decision on an earlier version is valid if all versions after it, up to this version, are minor.
    """
    substantive_versions = Version.objects.filter(plan=version.plan_id, number__lte=version.number, minor=False)
    substantive_number = Subquery(substantive_versions.order_by("-number").values("number")[:1])
    sign_offs = _for_display(
        SignOff.objects.filter(
            plan=version.plan_id,
            version__number__gte=Coalesce(substantive_number, 0),
            version__number__lte=version.number,
        )
    )
    last_by_organisation = {sign_off.organisation_id: sign_off for sign_off in sign_offs}
    return sorted(last_by_organisation.values(), key=lambda sign_off: (sign_off.organisation.name, sign_off.pk))


def takes_part_condition() -> Q:
    """Return the condition that a signatory still owns the plan, or is a party that may sign it.

    Observers do not sign, and neither do organisations that left.
    """
    owners = PlanOwner.objects.filter(plan=OuterRef("plan"), organisation=OuterRef("organisation"))
    parties = parties_allowed_to_own().filter(
        partnership=OuterRef("plan__partnership"), organisation=OuterRef("organisation")
    )
    return Q(Exists(owners)) | (Q(Exists(parties)) & ~Q(plan__audience=Audience.OWNERS))


def version_number_to_sign(plan: Plan) -> int:
    """Return the number of the newest version that is not under embargo, which is the version to sign, or 0."""
    return plan.announced_number


def people_at_next_post(signatory: Signatory, now: dt.datetime) -> list[User]:
    """Return the people to email about a late signature, if they may read the plan.

    These are the people in the organisation's escalation post, for the plan's partnership or for the whole
    organisation. If that post is vacant, or none of its holders may read the plan, they are the organisation's leads.
    """
    organisation, plan = signatory.organisation, signatory.plan
    day = timezone.localdate(now)
    holders = people_in_post(organisation.pk, PostRole.ESCALATION, day=day, partnership=plan.partnership_id)
    return _readers(plan, holders) or _readers(plan, leads_of(organisation))


def _readers(plan: Plan, people: Iterable[User]) -> list[User]:
    """Return the people who may read the plan in full, in the same order."""
    return [person for person in people if Plan.objects.fully_readable_by(person).filter(pk=plan.pk).exists()]


def organisations_led_by(person: User, plan: Plan) -> list[Organisation]:
    """Return the organisations that are asked to sign the plan and that the person leads."""
    already_asked = plan.signatories.filter(removed_at=None).values("organisation")
    return list(Organisation.objects.of_person(person, Role.LEAD).filter(pk__in=already_asked).order_by("name", "pk"))


def signatories_to_ask_again(plan: Plan) -> list[SigningState]:
    """Return the states of the signatories that the next request for sign-off will ask again.

    While the plan is awaiting sign-off, there are none, because all of its signatories have been asked.
    """
    if plan.is_awaiting_sign_off:
        return []
    return [state for state in signing_states(plan) if state.must_decide]
