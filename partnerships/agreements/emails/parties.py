"""Emails about invitations, the answers to them, and departures."""

from __future__ import annotations

import datetime as dt

from partnerships.agreements.models import (
    Partnership,
    Party,
    PartyStatus,
)
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.queries import leads_of
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail
from partnerships.people.models import User


def write_invitation(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the invitation for a lead of the invited organisation."""
    party = _party(due)
    if not party.is_waiting or party.partnership.is_over:
        return "The invitation has been answered or withdrawn."
    if not leads_of(party.organisation).filter(pk=person.pk).exists():
        return "The recipient no longer leads the invited organisation."
    inviter = party.invited_by
    context = {
        "party": party,
        "partnership": party.partnership,
        "person": person,
        "inviter": inviter,
        "link": link("agreements:answer", pk=party.partnership_id, party=party.pk),
    }
    return Content("agreements/invitation", context, reply_to=inviter.email if inviter else "")


def write_answer(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells the person who sent an invitation how the organisation answered."""
    party = _party(due)
    if party.is_waiting:
        return "The organisation has since been invited again."
    if not Partnership.objects.readable_today_by(person).filter(pk=party.partnership_id).exists():
        return "The recipient can no longer read the partnership."
    context = {
        "party": party,
        "partnership": party.partnership,
        "person": person,
        "link": link("agreements:detail", pk=party.partnership_id),
    }
    return Content("agreements/answer", context)


def write_departure(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells leads of all parties that an organisation has left or was removed."""
    party = _party(due)
    if party.status != PartyStatus.LEFT:
        return "The organisation has since been invited again."
    leads_that_organisation = leads_of(party.organisation).filter(pk=person.pk).exists()
    led_partnerships = Partnership.objects.with_party_of(person, Role.LEAD)
    if not leads_that_organisation and not led_partnerships.filter(pk=party.partnership_id).exists():
        return "The recipient is no longer a lead of an organisation in the partnership."
    context = {
        "party": party,
        "partnership": party.partnership,
        "person": person,
        "own": leads_that_organisation,
        "removed": due.params["removed"],
        # Emails recorded by older code do not say which party removed the organisation.
        "remover": Organisation.objects.filter(pk=due.params.get("by") or 0).first(),
        "link": link("agreements:detail", pk=party.partnership_id),
    }
    return Content("agreements/gone", context)


def _party(due: DueEmail) -> Party:
    """Return the party that the email is about."""
    return Party.objects.select_related("partnership", "organisation", "invited_by").get(pk=due.params["party"])
