"""Whether personal data is open in a partnership: a signed data-sharing agreement.

A partnership of a kind that shares personal data opens it only while a data-sharing agreement between its parties is in
force: a partnership of a kind that is one, or a data-sharing schedule in its own terms.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from partnerships.agreements.models import (
    Partnership,
    Party,
    PartyRole,
    Status,
    TermsInForce,
    TermsVersion,
    has_status_on,
)
from partnerships.agreements.queries.terms import bound_organisation_ids, unbound_organisation_ids, version_in_force
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
    """The state of data sharing on a day.

    None where no personal data is shared.
    """
    if not partnership.kind.needs_data_sharing and not has_marked_documents(partnership):
        return None
    if _own_schedule(partnership, day):
        return Sharing(True, partnership, "")
    agreement = agreement_between(partnership, day)
    if agreement is not None:
        return Sharing(True, agreement, "")
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
    unsigned = unbound_organisation_ids(partnership, day)
    if isinstance(reader, Everybody):
        return unsigned.isdisjoint(reader.organisations)
    if not unsigned:
        return True
    own_parties = Party.objects.present().filter(
        partnership=partnership, organisation__in=Organisation.objects.of_person(reader)
    )
    return not own_parties.exists() or own_parties.exclude(organisation__in=unsigned).exists()


def open_among(partnerships: Collection[Partnership], day: dt.date) -> set[int]:
    """Those (ids) in which a signed data-sharing agreement opens personal data on a day; a few queries for all."""
    versions = _versions_in_force([partnership.pk for partnership in partnerships], day)
    own = {
        partnership.pk
        for partnership in partnerships
        if partnership.pk in versions and _has_schedule(partnership, versions[partnership.pk], day)
    }
    return (
        own
        | agreements_between([partnership.pk for partnership in partnerships if partnership.pk not in own], day).keys()
    )


def _own_schedule(partnership: Partnership, day: dt.date) -> bool:
    """Whether the signed terms have a data-sharing schedule in force."""
    if partnership.state_on(day) not in COUNTS_IN:
        return False
    version = version_in_force(partnership, day)
    return version is not None and _has_schedule(partnership, version, day)


def _has_schedule(partnership: Partnership, version: TermsVersion, day: dt.date) -> bool:
    """Whether these terms, which are in force, are or have a data-sharing schedule that runs on a day."""
    if partnership.state_on(day) not in COUNTS_IN or version.was_accepted_before_signing:
        return False
    if partnership.kind.gives_data_sharing:
        return _runs_on(version.content["about"], day)
    return any(version.content.get(code) for code in SCHEDULES) and _runs_on(version.content["about"], day)


def _runs_on(about: dict[str, object], day: dt.date) -> bool:
    """Whether the dates of the terms hold on a day."""
    starts, ends = day_of(about.get("starts_on")), day_of(about.get("ends_on"))
    return (starts is None or starts <= day) and (ends is None or day <= ends or bool(about.get("goes_on")))


def agreement_between(partnership: Partnership, day: dt.date) -> Partnership | None:
    """A data-sharing agreement in force on a day that all its parties have signed."""
    return agreements_between([partnership.pk], day).get(partnership.pk)


def agreements_between(partnerships: Collection[int], day: dt.date) -> dict[int, Partnership]:
    """For each of these partnerships (ids), a data-sharing agreement in force on a day, signed by all its parties.

    Its parties must include every party of the partnership except observers. At most five queries, unless a successor
    of a party that has signed takes part.
    """
    needed = {pk: bodies for pk, bodies in _signing_parties(partnerships).items() if len(bodies) > 1}
    if not needed:
        return {}
    counts = has_status_on(Status.ACTIVE, day) | has_status_on(Status.UNDER_REVIEW, day)
    taking_part = Party.objects.present().filter(organisation__in=set().union(*needed.values()))
    candidates = Partnership.objects.filter(
        counts, kind__gives_data_sharing=True, pk__in=taking_part.values("partnership")
    )
    agreements = {agreement.pk: agreement for agreement in candidates.select_related("kind").order_by("pk")}
    parties, versions = _signing_parties(agreements), _versions_in_force(agreements, day)
    usable = [pk for pk, version in versions.items() if _has_schedule(agreements[pk], version, day)]
    agreement_by_partnership = {}
    for pk, bodies in needed.items():
        for agreement in sorted(usable):
            if bodies <= parties.get(agreement, set()) and _binds(
                agreements[agreement], versions[agreement], bodies, day
            ):
                agreement_by_partnership[pk] = agreements[agreement]
                break
    return agreement_by_partnership


def _binds(agreement: Partnership, version: TermsVersion, bodies: set[int], day: dt.date) -> bool:
    """Whether these parties have signed the version in force, or follow parties that have."""
    return bodies <= bound_organisation_ids(version) or not bodies & unbound_organisation_ids(agreement, day)


def _signing_parties(partnerships: Collection[int]) -> dict[int, set[int]]:
    """The present parties of each partnership, without observers."""
    signers: dict[int, set[int]] = defaultdict(set)
    present = Party.objects.present().filter(partnership__in=list(partnerships)).exclude(role=PartyRole.OBSERVER)
    for pk, organisation in present.values_list("partnership_id", "organisation_id"):
        signers[pk].add(organisation)
    return signers


def _versions_in_force(partnerships: Collection[int], day: dt.date) -> dict[int, TermsVersion]:
    """The version of the terms of each partnership that is in force on a day, with its signatures."""
    entries = TermsInForce.objects.filter(partnership__in=list(partnerships)).on(day)
    rows = entries.select_related("version__base", "version__amendment").prefetch_related("version__signatures")
    return {entry.partnership_id: entry.version for entry in rows}
