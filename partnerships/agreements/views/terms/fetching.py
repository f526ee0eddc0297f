"""Fetch the terms, versions and proposals that a reader may see, for the views.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.agreements.former_parties import former_party
from partnerships.agreements.models import Partnership, TermsProposal, TermsVersion
from partnerships.agreements.presenting import Paper, paper_of, signature_lines
from partnerships.agreements.queries.terms import (
    content_of_proposal,
    in_force_lookup,
    schema_of,
    signatures_of,
    signing_lookups,
    signing_states,
)
from partnerships.agreements.rights import Rights, rights_lookup, rights_over
from partnerships.agreements.views.access import get_readable
from partnerships.documents import Content, Schema
from partnerships.kit.prose import StoredHtml
from partnerships.kit.rights import require
from partnerships.organisations.statements import Lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@dataclass(frozen=True, slots=True)
class TermsAccess:
    """A partnership whose terms a person reads, and what the person may do."""

    partnership: Partnership
    rights: Rights
    #: When the person's organisation left. None unless the person reads the terms for a former party.
    until: dt.datetime | None

    @property
    def is_former(self) -> bool:
        """Return whether the person reads the terms only for a former party, up to the day on which it left."""
        return self.until is not None

    @property
    def reads_drafts(self) -> bool:
        """Return whether the person may read drafts of the terms."""
        if self.is_former:
            return False
        return self.rights.may_draft or bool(self.rights.roles.edited_among(self._organisation_ids()))

    def _organisation_ids(self) -> list[int]:
        """Return the ids of the present and invited organisations."""
        return list(self.partnership.parties.invited_or_accepted().values_list("organisation", flat=True))


def open_terms(user: User, pk: int, *, lookups: Sequence[Lookup] = ()) -> TermsAccess:
    """Return a partnership whose terms the person may read, with the person's rights.

    `lookups` are further queries of the page, which run together with the query for the rights. Raises 404 for people
    who cannot see the partnership, and 403 for people who can see only its outline.
    """
    partnership, now = get_readable(user, pk), timezone.now()
    read_ahead([rights_lookup(pk, now), *lookups])
    former = former_party(user, partnership)
    return TermsAccess(
        partnership=partnership,
        rights=rights_over(partnership, user, now),
        until=former.left_at if former else None,
    )


def open_version(user: User, pk: int, number: int) -> tuple[TermsAccess, TermsVersion]:
    """Return a version that the person may read, or raise 404."""
    access = open_terms(user, pk, lookups=[in_force_lookup(pk)])
    visible_versions = TermsVersion.objects.visible_to(user).select_related("proposal", "base", "amendment", "author")
    version = get_object_or_404(visible_versions, partnership=pk, number=number)
    version.partnership = access.partnership
    return access, version


def open_proposal(user: User, pk: int, number: int) -> tuple[TermsAccess, TermsProposal]:
    """Return a proposal that the person may read, or raise 404."""
    access = open_terms(user, pk)
    visible_proposals = TermsProposal.objects.visible_to(user).select_related("based_on", "proposed_by", "author")
    proposal = get_object_or_404(visible_proposals, partnership=pk, number=number)
    proposal.partnership = access.partnership
    return access, proposal


def open_draft(request: HttpRequest, pk: int, number: int) -> tuple[TermsAccess, TermsProposal]:
    """Return a proposal whose draft the person may change, or raise 403 for other readers.

    If drafting has stopped, a GET raises 404. A posted form is still accepted here, so that the service can refuse it
    with a reason and the page can show the person's text again.
    """
    access, proposal = open_proposal(signed_in(request), pk, number)
    require(access.rights.may_draft)
    if request.method != "POST" and not proposal.is_drafting:
        raise Http404
    return access, proposal


def paper_of_version(version: TermsVersion) -> Paper:
    """Return the content of a version, arranged as people read it."""
    return paper_of(schema_of(version), version.content, version.html)


def paper_of_draft(proposal: TermsProposal) -> tuple[Schema, Content, Paper]:
    """Return the schema and the content of a draft, and the content arranged as people read it."""
    schema, content = schema_of(proposal), content_of_proposal(proposal)
    base = proposal.based_on
    is_unchanged = proposal.content is None
    if is_unchanged and base is not None:
        html = base.html
    else:
        html = StoredHtml(proposal.prose, proposal.prose_rules)
    return schema, content, paper_of(schema, content, html)


def signing_context(version: TermsVersion, until: dt.datetime | None = None) -> dict[str, Any]:
    """Return the template context about the parties that have signed a version, and those that have not.

    With `until`, only signatures up to that moment are included. People of a former party may read no later ones.
    """
    read_ahead(signing_lookups(version))
    signatures = rows_for(signatures_of, version.pk)
    signature_by_organisation = {
        signature.organisation_id: signature
        for signature in signatures
        if until is None or signature.signed_at <= until
    }
    return {
        "lines": signature_lines(version, signature_by_organisation),
        "states": [] if until else signing_states(version, signatures),
        "combined_versions": _combined_versions(version),
    }


def _combined_versions(version: TermsVersion) -> list[TermsVersion]:
    """Return the signed versions that a consolidated version combines, by number. Empty for other versions.

    A consolidated version combines a base and one amendment. The base may itself be a consolidated version, so the loop
    continues until it finds a base that the parties signed as a whole.
    """
    amendments: list[TermsVersion] = []
    base = version
    while base.is_consolidated and base.amendment is not None and base.base is not None:
        amendments.append(base.amendment)
        base = base.base
    if not amendments:
        return []
    return sorted([base, *amendments], key=lambda row: row.number)
