"""The letters of this room: one function a letter."""

from __future__ import annotations

import datetime as dt

from partnerships.commitments.models import Commitment, Status
from partnerships.kit.letters import link, send_letter
from partnerships.people.models import User


def send_reminder(*, commitment: Commitment, person: User, today: dt.date) -> bool:
    """Remind the owner of what falls due; whether the server took the letter. Needs the organisations fetched."""
    return send_letter(
        to=person.email,
        template="commitments/reminder",
        context={
            "person": person,
            "commitment": commitment,
            "days": (commitment.due_on - today).days if commitment.due_on else 0,
            "href": link("commitments:detail", pk=commitment.pk),
            "choose_href": link("commitments:reminders"),
        },
    )


def send_escalation(*, commitment: Commitment, person: User, author: User) -> bool:
    """Tell somebody that a commitment was brought before them; whether the server took the letter."""
    return send_letter(
        to=person.email,
        template="commitments/escalation",
        context={
            "person": person,
            "commitment": commitment,
            "author": author,
            "href": link("commitments:detail", pk=commitment.pk),
        },
    )


def send_proposed(*, commitment: Commitment, person: User, author: User) -> bool:
    """Ask a lead of a side that has still to confirm for its word; whether the server took the letter."""
    return _send_turn(
        commitment,
        person,
        author,
        heading=f"{commitment.reference} waits for your confirmation",
        words=f"{author.display_name} proposes what {commitment.giver_words} gives {commitment.receiver_words}. "
        "Both sides confirm it, or say what should be different.",
        action="Read it and confirm",
    )


def send_agreed(*, commitment: Commitment, person: User, author: User) -> bool:
    """Tell those who proposed it, and whoever sees it through, that both sides have confirmed."""
    return _send_turn(
        commitment,
        person,
        author,
        heading=f"{commitment.reference} is agreed",
        words=f"{author.display_name} confirmed it: both sides have given their word."
        + (" You see it through." if commitment.owner_id == person.pk else ""),
        action="Open the commitment",
    )


def send_done(*, commitment: Commitment, person: User, author: User) -> bool:
    """Ask a lead of the receiver to say whether what is reported done has arrived."""
    return _send_turn(
        commitment,
        person,
        author,
        heading=f"{commitment.reference} is reported done",
        words=f"{author.display_name} says that all is delivered. Say whether it has arrived, or what is missing.",
        action="Verify the delivery",
    )


def send_answered(*, commitment: Commitment, person: User, author: User) -> bool:
    """Tell those who deliver whether the receiver found that it arrived."""
    verified = commitment.status == Status.VERIFIED
    return _send_turn(
        commitment,
        person,
        author,
        heading=f"{commitment.reference} is {'verified' if verified else 'not there yet'}",
        words=f"{author.display_name} verified the delivery for {commitment.receiver_words}: the promise is kept."
        if verified
        else f"{author.display_name} looked at it for {commitment.receiver_words} and says what is missing.",
        action="Open the commitment",
    )


def send_ended(*, commitment: Commitment, person: User, author: User) -> bool:
    """Tell the other side that it was declined, withdrawn or cancelled; the reason is on its page."""
    return _send_turn(
        commitment,
        person,
        author,
        heading=f"{commitment.reference} is cancelled",
        words=f"{author.display_name} ended it and gave the reason.",
        action="Read the reason",
    )


def _send_turn(commitment: Commitment, person: User, author: User, *, heading: str, words: str, action: str) -> bool:
    """A letter about where a commitment stands now and whose turn it is. Needs the organisations fetched."""
    return send_letter(
        to=person.email,
        template="commitments/turn",
        context={
            "person": person,
            "commitment": commitment,
            "heading": heading,
            "words": words,
            "action": action,
            "href": link("commitments:detail", pk=commitment.pk),
        },
        reply_to=author.email,
    )
