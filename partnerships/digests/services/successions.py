"""Telling people without an account of a succession."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.digests.models import DeliveryKind
from partnerships.digests.queries.successions import stakeholders_of
from partnerships.organisations.models import Succession
from partnerships.outbox.services import record_emails


@transaction.atomic
def tell_stakeholders(succession: Succession, now: dt.datetime) -> int:
    """Email each stakeholder whom the succession concerns, once; returns how many."""
    people = stakeholders_of(succession, day=timezone.localdate(now))
    made = record_emails(kind=DeliveryKind.SUCCESSION, people=people, params={"succession": succession.pk}, now=now)
    return len(made)
