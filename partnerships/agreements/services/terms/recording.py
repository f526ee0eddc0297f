"""Lock a proposal, and tell people what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from partnerships.activity.services import record
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Partnership, TermsProposal, TermsVersion
from partnerships.agreements.services.recording import lock_partnership
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.outbox.services import record_emails
from partnerships.people.models import User


def lock_proposal(proposal: TermsProposal) -> tuple[Partnership, TermsProposal]:
    """The partnership and the proposal, locked in this order."""
    partnership = lock_partnership(proposal.partnership_id)
    locked = TermsProposal.objects.select_for_update(of=("self",)).select_related("based_on", "proposed_by")
    locked_proposal = locked.get(pk=proposal.pk)
    locked_proposal.partnership = partnership
    return partnership, locked_proposal


def lock_version(version: TermsVersion) -> tuple[Partnership, TermsVersion]:
    """The partnership, locked, and the version with its proposal, locked."""
    partnership = lock_partnership(version.partnership_id)
    version_found = TermsVersion.objects.select_related("proposal__proposed_by").get(pk=version.pk)
    version_found.partnership = partnership
    if version_found.proposal_id is not None:
        version_found.proposal = TermsProposal.objects.select_for_update().get(pk=version_found.proposal_id)
    return partnership, version_found


def record_draft_event(
    proposal: TermsProposal,
    event: EventKind,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    data: dict[str, Any],
) -> None:
    """Record an event that only those who may read the draft see."""
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
    proposal: TermsProposal, what: str, *, version: TermsVersion | None, now: dt.datetime
) -> dict[str, Any]:
    """The parameters of an email that signing stopped.

    With the `version` that the clock stopped, it is recognised after a restore, when the clock stops it again.
    """
    params: dict[str, Any] = {"proposal": proposal.pk, "what": what, "at": now.isoformat()}
    if version is not None:
        params["slot"] = {"proposal": proposal.pk, "what": what, "version": version.number}
    return params


def email_leads(
    partnership: Partnership,
    kind: str,
    params: dict[str, Any],
    *,
    author: User | None,
    now: dt.datetime,
    sender: Organisation | None = None,
    besides: Iterable[int] = (),
) -> None:
    """Email the leads of the present parties, except the author and `besides`."""
    present = partnership.parties.present().values("organisation")
    leads = Membership.objects.current().filter(role=Role.LEAD, organisation__in=present)
    people = set(leads.values_list("person", flat=True)) - set(besides) - ({author.pk} if author else set())
    record_emails(kind=kind, people=sorted(people), params=params, sender_id=sender.pk if sender else None, now=now)
