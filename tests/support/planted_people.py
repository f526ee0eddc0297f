"""Invitations, stakeholders and email addresses with a marked word."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from partnerships.digests import services as digests
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Preference
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.services import create_invitation
from partnerships.people.view_as import begin_view_as
from partnerships.plans.models import Plan
from tests.support.planted import OWN, Planted
from tests.world import World


def plant_people(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in invitations and other records about people."""
    _plant_invitations(planted, world, now)
    _plant_stakeholder(planted, world, now)
    # The person can read the reason in their data export.
    reason = planted.word("view reason", "administrator", "viewer")
    begin_view_as(administrator=world.dee, person=world.vera, reason=reason, now=now - dt.timedelta(days=1))
    key = Preference.objects.get(person=world.sol).link_key
    token = make(Purpose.PREFERENCES, person_id=world.sol.pk, link_key=key, record_id=0, minute=minute_of(now))
    planted.addresses["stakeholder"] = [f"/digests/preferences/{token}/"]


def _plant_invitations(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in the invitation of a new colleague, and in a second one to Sol.

    The inviting organisation and administrators may see who is invited. Only the recipient may read the message.
    """
    invited = planted.word("invited", *OWN, "administrator")
    message = planted.word("invitation message")
    address = f"{invited}@larkhaven.example"
    planted.in_emails[address] = [invited, message]
    organisations.invite_member(
        organisation=world.larkhaven,
        email=address,
        role="viewer",
        name="Ina Vited",
        message=message,
        author=world.amina,
        now=now,
    )
    create_invitation(person=world.sol, invited_by=world.amina, message=planted.word("second message"), now=now)


def _plant_stakeholder(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant the name and address of a stakeholder who has not answered yet."""
    address = planted.word("stakeholder", *OWN, "administrator")
    name = planted.word("stakeholder name", *OWN, "administrator")
    planted.in_emails[f"{address}@council.example"] = [address, name]
    digests.add_stakeholder(
        email=f"{address}@council.example",
        name=name,
        target=world.larkhaven,
        author=world.amina,
        organisation=world.larkhaven,
        now=now,
    )


@dataclass(frozen=True)
class _Body:
    """An organisation that entered email addresses, and the personas that may read these."""

    #: The domain of its stakeholders.
    domain: str
    organisation: Organisation
    lead: User
    #: The plan that its stakeholders are asked to follow.
    plan: Plan
    readers: tuple[str, ...]
    colleagues: tuple[User, ...]


def plant_addresses(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant email addresses of colleagues and of stakeholders, which each organisation entered."""
    published_plans = Plan.objects.filter(title__contains=planted.mark, current_number__gt=0)
    partnership_plan = published_plans.get(audience="partnership")
    network_plan = published_plans.get(audience="network")
    bodies = [
        _Body(
            domain="panel0.example",
            organisation=world.larkhaven,
            lead=world.amina,
            plan=partnership_plan,
            readers=OWN,
            colleagues=(world.amina, world.eddie, world.vera),
        ),
        _Body(
            domain="panel1.example",
            organisation=world.westmarch,
            lead=world.ben,
            plan=partnership_plan,
            readers=("partner",),
            colleagues=(world.ben,),
        ),
        _Body(
            domain="panel2.example",
            organisation=world.tidewater,
            lead=world.chidi,
            plan=network_plan,
            readers=("stranger",),
            colleagues=(world.chidi,),
        ),
        _Body(
            domain="panel3.example",
            organisation=world.riverside,
            lead=world.nadia,
            plan=network_plan,
            readers=("shared", "share_ended"),
            colleagues=(world.nadia, world.oscar),
        ),
    ]
    for number, body in enumerate(bodies):
        for person in body.colleagues:
            planted.readers[person.email] = frozenset((*body.readers, "administrator"))
        _add_stakeholder(planted, body, f"waiting {number}", now, name="", is_confirmed=False)
        _add_stakeholder(planted, body, f"nameless {number}", now, name="", is_confirmed=True)
        _add_stakeholder(planted, body, f"named {number}", now, name="Una Known", is_confirmed=True)


def _add_stakeholder(
    planted: Planted, body: _Body, case: str, now: dt.datetime, *, name: str, is_confirmed: bool
) -> None:
    """Add a stakeholder with a marked address, who has confirmed or not."""
    word = planted.word(f"address {case}", *body.readers, "administrator")
    address = f"{word}@{body.domain}"
    planted.in_emails[address] = [word, body.plan.title]  # the email asks about this plan
    subscription = digests.add_stakeholder(
        email=address, name=name, target=body.plan, author=body.lead, organisation=body.organisation, now=now
    )
    if is_confirmed:
        digests.confirm(subscription=subscription, now=now)
