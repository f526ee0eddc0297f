"""Fetch versions and proposals for a view: what the reader may see, else 404."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.agreements.models import Partnership, TermsProposal, TermsVersion
from partnerships.agreements.past import former_party
from partnerships.agreements.presenting import Paper, paper_of, signature_lines
from partnerships.agreements.queries.terms import content_of_proposal, schema_of, signing_states
from partnerships.agreements.rights import Rights, rights_over
from partnerships.agreements.views.access import held
from partnerships.documents import Content, Schema
from partnerships.kit.prose import StoredHtml
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@dataclass(frozen=True, slots=True)
class OpenedTerms:
    """A partnership whose terms the person reads, and what they may do."""

    partnership: Partnership
    rights: Rights
    until: dt.datetime | None

    @property
    def is_former(self) -> bool:
        """Whether they read it only up to the day they left."""
        return self.until is not None

    @property
    def reads_drafts(self) -> bool:
        """Whether they may read drafts of the terms."""
        return not self.is_former and (self.rights.may_draft or bool(self.rights.roles.edited_among(self.inside)))

    @property
    def inside(self) -> list[int]:
        """Organisations that are invited or present."""
        return list(self.partnership.parties.inside().values_list("organisation", flat=True))


def open_terms(user: User, pk: int) -> OpenedTerms:
    """The partnership for its terms; 404 and 403 as for its other pages."""
    partnership = held(user, pk)
    former = former_party(user, partnership)
    return OpenedTerms(partnership, rights_over(partnership, user, timezone.now()), former.left_at if former else None)


def open_version(user: User, pk: int, number: int) -> tuple[OpenedTerms, TermsVersion]:
    """A version that the person may read."""
    opened = open_terms(user, pk)
    visible = TermsVersion.objects.visible_to(user).select_related("proposal", "base", "amendment", "author")
    version = get_object_or_404(visible, partnership=pk, number=number)
    version.partnership = opened.partnership
    return opened, version


def open_proposal(user: User, pk: int, number: int) -> tuple[OpenedTerms, TermsProposal]:
    """A proposal that the person may read."""
    opened = open_terms(user, pk)
    visible = TermsProposal.objects.visible_to(user).select_related("based_on", "proposed_by", "author")
    proposal = get_object_or_404(visible, partnership=pk, number=number)
    proposal.partnership = opened.partnership
    return opened, proposal


def open_draft(request: HttpRequest, pk: int, number: int) -> tuple[OpenedTerms, TermsProposal]:
    """A proposal whose draft the person may change; 403 for other readers.

    A form that was sent after drafting stopped is let through: the service says why, and the text is shown again.
    """
    opened, proposal = open_proposal(signed_in(request), pk, number)
    require(opened.rights.may_draft)
    if request.method != "POST" and not proposal.is_drafting:
        raise Http404
    return opened, proposal


def paper_of_version(version: TermsVersion) -> Paper:
    """A version in the order of reading."""
    return paper_of(schema_of(version), version.content, version.html)


def paper_of_draft(proposal: TermsProposal) -> tuple[Schema, Content, Paper]:
    """A draft in the order of reading, with its schema and content."""
    schema, content = schema_of(proposal), content_of_proposal(proposal)
    base = proposal.based_on
    html = base.html if proposal.content is None and base else StoredHtml(proposal.prose, proposal.prose_rules)
    return schema, content, paper_of(schema, content, html)


def signing_context(version: TermsVersion, until: dt.datetime | None = None) -> dict[str, Any]:
    """Who has signed a version, and who has not.

    With `until`, only signatures up to that moment: for former parties.
    """
    signatures = {
        signature.organisation_id: signature
        for signature in version.signatures.select_related("organisation", "scan", "person", "recorded_by").order_by(
            "pk"
        )
        if until is None or signature.signed_at <= until
    }
    counted = version
    merged: list[TermsVersion] = []
    while counted.is_consolidated and counted.amendment is not None and counted.base is not None:
        merged.append(counted.amendment)
        counted = counted.base
    return {
        "lines": signature_lines(version, signatures),
        "states": [] if until else signing_states(version),
        "consolidates": sorted([*merged, counted], key=lambda merged_version: merged_version.number) if merged else [],
    }
