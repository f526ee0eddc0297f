"""Scheduled tasks of this room."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from partnerships.agreements.services import (
    ask_joined_parties,
    ask_new_signers,
    carry_out_notices,
    escalate_late_signatures,
    lapse_proposals,
    record_dates_near,
    record_due_steps,
    record_terms_in_force,
    remind_of_dates,
    remind_terms_signers,
    withdraw_left_over_invitations,
)


@shared_task
def act_on_dates() -> None:
    """Record the changes that follow from the dates of partnerships. May run twice."""
    now = timezone.now()
    # Terms come first, because signed terms may move the end date.
    record_terms_in_force(now=now)
    record_due_steps(now=now)
    carry_out_notices(now=now)
    withdraw_left_over_invitations(now=now)
    record_dates_near(now=now)
    remind_of_dates(now=now)


@shared_task
def act_on_terms() -> None:
    """Record terms that have come into force, and chase signatures. May run twice."""
    now = timezone.now()
    record_terms_in_force(now=now)
    lapse_proposals(now=now)
    ask_joined_parties(now=now)
    ask_new_signers(now=now)
    remind_terms_signers(now=now)
    escalate_late_signatures(now=now)
