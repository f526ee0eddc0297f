"""Pages to confirm or delete an incoming email, by a link or signed in."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.answers import services
from partnerships.answers.form_tokens import About, BadForm, make_form_token, read_form_token
from partnerships.answers.forms import ForwardedForm, ReplyForm
from partnerships.answers.models import Answer, Incoming, IncomingFile
from partnerships.answers.rights import may_forward_to, parties_edited
from partnerships.conversations.models import Format
from partnerships.conversations.services import Record, UnableToRecord
from partnerships.digests.bearers import for_bearer
from partnerships.digests.emails.links import Link, Purpose
from partnerships.kit.http import posted, private_file
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.plans.services import UnableToComment

_UNABLE = (services.UnableToConfirm, services.UnableToAnswer, UnableToComment)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@for_bearer(Purpose.READ)
def reply_by_link(request: HttpRequest, link: Link, incoming: int) -> HttpResponse:
    """Confirm or delete a reply, by a link in an email; GET changes nothing."""
    reply = get_object_or_404(Incoming, pk=incoming, person=link.person, reply_to_id=link.number)
    if not link.person.is_stakeholder:
        raise Http404
    return _reply(request, reply, link.person, by_link=True)


@require_http_methods(["GET", "HEAD", "POST"])
def incoming(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm or delete an incoming email, signed in as its sender."""
    user = signed_in(request)
    incoming_email = get_object_or_404(Incoming.objects.select_related("partnership"), pk=pk, person=user)
    return (
        _reply(request, incoming_email, user, by_link=False)
        if incoming_email.is_reply
        else _forwarded(request, incoming_email, user)
    )


def _reply(request: HttpRequest, found: Incoming, person: User, *, by_link: bool) -> HttpResponse:
    """The page on which somebody confirms a reply as a comment on a plan, or deletes it."""
    now = timezone.now()
    if not Incoming.objects.waiting(now).filter(pk=found.pk).exists():
        return render(request, "answers/settled.html", {"incoming": found, "by_link": by_link})
    plans = services.plans_of_reply(found, now)
    about = About(person.pk, found.pk, 0)
    if not plans:
        return render(request, "answers/settled.html", {"incoming": found, "closed": True}, status=404)
    form = ReplyForm(posted(request), plans=plans, by_link=by_link, initial={"text": found.text})
    context = {"form": form, "incoming": found, "by_link": by_link, "plans": plans}
    if request.method == "POST":
        try:
            if by_link:
                read_form_token(request.POST.get("form", ""), about)
            if "drop" in request.POST:
                services.drop_incoming(incoming=found, author=person, now=now)
                return render(request, "answers/settled.html", {"incoming": found, "dropped": True})
            if form.is_valid():
                plan = next(plan for plan in plans if str(plan.pk) == form.cleaned_data["plan"])
                services.confirm_reply(
                    incoming=found, plan=plan, text=form.cleaned_data["text"], author=person, now=now
                )
                return render(request, "answers/settled.html", {"incoming": found, "plan": plan, "by_link": by_link})
        except BadForm:
            form.add_error(None, "That form had expired, so nothing was changed. Fill it in again.")
        except _UNABLE as error:
            form.add_error(None, str(error))
    context["form_token"] = make_form_token(about)
    return render(request, "answers/reply.html", context, status=422 if request.method == "POST" else 200)


def _forwarded(request: HttpRequest, found: Incoming, user: User) -> HttpResponse:
    """The page on which somebody saves a forwarded email as a draft conversation, or deletes it."""
    now = timezone.now()
    partnership = found.partnership
    if partnership is None or not may_forward_to(partnership, user, now):
        raise Http404
    if not Incoming.objects.waiting(now).filter(pk=found.pk).exists():
        return render(request, "answers/settled.html", {"incoming": found})
    edited = parties_edited(partnership, user, now)
    parties = Organisation.objects.filter(parties__in=partnership.parties.present()).distinct().order_by("name", "pk")
    keepers = [party for party in parties if party.pk in edited]
    others = [party for party in parties if len(keepers) > 1 or party not in keepers]
    form = ForwardedForm(
        posted(request),
        keepers=keepers,
        parties=others,
        initial={
            "subject": found.subject,
            "said": found.text,
            "held_on": timezone.localdate(found.received_at),
            "others": [str(others[0].pk)] if len(others) == 1 else [],
        },
    )
    if request.method == "POST":
        try:
            if "drop" in request.POST:
                services.drop_incoming(incoming=found, author=user, now=now)
                messages.success(request, "We have deleted the email.")
                return redirect(partnership.get_absolute_url())
            if form.is_valid():
                chosen = form.cleaned_data
                record = Record(
                    subject=chosen["subject"],
                    held_on=chosen["held_on"],
                    planned=False,
                    format=Format.WRITING,
                    organisations=[other for other in others if str(other.pk) in chosen["others"]],
                    partnership=partnership,
                    said=chosen["said"],
                )
                keeper = next(keeper for keeper in keepers if str(keeper.pk) == chosen["organisation"])
                made = services.save_forwarded(incoming=found, organisation=keeper, record=record, author=user, now=now)
                messages.success(request, f"“{made.subject}” has been saved as a draft.")
                return redirect(made.get_absolute_url())
        except (services.UnableToConfirm, UnableToRecord) as error:
            form.add_error(None, str(error))
    context = {
        "form": form,
        "incoming": found,
        "partnership": partnership,
        "back": partnership.get_absolute_url(),
    }
    return render(request, "answers/forwarded.html", context, status=422 if form.is_bound else 200)


@require_safe
def file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A file of an answer, for those who may read the answer."""
    answers = Answer.objects.visible_to(signed_in(request)).values("pk")
    incoming_file = get_object_or_404(IncomingFile, pk=pk, answer__in=answers)
    return private_file(incoming_file.file, name=incoming_file.file_name, content_type=incoming_file.content_type)
