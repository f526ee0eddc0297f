"""Find out whether people can open personal data in a partnership.

They can do this only while the parties have a signed data-sharing agreement in force. It is either another partnership,
whose kind is a data-sharing agreement, or a data-sharing schedule in the partnership's own terms.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from partnerships.agreements.models import (
    Partnership,
    Party,
    PartyRole,
    Status,
    TermsInForce,
    TermsVersion,
    has_status_on,
)
from partnerships.agreements.models.terms import TermsInForceQuerySet
from partnerships.agreements.queries.terms import (
    bound_organisation_ids,
    in_force_lookup,
    unbound_organisation_ids,
    version_in_force,
)
from partnerships.agreements.terms.projection import precise_day as day_of
from partnerships.organisations.audience import Everybody, Reader
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for

#: Statuses of a partnership in which its data-sharing agreement is in force.
IN_FORCE_STATUSES = (Status.ACTIVE, Status.UNDER_REVIEW)
#: Codes of the tables of terms that are a data-sharing schedule.
SCHEDULES = ("data_items", "data_sharing")


@dataclass(frozen=True, slots=True)
class DataSharing:
    """Whether personal data in a partnership can be opened, and the reason."""

    is_open: bool
    #: The agreement that allows it, or None.
    agreement: Partnership | None
    #: A message that says what is missing, or "".
    missing: str


def data_sharing_state(partnership: Partnership, day: dt.date) -> DataSharing | None:
    """Return whether personal data is open on a day, or None if the partnership shares none."""
    if not partnership.kind.needs_data_sharing and not has_marked_documents(partnership):
        return None
    if _has_own_schedule(partnership, day):
        return DataSharing(is_open=True, agreement=partnership, missing="")
    agreement = sharing_agreement_of(partnership, day)
    if agreement is not None:
        return DataSharing(is_open=True, agreement=agreement, missing="")
    return DataSharing(
        is_open=False,
        agreement=None,
        missing="The parties have no signed data-sharing agreement in force. "
        "Until they have one, nobody can open personal data.",
    )


def has_marked_documents(partnership: Partnership) -> bool:
    """Return whether any document is marked as personal data."""
    return partnership.documents.filter(personal_data=True, removed_at=None).exists()


def is_data_sharing_open(partnership: Partnership, day: dt.date, reader: Reader | None = None) -> bool:
    """Return whether personal data in the partnership may be read on a day, by anybody or by one reader.

    If the parties of the reader joined later, the partnership's own schedule does not apply to them until they sign it.
    If the reader is `Everybody` of some organisations, all of these must have signed.
    """
    if _has_own_schedule(partnership, day):
        applies_to_reader = reader is None or _is_reader_bound(partnership, day, reader)
        if applies_to_reader:
            return True
    return sharing_agreement_of(partnership, day) is not None


def _is_reader_bound(partnership: Partnership, day: dt.date, reader: Reader) -> bool:
    """Return whether the terms of the partnership apply to a party of the reader."""
    unsigned_ids = unbound_organisation_ids(partnership, day)
    if isinstance(reader, Everybody):
        return unsigned_ids.isdisjoint(reader.organisations)
    if not unsigned_ids:
        return True
    own_parties = Party.objects.accepted().filter(
        partnership=partnership, organisation__in=Organisation.objects.of_person(reader)
    )
    # A reader who acts for no present party has nothing to sign.
    if not own_parties.exists():
        return True
    return own_parties.exclude(organisation__in=unsigned_ids).exists()


def ids_with_open_data(partnerships: Collection[Partnership], day: dt.date, reader: Reader | None = None) -> set[int]:
    """Return the ids of the partnerships for which `is_data_sharing_open` returns True. Makes few queries.

    With a reader, each partnership that has a data-sharing schedule of its own needs further queries.
    """
    entries = rows_for(_entries_with_version, [partnership.pk for partnership in partnerships], day=day)
    versions = {entry.partnership_id: entry.version for entry in entries}
    ids_with_own_schedule: set[int] = set()
    other_ids: list[int] = []
    for partnership in partnerships:
        version = versions.get(partnership.pk)
        has_own_schedule = version is not None and _has_schedule(partnership, version, day)
        if has_own_schedule and (reader is None or _is_reader_bound(partnership, day, reader)):
            ids_with_own_schedule.add(partnership.pk)
        else:
            other_ids.append(partnership.pk)
    return ids_with_own_schedule | sharing_agreements_of(other_ids, day).keys()


def _has_own_schedule(partnership: Partnership, day: dt.date) -> bool:
    """Return whether the partnership's own terms are or have a data-sharing schedule in force on a day."""
    if partnership.state_on(day) not in IN_FORCE_STATUSES:
        return False
    version = version_in_force(partnership, day)
    return version is not None and _has_schedule(partnership, version, day)


def _has_schedule(partnership: Partnership, version: TermsVersion, day: dt.date) -> bool:
    """Return whether terms in force are or have a data-sharing schedule that applies on a day."""
    if partnership.state_on(day) not in IN_FORCE_STATUSES or version.was_accepted_before_signing:
        return False
    is_agreement = partnership.kind.gives_data_sharing
    has_schedule = any(version.content.get(code) for code in SCHEDULES)
    return (is_agreement or has_schedule) and _is_in_effect_on(version.content["about"], day)


def _is_in_effect_on(about: dict[str, object], day: dt.date) -> bool:
    """Return whether a day is between the start and the end of terms."""
    starts_on, ends_on = day_of(about.get("starts_on")), day_of(about.get("ends_on"))
    has_started = starts_on is None or starts_on <= day
    has_ended = ends_on is not None and ends_on < day and not about.get("goes_on")
    return has_started and not has_ended


def sharing_agreement_of(partnership: Partnership, day: dt.date) -> Partnership | None:
    """Return a data-sharing agreement of a partnership's parties that is in force on a day, or None."""
    return sharing_agreements_of([partnership.pk], day).get(partnership.pk)


def sharing_agreements_of(partnership_ids: Collection[int], day: dt.date) -> dict[int, Partnership]:
    """Return a data-sharing agreement in force on a day for each of these partnerships, if it has one.

    All parties of the partnership except observers must be parties of the agreement and must have signed it. Makes at
    most three queries, unless a party of an agreement has succeeded one that signed.
    """
    # A single party has no partner to share data with.
    signing_parties = _signing_parties(partnership_ids)
    parties_to_cover = {pk: party_ids for pk, party_ids in signing_parties.items() if len(party_ids) > 1}
    if not parties_to_cover:
        return {}
    entries = rows_for(_entries_of_sharing_agreements, list(partnership_ids), day=day)
    agreement_by_pk = {entry.partnership_id: entry.partnership for entry in entries}
    versions = {entry.partnership_id: entry.version for entry in entries}
    agreement_parties = {
        entry.partnership_id: set(entry.signing_party_ids)  # type: ignore[attr-defined]  # annotated
        for entry in entries
    }
    usable_ids = sorted(pk for pk, version in versions.items() if _has_schedule(agreement_by_pk[pk], version, day))

    agreement_by_partnership = {}
    for partnership_id, organisation_ids in parties_to_cover.items():
        for pk in usable_ids:
            has_all_parties = organisation_ids <= agreement_parties.get(pk, set())
            if has_all_parties and _has_bound_all(agreement_by_pk[pk], versions[pk], organisation_ids, day):
                agreement_by_partnership[partnership_id] = agreement_by_pk[pk]
                break
    return agreement_by_partnership


def _has_bound_all(agreement: Partnership, version: TermsVersion, organisation_ids: set[int], day: dt.date) -> bool:
    """Return whether all these organisations (ids) have signed the version in force, or succeeded one that did."""
    if organisation_ids <= bound_organisation_ids(version):
        return True
    return organisation_ids.isdisjoint(unbound_organisation_ids(agreement, day))


def _signing_parties(partnership_ids: Collection[int]) -> dict[int, set[int]]:
    """Return the present parties (ids of organisations) of each partnership, except observers."""
    organisations_by_partnership: dict[int, set[int]] = defaultdict(set)
    for pk, organisation_id in rows_for(_signing_party_ids, list(partnership_ids)):
        organisations_by_partnership[pk].add(organisation_id)
    return organisations_by_partnership


def _signing_party_ids(partnership_ids: list[int]) -> QuerySet[Party, tuple[int, int]]:
    """Return each partnership with each of its present parties, except observers, as ids."""
    parties = Party.objects.accepted().filter(partnership__in=partnership_ids).exclude(role=PartyRole.OBSERVER)
    return parties.values_list("partnership_id", "organisation_id")


def sharing_lookups(partnership_id: int) -> list[Lookup]:
    """Return the queries with which `is_data_sharing_open` begins, so that `read_ahead` can run them together."""
    return [in_force_lookup(partnership_id), lookup(_signing_party_ids, [partnership_id])]


def open_data_lookups(partnership_ids: list[int], day: dt.date) -> list[Lookup]:
    """Return the queries with which `ids_with_open_data` begins, for `read_ahead`."""
    return [
        lookup(_entries_with_version, partnership_ids, day=day),
        lookup(_signing_party_ids, partnership_ids),
        lookup(_entries_of_sharing_agreements, partnership_ids, day=day),
    ]


def _entries_with_version(partnership_ids: list[int], *, day: dt.date) -> TermsInForceQuerySet:
    """Return the entry in force on a day for each partnership (id), with its version."""
    return TermsInForce.objects.filter(partnership__in=partnership_ids).in_force_on(day).select_related("version")


def _entries_of_sharing_agreements(partnership_ids: list[int], *, day: dt.date) -> TermsInForceQuerySet:
    """Return the entries in force of data-sharing agreements that have a party of one of these partnerships.

    Each entry has the version with its signatures. `signing_party_ids` are the agreement's present parties (ids of
    organisations), except observers.
    """
    signing_parties = Party.objects.accepted().exclude(role=PartyRole.OBSERVER)
    organisations = signing_parties.filter(partnership__in=partnership_ids).values("organisation")
    is_in_force = has_status_on(Status.ACTIVE, day) | has_status_on(Status.UNDER_REVIEW, day)
    agreements = Partnership.objects.filter(
        is_in_force,
        kind__gives_data_sharing=True,
        pk__in=Party.objects.accepted().filter(organisation__in=organisations).values("partnership"),
    )
    entries = TermsInForce.objects.filter(partnership__in=agreements.values("pk")).in_force_on(day)
    parties_of_agreement = signing_parties.filter(partnership=OuterRef("partnership"))
    return (
        entries.annotate(signing_party_ids=ArraySubquery(parties_of_agreement.values("organisation")))
        .select_related("partnership__kind", "version__base", "version__amendment")
        .prefetch_related("version__signatures")
    )
