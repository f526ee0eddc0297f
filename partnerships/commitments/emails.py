"""Emails about commitments, and whether their recipient may still read it."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.commitments.models import Commitment, Reminder, Status, commitment_readers
from partnerships.commitments.rights import waits_for
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import Due
from partnerships.people.models import User

_NO_READER = "They may not read the commitment any more."
_ANSWERED = "It does not wait for them any more."


def write_reminder(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Reminder for the owner that a commitment is due.

    Dropped if it was delivered, moved or given to another owner in the meantime.
    """
    params = due.params
    if "reminder" in params:  # older emails have no commitment in their parameters
        reminder = Reminder.objects.get(pk=params["reminder"])
        params = {"commitment": reminder.commitment_id, "due_on": reminder.due_on.isoformat()}
    commitment = _fetched(params["commitment"])
    if (
        not commitment.is_under_way
        or commitment.due_on is None
        or commitment.due_on.isoformat() != params["due_on"]
        or commitment.owner_id != person.pk
        or not _may_read(commitment, person)
    ):
        return "It is not due any more, or not from them."
    context = {
        "person": person,
        "commitment": commitment,
        "days": (commitment.due_on - timezone.localdate(now)).days,
        "href": link("commitments:detail", pk=commitment.pk),
        "choose_href": link("commitments:reminders"),
    }
    return Content("commitments/reminder", context)


def write_escalation(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email to the person a commitment was escalated to."""
    commitment, author = _found(due)
    if commitment.escalated_to_id != person.pk:
        return _ANSWERED
    if not _may_read(commitment, person):
        return _NO_READER
    context = {
        "person": person,
        "commitment": commitment,
        "author": author,
        "href": link("commitments:detail", pk=commitment.pk),
    }
    return Content("commitments/escalation", context)


def write_proposed(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email that asks a lead to confirm for their organisation."""
    commitment, author = _found(due)
    if commitment.revision != due.params["revision"]:
        return "The terms have changed since."
    if not commitment.is_proposed or not leads_with_account(waits_for(commitment)).filter(pk=person.pk).exists():
        return _ANSWERED
    return _turn(
        commitment,
        person,
        author,
        heading=f"{commitment.reference} waits for your confirmation",
        words=f"{author.display_name} proposes what {commitment.giver_words} gives {commitment.receiver_words}. "
        "Both sides confirm it, or say what should be different.",
        action="Read it and confirm",
    )


def write_agreed(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email to the proposer and the owner that both sides have confirmed."""
    commitment, author = _found(due)
    if commitment.status == Status.CANCELLED:
        return "It was cancelled meanwhile."
    return _turn(
        commitment,
        person,
        author,
        heading=f"{commitment.reference} is agreed",
        words=f"{author.display_name} confirmed it: both sides have given their word."
        + (" You see it through." if commitment.owner_id == person.pk else ""),
        action="Open the commitment",
    )


def write_done(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email that asks a lead of the receiver to verify the delivery."""
    commitment, author = _found(due)
    if not commitment.is_done or not leads_with_account(waits_for(commitment)).filter(pk=person.pk).exists():
        return _ANSWERED
    return _turn(
        commitment,
        person,
        author,
        heading=f"{commitment.reference} is reported done",
        words=f"{author.display_name} says that all is delivered. Say whether it has arrived, or what is missing.",
        action="Verify the delivery",
    )


def write_answered(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email to those who deliver: delivery verified or sent back."""
    commitment, author = _found(due)
    verified = due.params["verified"]
    return _turn(
        commitment,
        person,
        author,
        heading=f"{commitment.reference} is {'verified' if verified else 'not there yet'}",
        words=f"{author.display_name} verified the delivery for {commitment.receiver_words}: the promise is kept."
        if verified
        else f"{author.display_name} looked at it for {commitment.receiver_words} and says what is missing.",
        action="Open the commitment",
    )


def write_ended(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email to the other side: declined, withdrawn or cancelled.

    The reason is on the commitment's page only.
    """
    commitment, author = _found(due)
    return _turn(
        commitment,
        person,
        author,
        heading=f"{commitment.reference} is cancelled",
        words=f"{author.display_name} ended it and gave the reason.",
        action="Read the reason",
    )


def _fetched(pk: int) -> Commitment:
    return Commitment.objects.select_related("giver", "receiver", "partnership").get(pk=pk)


def _found(due: Due) -> tuple[Commitment, User]:
    return _fetched(due.params["commitment"]), User.objects.get(pk=due.params["author"])


def _may_read(commitment: Commitment, person: User) -> bool:
    return commitment_readers(commitment).filter(pk=person.pk).exists()


def _turn(
    commitment: Commitment, person: User, author: User, *, heading: str, words: str, action: str
) -> Content | str:
    """Where a commitment stands, and which side must act next."""
    if not _may_read(commitment, person):
        return _NO_READER
    context = {
        "person": person,
        "commitment": commitment,
        "heading": heading,
        "words": words,
        "action": action,
        "href": link("commitments:detail", pk=commitment.pk),
    }
    return Content("commitments/turn", context, reply_to=author.email)
