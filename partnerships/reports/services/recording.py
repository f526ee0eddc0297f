"""Lock whose reports they are, record what happened to them, and note for the journal what is no longer sent."""

from __future__ import annotations

import datetime as dt

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership, Party
from partnerships.kit import journal
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User
from partnerships.reports.event_kinds import EventKind
from partnerships.reports.models import FrozenReport, Recipient, Schedule

#: The journal's names for schedules that ended, and for who gets a scheduled report.
SCHEDULE, RECIPIENT = "report schedule", "report recipient"


def lock_body(body: Organisation | Partnership) -> None:
    """Lock the organisation or partnership, so that its parties and their roles stay as they are."""
    type(body)._default_manager.select_for_update(of=("self",), no_key=True).get(pk=body.pk)


def record_event(
    one: FrozenReport | Schedule, kind: EventKind, *, author: User | None, now: dt.datetime, reason: str = ""
) -> None:
    """Record an event within the organisation or partnership of the report.

    Without an author, the clock did it.
    """
    body = one.body
    is_organisation = isinstance(body, Organisation)
    record(
        actor_id=author.pk if author else None,
        organisation_id=body.pk if is_organisation else _acting_for(body.pk, author),
        kind=kind,
        target_kind="frozen_report" if isinstance(one, FrozenReport) else "report_schedule",
        target_id=one.pk,
        within_kind="organisation" if is_organisation else "partnership",
        within_id=body.pk,
        now=now,
        data={"title": one.name} | ({"reason": reason} if reason else {}),
    )


def _acting_for(partnership: int, author: User | None) -> int | None:
    """The party (id of its organisation) for which they edit; of several, the one that joined first."""
    if author is None:
        return None
    theirs = Organisation.objects.of_person(author, *EDITING_ROLES)
    parties = Party.objects.present().filter(partnership=partnership, organisation__in=theirs)
    return parties.order_by("joined_on", "pk").values_list("organisation", flat=True).first()


def schedule_identity(schedule: Schedule) -> str:
    """The journal's hash of a schedule."""
    return journal.identity(schedule.report, schedule.created_at)


def recipient_identity(recipient: Recipient) -> str:
    """The journal's hash of who gets which scheduled report."""
    person = recipient.person
    return journal.identity(person.pk, person.joined_at, schedule_identity(recipient.schedule))


def journal_schedule(schedule: Schedule, *, now: dt.datetime) -> None:
    """Note that a report is sent no more."""
    journal.note(SCHEDULE, now=now, schedule=schedule.pk, same=schedule_identity(schedule))


def journal_recipient(recipient: Recipient, *, now: dt.datetime, undone: bool = False) -> None:
    """Note that somebody no longer gets a scheduled report; `undone`: they do."""
    same = recipient_identity(recipient)
    journal.note(RECIPIENT, now=now, schedule=recipient.schedule_id, same=same, undone=undone)
