"""Requests typed into public pages, processed in the background.

The pages do the same for every address, so neither their text nor their duration shows whether we know it.
"""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import F

from partnerships.digests.models import EmailRequest
from partnerships.digests.services.following import ask_for
from partnerships.digests.services.new_links import send_links
from partnerships.people.services import find_person
from partnerships.plans.models import Plan

log = structlog.get_logger(__name__)

#: Requests processed in one round.
_MAX_A_ROUND = 200
#: How often a request is tried before it is set aside.
MAX_ATTEMPTS = 5


def record_request(*, email: str, plan: Plan | None = None, frequency: str = "", now: dt.datetime) -> None:
    """Record an address that wants new links or, with a plan, its digests.

    The next sweep processes it within seconds; the broker is not needed.
    """
    EmailRequest.objects.create(address=email, plan=plan, frequency=frequency, typed_at=now)


def process_requests(*, now: dt.datetime) -> int:
    """Process waiting requests; return how many. May run in parallel."""
    tried = EmailRequest.objects.filter(tries__lt=MAX_ATTEMPTS).order_by("tries", "pk")
    waiting = list(tried.values_list("pk", flat=True)[:_MAX_A_ROUND])
    return sum(_process(pk, now=now) for pk in waiting)


def _process(pk: int, *, now: dt.datetime) -> bool:
    """Process one request; False if another worker has it, or if it failed."""
    try:
        with transaction.atomic():
            rows = EmailRequest.objects.select_for_update(skip_locked=True, of=("self",)).select_related("plan")
            request = rows.filter(pk=pk).first()
            if request is None:
                return False
            request.delete()
            _act(request, now=now)
    except Exception as error:  # noqa: BLE001 - a failed request is retried after the others, then set aside
        EmailRequest.objects.filter(pk=pk).update(tries=F("tries") + 1)
        log.error("email_request_failed", email_request=pk, kind=type(error).__name__)
        return False
    return True


def _act(request: EmailRequest, *, now: dt.datetime) -> None:
    if request.plan is None:
        person = find_person(request.address)
        if person is not None:
            send_links(person=person, now=now)
    elif Plan.objects.public().filter(pk=request.plan.pk).exists():
        ask_for(email=request.address, target=request.plan, frequency=request.frequency, now=now)
