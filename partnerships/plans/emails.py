"""Write the emails about plans.

An email is written when it is sent, which may be later than the change that caused it. Each function therefore checks
whether the recipient should still get the email. It returns the content, or the reason why the email is not sent.
"""

from __future__ import annotations

import datetime as dt

from partnerships.activity.models import Event
from partnerships.kit.calendars import write_file
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import leads_of
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail
from partnerships.people.models import User
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import AccessRequest, Mention, OwnershipOffer, Plan, Share, Signatory, SignOff
from partnerships.plans.queries import (
    can_read_today,
    people_at_next_post,
    plans_as_read_by,
    signing_states,
    version_number_to_sign,
)
from partnerships.plans.queries.calendar import entries_of_signatories
from partnerships.plans.queries.roles import organisation_names_by_person


def write_sign_off_request(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email that asks a lead to decide on a version.

    It contains a personal link with which the lead can decide without signing in.
    """
    signatory = _signatory_of(due)
    plan, organisation = signatory.plan, signatory.organisation

    if signatory.asked_at.isoformat() != due.params["asked_at"]:
        return "The organisation has since been asked again."
    if not _must_decide(signatory):
        return "The organisation no longer has to decide."
    if not leads_of(organisation).filter(pk=person.pk).exists():
        return "The recipient no longer leads the organisation."

    version_number = version_number_to_sign(plan)
    context = {
        "signatory": signatory,
        "organisation": organisation,
        "plan": plan,
        "person": person,
        "number": version_number,
        "reminder": due.params["reminder"],
        "again": due.params["again"],
        "link": link("plans:sign-by-link", token=sign_off_token(signatory, person, version_number)),
        "plan_link": link("plans:detail", pk=plan.pk),
    }
    return Content(
        "plans/sign_off_request",
        context,
        reply_to=_address_of(signatory.asked_by),
        calendar=write_file(entries_of_signatories([signatory])[0]) if signatory.due_on else None,
    )


def _signatory_of(due: DueEmail) -> Signatory:
    """Return the signatory of an email about a signature, with the records that the email needs."""
    signatories = Signatory.objects.select_related("plan__partnership", "organisation", "asked_by")
    return signatories.get(pk=due.params["signatory"])


def _address_of(person: User | None) -> str:
    """Return the address to which replies go, or "" if the person is not known any more."""
    return person.email if person else ""


def _must_decide(signatory: Signatory) -> bool:
    """Return whether the organisation still has to decide on the version to sign."""
    plan = signatory.plan
    return plan.is_awaiting_sign_off and any(
        state.must_decide for state in signing_states(plan) if state.signatory.pk == signatory.pk
    )


def write_sign_off_escalation(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email to a person in the next post of an organisation with a late signature."""
    signatory = _signatory_of(due)
    plan = signatory.plan
    if signatory.due_on is None or signatory.due_on.isoformat() != due.params["due_on"]:
        return "The deadline has since been changed."
    if not _must_decide(signatory):
        return "The organisation no longer has to decide."
    if person not in people_at_next_post(signatory, now):
        return "The recipient no longer holds the post, or can no longer read the plan."
    context = {
        "signatory": signatory,
        "organisation": signatory.organisation,
        "plan": plan,
        "person": person,
        "number": version_number_to_sign(plan),
        "leads": leads_of(signatory.organisation),
        "link": link("plans:signing", pk=plan.pk),
    }
    return Content("plans/sign_off_escalation", context, reply_to=_address_of(signatory.asked_by))


def write_decision(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email to a lead of an owner about a rejection or a condition.

    The email does not contain the reason. The lead reads it on the page.
    """
    sign_offs = SignOff.objects.select_related("plan", "version", "organisation", "person")
    sign_off = sign_offs.get(pk=due.params["sign_off"])
    if not Plan.objects.publishable_by(person).filter(pk=sign_off.plan_id).exists():
        return "The recipient is no longer a lead of an owner of the plan."
    context = {
        "sign_off": sign_off,
        "plan": sign_off.plan,
        "person": person,
        "link": link("plans:signing", pk=sign_off.plan_id),
    }
    return Content("plans/decision", context, reply_to=sign_off.person.email)


def write_share(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email that invites a person to read a shared draft."""
    share = Share.objects.select_related("plan", "shared_by").get(pk=due.params["share"])
    active_shares = Share.objects.active(now).filter(pk=share.pk)
    if not active_shares.exists() or not Plan.objects.draft_visible_to(person).filter(pk=share.plan_id).exists():
        return "The draft is no longer shared with the recipient."
    context = {
        "share": share,
        "plan": share.plan,
        "person": person,
        "sharer": share.shared_by,
        "link": link("plans:draft", pk=share.plan_id),
    }
    return Content("plans/share", context, reply_to=_address_of(share.shared_by))


def write_access_request(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email to a lead of an owner about a person who asks to see a draft."""
    request = AccessRequest.objects.select_related("plan", "person").get(pk=due.params["request"])
    if request.answered_at is not None or request.plan is None:
        return "The request has been answered."
    if not Plan.objects.publishable_by(person).filter(pk=request.plan.pk).exists():
        return "The recipient is no longer a lead of an owner of the plan."
    context = {
        "request": request,
        "plan": request.plan,
        "asker": request.person,
        "organisation_names": organisation_names_by_person([request.person_id]).get(request.person_id, ""),
        "lead": person,
        "link": link("plans:sharing", pk=request.plan_id),
    }
    return Content("plans/access_request", context, reply_to=request.person.email)


def write_not_shown(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email that declines a request to see a draft.

    The email names the plan in the words of the request. The person may not know the plan's title.
    """
    request = AccessRequest.objects.select_related("person", "answered_by").get(pk=due.params["request"])
    event = Event.objects.get(pk=due.params["event"])
    context = {
        "request": request,
        "asker": person,
        "author": request.answered_by,
        "organisation": Organisation.objects.filter(pk=event.organisation_id or 0).first(),
        "message": event.data["reason"],
        "link": link("plans:list"),
    }
    return Content("plans/not_shown", context, reply_to=_address_of(request.answered_by))


def write_ownership_offer(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email to a lead of an organisation to which a plan is offered."""
    acceptable_offers = OwnershipOffer.objects.acceptable().filter(pk=due.params["offer"])
    offer = acceptable_offers.select_related("plan", "organisation", "offered_for", "offered_by").first()
    if offer is None:
        return "The offer is no longer open."
    if not leads_of(offer.organisation).filter(pk=person.pk).exists():
        return "The recipient no longer leads the organisation."
    context = {
        "offer": offer,
        "plan": offer.plan,
        "person": person,
        "link": link("plans:answer-ownership", pk=offer.pk),
    }
    return Content("plans/ownership_offer", context, reply_to=_address_of(offer.offered_by))


def write_ownership_answer(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email about an answer to an offer, to a lead of the organisation that made the offer."""
    offers = OwnershipOffer.objects.select_related("organisation", "offered_for", "answered_by")
    offer = offers.get(pk=due.params["offer"])
    if not leads_of(offer.offered_for).filter(pk=person.pk).exists():
        return "The recipient no longer leads the organisation."
    # After a handover, the recipient may see only the plan as it was before the handover, or not see the plan at all.
    readable_plans = plans_as_read_by(person, Plan.objects.visible_to(person).filter(pk=offer.plan_id))
    context = {
        "offer": offer,
        "title": readable_plans[0].title if readable_plans else "",
        "person": person,
        "link": link("plans:detail", pk=offer.plan_id) if readable_plans else link("plans:ownership"),
    }
    return Content("plans/ownership_answer", context, reply_to=_address_of(offer.answered_by))


def write_mention(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email to a person mentioned in a comment.

    The email does not quote the comment, because the comment may be restricted.
    """
    mention = Mention.objects.select_related("comment__plan", "comment__author").get(pk=due.params["mention"])
    comment = mention.comment
    if not can_read_today(comment, person):
        return "The recipient can no longer read the comment."
    route = "plans:draft-comments" if comment.is_on_draft else "plans:comments"
    context = {
        "comment": comment,
        "plan": comment.plan,
        "person": person,
        "writer": comment.author,
        "link": f"{link(route, pk=comment.plan_id)}#comment-{comment.parent_id or comment.pk}",
    }
    # A reply by email becomes a comment on a version, which more people read than a draft.
    return Content("plans/mention", context, comment.author.email, takes_replies=not comment.is_on_draft)
