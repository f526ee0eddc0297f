"""Content of emails about accounts and administrators."""

from __future__ import annotations

import datetime as dt

from partnerships.activity.models import Event
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail
from partnerships.people.identity_providers import leads_using
from partnerships.people.models import SecurityEvent, User

_NO_ADMINISTRATOR = "The recipient is no longer an administrator."


def write_new_sign_in(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to a person about a sign-in to their account from a new place."""
    event = SecurityEvent.objects.filter(pk=due.params["event"], person=person).first()
    if event is None:
        return "The sign-in is no longer in the security log."
    context = {"event": event, "person": person, "link": link("people:account")}
    return Content("people/new_sign_in", context)


def write_administration(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to a person and all administrators that the person is now an administrator, or no longer is."""
    return _about_person("people/administration", due, person, granted=due.params["granted"])


def write_account_closed(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to an administrator, who can no longer sign in, that their account has been closed."""
    if person.is_active:
        return "The account is open again."
    return _about_person("people/account_closed", due, person)


def write_removed_factors(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to a person that an administrator has removed their second factors."""
    return _about_person("people/second_factor_removed", due, person)


def _about_person(template: str, due: DueEmail, reader: User, **context: object) -> Content | str:
    """Return the content of an email about a person, which only that person and administrators may receive."""
    event = Event.objects.get(pk=due.params["event"])
    person = User.objects.get(pk=event.target_id)
    if reader != person and not reader.is_staff:
        return _NO_ADMINISTRATOR
    context |= {
        "reader": reader,
        "person": person,
        "own": reader == person,
        "author": User.objects.filter(pk=event.actor_id or 0).first(),
        "reason": str(event.data["reason"]).strip(),
        "link": link("people:account"),
    }
    return Content(template, context)


def write_sign_in_provider(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to administrators and leads that a sign-in page was added, changed or removed.

    The leads are those of the organisations that use the page.
    """
    event = Event.objects.get(pk=due.params["event"])
    provider = event.data.get("after") or event.data["before"]
    if not person.is_staff and person not in leads_using(due.params["key"]):
        return "The recipient is no longer an administrator, or a lead of an organisation that uses this sign-in page."
    context = {
        "reader": person,
        "provider": provider,
        "organisations": due.params["organisations"],
        "author": User.objects.filter(pk=event.actor_id or 0).first(),
        "reason": event.data["reason"],
        "what": due.params["what"],
        "administers": person.is_staff,
    }
    return Content("people/sign_in_provider", context)
