"""Records requests from public pages, and processes them in the background.

The pages do the same for every address, so neither their text nor the time that they take shows whether we know it.
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

#: The most requests that are processed in one round.
_MAX_A_ROUND = 200
#: The number of attempts after which a failed request is set aside.
MAX_ATTEMPTS = 5


def record_request(*, email: str, plan: Plan | None = None, frequency: str = "", now: dt.datetime) -> None:
    """Record that a visitor asks for new links or, with a plan, for its digests.

    The sweep processes the request within seconds.
    """
    EmailRequest.objects.create(address=email, plan=plan, frequency=frequency, typed_at=now)


def process_requests(*, now: dt.datetime) -> int:
    """Process the waiting requests, and return how many. May run in several processes at the same time."""
    waiting = EmailRequest.objects.filter(tries__lt=MAX_ATTEMPTS).order_by("tries", "pk")
    request_ids = list(waiting.values_list("pk", flat=True)[:_MAX_A_ROUND])
    return sum(_process(pk, now=now) for pk in request_ids)


def _process(pk: int, *, now: dt.datetime) -> bool:
    """Process one request; return False if another process has locked it, or if processing failed."""
    try:
        with transaction.atomic():
            unlocked = EmailRequest.objects.select_for_update(skip_locked=True, of=("self",)).select_related("plan")
            request = unlocked.filter(pk=pk).first()
            if request is None:
                return False
            request.delete()
            _fulfil(request, now=now)
    except Exception as error:  # noqa: BLE001 - after any failure, the others are processed; this one is tried again
        EmailRequest.objects.filter(pk=pk).update(tries=F("tries") + 1)
        log.error("email_request_failed", email_request=pk, kind=type(error).__name__)
        return False
    return True


def _fulfil(request: EmailRequest, *, now: dt.datetime) -> None:
    """Send new links, or ask whether the owner of the address wants the digests of a public plan."""
    if request.plan is None:
        person = find_person(request.address)
        if person is not None:
            send_links(person=person, now=now)
    elif Plan.objects.public().filter(pk=request.plan.pk).exists():
        ask_for(email=request.address, target=request.plan, frequency=request.frequency, now=now)
