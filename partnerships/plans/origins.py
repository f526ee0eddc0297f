"""Propose commitments from plans, sites and milestones, and link the commitments to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import CommitmentSuggestion, Origin, OriginLink
from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Milestone, Plan, PlanCommitment, PlanQuerySet, Site
from partnerships.plans.presenting import link_to_piece
from partnerships.plans.queries import newest_version_for, parties_allowed_to_own


def _plans_to_propose_from(user: User) -> PlanQuerySet:
    """Return the plans that the person may read in full, from which they may propose commitments."""
    return Plan.objects.fully_readable_by(user)


def ids_of_possible_sides(plan: Plan) -> set[int]:
    """Return the ids of the organisations that can be sides of a plan's commitments.

    These are the plan's owners and the parties of its partnership.
    """
    owners = set(plan.owners.values_list("organisation", flat=True))
    parties = parties_allowed_to_own().filter(partnership=plan.partnership_id, partnership__isnull=False)
    return owners | set(parties.values_list("organisation", flat=True))


def may_propose_commitment(user: User, plan: Plan) -> bool:
    """Return whether the person may propose a commitment from the plan.

    The plan must be neither a draft nor over, and the person must edit for a possible side of its commitments.
    """
    if plan.is_over or plan.is_draft:
        return False

    roles = Membership.objects.roles_of(user)
    edited_organisation_ids = [organisation for organisation, role in roles.items() if role in EDITING_ROLES]
    if any(owner.organisation_id in edited_organisation_ids for owner in plan.owners.all()):
        return True

    if plan.partnership_id is None or not edited_organisation_ids:
        return False
    return (
        parties_allowed_to_own()
        .filter(partnership=plan.partnership_id, organisation__in=edited_organisation_ids)
        .exists()
    )


def _suggestion(
    user: User,
    plan: Plan,
    *,
    words: str,
    anchor: str = "",
    text: str = "",
    homes: int = 0,
    due: dt.date | None = None,
) -> CommitmentSuggestion | None:
    """Return the suggested values of a new commitment, or None if the person may not propose a commitment."""
    if not may_propose_commitment(user, plan):
        return None

    partners = Organisation.objects.filter(pk__in=ids_of_possible_sides(plan)).order_by("name", "pk")
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES).filter(pk__in=partners)
    own_organisation = own_organisations.order_by("name", "pk").first()
    other_partners = [partner for partner in partners if own_organisation is None or partner.pk != own_organisation.pk]
    return CommitmentSuggestion(
        words=words,
        href=plan.get_absolute_url() + link_to_piece(anchor),
        giver=own_organisation,
        receiver=other_partners[0] if len(other_partners) == 1 else None,
        partnership=Partnership.objects.with_party_of(user).live().filter(pk=plan.partnership_id or 0).first(),
        text=text,
        quantity=Decimal(homes) if homes else None,
        unit="homes" if homes else "",
        due_on=due if due and due >= timezone.localdate() else None,
    )


def suggest_from_plan(*, user: User, record_id: int) -> CommitmentSuggestion | None:
    """Suggest a commitment between the partners of a plan."""
    plan = _plans_to_propose_from(user).filter(pk=record_id).first()
    return None if plan is None else _suggestion(user, plan, words=f"the plan “{plan.title}”")


def suggest_from_site(*, user: User, record_id: int) -> CommitmentSuggestion | None:
    """Suggest a commitment to complete the homes of a site, due on the site's forecast completion."""
    sites = Site.objects.visible_to(user).filter(plan__in=_plans_to_propose_from(user).values("pk"))
    site = sites.select_related("plan").filter(pk=record_id).first()
    if site is None:
        return None
    forecast = "" if site.actual_completion else site.forecast_completion
    return _suggestion(
        user,
        site.plan,
        words=f"{site.name}, in the plan “{site.plan.title}”",
        anchor=f"sites/{site.key}",
        text=f"Complete {site.name}",
        homes=site.homes,
        due=PartialDate.parse(forecast).latest if forecast else None,
    )


def suggest_from_milestone(*, user: User, record_id: int) -> CommitmentSuggestion | None:
    """Suggest a commitment to a milestone, due on the date of the milestone."""
    milestones = Milestone.objects.visible_to(user).filter(plan__in=_plans_to_propose_from(user).values("pk"))
    milestone = milestones.select_related("plan").filter(pk=record_id).first()
    if milestone is None:
        return None
    return _suggestion(
        user,
        milestone.plan,
        words=f"{milestone.name}, in the plan “{milestone.plan.title}”",
        anchor=f"milestones/{milestone.key}",
        text=milestone.name,
        due=milestone.due_by,
    )


def _create_link(
    plan: Plan,
    commitment: Commitment,
    author: User,
    now: dt.datetime,
    *,
    anchor: str = "",
    label: str = "",
    restricted: bool = False,
) -> None:
    """Link the commitment to the newest version that its author can read."""
    version = newest_version_for(author, plan)
    PlanCommitment.objects.create(
        plan=plan,
        commitment=commitment,
        version_number=version.number if version else plan.current_number,
        anchor=anchor,
        anchor_label=label,
        restricted=restricted,
        made_at=now,
    )


def link_from_plan(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    """Link the commitment to the plan with this id."""
    _create_link(Plan.objects.get(pk=record_id), commitment, author, now)


def link_from_site(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    """Link the commitment to the site with this id, and so to the site's plan."""
    site = Site.objects.select_related("plan").get(pk=record_id)
    anchor = f"sites/{site.key}"
    _create_link(site.plan, commitment, author, now, anchor=anchor, label=site.name, restricted=site.confidential)


def link_from_milestone(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    """Link the commitment to the milestone with this id, and so to the milestone's plan."""
    milestone = Milestone.objects.select_related("plan").get(pk=record_id)
    _create_link(
        milestone.plan,
        commitment,
        author,
        now,
        anchor=f"milestones/{milestone.key}",
        label=milestone.name,
        restricted=milestone.restricted,
    )


def links_of(*, commitment: Commitment, user: User) -> Sequence[OriginLink]:
    """Return the plans and pieces from which a commitment came, as links that the person may see."""
    links = rows_for(_readable_links, user, commitment.pk)
    inside_plan_ids = set(rows_for(_ids_of_plans_read_inside, user, commitment.pk)) if links else set()
    origin_links = []
    for link in links:
        version = newest_version_for(user, link.plan)
        if version is None:
            continue
        words = f"the plan “{version.title}”"
        path = link.plan.get_absolute_url()
        # If the commitment came from a version that this reader cannot see, name neither the version nor the piece.
        if link.version_number <= version.number:
            words = f"{words}, version {link.version_number}"
            if link.anchor and (link.plan_id in inside_plan_ids or not link.restricted):
                words = f"{link.anchor_label}, in {words}"
                path += link_to_piece(link.anchor)
        origin_links.append(OriginLink(words, path))
    return origin_links


def _readable_links(user: User, commitment_id: int) -> QuerySet[PlanCommitment]:
    """Return the links of a commitment to plans that the person may read in some version."""
    readable_plans = Plan.objects.published_for(user).values("pk")
    links = PlanCommitment.objects.filter(commitment=commitment_id, plan__in=readable_plans)
    return links.select_related("plan").order_by("pk")


def _all_links(commitment_id: int) -> QuerySet[PlanCommitment]:
    """Return the links of a commitment to plans."""
    return PlanCommitment.objects.filter(commitment=commitment_id)


def _ids_of_plans_read_inside(user: User, commitment_id: int) -> QuerySet[Plan, int]:
    """Return the ids of the plans of a commitment that the person may read in full."""
    return _plans_to_propose_from(user).filter(commitments__commitment=commitment_id).values_list("pk", flat=True)


def copy_links(*, old: Commitment, new: Commitment) -> None:
    """Copy the links of a commitment to the commitment that replaces it."""
    links = PlanCommitment.objects.filter(commitment=old).order_by("pk")
    copies = [
        PlanCommitment(
            plan_id=link.plan_id,
            commitment=new,
            version_number=link.version_number,
            anchor=link.anchor,
            anchor_label=link.anchor_label,
            restricted=link.restricted,
            made_at=link.made_at,
        )
        for link in links
    ]
    PlanCommitment.objects.bulk_create(copies, ignore_conflicts=True)


def _no_links(*, commitment: Commitment, user: User) -> Sequence[OriginLink]:
    """Return no links, because the origin `plan` already returns the links to sites and milestones."""
    return ()


def commitments_of(plan: Plan, user: User, *, newest: int, inside: bool) -> list[PlanCommitment]:
    """Return the commitments from the plan that the person may see.

    `newest` is the number of the newest version that the person may read. Pieces of later versions are not named, and
    neither are restricted pieces for readers outside.
    """
    links = rows_for(_links_to_visible_commitments, user, plan.pk)
    for link in links:
        if (link.restricted and not inside) or link.version_number > newest:
            link.anchor_label = ""  # for the page; the link is not saved
    return links


def commitments_lookup(plan: Plan, user: User) -> Lookup:
    """Return the lookup of a later `commitments_of`, for `read_ahead`."""
    return lookup(_links_to_visible_commitments, user, plan.pk)


def _links_to_visible_commitments(user: User, plan_id: int) -> QuerySet[PlanCommitment]:
    """Return the links of a plan to commitments that the person may see, the earliest due date first."""
    visible = Commitment.objects.visible_to(user).filter(from_plans__plan=plan_id)
    links = PlanCommitment.objects.filter(plan=plan_id, commitment__in=visible.values("pk"))
    return links.select_related("commitment__giver", "commitment__receiver").order_by("commitment__due_on", "pk")


ORIGINS = (
    Origin(
        name="plan",
        suggest=suggest_from_plan,
        link=link_from_plan,
        links_of=links_of,
        copy_links=copy_links,
        rows=(_all_links,),
    ),
    Origin(name="plan-site", suggest=suggest_from_site, link=link_from_site, links_of=_no_links),
    Origin(name="plan-milestone", suggest=suggest_from_milestone, link=link_from_milestone, links_of=_no_links),
)
