"""Read terms, the version of them in force on a day, and the parties that have signed."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any, TypeAlias

from django.db.models import QuerySet
from django.utils import timezone

from partnerships import documents
from partnerships.agreements.models import (
    ENDABLE_STATUSES,
    Notice,
    Partnership,
    PartnershipKind,
    Party,
    PartyRole,
    ProposalStatus,
    TermsInForce,
    TermsProposal,
    TermsSignatory,
    TermsSignature,
    TermsVersion,
)
from partnerships.agreements.terms.in_force import InForceEntry, entries_that_apply, entry_in_force_on
from partnerships.agreements.terms.schema import build_schema, declarations_with
from partnerships.documents import Content, Schema
from partnerships.kit.text import counted
from partnerships.organisations.holdings import rows_once_a_page
from partnerships.organisations.models import Handover, HandoverState, Merge, Organisation
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for

#: The state of one party's signature.
TermsState: TypeAlias = documents.SigningState[TermsSignatory, TermsSignature]


def declarations_of(kind: PartnershipKind) -> dict[str, Any]:
    """Return the fields, tables and checks of a kind, as proposals and versions store them."""
    return dict(kind.declarations)


def schema_of(row: TermsProposal | TermsVersion) -> Schema:
    """Return the schema with which a proposal or a version was written."""
    return build_schema(row.declarations)


def widened_declarations(declarations: dict[str, Any], *versions: TermsVersion | None) -> dict[str, Any]:
    """Return the declarations, made less strict where the content of these versions needs it.

    The declarations of a kind may have become stricter since a version was written.
    """
    for version in versions:
        if version is not None:
            declarations = dict(declarations_with(declarations, version.declarations, version.content))  # type: ignore[arg-type]  # stored as JSON
    return declarations


def content_of_proposal(proposal: TermsProposal) -> Content:
    """Return the draft of a proposal, or the content on which it is based if nothing was changed yet."""
    if proposal.content is not None:
        content: Content = proposal.content
        return content
    return base_content_of(proposal)


def base_content_of(proposal: TermsProposal) -> Content:
    """Return the content from which a proposal was begun, or empty content for the first terms."""
    schema = schema_of(proposal)
    if proposal.based_on is None:
        return documents.normalise(schema, {})
    return fit_to_schema(schema, proposal.based_on.content)


def fit_to_schema(schema: Schema, content: Content) -> Content:
    """Return the content with the fields of another schema.

    Fields that the schema lacks are dropped; new fields are empty. Raises `InvalidContent` if a value does not fit.
    """
    about = {code: content["about"][code] for code in schema.about_by_code if code in content["about"]}
    fitted_content: Content = {"about": about}
    for code, collection in schema.collection_by_code.items():
        names = {"key", *collection.field_by_code}
        items = content.get(code, ())
        fitted_content[code] = [{name: item[name] for name in item if name in names} for item in items]
    return documents.normalise(schema, fitted_content)


def in_force_entries(partnership: Partnership, until: dt.datetime | None = None) -> list[InForceEntry]:
    """Return all entries that put a version in force, in the order in which they were decided.

    With `until`, only the entries decided before that moment are returned. People of a former party may read these, but
    not terms that came into force because only the signature of the leaving party was missing. Within a page, the query
    runs once.
    """

    def fetch_entries() -> list[InForceEntry]:
        # Leave out `until` if it is None. Only a query with the same arguments uses the rows of `in_force_lookup`.
        moments = [] if until is None else [until]
        rows = rows_for(_terms_in_force, partnership.pk, *moments)
        return [
            InForceEntry(day=from_day, order=order, version_id=version)
            for order, (from_day, version) in enumerate(rows)
        ]

    return rows_once_a_page((in_force_entries, partnership.pk, until), fetch_entries)


def in_force_lookup(partnership_id: int) -> Lookup:
    """Return the query for the partnership's terms in force, so that `read_ahead` can run it with others."""
    return lookup(_terms_in_force, partnership_id)


def _terms_in_force(
    partnership_id: int, until: dt.datetime | None = None
) -> QuerySet[TermsInForce, tuple[dt.date, int]]:
    """Return the first day and the version (id) of each entry, in the order in which they were decided."""
    entries = TermsInForce.objects.filter(partnership=partnership_id).order_by("decided_at", "pk")
    if until is not None:
        entries = entries.filter(decided_at__lt=until)
    return entries.values_list("from_day", "version_id")


def version_in_force(partnership: Partnership, day: dt.date) -> TermsVersion | None:
    """Return the version in force on a day, or None before the first version came into force.

    Within a page, the version is read once.
    """
    entry = entry_in_force_on(in_force_entries(partnership), day)
    if entry is None:
        return None
    version_id = entry.version_id
    (version,) = rows_once_a_page((version_in_force, version_id), lambda: TermsVersion.objects.filter(pk=version_id))
    return version  # type: ignore[no-any-return]  # rows of any model


def first_days_in_force(partnership: Partnership, until: dt.datetime | None = None) -> list[tuple[dt.date, int]]:
    """Return each day on which a version comes into force, with the id of the version."""
    return [(entry.day, entry.version_id) for entry in entries_that_apply(in_force_entries(partnership, until))]


def signing_lookups(version: TermsVersion) -> list[Lookup]:
    """Return the queries for the signatures of a version, so that `read_ahead` can run them together."""
    pk = version.pk
    return [lookup(signatures_of, pk), lookup(_signatories_of, pk), lookup(_required_parties, version.partnership_id)]


def signing_states(version: TermsVersion, signatures: list[TermsSignature] | None = None) -> list[TermsState]:
    """Return the state of each signature that the version needs, sorted by the name of the party.

    A party that has decided is included even if it has left since. Pass the `signatures` of the version if the page has
    read them already.
    """
    pk = version.pk
    if signatures is None:
        read_ahead(signing_lookups(version))
        signatures = rows_for(signatures_of, pk)
    decisions = {signature.organisation_id: signature for signature in signatures}
    is_awaited = version.proposal is not None and version.proposal.status == ProposalStatus.AWAITING
    required_ids = set(rows_for(_required_parties, version.partnership_id))

    states: list[TermsState] = []
    for signatory in rows_for(_signatories_of, pk):
        decision = decisions.get(signatory.organisation_id)
        if signatory.removed_at is not None and decision is None:
            continue
        signatory.version = version
        takes_part = signatory.organisation_id in required_ids
        states.append(documents.SigningState(signatory, decision, None, takes_part=takes_part, is_awaited=is_awaited))
    return states


def signatures_of(version_id: int) -> QuerySet[TermsSignature]:
    """Return the signatures of a version, the oldest first."""
    signatures = TermsSignature.objects.filter(version=version_id).order_by("pk")
    return signatures.select_related("organisation", "scan", "person", "recorded_by")


def _signatories_of(version_id: int) -> QuerySet[TermsSignatory]:
    """Return the parties that were asked to sign a version, by name."""
    return (
        TermsSignatory.objects.filter(version=version_id)
        .select_related("organisation")
        .order_by("organisation__name", "pk")
    )


def required_party_ids(partnership: Partnership, day: dt.date | None = None) -> set[int]:
    """Return the ids of the organisations that must sign on a day (by default today).

    They are the present and invited parties. Observers are left out, and so are parties whose notice has run out.
    """
    return set(_required_parties(partnership.pk, day=day))


def _required_parties(partnership_id: int, *, day: dt.date | None = None) -> QuerySet[Party, int]:
    """Return the query for the organisations (ids) that must sign on a day (by default today)."""
    notices_run_out = Notice.objects.past_last_day(day or timezone.localdate()).filter(partnership=partnership_id)
    parties = Party.objects.required_to_sign().filter(partnership=partnership_id)
    return parties.exclude(organisation__in=notices_run_out.values("organisation")).values_list(
        "organisation", flat=True
    )


def is_signed_by_all(version: TermsVersion) -> bool:
    """Return whether every required party has signed this version.

    A signature of a predecessor is enough, unless its successor has been asked to sign.
    """
    signed_ids = {signature.organisation_id for signature in version.signatures.all() if not signature.is_rejected}
    required_ids = required_party_ids(version.partnership)
    # An agreement needs at least two parties.
    if len(required_ids) < 2:
        return False
    if required_ids <= signed_ids:
        return True

    asked_ids = set(version.signatories.filter(removed_at=None).values_list("organisation", flat=True))
    still_asked_ids = asked_ids - signed_ids
    bound_ids = with_successors(version.partnership, signed_ids) - still_asked_ids
    return required_ids <= bound_ids


def with_successors(partnership: Partnership, organisation_ids: set[int]) -> set[int]:
    """Return these organisations (ids) and their successors in the partnership, at any depth.

    An organisation also succeeds another when their records are merged. For example, if A signed, B succeeded A and C
    succeeded B, the signature binds A, B and C.
    """
    successor_ids_by_predecessor: defaultdict[int, set[int]] = defaultdict(set)
    handovers = Handover.objects.filter(kind="partnerships", record=partnership.pk, state=HandoverState.APPLIED)
    # The query returns a row for each of the `others` of a handover, or one row with None if it has no others.
    handover_rows = handovers.order_by("applied_at", "pk").values_list("predecessor", "successor", "others")
    for predecessor_id, successor_id, other_successor_id in handover_rows:
        successor_ids_by_predecessor[predecessor_id] |= {successor_id, other_successor_id} - {None}
    for merged_id, kept_id in Merge.objects.in_force().values_list("merged", "kept"):
        successor_ids_by_predecessor[merged_id].add(kept_id)

    # Successors may have successors, so repeat until no new organisation is found.
    reached_ids: set[int] = set()
    new_ids = set(organisation_ids)
    while new_ids:
        reached_ids |= new_ids
        successor_ids = set[int]().union(*(successor_ids_by_predecessor[pk] for pk in new_ids))
        new_ids = successor_ids - reached_ids
    return reached_ids


def version_to_join(partnership: Partnership, day: dt.date) -> TermsVersion | None:
    """Return the version that a joining party signs, or None if there is none.

    It is the version in force on the day or, if none is in force yet, the first that comes into force.
    """
    entries = in_force_entries(partnership)
    entry = entry_in_force_on(entries, day)
    if entry is None:
        later_entries = entries_that_apply(entries)
        if not later_entries:
            return None
        entry = later_entries[0]
    version = TermsVersion.objects.get(pk=entry.version_id)
    version.partnership = partnership
    return version


def bound_organisation_ids(version: TermsVersion) -> set[int]:
    """Return the organisations (ids) that have signed a version, or both versions that it consolidates."""
    signed_ids = {signature.organisation_id for signature in version.signatures.all() if not signature.is_rejected}
    if version.base is not None and version.amendment is not None:
        signed_ids |= bound_organisation_ids(version.base) & bound_organisation_ids(version.amendment)
    return signed_ids


def unbound_organisation_ids(partnership: Partnership, day: dt.date) -> set[int]:
    """Return the present parties (ids of organisations) to which the terms in force do not apply yet.

    They have not signed, and have not succeeded a party that has. Observers do not sign, so they are left out.
    """
    version = version_to_join(partnership, day)
    if version is None:
        return set()

    parties = Party.objects.required_to_sign().accepted().filter(partnership=partnership)
    ended_organisations = Organisation.objects.exclude(pk__in=Organisation.objects.current().values("pk"))
    party_ids = set(parties.exclude(organisation__in=ended_organisations).values_list("organisation", flat=True))

    signed_ids = bound_organisation_ids(version)
    if party_ids <= signed_ids:
        return set()
    return party_ids - with_successors(partnership, signed_ids)


def must_give_notice(partnership: Partnership, party: Party, day: dt.date) -> bool:
    """Return whether the party has signed terms with a notice period, and so must give notice before it leaves.

    Observers and invited parties may leave at once.
    """
    is_signing_party = party.is_present and party.role != PartyRole.OBSERVER
    needs_notice = bool(partnership.notice_days) and partnership.state_on(day) in ENDABLE_STATUSES
    if not is_signing_party or not needs_notice:
        return False
    return party.organisation_id not in unbound_organisation_ids(partnership, day)


def notice_words(partnership: Partnership) -> str:
    """Return the notice that the terms require in words, for example `30 days’ notice`."""
    days = partnership.notice_days or 0
    possessive = "’s" if days == 1 else "’"
    return f"{counted(days, 'day')}{possessive} notice"


def parties_to_publish(partnership: Partnership) -> list[dict[str, object]]:
    """Return the present and invited parties, observers included, as a version stores them."""
    parties = Party.objects.invited_or_accepted().filter(partnership=partnership).by_role_and_name()
    return [
        {
            "organisation": party.organisation_id,
            "name": party.organisation.name,
            "role": party.role,
            "role_label": party.get_role_display(),
            "signs": party.role != PartyRole.OBSERVER,
        }
        for party in parties
    ]


def newest_version(proposal: TermsProposal) -> TermsVersion | None:
    """Return the version as which a proposal was last sent for signature, or None if it was never sent."""
    return proposal.versions.order_by("-number").first()


def versions_awaiting_signature(partnership: Partnership) -> list[TermsVersion]:
    """Return the versions of a partnership that are awaiting signatures, by the number of their proposal."""
    return rows_for(newest_awaiting, partnership.pk)


def newest_awaiting(partnership_id: int) -> QuerySet[TermsVersion]:
    """Return the newest version of each proposal that is awaiting signatures, by the proposal's number."""
    versions = TermsVersion.objects.filter(
        proposal__partnership=partnership_id, proposal__status=ProposalStatus.AWAITING
    ).select_related("proposal")
    # A proposal that was sent several times has several versions. DISTINCT ON returns the one with the highest number.
    return versions.order_by("proposal__number", "-number").distinct("proposal__number")


def versions_to_join(partnership: Partnership) -> list[TermsVersion]:
    """Return the versions that parties which joined later have yet to sign. Usually there is one."""
    versions = rows_for(awaiting_joiners, partnership.pk)
    for version in versions:
        version.partnership = partnership
    return versions


def awaiting_joiners(partnership_id: int) -> QuerySet[TermsVersion]:
    """Return the versions that parties which joined later have yet to sign, by number."""
    signatories = TermsSignatory.objects.waiting().filter(joins=True, version__partnership=partnership_id)
    versions = TermsVersion.objects.filter(pk__in=signatories.order_by().values("version"))
    return versions.select_related("proposal").order_by("number")


def version_to_amend(proposal: TermsProposal, now: dt.datetime) -> TermsVersion | None:
    """Return the version that is in force on the day from which a proposal applies, and which it therefore amends.

    For a closed proposal, return the version on which it was based.
    """
    if not proposal.is_open:
        return proposal.based_on
    today = timezone.localdate(now)
    return version_in_force(proposal.partnership, max(today, proposal.from_day or today))
