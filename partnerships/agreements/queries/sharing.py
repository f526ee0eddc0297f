"""Whether personal data is open in a partnership: a signed data-sharing agreement.

A partnership of a kind that shares personal data opens it only while a data-sharing agreement between its parties is in
force: a partnership of a kind that is one, or a data-sharing schedule in its own terms.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from partnerships.agreements.models import (
    Partnership,
    Party,
    PartyRole,
    PartyStatus,
    Status,
    TermsInForce,
    has_status_on,
)
from partnerships.agreements.queries.terms import not_bound, version_in_force
from partnerships.agreements.terms.projection import day as day_of
from partnerships.organisations.audience import Everybody, Reader
from partnerships.organisations.models import Organisation

#: Statuses in which signed terms count.
COUNTS_IN = (Status.ACTIVE, Status.UNDER_REVIEW)
#: Codes of collections that are a data-sharing schedule.
SCHEDULES = ("data_items", "data_sharing")


@dataclass(frozen=True, slots=True)
class Sharing:
    """Whether personal data is open, through which agreement, or what is missing."""

    is_open: bool
    agreement: Partnership | None
    missing: str


def data_sharing_of(partnership: Partnership, day: dt.date) -> Sharing | None:
    """The state of data sharing on a day; None where no personal data is shared."""
    if not partnership.kind.needs_data_sharing and not has_marked_documents(partnership):
        return None
    if _own_schedule(partnership, day):
        return Sharing(True, partnership, "")
    found = agreement_between(partnership, day)
    if found is not None:
        return Sharing(True, found, "")
    return Sharing(
        False,
        None,
        "There is no signed data-sharing agreement in force between its parties. "
        "Personal data stays closed until there is one.",
    )


def has_marked_documents(partnership: Partnership) -> bool:
    """Whether any document is marked as personal data."""
    return partnership.documents.filter(personal_data=True, removed_at=None).exists()


def data_sharing_open(partnership: Partnership, day: dt.date, reader: Reader | None = None) -> bool:
    """Whether personal data may be read in the partnership on a day.

    The partnership's own schedule does not count for a reader whose parties all joined later and have not signed it.
    For everybody of some organisations, one such party is enough.
    """
    if _own_schedule(partnership, day) and (reader is None or _is_bound(partnership, day, reader)):
        return True
    return agreement_between(partnership, day) is not None


def _is_bound(partnership: Partnership, day: dt.date, reader: Reader) -> bool:
    unsigned = not_bound(partnership, day)
    if isinstance(reader, Everybody):
        return unsigned.isdisjoint(reader.organisations)
    if not unsigned:
        return True
    theirs = Party.objects.present().filter(
        partnership=partnership, organisation__in=Organisation.objects.of_person(reader)
    )
    return not theirs.exists() or theirs.exclude(organisation__in=unsigned).exists()


def _own_schedule(partnership: Partnership, day: dt.date) -> bool:
    """Whether the signed terms have a data-sharing schedule in force."""
    if partnership.state_on(day) not in COUNTS_IN:
        return False
    version = version_in_force(partnership, day)
    if version is None or version.was_accepted_before_signing:
        return False
    if partnership.kind.gives_data_sharing:
        return _runs_on(version.content["about"], day)
    return any(version.content.get(code) for code in SCHEDULES) and _runs_on(version.content["about"], day)


def _runs_on(about: dict[str, object], day: dt.date) -> bool:
    """Whether the dates of the terms hold on a day."""
    starts, ends = day_of(about.get("starts_on")), day_of(about.get("ends_on"))
    return (starts is None or starts <= day) and (ends is None or day <= ends or bool(about.get("goes_on")))


def agreement_between(partnership: Partnership, day: dt.date) -> Partnership | None:
    """A data-sharing agreement in force on a day that all its parties have signed.

    Its parties must include every party of the partnership except observers.
    """
    needed = set(
        Party.objects.present()
        .filter(partnership=partnership)
        .exclude(role=PartyRole.OBSERVER)
        .values_list("organisation", flat=True)
    )
    if len(needed) < 2:
        return None
    in_force = TermsInForce.objects.on(day).values("partnership")
    counts = has_status_on(Status.ACTIVE, day) | has_status_on(Status.UNDER_REVIEW, day)
    candidates = Partnership.objects.filter(
        counts,
        kind__gives_data_sharing=True,
        pk__in=list(in_force.values_list("partnership", flat=True)),
        parties__organisation__in=needed,
        parties__status=PartyStatus.ACCEPTED,
    ).distinct()
    for one in candidates.order_by("pk"):
        parties = set(
            Party.objects.present()
            .filter(partnership=one)
            .exclude(role=PartyRole.OBSERVER)
            .values_list("organisation", flat=True)
        )
        if needed <= parties and _own_schedule(one, day) and not needed & not_bound(one, day):
            return one
    return None
