"""Locks, events and journal lines for the services of reports.

The journal has lines about ended schedules, and about people who stop or renew a scheduled report.
"""

from __future__ import annotations

import datetime as dt

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership, Party
from partnerships.kit import journal
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User
from partnerships.reports.event_kinds import EventKind
from partnerships.reports.models import FrozenReport, Recipient, Schedule

#: The kinds of journal lines about ended schedules, and about recipients.
SCHEDULE, RECIPIENT = "report schedule", "report recipient"


def lock_audience(audience: Organisation | Partnership) -> None:
    """Lock the organisation or partnership, so that its parties and their roles do not change before the commit."""
    type(audience)._default_manager.select_for_update(of=("self",), no_key=True).get(pk=audience.pk)


def record_event(
    subject: FrozenReport | Schedule, kind: EventKind, *, author: User | None, now: dt.datetime, reason: str = ""
) -> None:
    """Record an event of a report within its organisation or partnership.

    The author is None for scheduled reports.
    """
    audience = subject.audience
    is_organisation = isinstance(audience, Organisation)
    record(
        actor_id=author.pk if author else None,
        organisation_id=audience.pk if is_organisation else _acting_organisation_id(audience.pk, author),
        kind=kind,
        target_kind="frozen_report" if isinstance(subject, FrozenReport) else "report_schedule",
        target_id=subject.pk,
        within_kind="organisation" if is_organisation else "partnership",
        within_id=audience.pk,
        now=now,
        data={"title": subject.name} | ({"reason": reason} if reason else {}),
    )


def _acting_organisation_id(partnership_id: int, author: User | None) -> int | None:
    """Return the id of the author's organisation in the partnership, or of the first to join if there are several."""
    if author is None:
        return None
    edited_organisations = Organisation.objects.of_person(author, *EDITING_ROLES)
    parties = Party.objects.accepted().filter(partnership=partnership_id, organisation__in=edited_organisations)
    return parties.order_by("joined_on", "pk").values_list("organisation", flat=True).first()


def schedule_identity(schedule: Schedule) -> str:
    """Return the hash by which the journal identifies a schedule."""
    return journal.identity(schedule.report, schedule.created_at)


def recipient_identity(recipient: Recipient) -> str:
    """Return the hash by which the journal identifies a recipient of a schedule."""
    person = recipient.person
    return journal.identity(person.pk, person.joined_at, schedule_identity(recipient.schedule))


def journal_schedule(schedule: Schedule, *, now: dt.datetime) -> None:
    """Add a line to the journal that a schedule has ended."""
    journal.note(SCHEDULE, now=now, schedule=schedule.pk, same=schedule_identity(schedule))


def journal_recipient(recipient: Recipient, *, now: dt.datetime, undone: bool = False) -> None:
    """Add a line to the journal that a person stopped a scheduled report or, if `undone`, gets it again."""
    same = recipient_identity(recipient)
    journal.note(RECIPIENT, now=now, schedule=recipient.schedule_id, same=same, undone=undone)
