"""Email the leads of signatories when they are asked to sign, and before and after their deadline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from partnerships.organisations.queries import leads_of
from partnerships.outbox.services import record_emails
from partnerships.people.lead_times import lead_times_by_person
from partnerships.people.models import ReminderKind, User
from partnerships.plans.models import Signatory, Status
from partnerships.plans.queries import signing_states
from partnerships.plans.services.recording import acting_organisation


def email_request(signatory: Signatory, *, author: User | None, now: dt.datetime, again: bool = False) -> None:
    """Email the link to sign to the leads of a signatory's organisation, except the author of the request.

    `again` means that the organisation was asked before, about an earlier version.
    """
    lead_ids = [lead.pk for lead in leads_of(signatory.organisation) if lead != author]
    _record_emails(signatory, lead_ids, {"reminder": False, "again": again}, author=author, now=now)


def remind_signatories(*, now: dt.datetime) -> int:
    """Remind the leads of signatories that have not decided, and return how many signatories were reminded.

    Each lead is reminded at the lead times that they have chosen, for example seven days before the deadline. After
    the deadline, or if there is none, all leads are reminded once a week. This is safe to run twice.
    """
    lead_times = lead_times_by_person(ReminderKind.SIGNATURES)
    signatories = Signatory.objects.filter(removed_at=None, plan__status=Status.AWAITING_SIGN_OFF)
    reminder_count = 0
    for signatory in signatories.select_related("plan", "organisation").order_by("pk"):
        # The first check needs no query. For most signatories, today is not the lead time of any person.
        if not signatory.is_reminder_due(now, lead_times.any_days) or not must_decide(signatory):
            continue
        lead_ids = [lead.pk for lead in leads_of(signatory.organisation)]
        lead_ids_to_remind = [pk for pk in lead_ids if signatory.is_reminder_due(now, lead_times.of(pk))]
        # An organisation without leads is marked as reminded, although nobody gets an email.
        if lead_ids and not lead_ids_to_remind:
            continue
        reminder_count += _remind(signatory, lead_ids_to_remind, now=now)
    return reminder_count


@transaction.atomic
def _remind(signatory: Signatory, lead_ids: Sequence[int], *, now: dt.datetime) -> bool:
    """Remind these leads, and return False if another run has just reminded the signatory."""
    # Of several simultaneous runs, only the first finds the row unchanged and sends the reminder.
    unchanged_row = Signatory.objects.filter(pk=signatory.pk, reminded_at=signatory.reminded_at)
    if not unchanged_row.update(reminded_at=now):
        return False

    # The time of the last email distinguishes this reminder from earlier ones.
    last_emailed_at = signatory.reminded_at or signatory.asked_at
    params = {"reminder": True, "again": False, "owed_since": last_emailed_at.isoformat()}
    _record_emails(signatory, lead_ids, params, author=None, now=now)
    return True


def _record_emails(
    signatory: Signatory, lead_ids: Sequence[int], params: dict[str, Any], *, author: User | None, now: dt.datetime
) -> None:
    """Record an email with a link to sign for each of these leads."""
    sender = acting_organisation(signatory.plan, author)
    record_emails(
        kind="plans.sign_off_request",
        people=lead_ids,
        params={"signatory": signatory.pk, "asked_at": signatory.asked_at.isoformat(), **params},
        sender_id=sender.pk if sender else None,
        now=now,
    )


def must_decide(signatory: Signatory) -> bool:
    """Return whether a signatory still takes part and has not decided on the present version."""
    states = signing_states(signatory.plan)
    return any(state.must_decide for state in states if state.signatory.pk == signatory.pk)
