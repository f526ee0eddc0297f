"""The security log of accounts, and emails to their owners."""

from __future__ import annotations

import datetime as dt
import ipaddress

from django.db import transaction

from partnerships.kit.owner_functions import call_owner_function
from partnerships.outbox.services import record_email
from partnerships.people.models import SecurityEvent, SecurityEventKind, User

#: A sign-in from a network and browser that were used within this time is not emailed.
REMEMBERED = dt.timedelta(days=180)
#: Characters of a browser's description that are kept.
_MAX_USER_AGENT = 200


def _network(ip: str | None) -> str:
    """Return the network of an address, because single addresses change every day; "" if it is not valid."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return ""
    prefix_length = 16 if address.version == 4 else 32
    return str(ipaddress.ip_network(f"{address}/{prefix_length}", strict=False))


def note_event(
    *, person: User | None, kind: str, now: dt.datetime, ip: str | None = None, user_agent: str = ""
) -> SecurityEvent:
    """Add an event to a person's security log; without a person if no account has the address."""
    return SecurityEvent.objects.create(
        person=person, kind=kind, at=now, ip=ip or None, user_agent=user_agent[:_MAX_USER_AGENT]
    )


def blank_security_log(person: User) -> int:
    """Remove IP addresses and browsers from an erased person's log; the kinds and times of events stay."""
    return call_owner_function("blank_security_log", person.pk)


@transaction.atomic
def note_sign_in(*, person: User, now: dt.datetime, ip: str | None, user_agent: str) -> SecurityEvent:
    """Log a sign-in, and email the person if they have not signed in from this network with this browser before.

    The first sign-in is not emailed.
    """
    recent_sign_ins = SecurityEvent.objects.filter(
        person=person,
        kind__in=[SecurityEventKind.SIGNED_IN, SecurityEventKind.NEW_PLACE],
        at__gt=now - REMEMBERED,
    )
    known_places = {
        (_network(known_ip), known_agent) for known_ip, known_agent in recent_sign_ins.values_list("ip", "user_agent")
    }
    is_first = not known_places
    is_known = (_network(ip), user_agent[:_MAX_USER_AGENT]) in known_places
    kind = SecurityEventKind.SIGNED_IN if is_known or is_first else SecurityEventKind.NEW_PLACE
    event = note_event(person=person, kind=kind, now=now, ip=ip, user_agent=user_agent)
    if kind == SecurityEventKind.NEW_PLACE:
        record_email(kind="people.new_sign_in", person_id=person.pk, params={"event": event.pk}, now=now)
    return event
