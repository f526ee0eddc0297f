"""Record that somebody consents to handovers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from partnerships.kit.rights import require
from partnerships.organisations.models import Handover
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.handovers import UnableToHandOverLines
from partnerships.people.models import User


@transaction.atomic
def record_consent(
    *,
    lines: Collection[Handover],
    given_by: str,
    given_on: dt.date,
    evidence: str,
    author: User | None,
    now: dt.datetime,
) -> int:
    """Record the consent that these lines need; returns how many. What was accepted then passes on.

    Leads of the predecessor or of the successor that keeps the record, and administrators. Raises
    `UnableToHandOverLines`.
    """
    roles = roles_of(author, now)
    waiting = Handover.objects.select_for_update().filter(pk__in=[line.pk for line in lines])
    found = list(waiting.lacking_consent().order_by("pk"))
    for sides in {(line.predecessor_id, line.successor_id) for line in found}:
        require(roles.keeps_directory or any(roles.lead(pk) for pk in sides))
    if not found or len(found) < len(lines):
        raise UnableToHandOverLines("Consent to some of these was recorded already. Look at the list again.")
    if not given_by.strip() or not evidence.strip():
        raise UnableToHandOverLines("Say who gave the consent and where it can be read.")
    if given_on > timezone.localdate(now):
        raise UnableToHandOverLines("Consent cannot have been given after today.")
    return waiting.update(consent_from=given_by.strip(), consent_on=given_on, evidence=evidence.strip())
