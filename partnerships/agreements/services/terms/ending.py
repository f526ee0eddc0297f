"""Return terms to draft, close proposals, and remind the people who must sign."""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.departures import PartnershipEnding
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    LATE_SIGNING_PERIOD,
    Partnership,
    PostRole,
    ProposalStatus,
    TermsProposal,
    TermsSignatory,
)
from partnerships.agreements.queries.posts import people_in_post
from partnerships.agreements.queries.signers import signers_of
from partnerships.agreements.queries.terms import newest_version, signing_states
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.terms.asking import renew_link, send_request, stop_asking_all
from partnerships.agreements.services.terms.recording import email_leads, lock_proposal, stopped_params
from partnerships.agreements.services.terms.taking_force import return_to_drafting
from partnerships.documents.services import escalate_late
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.kit.text import listed
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import leads_of
from partnerships.outbox.services import record_emails
from partnerships.people.lead_times import lead_times_by_person
from partnerships.people.models import ReminderKind, User


class UnableToWithdraw(Exception):
    """The proposal does not await signatures or is closed, or the reason is missing."""


@transaction.atomic
def take_back_terms(
    *,
    proposal: TermsProposal,
    reason: str,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
) -> None:
    """Stop the signing of terms so that they can be drafted again, and email the parties' leads.

    Raises `UnableToWithdraw`.
    """
    partnership, locked_proposal = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_send_for_signature(locked_proposal))
    reason = reason.strip()
    version = newest_version(locked_proposal)
    if not locked_proposal.is_awaiting_signatures or version is None:
        raise UnableToWithdraw(
            "These terms are not waiting for signatures, so you do not need to return them to draft."
        )
    if not reason:
        raise UnableToWithdraw("Enter why you are returning the terms to draft.")

    return_to_drafting(version, locked_proposal, now=now, outcome=reason)
    _journal(locked_proposal, now=now)
    record_event(
        partnership,
        EventKind.TERMS_TAKEN_BACK,
        author=author,
        now=now,
        organisation=organisation,
        data={"number": version.number, "proposal": locked_proposal.number, "reason": reason},
    )
    email_leads(
        partnership,
        "agreements.terms_stopped",
        stopped_params(locked_proposal, "taken_back", now=now, organisation=organisation),
        author=author,
        now=now,
        sender=organisation,
    )
    proposal.status = locked_proposal.status


@transaction.atomic
def withdraw_proposal(
    *,
    proposal: TermsProposal,
    reason: str,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
) -> None:
    """Withdraw an amendment that is still a draft or awaits signatures, and email the parties' leads.

    First terms cannot be withdrawn; the partnership can be ended instead. Raises `UnableToWithdraw`.
    """
    partnership, locked_proposal = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_send_for_signature(locked_proposal))
    if locked_proposal.is_first:
        raise UnableToWithdraw("The first terms cannot be withdrawn. Change them, or end the partnership.")
    if not locked_proposal.is_open:
        status = locked_proposal.get_status_display().lower()
        raise UnableToWithdraw(f"This proposal is already {status}, so you cannot withdraw it.")
    if not reason.strip():
        raise UnableToWithdraw("Enter why you are withdrawing the proposal.")

    _close(partnership, locked_proposal, ProposalStatus.WITHDRAWN, reason=reason.strip(), now=now)
    record_event(
        partnership,
        EventKind.AMENDMENT_WITHDRAWN,
        author=author,
        now=now,
        organisation=organisation,
        data={"proposal": locked_proposal.number, "reason": locked_proposal.outcome},
    )
    email_leads(
        partnership,
        "agreements.terms_stopped",
        stopped_params(locked_proposal, "withdrawn", now=now),
        author=author,
        now=now,
        sender=organisation,
    )
    proposal.status = locked_proposal.status
    proposal.outcome = locked_proposal.outcome


def close_with_partnership(ending: PartnershipEnding) -> None:
    """Close the open proposals of a partnership that is over."""
    for pk in ending.partnership.terms_proposals.in_progress().order_by("pk").values_list("pk", flat=True):
        proposal = TermsProposal.objects.select_for_update().get(pk=pk)
        proposal.partnership = ending.partnership
        _close(ending.partnership, proposal, ProposalStatus.NOT_AGREED, reason=ending.reason, now=ending.now)


def _close(
    partnership: Partnership, proposal: TermsProposal, status: ProposalStatus, *, reason: str, now: dt.datetime
) -> None:
    """Close a locked proposal, and stop asking parties to sign it."""
    version = newest_version(proposal)
    if proposal.is_awaiting_signatures and version is not None:
        version.partnership = partnership
        stop_asking_all(version, now=now)
    proposal.status = status
    proposal.outcome = reason
    proposal.decided_at = now
    proposal.save(update_fields=["status", "outcome", "decided_at"])
    _journal(proposal, now=now)


#: Name of the lines in the journal which record that nobody can sign a proposal any more.
PROPOSAL = "terms proposal"


def proposal_identity(proposal: TermsProposal) -> str:
    """Return the hash by which the journal recognises a proposal."""
    return journal.identity(proposal.partnership_id, proposal.number, proposal.created_at)


def _journal(proposal: TermsProposal, *, now: dt.datetime) -> None:
    """Note the status in the journal. After a restore, the proposal gets this status again, and nobody can sign it."""
    journal.note(PROPOSAL, now=now, proposal=proposal.pk, same=proposal_identity(proposal), status=str(proposal.status))


def lapse_proposals(*, now: dt.datetime) -> int:
    """Stop the signing of terms that were not signed in time, and return how many.

    Amendments are closed, and first terms return to draft. Nobody can sign such terms even before this job runs.
    """
    latest_deadline = timezone.localdate(now) - LATE_SIGNING_PERIOD
    late_proposals = TermsProposal.objects.filter(
        status=ProposalStatus.AWAITING, sign_by__lt=latest_deadline, partnership__in=Partnership.objects.live()
    )
    return sum(_lapse(pk, now) for pk in late_proposals.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _lapse(proposal_id: int, now: dt.datetime) -> bool:
    """Stop the signing of one proposal. Returns False if it is not late after all."""
    partnership, locked_proposal = lock_proposal(TermsProposal.objects.get(pk=proposal_id))
    version = newest_version(locked_proposal)
    if version is None or not locked_proposal.has_lapsed(timezone.localdate(now)):
        return False
    version.partnership = partnership
    undecided_names = [state.signatory.organisation.name for state in signing_states(version) if state.must_decide]
    reason = f"{listed(undecided_names)} did not sign in time."

    if locked_proposal.is_first:
        return_to_drafting(version, locked_proposal, now=now, outcome=reason)
        _journal(locked_proposal, now=now)
    else:
        _close(partnership, locked_proposal, ProposalStatus.NOT_AGREED, reason=reason, now=now)
    record_event(
        partnership,
        EventKind.TERMS_LAPSED,
        author=None,
        now=now,
        data={"number": version.number, "proposal": locked_proposal.number, "reason": reason},
    )
    email_leads(
        partnership,
        "agreements.terms_stopped",
        stopped_params(locked_proposal, "lapsed", version=version, now=now),
        author=None,
        now=now,
    )
    return True


def remind_terms_signers(*, now: dt.datetime) -> int:
    """Remind the people who must sign terms, and return the number of parties reminded.

    Before the deadline, each person gets reminders on the days that they have chosen. After the deadline, reminders go
    out once a week. Safe to run twice at once, because a conditional update claims each party.
    """
    today = timezone.localdate(now)
    lead_times = lead_times_by_person(ReminderKind.SIGNATURES)
    reminded_count = 0
    for signatory in TermsSignatory.objects.waiting():
        proposal = signatory.version.proposal
        has_lapsed = proposal is not None and proposal.has_lapsed(today)
        if has_lapsed or not signatory.is_reminder_due(now, lead_times.any_days):
            continue
        signers = signers_of(signatory.organisation_id, signatory.version.partnership_id, today)
        due_ids = [signer.pk for signer in signers if signatory.is_reminder_due(now, lead_times.of(signer.pk))]
        if signers and not due_ids:
            continue
        # People who have become signers since the last email need the link too.
        new_ids = [signer.pk for signer in signers if signer.pk not in signatory.asked_people]
        reminded_count += _remind(signatory, due_ids + new_ids, now=now)
    return reminded_count


@transaction.atomic
def _remind(signatory: TermsSignatory, person_ids: list[int], *, now: dt.datetime) -> bool:
    """Remind these people, and return False if another run has just reminded the party."""
    # Only one of several runs finds the row unchanged, and sends the reminder.
    unchanged_row = TermsSignatory.objects.filter(pk=signatory.pk, reminded_at=signatory.reminded_at)
    if not unchanged_row.update(reminded_at=now):
        return False
    send_request(signatory, signatory.version, sender=None, now=now, reminder=True, only_ids=person_ids)
    return True


def escalate_late_signatures(*, now: dt.datetime) -> int:
    """Email the escalation post of each party that is late to sign, and return the number of parties.

    If nobody holds that post, the leads of the party get the email. Each party gets one such email for a version.
    """
    return escalate_late(
        TermsSignatory.objects.waiting(),
        must_decide=_may_still_decide,
        email_next_post=partial(_email_escalation_post, now=now),
        now=now,
    )


def _may_still_decide(signatory: TermsSignatory) -> bool:
    """Return whether the signatory may still decide."""
    return TermsSignatory.objects.waiting().filter(pk=signatory.pk).exists()


def _email_escalation_post(signatory: TermsSignatory, *, now: dt.datetime) -> None:
    """Email the holders of the escalation post, or else the leads, that the party is late to sign."""
    organisation = signatory.organisation
    people = people_in_post(
        organisation.pk,
        PostRole.ESCALATION,
        partnership=signatory.version.partnership,
        day=timezone.localdate(now),
    )
    if not people:
        people = list(leads_of(organisation))
    record_emails(
        kind="agreements.terms_late",
        people=[person.pk for person in people],
        params={"signatory": signatory.pk, "due_on": str(signatory.due_on)},
        sender_id=None,
        now=now,
    )


def ask_new_signers(*, now: dt.datetime) -> int:
    """Send a link to people who may now sign but have no link yet, and return the number of parties.

    For example, a signatory post has a new holder.
    """
    today = timezone.localdate(now)
    asked_count = 0
    for signatory in TermsSignatory.objects.waiting():
        if not _signer_ids(signatory, today) <= set(signatory.asked_people):
            asked_count += _ask_new_signers_of(signatory, now)
    return asked_count


def _signer_ids(signatory: TermsSignatory, day: dt.date) -> set[int]:
    """Return the ids of the people who may sign for a party on a day."""
    return {signer.pk for signer in signers_of(signatory.organisation_id, signatory.version.partnership_id, day)}


@transaction.atomic
def _ask_new_signers_of(signatory: TermsSignatory, now: dt.datetime) -> bool:
    """Send a link to the new signers of one party. Returns False if it has none after all."""
    lock_partnership(signatory.version.partnership_id)
    fresh_signatory = TermsSignatory.objects.select_related("version__proposal").get(pk=signatory.pk)
    signer_ids = _signer_ids(fresh_signatory, timezone.localdate(now))
    asked_ids = set(fresh_signatory.asked_people)
    new_ids = signer_ids - asked_ids
    if fresh_signatory.removed_at is not None or not new_ids:
        return False
    if asked_ids - signer_ids:
        # Somebody who may no longer sign has a link. All links of a party stop working together, so send all again.
        renew_link(fresh_signatory, now=now)
        new_ids = signer_ids
    send_request(fresh_signatory, fresh_signatory.version, sender=None, now=now, only_ids=sorted(new_ids))
    return True
