"""Terms for tests, drafted, sent for signature and signed through services."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from partnerships.agreements.models import Partnership, Status, TermsProposal, TermsVersion
from partnerships.agreements.queries.signers import signers_of
from partnerships.agreements.queries.terms import content_of_proposal, signing_states
from partnerships.agreements.services import (
    SignatureRequest,
    change_status,
    save_terms_piece,
    send_for_signature,
    sign_terms,
)
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def first_proposal(partnership: Partnership) -> TermsProposal:
    """Return the proposal with the first terms, fetched again."""
    return TermsProposal.objects.select_related("partnership", "based_on").get(partnership=partnership, number=1)


def draft(
    proposal: TermsProposal,
    author: User | None,
    *,
    now: dt.datetime | None = None,
    text: str | None = None,
    **about_changes: Any,
) -> TermsProposal:
    """Change fields of a draft, and the clause "Terms"."""
    now = now or timezone.now()
    if about_changes:
        value = {**content_of_proposal(proposal)["about"], **about_changes}
        save_terms_piece(proposal=proposal, piece="about", value=value, based_on=None, author=author, now=now)
    if text is not None:
        clause = {"title": "Terms", "body": text}
        save_terms_piece(proposal=proposal, piece="clauses/terms", value=clause, based_on=None, author=author, now=now)
    return proposal


def put_up(
    proposal: TermsProposal,
    author: User | None,
    *,
    now: dt.datetime | None = None,
    organisation: Organisation | None = None,
    checked: bool = True,
    **request_details: Any,
) -> TermsVersion:
    """Send a draft for signature, and return the version to sign."""
    return send_for_signature(
        proposal=proposal,
        request=SignatureRequest(reason="As we discussed.", **request_details),
        author=author,
        now=now or timezone.now(),
        organisation=organisation,
        checked=checked,
    )


def sign_all(version: TermsVersion, *, now: dt.datetime | None = None) -> None:
    """Sign a version for each party that has not decided, by its first signer."""
    now = now or timezone.now()
    for state in signing_states(version):
        if state.must_decide:
            body = state.signatory.organisation
            person = signers_of(body.pk, version.partnership_id, timezone.localdate(now))[0]
            sign_terms(version=version, organisation=body, person=person, name=person.name, title="Lead", now=now)


def agree_terms(
    partnership: Partnership,
    author: User,
    *,
    now: dt.datetime | None = None,
    text: str = "We meet and decide together.",
    **about_changes: Any,
) -> TermsVersion:
    """Draft and sign the first terms, after which the partnership is active."""
    now = now or timezone.now()
    partnership.refresh_from_db()
    if partnership.status == Status.EXPLORING:
        change_status(partnership=partnership, status=Status.DRAFTING, reason="Agreed.", author=author, now=now)
    about_changes.setdefault("review_on", (timezone.localdate(now) + dt.timedelta(days=365)).isoformat())
    version = put_up(draft(first_proposal(partnership), author, now=now, text=text, **about_changes), author, now=now)
    sign_all(version, now=now)
    partnership.refresh_from_db()
    return version
