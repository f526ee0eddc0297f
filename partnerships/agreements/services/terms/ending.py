"""Take terms back, withdraw a proposal, let it lapse, remind who must sign."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.departures import PartnershipEnding
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    SIGNED_LATE,
    Partnership,
    PostRole,
    ProposalStatus,
    TermsProposal,
    TermsSignatory,
    TermsVersion,
)
from partnerships.agreements.queries.posts import people_in_post
from partnerships.agreements.queries.terms import newest_version, signers_of, signing_states
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.terms.asking import renew_link, send_request, stop_asking
from partnerships.agreements.services.terms.recording import email_leads, lock_proposal, stopped_params
from partnerships.agreements.services.terms.taking_force import back_to_drafting
from partnerships.documents.services import escalate_late
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import leads_of
from partnerships.outbox.services import record_emails
from partnerships.people.lead_times import everybodys_lead_times
from partnerships.people.models import ReminderKind, User


class UnableToWithdraw(Exception):
    """The proposal is closed already, or the reason is missing."""


@transaction.atomic
def take_back_terms(
    *,
    proposal: TermsProposal,
    reason: str,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
) -> None:
    """Stop signing and draft again, with a reason. Raises `UnableToWithdraw`."""
    partnership, locked = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_send_for_signature(locked))
    version = newest_version(locked)
    if not locked.is_awaiting or version is None:
        raise UnableToWithdraw("These terms are not waiting for signatures.")
    if not reason.strip():
        raise UnableToWithdraw("Enter why you are taking the terms back.")
    back_to_drafting(version, locked, now=now, outcome=reason.strip())
    _journal(locked, now=now)
    record_event(
        partnership,
        EventKind.TERMS_TAKEN_BACK,
        author=author,
        now=now,
        organisation=organisation,
        data={"number": version.number, "proposal": locked.number, "reason": reason.strip()},
    )
    _tell(partnership, locked, "taken_back", author=author, sender=organisation, now=now)
    proposal.status = locked.status


@transaction.atomic
def withdraw_proposal(
    *,
    proposal: TermsProposal,
    reason: str,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
) -> None:
    """Withdraw a proposal that is drafted or waits for signatures.

    Raises `UnableToWithdraw`; the first terms cannot be withdrawn: the partnership can be ended.
    """
    partnership, locked = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_send_for_signature(locked))
    if locked.is_first:
        raise UnableToWithdraw("These are the first terms: change them, or end the partnership.")
    if not locked.is_open:
        raise UnableToWithdraw(f"This proposal is already closed: {locked.get_status_display().lower()}.")
    if not reason.strip():
        raise UnableToWithdraw("Enter why you are withdrawing the proposal.")
    _close(partnership, locked, ProposalStatus.WITHDRAWN, reason=reason.strip(), now=now)
    record_event(
        partnership,
        EventKind.AMENDMENT_WITHDRAWN,
        author=author,
        now=now,
        organisation=organisation,
        data={"proposal": locked.number, "reason": locked.outcome},
    )
    _tell(partnership, locked, "withdrawn", author=author, sender=organisation, now=now)
    proposal.status, proposal.outcome = locked.status, locked.outcome


def close_with_partnership(ending: PartnershipEnding) -> None:
    """Close what is drafted or waits for signatures in a partnership that is over."""
    for pk in ending.partnership.terms_proposals.open().order_by("pk").values_list("pk", flat=True):
        proposal = TermsProposal.objects.select_for_update().get(pk=pk)
        proposal.partnership = ending.partnership
        _close(ending.partnership, proposal, ProposalStatus.NOT_AGREED, reason=ending.reason, now=ending.now)


def _close(
    partnership: Partnership, proposal: TermsProposal, status: ProposalStatus, *, reason: str, now: dt.datetime
) -> None:
    version = newest_version(proposal)
    if proposal.is_awaiting and version is not None:
        for signatory in version.signatories.filter(removed_at=None).select_related("organisation"):
            version.partnership = partnership
            signatory.version = version
            stop_asking(signatory, now=now)
    proposal.status, proposal.outcome, proposal.decided_at = status, reason, now
    proposal.save(update_fields=["status", "outcome", "decided_at"])
    _journal(proposal, now=now)


#: The journal's name for a proposal that nobody can sign any more.
PROPOSAL = "terms proposal"


def proposal_identity(proposal: TermsProposal) -> str:
    """The journal's hash of a proposal."""
    return journal.identity(proposal.partnership_id, proposal.number, proposal.created_at)


def _journal(proposal: TermsProposal, *, now: dt.datetime) -> None:
    journal.note(PROPOSAL, now=now, proposal=proposal.pk, same=proposal_identity(proposal), status=str(proposal.status))


def _tell(
    partnership: Partnership,
    proposal: TermsProposal,
    what: str,
    *,
    author: User | None,
    sender: Organisation | None,
    now: dt.datetime,
    version: TermsVersion | None = None,
) -> None:
    """Email the leads that signing stopped.

    `what` is withdrawn, taken_back or lapsed; give the `version` that the clock stopped.
    """
    email_leads(
        partnership,
        "agreements.terms_stopped",
        stopped_params(proposal, what, version=version, now=now),
        author=author,
        now=now,
        sender=sender,
    )


def lapse_proposals(*, now: dt.datetime) -> int:
    """Close amendments that were not signed in time; how many.

    First terms go back to drafting. They cannot be signed after that day in any case.
    """
    last = timezone.localdate(now) - SIGNED_LATE
    late = TermsProposal.objects.filter(status=ProposalStatus.AWAITING, sign_by__lt=last)
    late = late.filter(partnership__in=Partnership.objects.live()).order_by("pk")
    return sum(_lapse(pk, now) for pk in late.values_list("pk", flat=True))


@transaction.atomic
def _lapse(pk: int, now: dt.datetime) -> bool:
    """Close terms that were not signed in time.

    First terms are drafted again. False if not late.
    """
    partnership, locked = lock_proposal(TermsProposal.objects.get(pk=pk))
    version = newest_version(locked)
    if version is None or not locked.has_lapsed(timezone.localdate(now)):
        return False
    version.partnership = partnership
    missing = ", ".join(state.signatory.organisation.name for state in signing_states(version) if state.must_decide)
    reason = f"Not signed in time by {missing}."
    if locked.is_first:
        back_to_drafting(version, locked, now=now, outcome=reason)
        _journal(locked, now=now)
    else:
        _close(partnership, locked, ProposalStatus.NOT_AGREED, reason=reason, now=now)
    record_event(
        partnership,
        EventKind.TERMS_LAPSED,
        author=None,
        now=now,
        data={"number": version.number, "proposal": locked.number, "reason": reason},
    )
    _tell(partnership, locked, "lapsed", author=None, sender=None, now=now, version=version)
    return True


def remind_terms_signers(*, now: dt.datetime) -> int:
    """Remind those who must sign; how many parties.

    Before the deadline at their own lead times, after it once a week. Safe to run twice: a conditional update claims
    each request.
    """
    today, reminded = timezone.localdate(now), 0
    lead_times = everybodys_lead_times(ReminderKind.SIGNATURES)
    for signatory in TermsSignatory.objects.waiting():
        proposal = signatory.version.proposal
        over = proposal is not None and proposal.has_lapsed(today)
        if over or not signatory.is_reminder_due(now, lead_times.any_days):
            continue
        signers = signers_of(signatory.organisation_id, signatory.version.partnership_id, today)
        due = [signer.pk for signer in signers if signatory.is_reminder_due(now, lead_times.of(signer.pk))]
        if signers and not due:
            continue
        new = [signer.pk for signer in signers if signer.pk not in signatory.asked_people]
        with transaction.atomic():
            unchanged = TermsSignatory.objects.filter(pk=signatory.pk, reminded_at=signatory.reminded_at)
            if unchanged.update(reminded_at=now):
                send_request(signatory, signatory.version, sender=None, now=now, reminder=True, only=[*due, *new])
                reminded += 1
    return reminded


def escalate_late_signatures(*, now: dt.datetime) -> int:
    """Email the party's escalation post once when its deadline has passed.

    Returns how many parties. Where nobody holds that post, its leads.
    """
    waiting = TermsSignatory.objects.waiting()
    return escalate_late(waiting, must_decide=_is_waiting, tell=partial(_tell_next_post, now=now), now=now)


def _is_waiting(signatory: TermsSignatory) -> bool:
    return TermsSignatory.objects.waiting().filter(pk=signatory.pk).exists()


def _tell_next_post(signatory: TermsSignatory, *, now: dt.datetime) -> None:
    body, partnership, day = signatory.organisation, signatory.version.partnership, timezone.localdate(now)
    people = people_in_post(body, PostRole.ESCALATION, partnership=partnership, day=day) or list(leads_of(body))
    record_emails(
        kind="agreements.terms_late",
        people=[person.pk for person in people],
        params={"signatory": signatory.pk, "due_on": str(signatory.due_on)},
        sender_id=None,
        now=now,
    )


def ask_new_signers(*, now: dt.datetime) -> int:
    """Send a link to the next holder of a signatory post; how many parties.

    The earlier holder's link stops working: it is checked against the post when it is opened.
    """
    day, asked_count = timezone.localdate(now), 0
    for signatory in TermsSignatory.objects.waiting():
        people = {signer.pk for signer in signers_of(signatory.organisation_id, signatory.version.partnership_id, day)}
        if people <= set(signatory.asked_people):
            continue
        asked_count += _ask_new(signatory, now)
    return asked_count


@transaction.atomic
def _ask_new(signatory: TermsSignatory, now: dt.datetime) -> bool:
    lock_partnership(signatory.version.partnership_id)
    locked = TermsSignatory.objects.select_related("version__proposal").get(pk=signatory.pk)
    day = timezone.localdate(now)
    people = [signer.pk for signer in signers_of(locked.organisation_id, locked.version.partnership_id, day)]
    new = [pk for pk in people if pk not in locked.asked_people]
    if locked.removed_at is not None or not new:
        return False
    if set(locked.asked_people) - set(people):
        renew_link(locked, now=now)
        new = people
    send_request(locked, locked.version, sender=None, now=now, only=new)
    return True
