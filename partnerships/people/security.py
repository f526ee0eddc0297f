"""The security log of accounts, and emails to their owners."""

from __future__ import annotations

import datetime as dt
import ipaddress

from django.db import transaction

from partnerships.kit.owner_functions import call_owner_function
from partnerships.outbox.services import record_email
from partnerships.people.models import SecurityEvent, SecurityEventKind, User

#: A sign-in from a place used within this time is not emailed.
REMEMBERED = dt.timedelta(days=180)


def _neighbourhood(ip: str | None) -> str:
    """The network of an address; single addresses change every day."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{address}/{16 if address.version == 4 else 32}", strict=False))


def note_event(
    *, person: User | None, kind: str, now: dt.datetime, ip: str | None = None, user_agent: str = ""
) -> SecurityEvent:
    """Add a line to a person's security log.

    Without a person where no account has the address.
    """
    return SecurityEvent.objects.create(person=person, kind=kind, at=now, ip=ip or None, user_agent=user_agent[:200])


def blank_security_log(person: User) -> int:
    """Blank network address and browser in an erased person's log.

    The kinds and times of events stay.
    """
    return call_owner_function("blank_security_log", person.pk)


@transaction.atomic
def note_sign_in(*, person: User, now: dt.datetime, ip: str | None, user_agent: str) -> SecurityEvent:
    """Log a sign-in; email the person if network and browser are a new pair.

    The first sign-in is not emailed.
    """
    seen = SecurityEvent.objects.filter(
        person=person,
        kind__in=[SecurityEventKind.SIGNED_IN, SecurityEventKind.NEW_PLACE],
        at__gt=now - REMEMBERED,
    )
    known = list(seen.values_list("ip", "user_agent"))
    place = _neighbourhood(ip)
    familiar = any(_neighbourhood(one) == place and agent == user_agent[:200] for one, agent in known)
    first = not known
    kind = SecurityEventKind.SIGNED_IN if familiar or first else SecurityEventKind.NEW_PLACE
    event = note_event(person=person, kind=kind, now=now, ip=ip, user_agent=user_agent)
    if kind == SecurityEventKind.NEW_PLACE:
        record_email(kind="people.new_sign_in", person_id=person.pk, params={"event": event.pk}, now=now)
    return event
