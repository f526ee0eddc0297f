"""Read the terms: what is in force, who has signed, who may sign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeAlias

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from partnerships import documents
from partnerships.agreements.models import (
    ENDING,
    Holder,
    Notice,
    Partnership,
    PartnershipKind,
    Party,
    PartyRole,
    Post,
    PostRole,
    ProposalStatus,
    TermsInForce,
    TermsProposal,
    TermsSignatory,
    TermsSignature,
    TermsVersion,
)
from partnerships.agreements.queries.posts import people_in_post
from partnerships.agreements.terms.in_force import Entry, in_force_on, timeline
from partnerships.agreements.terms.schema import build_schema, declarations_with
from partnerships.documents import Content, Schema
from partnerships.organisations.holdings import of_page
from partnerships.organisations.models import Handover, HandoverState, Membership, Merge, Organisation, Role
from partnerships.organisations.queries import leads_of
from partnerships.people.models import User

#: The state of one party's signature.
TermsState: TypeAlias = documents.SigningState[TermsSignatory, TermsSignature]


def declarations_of(kind: PartnershipKind) -> dict[str, Any]:
    """The fields and tables of a kind, as a version keeps them."""
    return dict(kind.declarations)


def schema_of(row: TermsProposal | TermsVersion) -> Schema:
    """The schema with which a proposal or a version was made."""
    return build_schema(row.declarations)


def widened(declarations: dict[str, Any], *versions: TermsVersion | None) -> dict[str, Any]:
    """Declarations that also accept what these versions say, even if the kind is stricter by now."""
    for version in versions:
        if version is not None:
            declarations = dict(declarations_with(declarations, version.declarations, version.content))  # type: ignore[arg-type]  # stored as JSON
    return declarations


def content_of_proposal(proposal: TermsProposal) -> Content:
    """What a proposal says now: its draft, or the version it is based on."""
    if proposal.content is not None:
        content: Content = proposal.content
        return content
    return was_of(proposal)


def was_of(proposal: TermsProposal) -> Content:
    """What a proposal was begun from; empty for the first terms."""
    schema = schema_of(proposal)
    return as_schema(schema, proposal.based_on.content) if proposal.based_on else documents.normalise(schema, {})


def as_schema(schema: Schema, content: Content) -> Content:
    """The content fitted to another schema.

    Fields it lacks are dropped, new ones are empty. Raises `InvalidContent` where the schema has become stricter.
    """
    about = {code: content["about"][code] for code in schema.about_by_code if code in content["about"]}
    kept: Content = {"about": about}
    for code, collection in schema.collection_by_code.items():
        fields = {"key", *collection.field_by_code}
        kept[code] = [{name: item[name] for name in item if name in fields} for item in content.get(code, ())]
    return documents.normalise(schema, kept)


def entries_of(partnership: Partnership, until: dt.datetime | None = None) -> list[Entry]:
    """What is in force from which day: every entry, in the order of decision.

    With `until`, only what was decided before that moment: for former parties. What their leaving decided, because
    only their signature was missing, came after it. Read once for a page: data sharing asks for them too.
    """

    def read() -> list[Entry]:
        rows = TermsInForce.objects.filter(partnership=partnership).order_by("decided_at", "pk")
        if until is not None:
            rows = rows.filter(decided_at__lt=until)
        return [Entry(row.from_day, place, row.version_id) for place, row in enumerate(rows)]

    entries = of_page((entries_of, partnership.pk, until), read)
    return read() if entries is None else entries


def version_in_force(partnership: Partnership, day: dt.date) -> TermsVersion | None:
    """The version in force on a day."""
    entry = in_force_on(entries_of(partnership), day)
    return TermsVersion.objects.get(pk=entry.version) if entry else None


def in_force_from(partnership: Partnership, until: dt.datetime | None = None) -> list[tuple[dt.date, int]]:
    """Each day on which a version comes into force, and the version's id."""
    return [(entry.day, entry.version) for entry in timeline(entries_of(partnership, until))]


def signing_states(version: TermsVersion) -> list[TermsState]:
    """The state of every party whose signature the version needs, by name.

    A party that has signed stays, also when it has left since.
    """
    decisions = {
        signature.organisation_id: signature
        for signature in version.signatures.select_related("organisation", "person", "scan").order_by("pk")
    }
    awaited = version.proposal is not None and version.proposal.status == ProposalStatus.AWAITING
    required = required_parties(version.partnership)
    states: list[TermsState] = []
    for signatory in version.signatories.select_related("organisation").order_by("organisation__name", "pk"):
        decision = decisions.get(signatory.organisation_id)
        if signatory.removed_at is not None and decision is None:
            continue
        signatory.version = version
        takes_part = signatory.organisation_id in required
        states.append(documents.SigningState(signatory, decision, None, takes_part=takes_part, is_awaited=awaited))
    return states


def required_parties(partnership: Partnership, day: dt.date | None = None) -> set[int]:
    """Organisations that must sign: present and invited ones, except observers.

    Without those whose notice has run out by a day (by default today).
    """
    run_out = Notice.objects.run_out_by(day or timezone.localdate()).filter(partnership=partnership)
    parties = Party.objects.required().filter(partnership=partnership)
    return set(parties.exclude(organisation__in=run_out.values("organisation")).values_list("organisation", flat=True))


def is_signed_by_all(version: TermsVersion) -> bool:
    """Whether every required party has signed this version.

    A signature counts for who took over the part since, unless that body is asked to sign itself.
    """
    signed = {signature.organisation_id for signature in version.signatures.all() if not signature.is_rejected}
    required = required_parties(version.partnership)
    if len(required) < 2:
        return False
    if required <= signed:
        return True
    unsigned = set(version.signatories.filter(removed_at=None).values_list("organisation", flat=True)) - signed
    return required <= with_successors(version.partnership, signed) - unsigned


def with_successors(partnership: Partnership, bodies: set[int]) -> set[int]:
    """These bodies (ids), and those to which their part in the partnership passed, by a succession or a merge.

    What a body has signed binds who takes over its part.
    """
    lines = Handover.objects.filter(kind="partnerships", record=partnership.pk, state=HandoverState.APPLIED)
    passed: list[tuple[Any, ...]] = [
        *lines.order_by("applied_at", "pk").values_list("predecessor", "successor", "others"),
        *Merge.objects.in_force().values_list("merged", "kept"),
    ]
    current_ids: set[int] = set()
    reached = set(bodies)
    while reached - current_ids:
        current_ids |= reached
        reached = {
            after
            for before, *successors in passed
            if before in current_ids
            for after in successors
            if after is not None
        }
    return current_ids


def version_to_join(partnership: Partnership, day: dt.date) -> TermsVersion | None:
    """The version that a joining party signs: in force, or the next to be."""
    version = version_in_force(partnership, day)
    if version is None:
        entry = partnership.terms_in_force.select_related("version").order_by("from_day", "-decided_at", "-pk").first()
        version = entry.version if entry else None
    if version is not None:
        version.partnership = partnership
    return version


def bound_by(version: TermsVersion) -> set[int]:
    """Organisations that have signed a version, or both that it consolidates."""
    signed = {signature.organisation_id for signature in version.signatures.all() if not signature.is_rejected}
    if version.base is not None and version.amendment is not None:
        signed |= bound_by(version.base) & bound_by(version.amendment)
    return signed


def not_bound(partnership: Partnership, day: dt.date) -> set[int]:
    """Present parties that have not signed the terms in force; no observers.

    The terms do not apply to them yet. They apply to a successor of a party that has signed.
    """
    version = version_to_join(partnership, day)
    present = (
        Party.objects.required()
        .present()
        .filter(
            partnership=partnership,
        )
    )
    ended = Organisation.objects.exclude(pk__in=Organisation.objects.current().values("pk"))
    present_ids = present.exclude(organisation__in=ended).values_list("organisation", flat=True)
    unsigned = set(present_ids) - bound_by(version) if version else set()
    if version is None or not unsigned:
        return unsigned
    return unsigned - with_successors(partnership, bound_by(version))


def leaves_after_notice(partnership: Partnership, party: Party, day: dt.date) -> bool:
    """Whether the party can leave only by notice.

    The terms in force ask for it, and it has signed them. Not for observers and invited parties.
    """
    bound = party.is_present and party.role != PartyRole.OBSERVER
    in_force = bool(partnership.notice_days) and partnership.state_on(day) in ENDING
    return in_force and bound and party.organisation_id not in not_bound(partnership, day)


def signers_of(organisation: Organisation | int, partnership: Partnership | int, day: dt.date) -> list[User]:
    """Who may sign for a party: the holders of its signatory post, else its leads."""
    people = people_in_post(organisation, "signatory", partnership=partnership, day=day)
    return people or list(leads_of(organisation).order_by("name", "pk"))


def signs_for(user: User, day: dt.date) -> Q:
    """The condition on signatories that the person signs for the party.

    It is the rule of `signers_of`, in SQL.
    """
    acting = Membership.objects.current(day).filter(
        organisation=OuterRef("post__organisation"), person=OuterRef("person")
    )
    holders = Holder.objects.on(day).filter(
        Exists(acting),
        post__role=PostRole.SIGNATORY,
        post__in=Post.objects.open(),
        post__organisation=OuterRef("organisation"),
        person__account_since__isnull=False,
    )
    here, everywhere = (
        holders.filter(post__partnership=OuterRef("version__partnership")),
        holders.filter(post__partnership=None),
    )
    nobody_here, nobody = ~Q(Exists(here)), ~Q(Exists(here)) & ~Q(Exists(everywhere))
    return (
        Q(Exists(here.filter(person=user)))
        | nobody_here & Q(Exists(everywhere.filter(person=user)))
        | nobody & Q(organisation__in=Organisation.objects.of_person(user, Role.LEAD))
    )


def may_sign_for(user: User, versions: Sequence[TermsVersion], day: dt.date) -> dict[int, list[Organisation]]:
    """By version id, the parties for which the person may sign now.

    Those that have not decided, and those that declined the version in force when they joined.
    """
    organisations: dict[int, list[Organisation]] = {}
    for version in versions:
        organisations[version.pk] = [
            state.signatory.organisation
            for state in signing_states(version)
            if (state.must_decide or (has_declined_to_join(state) and _is_to_join(version, day)))
            and user in signers_of(state.signatory.organisation_id, version.partnership_id, day)
        ]
    return organisations


def has_declined_to_join(state: TermsState) -> bool:
    """Whether the party joined later and declined the version.

    It may still sign it while it is in force.
    """
    signatory, decided = state.signatory, state.sign_off
    declined = decided is not None and decided.is_rejected
    return declined and signatory.joins and signatory.removed_at is None and state.takes_part


def _is_to_join(version: TermsVersion, day: dt.date) -> bool:
    present = version_to_join(version.partnership, day)
    return present is not None and present.pk == version.pk


def party_lines(partnership: Partnership) -> list[dict[str, object]]:
    """The parties as a version keeps them: observers too, but not those that left."""
    parties = Party.objects.inside().filter(partnership=partnership).select_related("organisation")
    return [
        {
            "organisation": party.organisation_id,
            "name": party.organisation.name,
            "role": party.role,
            "role_label": party.get_role_display(),
            "signs": party.role != PartyRole.OBSERVER,
        }
        for party in parties.order_by("role", "organisation__name", "pk")
    ]


def newest_version(proposal: TermsProposal) -> TermsVersion | None:
    """The version that a proposal was last sent as."""
    return proposal.versions.order_by("-number").first()


def version_awaiting(partnership: Partnership) -> list[TermsVersion]:
    """The versions of a partnership that wait for signatures, by number."""
    awaiting = TermsProposal.objects.filter(partnership=partnership, status=ProposalStatus.AWAITING)
    versions = [newest_version(proposal) for proposal in awaiting.order_by("number")]
    return [version for version in versions if version is not None]


def versions_to_join(partnership: Partnership) -> list[TermsVersion]:
    """Versions that parties that joined later must sign; usually one."""
    signatories = TermsSignatory.objects.waiting().filter(joins=True, version__partnership=partnership)
    versions_found = TermsVersion.objects.filter(pk__in=signatories.order_by().values("version")).order_by("number")
    versions = list(versions_found.select_related("proposal"))
    for version in versions:
        version.partnership = partnership
    return versions


def base_for(proposal: TermsProposal, now: dt.datetime) -> TermsVersion | None:
    """The version that a proposal amends: the one in force on its day."""
    if not proposal.is_open:
        return proposal.based_on
    today = timezone.localdate(now)
    return version_in_force(proposal.partnership, max(today, proposal.from_day or today))
