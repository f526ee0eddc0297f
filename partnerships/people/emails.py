"""Content of emails about accounts and administrators."""

from __future__ import annotations

import datetime as dt

from partnerships.activity.models import Event
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import Due
from partnerships.people.identity_providers import leads_using
from partnerships.people.models import SecurityEvent, User

_NO_ADMINISTRATOR = "They are no longer an administrator."


def write_new_sign_in(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email: their account was used from a new place."""
    event = SecurityEvent.objects.filter(pk=due.params["event"], person=person).first()
    if event is None:
        return "The entry of the security log is gone."
    context = {"event": event, "person": person, "link": link("people:account")}
    return Content("people/new_sign_in", context)


def write_administration(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email: somebody is now an administrator, or no longer one.

    Goes to the person and all administrators.
    """
    return _about_person("people/administration", due, person, granted=due.params["granted"])


def write_account_closed(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email: an administrator's account was closed.

    Goes to the person, who can no longer sign in to read it, and to all administrators.
    """
    if person.is_active:
        return "The account is open again."
    return _about_person("people/account_closed", due, person)


def write_removed_factors(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email: an administrator removed the person's second factors."""
    return _about_person("people/second_factor_removed", due, person)


def _about_person(template: str, due: Due, reader: User, **context: object) -> Content | str:
    """Content about a person, for them and for present administrators."""
    event = Event.objects.get(pk=due.params["event"])
    person = User.objects.get(pk=event.target_id)
    if reader != person and not reader.is_staff:
        return _NO_ADMINISTRATOR
    context |= {
        "person": person,
        "own": reader == person,
        "author": User.objects.filter(pk=event.actor_id or 0).first(),
        "reason": str(event.data["reason"]).strip(),
        "link": link("people:account"),
    }
    return Content(template, context)


def write_sign_in_provider(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email: a sign-in provider was added, changed or removed.

    Goes to the leads of organisations that use it and to all administrators.
    """
    event = Event.objects.get(pk=due.params["event"])
    provider = event.data.get("after") or event.data["before"]
    if not person.is_staff and person not in leads_using(due.params["key"]):
        return "They are no longer an administrator, or a lead of an organisation that uses this sign-in page."
    context = {
        "provider": provider,
        "organisations": due.params["organisations"],
        "author": User.objects.filter(pk=event.actor_id or 0).first(),
        "reason": event.data["reason"],
        "what": due.params["what"],
        "administers": person.is_staff,
    }
    return Content("people/sign_in_provider", context)
