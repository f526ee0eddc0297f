"""Emails about answers, and whether people may still get them."""

from __future__ import annotations

import datetime as dt

from partnerships.answers.models import Answer, Incoming
from partnerships.answers.rights import may_answer, may_forward_to
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Preference
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import Due
from partnerships.people.models import User


def write_refused(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a stakeholder that their answer is not shown, and why."""
    answer = Answer.objects.select_related("plan", "decided_for").get(pk=due.params["answer"])
    if not answer.is_refused:
        return "The answer is no longer refused."
    if person.is_stakeholder and not may_answer(person, answer.plan, answer.version_number, now):
        return "They may no longer read the plan."
    return Content("answers/refused", {"answer": answer, "plan": answer.plan, "person": person})


def write_confirm_reply(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Ask somebody to confirm a reply that we received from them."""
    incoming = Incoming.objects.select_related("plan").get(pk=due.params["incoming"])
    if not incoming.is_waiting or incoming.reply_to_id is None:
        return "The reply was confirmed or deleted."
    if person.is_stakeholder:
        preference, _ = Preference.objects.get_or_create(person=person)
        token = make(
            Purpose.READ,
            person_id=person.pk,
            link_key=preference.link_key,
            number=incoming.reply_to_id,
            minute=minute_of(now),
        )
        address = link("answers:reply-by-link", token=token, incoming=incoming.pk)
    else:
        address = link("answers:incoming", pk=incoming.pk)
    return Content("answers/confirm_reply", {"incoming": incoming, "person": person, "link": address})


def write_confirm_forwarded(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Ask somebody to turn an email that they forwarded into a conversation."""
    incoming = Incoming.objects.select_related("partnership").get(pk=due.params["incoming"])
    if not incoming.is_waiting or incoming.partnership is None:
        return "The email was used or deleted."
    if not may_forward_to(incoming.partnership, person, now):
        return "They may no longer write conversations of the partnership."
    context = {
        "incoming": incoming,
        "partnership": incoming.partnership,
        "person": person,
        "link": link("answers:incoming", pk=incoming.pk),
    }
    return Content("answers/confirm_forwarded", context)


def write_unfit(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell somebody that we could not use an email from them, and what to do."""
    page = link("digests:new-links") if person.is_stakeholder else link("web:my-work")
    return Content("answers/unfit", {"person": person, "link": page})
