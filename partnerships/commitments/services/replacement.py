"""Replace a commitment by one with new terms, and copy the links, due dates and deliveries of the old one."""

from __future__ import annotations

import datetime as dt

from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Progress, Slippage, Status
from partnerships.commitments.origins import copy_links
from partnerships.commitments.registry import call_listeners
from partnerships.commitments.services.recording import record_event
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def replace_commitment(
    old: Commitment, successor: Commitment, *, author: User, organisation: Organisation, now: dt.datetime
) -> None:
    """Mark an old commitment as superseded by an agreed successor. The caller has locked both.

    The successor gets the links, the due dates and the delivered quantity of the old commitment. If the old commitment
    has ended since the new terms were proposed, only its links are copied.
    """
    copy_links(old, successor)
    if old.is_over:
        return
    _copy_due_dates(old, successor, author, now)
    _copy_delivered_quantity(old, successor, author, organisation, now)

    status_before = old.get_status_display()
    old.status = Status.SUPERSEDED
    old.status_since = now
    old.reason = f"Replaced by {successor.reference}, which both organisations agreed."
    old.save(update_fields=["status", "status_since", "reason"])
    record_event(
        old,
        EventKind.SUPERSEDED,
        author=author,
        organisation=organisation,
        now=now,
        before=status_before,
        after=old.get_status_display(),
        reason=old.reason,
    )
    call_listeners(commitment=old, author=author, now=now)


def _copy_due_dates(old: Commitment, successor: Commitment, author: User, now: dt.datetime) -> None:
    """Copy the first due date and each change of it to the successor."""
    slippages = [
        Slippage(
            commitment=successor,
            was=slippage.was,
            now=slippage.now,
            reason=slippage.reason,
            by=slippage.by,
            at=slippage.at,
        )
        for slippage in old.slippages.select_related("by").order_by("at", "pk")
    ]
    if successor.due_on is not None and successor.due_on != old.due_on:
        reason = f"Agreed to replace {old.reference}."
        slippages.append(
            Slippage(commitment=successor, was=old.due_on, now=successor.due_on, reason=reason, by=author, at=now)
        )
    Slippage.objects.bulk_create(slippages)
    successor.original_due_on = old.original_due_on
    successor.save(update_fields=["original_due_on"])


def _copy_delivered_quantity(
    old: Commitment, successor: Commitment, author: User, organisation: Organisation, now: dt.datetime
) -> None:
    """Copy the quantity delivered so far to the successor, if both have the same unit."""
    if successor.quantity is None or successor.unit != old.unit or not old.delivered_quantity:
        return
    Progress.objects.create(
        commitment=successor,
        delivered_before=successor.delivered_quantity,
        delivered=old.delivered_quantity,
        status=Status.IN_PROGRESS,
        note=f"Delivered under {old.reference}.",
        by=author,
        organisation=organisation,
        at=now,
    )
    successor.delivered_quantity = old.delivered_quantity
    successor.status, successor.status_since = Status.IN_PROGRESS, now
    successor.save(update_fields=["delivered_quantity", "status", "status_since"])
