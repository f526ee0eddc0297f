"""Calendar entries for the dates of partnerships, the target dates of objectives, and the days to sign terms by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import OuterRef, QuerySet, Subquery

from partnerships.activity.models import Event
from partnerships.activity.queries import Revision, revisions_of
from partnerships.agreements.models import (
    Objective,
    ObjectiveStatus,
    Partnership,
    PartnershipQuerySet,
    ProposalStatus,
    TermsSignatory,
    TermsSignature,
    TermsVersion,
    last_day,
)
from partnerships.agreements.queries.dates import last_day_for_notice
from partnerships.kit.calendars import CalendarEntry, CalendarKind, CalendarSource
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def dates_of_partnerships(user: User, partnership_ids: Collection[int]) -> list[CalendarEntry]:
    """Return the dates of those of these partnerships in which the person takes part.

    The dates are the start, review, end and last day for notice.
    """
    own_partnerships = Partnership.objects.with_party_of(user).filter(pk__in=partnership_ids)
    return _entries_of_partnerships(list(own_partnerships.order_by("pk")))


def _partnerships(user: User, partnership_ids: list[int]) -> PartnershipQuerySet:
    """Return the partnerships in which the person takes part, or only those with these ids."""
    own_partnerships = Partnership.objects.with_party_of(user).order_by("pk")
    return own_partnerships.filter(pk__in=partnership_ids) if partnership_ids else own_partnerships


def _entries_of_partnerships(partnerships: list[Partnership]) -> list[CalendarEntry]:
    """Return the calendar entries of all these partnerships."""
    revisions = revisions_of([partnership.pk for partnership in partnerships], "partnership")
    entries: list[CalendarEntry] = []
    for partnership in partnerships:
        # A partnership that was never changed has no revision.
        revision = revisions.get(partnership.pk, Revision(number=0, at=partnership.created_at))
        entries += _entries_of_partnership(partnership, revision)
    return entries


def _entries_of_partnership(partnership: Partnership, revision: Revision) -> list[CalendarEntry]:
    """Return calendar entries for the start, review, end and last day for notice.

    If the partnership has ended, entries on later days are cancelled.
    """
    entries: list[CalendarEntry] = []

    def add_entry(kind: CalendarKind, name: str, label: str, day: dt.date | None) -> None:
        if day is None:
            return
        entries.append(
            CalendarEntry(
                kind=kind,
                key=f"partnership-{partnership.pk}-{name}",
                title=f"{label}: {partnership.title}",
                path=partnership.get_absolute_url(),
                starts=day,
                note=str(partnership.state_label),
                changed_at=revision.at,
                sequence=revision.number,
                is_cancelled=_is_after_end(partnership, day),
            )
        )

    add_entry(CalendarKind.END, "start", "Starts", partnership.starts_on)
    add_entry(CalendarKind.REVIEW, "review", "Review", partnership.review_on)
    final_day = last_day(partnership)
    if final_day:
        add_entry(CalendarKind.END, "end", "Last day", final_day)
    else:
        add_entry(CalendarKind.END, "end", "Continues unless ended", partnership.ends_on)
    # Once a notice ends the partnership, the last day to give notice no longer matters.
    if not partnership.notice_ends_on:
        add_entry(CalendarKind.END, "notice", "Last day to give notice", last_day_for_notice(partnership))
    return entries


def _is_after_end(partnership: Partnership, day: dt.date) -> bool:
    """Return whether the partnership has ended and this day is later than its last day."""
    final_day = last_day(partnership) if partnership.is_over else None
    return final_day is not None and day > final_day


def _objectives(user: User, partnership_ids: list[int]) -> QuerySet[Objective]:
    """Return the objectives that the person may see, in these partnerships or in all."""
    changes = Event.objects.filter(target_kind="partnership", target_id=OuterRef("partnership")).order_by("-at")
    objectives = Objective.objects.visible_to(user).annotate(partnership_changed_at=Subquery(changes.values("at")[:1]))
    objectives = objectives.select_related("partnership").order_by("pk")
    return objectives.filter(partnership__in=partnership_ids) if partnership_ids else objectives


def _entries_of_objectives(objectives: list[Objective]) -> list[CalendarEntry]:
    """Return the target dates of these objectives."""
    return [
        CalendarEntry(
            kind=CalendarKind.MILESTONE,
            key=f"objective-{objective.pk}",
            title=f"Target: {objective.text}",
            path=objective.get_absolute_url(),
            starts=objective.target_on,
            note=objective.get_status_display(),
            within=objective.partnership.title,
            partnership=objective.partnership_id,
            changed_at=objective.partnership_changed_at or objective.created_at,  # type: ignore[attr-defined]  # annotated
            sequence=objective.revision - 1,
            is_cancelled=objective.status == ObjectiveStatus.DROPPED
            or _is_after_end(objective.partnership, objective.target_on),
        )
        for objective in objectives
    ]


def _signatories(user: User, partnership_ids: list[int]) -> QuerySet[TermsSignatory]:
    """Return the parties of these partnerships that must sign terms by a day.

    Without partnerships, only the person's own organisations are returned, in all their partnerships.
    """
    signatories = TermsSignatory.objects.filter(
        due_on__isnull=False,
        version__in=TermsVersion.objects.visible_to(user).order_by().values("pk"),
        version__partnership__in=Partnership.objects.with_party_of(user).values("pk"),
    )
    if partnership_ids:
        signatories = signatories.filter(version__partnership__in=partnership_ids)
    else:
        signatories = signatories.filter(organisation__in=Organisation.objects.of_person(user))
    return signatories.order_by("pk").select_related("organisation", "version__partnership", "version__proposal")


def entries_of_signatories(signatories: Collection[TermsSignatory]) -> list[CalendarEntry]:
    """Return the days by which these organisations are asked to sign. Makes one query.

    Each version that is sent for signature has its own requests, and so its own calendar entries.
    """
    signatures = TermsSignature.objects.filter(version__in=[signatory.version_id for signatory in signatories])
    decided_at_by_party: dict[tuple[int, int], dt.datetime] = {}
    for signature in signatures.only("version", "organisation", "signed_at"):
        decided_at_by_party[signature.version_id, signature.organisation_id] = signature.signed_at
    entries = []
    for signatory in signatories:
        if signatory.due_on is not None:
            decided_at = decided_at_by_party.get((signatory.version_id, signatory.organisation_id))
            entries.append(_signature_entry(signatory, signatory.due_on, decided_at))
    return entries


def _signature_entry(signatory: TermsSignatory, day: dt.date, decided_at: dt.datetime | None) -> CalendarEntry:
    """Return the calendar entry for the day to sign by.

    The entry remains after the organisation has decided. It is cancelled if signing stops before that.
    """
    version, proposal = signatory.version, signatory.version.proposal
    is_open = signatory.joins or (proposal is not None and proposal.status == ProposalStatus.AWAITING)
    has_stopped = signatory.removed_at is not None or not is_open
    is_cancelled = has_stopped and decided_at is None
    stopped_at = signatory.removed_at
    if stopped_at is None and proposal is not None:
        stopped_at = proposal.decided_at

    # Calendar programs update an entry if its sequence number has grown, so the number counts the changes.
    changes = []
    if decided_at is not None:
        changes.append(decided_at)
    if is_cancelled and stopped_at is not None:
        changes.append(stopped_at)
    return CalendarEntry(
        kind=CalendarKind.SIGNATURE,
        key=f"terms-signature-{signatory.pk}",
        title=f"{signatory.organisation.display_name} to sign the terms: {version.partnership.title}",
        path=version.get_absolute_url(),
        starts=day,
        note=signatory.role if decided_at is None else "Decided",
        within=version.partnership.title,
        partnership=version.partnership_id,
        changed_at=max([signatory.asked_at, *changes]),
        sequence=len(changes),
        is_cancelled=is_cancelled,
    )


SOURCES = (
    CalendarSource(_partnerships, _entries_of_partnerships),
    CalendarSource(_objectives, _entries_of_objectives),
    CalendarSource(_signatories, entries_of_signatories),
)
