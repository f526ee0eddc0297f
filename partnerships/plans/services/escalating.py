"""Escalate late signatures of plans to the next post of the signatory's organisation."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.documents.services import escalate_late
from partnerships.outbox.services import record_emails
from partnerships.plans.event_kinds import EventKind, EventTarget
from partnerships.plans.models import Signatory, Status
from partnerships.plans.queries import people_at_next_post
from partnerships.plans.services.recording import record_event
from partnerships.plans.services.reminding import must_decide


def escalate_signatories(*, now: dt.datetime) -> int:
    """Email the people in the next post of each late signatory once, and return the number of signatories."""
    signatories = Signatory.objects.filter(plan__status=Status.AWAITING_SIGN_OFF)
    return escalate_late(
        signatories.select_related("plan", "organisation"),
        must_decide=must_decide,
        email_next_post=partial(_escalate, now=now),
        now=now,
    )


def _escalate(signatory: Signatory, *, now: dt.datetime) -> None:
    """Email the people in the next post of a late signatory's organisation, and record the event."""
    plan, due_on = signatory.plan, str(signatory.due_on)
    people = people_at_next_post(signatory, now)
    record_emails(
        kind="plans.sign_off_escalation",
        people=[person.pk for person in people],
        params={"signatory": signatory.pk, "due_on": due_on},
        sender_id=plan.owners.order_by("pk").values_list("organisation", flat=True).first(),
        now=now,
    )
    record_event(
        plan,
        EventKind.SIGN_OFF_ESCALATED,
        author=None,
        organisation=signatory.organisation,
        target=EventTarget.SIGNING,
        now=now,
        data={
            "title": plan.title,
            "reason": signatory.organisation.name,
            "signatory": signatory.organisation_id,
            "people": [person.pk for person in people],
            "decide_by": due_on,
        },
    )
