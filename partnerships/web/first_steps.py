"""The first steps of a new network's administrator, and of a new organisation's lead."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Membership, Role
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User

#: The time in which a new lead sees the first steps on the home page.
NEW = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what to do, whether it is done, and the page on which to do it."""

    title: str
    hint: str
    href: str
    done: bool


@dataclass(frozen=True, slots=True)
class Steps:
    """A checklist. `organisation_id` is the lead's organisation; None for administrators.

    `since` is the day on which the person became the lead.
    """

    title: str
    steps: tuple[Step, ...]
    organisation_id: int | None = None
    are_hidden: bool = False
    since: dt.date | None = None

    @property
    def done(self) -> int:
        """Return the number of steps that are done."""
        return sum(step.done for step in self.steps)

    @property
    def are_done(self) -> bool:
        """Return whether all steps are done."""
        return self.done == len(self.steps)


def first_steps_of(user: User) -> Steps | None:
    """Return the checklist of an administrator or of a lead; None for other people."""
    return _network_steps(user) if user.is_staff else _lead_steps(user)


def first_steps_at_home(user: User, now: dt.datetime) -> Steps | None:
    """Return the checklist if the home page should show it, else None.

    The home page shows it until all steps are done, the lead hides it, or they have been the lead for longer than
    `NEW`.
    """
    if not (user.is_staff or _may_be_new_lead(user, now)):
        return None
    steps = first_steps_of(user)
    if steps is None or steps.are_done or steps.are_hidden:
        return None
    return steps if steps.since is None or steps.since >= _first_day_of_new_leads(now) else None


def first_steps_lookups(user: User, now: dt.datetime) -> list[Lookup]:
    """Return the lookup that a later `first_steps_at_home` needs for a lead, for `read_ahead`."""
    may_need_steps = not user.is_staff and _may_be_new_lead(user, now)
    return [lookup(_newest_led_organisation, user)] if may_need_steps else []


def _may_be_new_lead(user: User, now: dt.datetime) -> bool:
    """Return False if the person has led no organisation for less than `NEW`; True outside a page, without a query."""
    memberships, first_day = Membership.objects.remembered_for(user), _first_day_of_new_leads(now)
    return memberships is None or any(role == Role.LEAD and since >= first_day for _, role, _, since in memberships)


def _first_day_of_new_leads(now: dt.datetime) -> dt.date:
    """Return the day since which a person must have been a lead to see the first steps on the home page."""
    return timezone.localdate(now) - NEW


def _network_steps(user: User) -> Steps:
    """Return the steps of a new network's administrator."""
    leads = Membership.objects.filter(role=Role.LEAD, ends_on=None)
    state = User.objects.filter(pk=user.pk).annotate(
        invited=Exists(leads),
        accepted=Exists(leads.exclude(accepted_at=None)),
        has_partnership=Exists(Partnership.objects.all()),
    )
    is_invited, has_accepted, has_partnership = state.values_list("invited", "accepted", "has_partnership").get()
    directory = reverse("organisations:list")
    return Steps(
        "Set up Common Ground",
        (
            Step(
                title="Become an administrator",
                hint="You have an account and are an administrator.",
                href=reverse("people:account"),
                done=True,
            ),
            Step(
                title="Invite your organisation’s first lead",
                hint="Find your organisation in the directory and select “Invite first lead”. Use the lead’s own work "
                "address, because administrators cannot act for an organisation.",
                href=directory,
                done=is_invited,
            ),
            Step(
                title="Wait for the lead to accept",
                hint="The lead gets an email with a link, chooses a password and signs in."
                + (
                    " No email leaves this computer. Select this step to read the invitation."
                    if settings.MAIL_PAGE
                    else ""
                ),
                href=settings.MAIL_PAGE or directory,
                done=has_accepted,
            ),
            Step(
                title="Start the first partnership",
                hint="The lead starts it under “Partnerships” and invites other organisations.",
                href=reverse("agreements:list"),
                done=has_partnership,
            ),
        ),
    )


def _lead_steps(user: User) -> Steps | None:
    """Return the checklist of the organisation that the person has led for the shortest time."""
    memberships = rows_for(_newest_led_organisation, user)
    if not memberships:
        return None
    membership = memberships[0]
    to_organisation = {"pk": membership["organisation"]}
    invite_url = (
        reverse("agreements:invite", args=[membership["newest_partnership"]])
        if membership["newest_partnership"]
        else reverse("agreements:list")
    )
    return Steps(
        f"First steps for {membership['organisation_name']}",
        (
            Step(
                title="Check your organisation’s details",
                hint="Add your website, so that partners find you.",
                href=reverse("organisations:settings", kwargs=to_organisation),
                done=bool(membership["website"]),
            ),
            Step(
                title="Invite your colleagues",
                hint="Editors can make changes for your organisation, and viewers can only read.",
                href=reverse("organisations:invite", kwargs=to_organisation),
                done=membership["has_colleagues"],
            ),
            Step(
                title="Start your first partnership",
                hint="Name the partnership, and say what it is for. Your organisation will be the chair.",
                href=reverse("agreements:create"),
                done=membership["has_partnership"],
            ),
            Step(
                title="Invite a partner to it",
                hint="Find the organisation by name or number. If nobody there has an account yet, an administrator "
                "invites their lead.",
                href=invite_url,
                done=membership["has_partner"],
            ),
            Step(
                title="Share an ask or an offer",
                hint="Say what you need or what you can contribute.",
                href=reverse("exchange:new"),
                done=membership["has_entry"],
            ),
        ),
        organisation_id=membership["organisation"],
        are_hidden=membership["steps_hidden_at"] is not None,
        since=membership["starts_on"],
    )


def _newest_led_organisation(user: User) -> QuerySet[Membership, Any]:
    """Return the organisation that the person has led for the shortest time, with the steps that it has done."""
    this_organisation = OuterRef("organisation")
    own_parties = Party.objects.invited_or_accepted().filter(organisation=this_organisation)
    all_parties = Party.objects.invited_or_accepted().filter(partnership=OuterRef("partnership"))
    parties_with_partners = own_parties.filter(Exists(all_parties.exclude(organisation=OuterRef("organisation"))))
    return (
        Membership.objects.current()
        .of_person(user, Role.LEAD)
        .annotate(
            has_colleagues=Exists(
                Membership.objects.filter(organisation=this_organisation, ends_on=None).exclude(person=user)
            ),
            has_partnership=Exists(own_parties),
            has_partner=Exists(parties_with_partners),
            newest_partnership=Subquery(own_parties.order_by("-pk").values("partnership")[:1]),
            has_entry=Exists(Entry.objects.filter(organisation=this_organisation, shared_at__isnull=False)),
            organisation_name=F("organisation__name"),
            website=F("organisation__website"),
        )
        .order_by(F("starts_on").desc(), "-pk")
        .values(
            "organisation",
            "starts_on",
            "organisation_name",
            "website",
            "steps_hidden_at",
            "has_colleagues",
            "has_partnership",
            "has_partner",
            "newest_partnership",
            "has_entry",
        )[:1]
    )
