"""The security log of accounts, and emails to their owners."""

from __future__ import annotations

import datetime as dt
import ipaddress

from django.db import transaction

from partnerships.kit.owner_functions import call_owner_function
from partnerships.outbox.services import record_email
from partnerships.people.models import SecurityEvent, SecurityEventKind, User

#: How long a network and browser are remembered. A sign-in from a remembered place is not emailed.
REMEMBERED = dt.timedelta(days=180)
#: The number of characters of a browser's description that are stored.
_MAX_USER_AGENT = 200


def _network(ip: str | None) -> str:
    """Return the network of an address, because single addresses change every day; "" if the address is not valid."""
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return ""
    prefix_length = 16 if address.version == 4 else 32
    return str(ipaddress.ip_network(f"{address}/{prefix_length}", strict=False))


def record_security_event(
    *, person: User | None, kind: str, now: dt.datetime, ip: str | None = None, user_agent: str = ""
) -> SecurityEvent:
    """Add an event to a person's security log. `person` is None if no account has the address."""
    return SecurityEvent.objects.create(
        person=person, kind=kind, at=now, ip=ip or None, user_agent=user_agent[:_MAX_USER_AGENT]
    )


def clear_security_log(person: User) -> int:
    """Clear the IP addresses and browsers in an erased person's log. The kinds and times of events are kept."""
    return call_owner_function("blank_security_log", person.pk)


@transaction.atomic
def record_sign_in(*, person: User, now: dt.datetime, ip: str | None, user_agent: str) -> SecurityEvent:
    """Log a sign-in, and email the person if this network and browser are new.

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
    event = record_security_event(person=person, kind=kind, now=now, ip=ip, user_agent=user_agent)
    if kind == SecurityEventKind.NEW_PLACE:
        record_email(kind="people.new_sign_in", person_id=person.pk, params={"event": event.pk}, now=now)
    return event
