"""Content of emails about memberships, successions and how an organisation's people sign in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.organisations.handover_lines import proposed_totals
from partnerships.organisations.lineage import effective_succession, successions_in_email, with_ties
from partnerships.organisations.models import (
    REASON_KEY,
    AccessRequest,
    Membership,
    Organisation,
    RequestAnswer,
    Role,
    Succession,
)
from partnerships.organisations.passed_on import passed_records, records_awaiting_successor
from partnerships.organisations.presenting import order_title, title_in_full, vesting_day_in_words
from partnerships.organisations.queries import leads_of, recipients_of_change
from partnerships.outbox.content import Content, build_message, ids_to_repeat, link
from partnerships.outbox.kinds import Batch, Candidate, Composer, DueEmail
from partnerships.people.models import User
from partnerships.people.services import hash_token


def write_invitation(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that invites a person to act for an organisation, with its one-time link."""
    membership = _membership(due)
    invitation = membership.invitation
    if not membership.is_pending or membership.ends_on is not None or invitation is None or not invitation.is_open(now):
        return "The invitation was answered or withdrawn, or has expired."
    if invitation.token_hash != hash_token(due.secrets["token"]):
        return "A newer invitation has replaced this one."
    inviter = invitation.invited_by
    context = {
        "membership": membership,
        "organisation": membership.organisation,
        "invitation": invitation,
        "inviter": inviter,
        "link": link("organisations:accept-invitation", token=due.secrets["token"]),
    }
    return Content("organisations/invitation", context, reply_to=inviter.email if inviter else "")


def write_membership(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to the person and to the leads (or administrators) that an administrator has added a member."""
    return _by_administrator("organisations/let_in", due, person)


def write_invited_by_administrator(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to leads (or administrators) that an administrator has invited a person."""
    return _by_administrator("organisations/invited_by_administrator", due, person)


def write_role(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to the person and to the leads (or administrators) that an administrator has changed a role."""
    data = Event.objects.get(pk=due.params["event"]).data
    roles = {"old_role": Role(data["before"]["role"]).label, "new_role": Role(data["after"]["role"]).label}
    return _by_administrator("organisations/role_by_administrator", due, person, **roles)


def write_access_requested(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to administrators that a person asks to act for an organisation."""
    access_request = AccessRequest.objects.filter(pk=due.params["request"]).first()
    if access_request is None or access_request.answer:
        return "The request has been answered."
    if not person.is_staff:
        return "The recipient is no longer an administrator."
    context = {"asked": access_request, "reader": person, "link": link("organisations:requests")}
    return Content("organisations/access_requested", context)


#: The kind of the email that declines a request for access.
ACCESS_DECLINED = "organisations.access_declined"


class DeclinedComposer(Composer):
    """Writes the email that declines a request for access, with the reason.

    Nobody has checked the address that was entered, so it may belong to another person. Therefore the email does not
    quote the request, and no person is created for the address.
    """

    def candidates(self, due: Sequence[DueEmail], *, now: dt.datetime) -> list[Candidate]:
        """Return an email to send for each request. The email about a deleted request is refused."""
        declined = AccessRequest.objects.filter(answer=RequestAnswer.DECLINED)
        requests = declined.in_bulk([email.params["request"] for email in due])
        candidate_list = []
        for email in due:
            request = requests.get(email.params["request"])
            if request is None:
                candidate_list.append(Candidate(email, "", refusal="The request was removed."))
            else:
                candidate_list.append(DeclinedCandidate(email, request.email, request=request))
        return candidate_list

    def compose(self, candidates: Sequence[Candidate], batch: Batch, *, now: dt.datetime) -> None:
        """Write each email. Repeat the earlier text if the email may have been sent before."""
        repeatable_ids = ids_to_repeat(candidates)
        for candidate in candidates:
            if not isinstance(candidate, DeclinedCandidate):
                continue
            if candidate.pk in repeatable_ids:
                batch.again.append(candidate)
                continue
            content = Content(
                "organisations/access_declined", {"asked": candidate.request, "link": link("organisations:ask")}
            )
            batch.messages[candidate.pk] = build_message(
                content.render(),
                name="",
                address=candidate.address,
                message_id=candidate.due.message_id,
                is_secret=True,
                now=now,
            )


class DeclinedCandidate(Candidate):
    """An email that is due, with the declined request that the email is about."""

    def __init__(self, due: DueEmail, address: str, *, request: AccessRequest) -> None:
        super().__init__(due, address)
        self.request = request


def write_sign_in_rules_changed(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to the leads that the way in which their organisation's people sign in has changed."""
    event = Event.objects.get(pk=due.params["event"])
    organisation = Organisation.objects.get(pk=event.target_id)
    if not leads_of(organisation).filter(pk=person.pk).exists():
        return "The recipient no longer leads the organisation."
    context = {
        "reader": person,
        "organisation": organisation,
        "before": event.data["before"],
        "author": User.objects.filter(pk=event.actor_id or 0).first(),
        "reason": str(event.data.get("reason", "")).strip(),
        "link": link("organisations:detail", pk=organisation.pk),
    }
    return Content("organisations/ways_in", context)


def write_succession(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email about a made order.

    The email lists what passed from or to the reader's organisations, and what still has to pass.
    """
    day = timezone.localdate(now)
    own_organisation_ids = set(Membership.objects.current(day).of_person(person).values_list("organisation", flat=True))
    successions = [
        succession
        for succession in successions_in_email(due.params)
        if any({tie.predecessor_id, tie.successor_id} & own_organisation_ids for tie in succession.ties.all())
    ]
    if not successions:
        return "The recipient no longer acts for any of the organisations in the succession."
    context = {
        "reader": person,
        "heading": order_title(successions),
        "titles": [title_in_full(succession) for succession in successions],
        "day": vesting_day_in_words(successions[0]),
        "passed": passed_records(successions, person, own_organisation_ids),
        "is_undoing": effective_succession(successions[0]).undoes is not None,
        "awaiting": records_awaiting_successor(successions, person, own_organisation_ids, due.params["waiting"], day),
        "link": link("organisations:succession", pk=successions[0].pk),
    }
    return Content("organisations/handed_over", context)


def write_handover_proposed(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to leads that handover lines await their organisations' answer, with a link for each succession.

    The email contains only counts, because the successor may not read more yet.
    """
    memberships = Membership.objects.current(timezone.localdate(now)).of_person(person, Role.LEAD)
    led_ids = list(memberships.values_list("organisation", flat=True))
    successions = with_ties(Succession.objects.live()).in_bulk(due.params["successions"])
    proposals = [
        (
            title_in_full(succession),
            vesting_day_in_words(succession),
            proposed_lines,
            link("organisations:handover-answer", pk=succession.pk),
        )
        for succession in successions.values()
        if (proposed_lines := proposed_totals(succession, led_ids))
    ]
    if not proposals:
        return "All handover lines have been answered, or the recipient no longer leads any of these organisations."
    lines = [line for _, _, proposed_lines, _ in proposals for line in proposed_lines]
    context = {
        "reader": person,
        "proposals": proposals,
        "predecessors": sorted({line["before"] for line in lines}),
        "count": sum(line["count"] for line in lines),
    }
    return Content("organisations/handover_proposed", context)


def _membership(due: DueEmail) -> Membership:
    return Membership.objects.select_related("person", "organisation", "invitation__invited_by").get(
        pk=due.params["membership"]
    )


def _by_administrator(template: str, due: DueEmail, reader: User, **more: object) -> Content | str:
    """Return the email about what an administrator did to a membership, for the member or for a lead.

    `more` is added to the context of the template.
    """
    membership, event = _membership(due), Event.objects.get(pk=due.params["event"])
    is_own = reader == membership.person
    if is_own and membership.ends_on is not None:
        return "The recipient no longer acts for the organisation."
    if not is_own and not recipients_of_change(membership).filter(pk=reader.pk).exists():
        return "The recipient no longer leads the organisation."
    context = {
        "reader": reader,
        "membership": membership,
        "organisation": membership.organisation,
        "own": is_own,  # the reader is the member
        "author": User.objects.filter(pk=event.actor_id or 0).first(),
        "reason": event.data[REASON_KEY],
        "link": link("organisations:people", pk=membership.organisation_id),
        **more,
    }
    return Content(template, context)
