"""The security log: noting what happens to an account, and telling its owner by email when it matters."""

from __future__ import annotations

import datetime as dt
import ipaddress

from django.db import transaction

from partnerships.kit.owner_functions import call_owner_function
from partnerships.outbox.services import record_email
from partnerships.people.models import SecurityEvent, SecurityEventKind, User

#: A place that somebody signed in from within this time is no news.
REMEMBERED = dt.timedelta(days=180)


def _neighbourhood(ip: str | None) -> str:
    """The network an address belongs to: providers hand out single addresses anew every day."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{address}/{16 if address.version == 4 else 32}", strict=False))


def note_event(
    *, person: User | None, kind: str, now: dt.datetime, ip: str | None = None, user_agent: str = ""
) -> SecurityEvent:
    """One line of a person's security log, or of nobody's where no account has the address that was given."""
    return SecurityEvent.objects.create(person=person, kind=kind, at=now, ip=ip or None, user_agent=user_agent[:200])


def blank_security_log(person: User) -> int:
    """Blank network address and browser in the log of a person who is erased; what happened, and when, stays."""
    return call_owner_function("blank_security_log", person.pk)


@transaction.atomic
def note_sign_in(*, person: User, now: dt.datetime, ip: str | None, user_agent: str) -> SecurityEvent:
    """Note a sign-in; when neither the network nor the browser is known, the person is told by email."""
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
