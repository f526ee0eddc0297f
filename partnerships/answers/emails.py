"""Write the emails about answers.

Each function returns the content of an email, or the reason why it is not sent any more.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from partnerships.answers.models import Answer, Incoming, UnusableReason
from partnerships.answers.models.incoming import INCOMING_RETENTION
from partnerships.answers.rights import may_answer, may_forward_to
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Preference
from partnerships.digests.queries.inbox import page_of_record
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail, email_kind_with_code
from partnerships.outbox.models import Email
from partnerships.people.models import User


def write_refused(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email to a stakeholder whose answer is not shown, with the reason."""
    answer = Answer.objects.select_related("plan", "decided_for").get(pk=due.params["answer"])
    if not answer.is_refused:
        return "The owner has since shown the answer."
    if person.is_stakeholder and not may_answer(person, answer.plan, answer.version_number, now):
        return "The recipient can no longer read the plan."
    return Content("answers/refused", {"answer": answer, "plan": answer.plan, "person": person})


def write_confirm_reply(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email that asks a person to confirm the reply that we received from them.

    Stakeholders get a personal link, because they cannot sign in.
    """
    incoming = Incoming.objects.select_related("plan").get(pk=due.params["incoming"])
    if not incoming.is_waiting or incoming.reply_to_id is None:
        return "The recipient has already confirmed or deleted the reply."
    if person.is_stakeholder:
        preference, _ = Preference.objects.get_or_create(person=person)
        token = make(
            Purpose.READ,
            person_id=person.pk,
            link_key=preference.link_key,
            record_id=incoming.reply_to_id,
            minute=minute_of(now),
        )
        confirm_url = link("answers:reply-by-link", token=token, incoming=incoming.pk)
    else:
        confirm_url = link("answers:incoming", pk=incoming.pk)
    return Content("answers/confirm_reply", {"incoming": incoming, "person": person, "link": confirm_url})


def write_confirm_forwarded(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write the email that asks a person to turn a forwarded email into a conversation."""
    incoming = Incoming.objects.select_related("partnership").get(pk=due.params["incoming"])
    if not incoming.is_waiting or incoming.partnership is None:
        return "The recipient has already saved or deleted the email."
    if not may_forward_to(incoming.partnership, person, now):
        return "The recipient can no longer record conversations of the partnership."
    context = {
        "incoming": incoming,
        "partnership": incoming.partnership,
        "days": INCOMING_RETENTION.days,
        "person": person,
        "link": link("answers:incoming", pk=incoming.pk),
    }
    return Content("answers/confirm_forwarded", context)


def write_unfit(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Write to a person why we could not use their email, and what to do instead."""
    record_path = "" if person.is_stakeholder else _path_of_record(person, due.params.get("email"))
    context = {
        "person": person,
        "why": UnusableReason(due.params.get("why", UnusableReason.UNKNOWN)).label,
        "page": f"{settings.SITE_ORIGIN}{record_path}" if record_path else "",
        "link": link("digests:new-links") if person.is_stakeholder else link("web:my-work"),
    }
    return Content("answers/unfit", context)


def _path_of_record(person: User, email_id: int | None) -> str:
    """Return the path of the page that our email was about, or "" if it has none or the person may not read it."""
    email = Email.objects.filter(pk=email_id, person_id=person.pk).first() if email_id else None
    if email is None:
        return ""
    kind = email_kind_with_code(email.kind)
    if kind is None or kind.about is None:
        return ""
    subject = kind.about(email.params)
    return page_of_record(person, subject.kind, subject.record_id) if subject else ""
