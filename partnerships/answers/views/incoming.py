"""Pages to confirm or delete an incoming email, by a link or signed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.models import Partnership
from partnerships.answers import services
from partnerships.answers.form_tokens import BadForm, FormSubject, make_form_token, read_form_token
from partnerships.answers.forms import ForwardedForm, ReplyForm
from partnerships.answers.models import Answer, Incoming, IncomingFile
from partnerships.answers.rights import ids_of_edited_parties, may_forward_to
from partnerships.conversations.models import Format
from partnerships.conversations.services import Record, UnableToRecord
from partnerships.digests.emails.links import Link, Purpose
from partnerships.digests.signed_links import for_bearer
from partnerships.kit.http import form_page, post_data, private_file
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.services import UnableToComment

_UNABLE_TO_CONFIRM = (services.UnableToConfirm, services.UnableToAnswer, UnableToComment)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.READ)
def reply_by_link(request: HttpRequest, link: Link, incoming: int) -> HttpResponse:
    """Confirm or delete a stakeholder's reply, by a link in an email. GET changes nothing."""
    replies = Incoming.objects.select_related("person")
    reply = get_object_or_404(replies, pk=incoming, person=link.person, reply_to_id=link.record_id)
    if not link.person.is_stakeholder:
        raise Http404
    return _reply_page(request, reply, link.person, by_link=True)


@require_http_methods(["GET", "HEAD", "POST"])
def incoming_email(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm or delete an incoming email, signed in as its sender."""
    user = signed_in(request)
    email = get_object_or_404(Incoming.objects.select_related("partnership"), pk=pk, person=user)
    if email.is_reply:
        return _reply_page(request, email, user, by_link=False)
    return _forwarded_page(request, email, user)


def _reply_page(request: HttpRequest, reply: Incoming, person: User, *, by_link: bool) -> HttpResponse:
    """Show the page on which a person confirms their reply as a comment on a plan, or deletes the reply."""
    now = timezone.now()
    if not Incoming.objects.waiting(now).filter(pk=reply.pk).exists():
        return render(request, "answers/settled.html", {"incoming": reply, "by_link": by_link})

    plans = services.plans_of_reply(reply, now)
    if not plans:
        return render(request, "answers/settled.html", {"incoming": reply, "closed": True}, status=404)

    # A form token names a plan and a version. A reply has neither yet, so its id and version 0 take their place.
    token_subject = FormSubject(person.pk, plan_id=reply.pk, version_number=0)
    form = ReplyForm(post_data(request), plans=plans, by_link=by_link, initial={"text": reply.text})

    if request.method == "POST":
        try:
            if by_link:
                read_form_token(request.POST.get("form", ""), token_subject)

            if "drop" in request.POST:
                services.drop_incoming(incoming=reply, author=person, now=now)
                return render(request, "answers/settled.html", {"incoming": reply, "dropped": True})

            if form.is_valid():
                data = form.cleaned_data
                plan = next(plan for plan in plans if str(plan.pk) == data["plan"])
                services.confirm_reply(incoming=reply, plan=plan, text=data["text"], author=person, now=now)
                return render(request, "answers/settled.html", {"incoming": reply, "plan": plan, "by_link": by_link})
        except BadForm:
            form.add_error(None, "The form had expired, so we did not save your comment. Fill it in again.")
        except _UNABLE_TO_CONFIRM as error:
            form.add_error(None, str(error))

    return form_page(
        request,
        "answers/reply.html",
        form,
        form_token=make_form_token(token_subject),
        incoming=reply,
        by_link=by_link,
        plans=plans,
    )


def _forwarded_page(request: HttpRequest, email: Incoming, user: User) -> HttpResponse:
    """Show the page on which a person saves a forwarded email as a draft conversation, or deletes the email."""
    now = timezone.now()
    partnership = email.partnership
    if partnership is None or not may_forward_to(partnership, user, now):
        raise Http404
    if not Incoming.objects.waiting(now).filter(pk=email.pk).exists():
        return render(request, "answers/settled.html", {"incoming": email})

    own_organisations, other_choices = _conversation_choices(partnership, user, now)
    initial = {
        "subject": email.subject,
        "said": email.text,
        "held_on": timezone.localdate(email.received_at),
        "others": [str(other_choices[0].pk)] if len(other_choices) == 1 else [],
    }
    form = ForwardedForm(
        post_data(request), own_organisations=own_organisations, other_choices=other_choices, initial=initial
    )

    if request.method == "POST":
        try:
            if "drop" in request.POST:
                services.drop_incoming(incoming=email, author=user, now=now)
                messages.success(request, "We have deleted the email.")
                return redirect(partnership)
            if form.is_valid():
                conversation = services.save_forwarded(
                    incoming=email,
                    organisation=_organisation_with_id(own_organisations, form.cleaned_data["organisation"]),
                    record=_conversation_record(form.cleaned_data, partnership, other_choices),
                    author=user,
                    now=now,
                )
                messages.success(request, f"“{conversation.subject}” has been saved as a draft.")
                return redirect(conversation)
        except (services.UnableToConfirm, UnableToRecord) as error:
            form.add_error(None, str(error))

    back = partnership.get_absolute_url()
    return form_page(request, "answers/forwarded.html", form, incoming=email, partnership=partnership, back=back)


def _conversation_choices(
    partnership: Partnership, user: User, now: dt.datetime
) -> tuple[list[Organisation], list[Organisation]]:
    """Return the organisations to which the draft may belong, and those that may have taken part in the conversation.

    The draft belongs to one organisation that the person edits for. If there is only one, it is not among the others.
    """
    edited_ids = ids_of_edited_parties(partnership, user, now)
    parties = Organisation.objects.filter(parties__in=partnership.parties.accepted()).distinct().order_by("name", "pk")
    own_organisations = [party for party in parties if party.pk in edited_ids]
    if len(own_organisations) > 1:
        return own_organisations, list(parties)
    return own_organisations, [party for party in parties if party.pk not in edited_ids]


def _organisation_with_id(organisations: Iterable[Organisation], pk: str) -> Organisation:
    """Return the organisation that was chosen in the form. The form has checked that it is one of these."""
    return next(organisation for organisation in organisations if str(organisation.pk) == pk)


def _conversation_record(
    cleaned_data: Mapping[str, Any], partnership: Partnership, other_choices: Iterable[Organisation]
) -> Record:
    """Return the conversation, in writing, that a forwarded email records."""
    return Record(
        subject=cleaned_data["subject"],
        held_on=cleaned_data["held_on"],
        planned=False,
        format=Format.WRITING,
        organisations=[party for party in other_choices if str(party.pk) in cleaned_data["others"]],
        partnership=partnership,
        said=cleaned_data["said"],
    )


@require_safe
def download_attachment(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Return a file of an answer to people who may read the answer."""
    answers = Answer.objects.visible_to(signed_in(request)).values("pk")
    incoming_file = get_object_or_404(IncomingFile, pk=pk, answer__in=answers)
    return private_file(incoming_file.file, name=incoming_file.file_name, content_type=incoming_file.content_type)
