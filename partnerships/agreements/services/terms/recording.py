"""Lock proposals and versions of terms, record events about them, and email the leads."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Partnership, TermsProposal, TermsVersion
from partnerships.agreements.services.recording import lock_partnership
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.outbox.services import record_emails
from partnerships.people.models import User


def lock_proposal(proposal: TermsProposal) -> tuple[Partnership, TermsProposal]:
    """Lock the partnership, then the proposal, and return both."""
    partnership = lock_partnership(proposal.partnership_id)
    proposals = TermsProposal.objects.select_for_update(of=("self",)).select_related("based_on", "proposed_by")
    locked_proposal = proposals.get(pk=proposal.pk)
    locked_proposal.partnership = partnership
    return partnership, locked_proposal


def lock_version(version: TermsVersion) -> tuple[Partnership, TermsVersion]:
    """Lock the partnership, then the proposal of the version, and return the partnership and the version.

    The version itself needs no lock, because it never changes.
    """
    partnership = lock_partnership(version.partnership_id)
    fresh_version = TermsVersion.objects.select_related("proposal__proposed_by").get(pk=version.pk)
    fresh_version.partnership = partnership
    if fresh_version.proposal_id is not None:
        fresh_version.proposal = TermsProposal.objects.select_for_update().get(pk=fresh_version.proposal_id)
    return partnership, fresh_version


def record_draft_event(
    proposal: TermsProposal,
    event: EventKind,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    data: dict[str, Any],
) -> None:
    """Record an event that only people who may read the draft can see."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        kind=event,
        target_kind="terms_draft",
        target_id=proposal.partnership_id,
        within_kind="partnership",
        within_id=proposal.partnership_id,
        now=now,
        data={"title": proposal.partnership.title, "proposal": proposal.number, **data},
    )


def stopped_params(
    proposal: TermsProposal,
    step: str,
    *,
    now: dt.datetime,
    version: TermsVersion | None = None,
    organisation: Organisation | None = None,
) -> dict[str, Any]:
    """Return the parameters of an email that signing has stopped.

    `step` is `withdrawn`, `taken_back` or `lapsed`. `organisation` is the party that returned the terms to draft, if
    any did. Jobs also pass `version`. After a restore, a job repeats the step, and the version shows that its email was
    sent before.
    """
    params: dict[str, Any] = {"proposal": proposal.pk, "what": step, "at": now.isoformat()}
    if version is not None:
        params["slot"] = {"proposal": proposal.pk, "what": step, "version": version.number}
    if organisation is not None:
        params["organisation"] = organisation.pk
    return params


def email_leads(
    partnership: Partnership,
    kind: str,
    params: dict[str, Any],
    *,
    author: User | None,
    now: dt.datetime,
    sender: Organisation | None = None,
) -> None:
    """Email the leads of the present parties, except the author."""
    organisations = partnership.parties.accepted().values("organisation")
    leads = Membership.objects.current().filter(role=Role.LEAD, organisation__in=organisations)
    recipient_ids = set(leads.values_list("person", flat=True))
    if author is not None:
        recipient_ids.discard(author.pk)
    record_emails(
        kind=kind, people=sorted(recipient_ids), params=params, sender_id=sender.pk if sender else None, now=now
    )
