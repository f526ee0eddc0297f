"""Emails about commitments.

Each function returns the content of an email, or a sentence that says why the email is no longer sent. For example, its
recipient may not read the commitment any more.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import FINAL_STATUSES, Commitment, Reminder, Status, commitment_readers
from partnerships.commitments.rights import organisations_to_act
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail
from partnerships.people.models import User

_NO_READER = "The recipient can no longer read the commitment."
_ANSWERED = "The commitment is no longer waiting for the recipient."
#: How a commitment ended, in words that follow "has been", by the event.
_ENDINGS = {
    EventKind.PROPOSAL_WITHDRAWN.value: "withdrawn",
    EventKind.PROPOSAL_DECLINED.value: "declined",
    EventKind.CANCELLED.value: "cancelled",
}
#: Limit of commitments that one email lists. The email gives the number of further commitments.
MAX_LISTED = 20


def write_reminder(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the reminder for the owner that a commitment is due.

    Not sent if the commitment has been delivered, or has another due date or owner, since the reminder was recorded.
    """
    params = due.params
    if "reminder" in params:  # older emails have no commitment in their parameters
        reminder = Reminder.objects.get(pk=params["reminder"])
        params = {"commitment": reminder.commitment_id, "due_on": reminder.due_on.isoformat()}
    commitment = _commitment(params["commitment"])
    if (
        not commitment.is_under_way
        or commitment.due_on is None
        or commitment.due_on.isoformat() != params["due_on"]
        or commitment.owner_id != person.pk
        or not _may_read(commitment, person)
    ):
        return "The commitment is no longer due, or the recipient no longer owns it."
    context = {
        "person": person,
        "commitment": commitment,
        "days": (commitment.due_on - timezone.localdate(now)).days,
        "href": link("commitments:detail", pk=commitment.pk),
        "choose_href": f"{link('digests:manage')}#div_id_lead_commitments",
    }
    return Content("commitments/reminder", context)


def write_escalation(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that asks a person to help with a commitment that was escalated to them."""
    commitment, author = _commitment_and_author(due)
    if commitment.escalated_to_id != person.pk:
        return _ANSWERED
    return _action_email("escalation", commitment, person, author)


def write_proposed(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that asks a lead to confirm a commitment for their organisation."""
    commitment, author = _commitment_and_author(due)
    if commitment.revision != due.params["revision"]:
        return "The terms have since changed."
    if not commitment.is_proposed or not deciding_leads(commitment).filter(pk=person.pk).exists():
        return _ANSWERED
    return _action_email("proposed", commitment, person, author)


def write_proposed_together(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that asks a lead to confirm several commitments of one spreadsheet.

    The email leaves out commitments that no longer wait for the lead, or that the lead may not read.
    """
    readable = Commitment.objects.visible_to(person).filter(pk__in=due.params["commitments"], status=Status.PROPOSED)
    # The answer is the same for all commitments that the same organisations must confirm, so it needs only one query.
    is_lead_by_organisations: dict[tuple[Organisation, ...], bool] = {}
    proposed = []
    for commitment in readable.select_related("giver", "receiver", "partnership").order_by("pk"):
        organisations = organisations_to_act(commitment)
        if organisations not in is_lead_by_organisations:
            is_lead_by_organisations[organisations] = leads_with_account(organisations).filter(pk=person.pk).exists()
        if is_lead_by_organisations[organisations]:
            proposed.append(commitment)
    if not proposed:
        return _ANSWERED
    author = User.objects.get(pk=due.params["author"])
    context = {
        "person": person,
        "author": author,
        "commitments": proposed[:MAX_LISTED],
        "count": len(proposed),
        "more": max(0, len(proposed) - MAX_LISTED),
        "href": link("commitments:list"),
    }
    return Content("commitments/proposed_together", context, reply_to=author.email)


def write_owned_together(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email to the owner of several commitments.

    The email says that they are now the owner. With the parameter `reminds`, it reminds them of the commitments. It
    leaves out commitments that are over, that another person owns now, or that the recipient may not read.
    """
    owned = Commitment.objects.visible_to(person).filter(pk__in=due.params["commitments"], owner=person)
    commitments = list(
        owned.exclude(status__in=FINAL_STATUSES).select_related("giver", "receiver").order_by("due_on", "pk")
    )
    if not commitments:
        return "The recipient no longer owns any of these commitments."
    author = User.objects.get(pk=due.params["author"])
    context = {
        "person": person,
        "author": author,
        "reminds": due.params["reminds"],
        "commitments": commitments[:MAX_LISTED],
        "count": len(commitments),
        "more": max(0, len(commitments) - MAX_LISTED),
        "href": f"{link('commitments:list')}?side=mine",
    }
    return Content("commitments/owned_together", context, reply_to=author.email)


def write_agreed(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email to the proposer and the owner that giver and receiver have confirmed."""
    commitment, author = _commitment_and_author(due)
    if commitment.status == Status.CANCELLED:
        return "The commitment has since been cancelled."
    return _action_email("agreed", commitment, person, author)


def write_done(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that asks a lead of the receiver to verify the delivery."""
    commitment, author = _commitment_and_author(due)
    if not commitment.is_done or not deciding_leads(commitment).filter(pk=person.pk).exists():
        return _ANSWERED
    return _action_email("done", commitment, person, author)


def write_answered(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email to the people who deliver that the delivery has been verified or sent back."""
    commitment, author = _commitment_and_author(due)
    return _action_email("verified" if due.params["verified"] else "sent_back", commitment, person, author)


def write_ended(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that a commitment was declined, withdrawn or cancelled.

    The reason is only on the commitment's page.
    """
    commitment, author = _commitment_and_author(due)
    # Emails that were recorded by older code do not say how the commitment ended.
    ending = _ENDINGS.get(due.params.get("event", EventKind.CANCELLED), "cancelled")
    return _action_email("ended", commitment, person, author, ending=ending)


def deciding_leads(commitment: Commitment) -> QuerySet[User]:
    """Return the leads who must confirm or verify the commitment.

    The owner of an action, and the person who did the action, cannot verify it.
    """
    leads = leads_with_account(organisations_to_act(commitment))
    if not (commitment.is_action and commitment.is_done):
        return leads
    own_ids = [pk for pk in (commitment.owner_id, commitment.done_by_id) if pk is not None]
    return leads.exclude(pk__in=own_ids)


def _commitment(pk: int) -> Commitment:
    """Return a commitment with the related rows that emails show."""
    return Commitment.objects.select_related("giver", "receiver", "partnership").get(pk=pk)


def _commitment_and_author(due: DueEmail) -> tuple[Commitment, User]:
    """Return the commitment of an email, and the person whose action the email reports."""
    return _commitment(due.params["commitment"]), User.objects.get(pk=due.params["author"])


def _may_read(commitment: Commitment, person: User) -> bool:
    return commitment_readers(commitment).filter(pk=person.pk).exists()


def _action_email(template_name: str, commitment: Commitment, person: User, author: User, **more: str) -> Content | str:
    """Return the email of this template about an action of `author`, or why it is not sent.

    `more` is for the templates, in addition to what every template gets.
    """
    if not _may_read(commitment, person):
        return _NO_READER
    context = {
        "person": person,
        "commitment": commitment,
        "author": author,
        "owns": commitment.owner_id == person.pk,
        "href": link("commitments:detail", pk=commitment.pk),
        **more,
    }
    return Content(f"commitments/{template_name}", context, reply_to=author.email)
