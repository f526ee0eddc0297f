"""The letters of this room: one function a letter."""

from __future__ import annotations

import datetime as dt

from partnerships.commitments.models import Commitment
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
