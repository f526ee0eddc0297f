"""Tell the next post of an organisation that its signature is late."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.documents.services import claim_escalation, lapsed_signatories
from partnerships.outbox.services import record_emails
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import Signatory, Status
from partnerships.plans.queries import next_post, signing_states
from partnerships.plans.services.recording import record_event


def escalate_signatories(*, now: dt.datetime) -> int:
    """Email the next post of each signatory whose deadline has passed, once.

    Returns how many signatories. A new deadline can be missed again. Safe to run twice: a conditional update claims
    each signatory in the transaction that records its emails.
    """
    waiting = lapsed_signatories(Signatory.objects.filter(plan__status=Status.AWAITING_SIGN_OFF), now=now)
    return sum(_escalate(signatory, now) for signatory in waiting.select_related("plan", "organisation").order_by("pk"))


@transaction.atomic
def _escalate(signatory: Signatory, now: dt.datetime) -> bool:
    plan, organisation, due_on = signatory.plan, signatory.organisation, signatory.due_on
    state = next((state for state in signing_states(plan) if state.signatory.pk == signatory.pk), None)
    if due_on is None or state is None or not state.must_decide or not claim_escalation(signatory, now=now):
        return False
    people = next_post(signatory, now)
    record_emails(
        kind="plans.sign_off_escalation",
        people=[person.pk for person in people],
        params={"signatory": signatory.pk, "due_on": due_on.isoformat()},
        sender_id=plan.owners.order_by("pk").values_list("organisation", flat=True).first(),
        now=now,
    )
    record_event(
        plan,
        EventKind.SIGN_OFF_ESCALATED,
        author=None,
        organisation=organisation,
        kind="plan_signing",
        now=now,
        data={
            "title": plan.title,
            "reason": organisation.name,
            "signatory": organisation.pk,
            "people": [person.pk for person in people],
            "decide_by": due_on.isoformat(),
        },
    )
    return True
