"""Pages to share a draft with people, and to ask to see a draft and answer the request."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, Max, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.http import form_page, keyset_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.naming import show_names_of_day
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in
from partnerships.plans.forms import AnswerForm, AskForm, ShareForm
from partnerships.plans.models import Plan, ShareOpening
from partnerships.plans.queries import organisation_names_by_person
from partnerships.plans.services import (
    UnableToAskForAccess,
    UnableToShare,
    answer_request,
    ask_for_access,
    revoke_share,
    share_draft,
)
from partnerships.plans.views.fetching import open_plan, open_to_edit


@require_http_methods(["GET", "HEAD", "POST"])
def sharing(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the people with whom the draft is shared, when they opened the draft, and requests to see it.

    On POST, share the draft with one more person.
    """
    access, _draft = open_to_edit(request, pk)
    plan = access.plan
    form = ShareForm(post_data(request))
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToShare, field="email"):
            with collect_recipients() as recipients:
                share = share_draft(
                    plan=plan,
                    email=form.cleaned_data["email"],
                    may_comment=form.cleaned_data["may_comment"],
                    message=form.cleaned_data["message"],
                    ends_on=form.cleaned_data["ends_on"],
                    author=signed_in(request),
                    now=timezone.now(),
                )
            messages.success(request, f"{share.person.display_name} can see the draft.{recipients.sentence()}")
            return redirect("plans:sharing", pk=pk)

    return form_page(request, "plans/sharing.html", form, plan=plan, access=access, **_shares_context(plan))


def _shares_context(plan: Plan) -> dict[str, Any]:
    """Return the shares of a draft and the open requests to see it, each with its person's organisation."""
    is_active = Exists(plan.shares.active(timezone.now()).filter(pk=OuterRef("pk")))
    shares = plan.shares.select_related("person", "shared_by").order_by("-shared_at", "-pk")
    shares = shares.annotate(is_active=is_active, times_opened=Count("openings"), last_opened_at=Max("openings__at"))
    open_requests = plan.access_requests.filter(answered_at=None).select_related("person").order_by("asked_at", "pk")

    person_ids = [row.person_id for row in (*shares, *open_requests)]
    organisation_by_person = organisation_names_by_person(person_ids)
    return {
        "shares": [(share, organisation_by_person.get(share.person_id, "")) for share in shares],
        "requests": [(row, organisation_by_person.get(row.person_id, "")) for row in open_requests],
    }


@require_safe
def openings(request: HttpRequest, pk: int) -> HttpResponse:
    """Show who opened the shared draft and when, newest first."""
    access, _draft = open_to_edit(request, pk)
    plan_openings = ShareOpening.objects.filter(share__plan=pk).select_related("share__person", "share__organisation")
    page = keyset_page(request, plan_openings, order=("-at", "-pk"), size=50)
    # Each line shows the organisation under the name that it had on that day.
    show_names_of_day((timezone.localdate(row.at), row.share.organisation) for row in page.rows)
    return render(request, "plans/openings.html", {"plan": access.plan, "access": access, "page": page})


@require_POST
def share_revoke(request: HttpRequest, pk: int, share: int) -> HttpResponse:
    """Stop sharing the draft with a person, so that the person can no longer see the draft."""
    access, _draft = open_to_edit(request, pk)
    draft_share = get_object_or_404(access.plan.shares.select_related("person", "plan"), pk=share)
    require(access.rights is not None and access.rights.may_revoke(draft_share))
    revoke_share(share=draft_share, author=signed_in(request), now=timezone.now())
    messages.success(request, f"{draft_share.person.display_name} can no longer see the draft.")
    return redirect("plans:sharing", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def answer_access_request(request: HttpRequest, pk: int, asked: int) -> HttpResponse:
    """Share the draft with a person who asked to see it, or decline the request."""
    access, _draft = open_to_edit(request, pk)
    access_request = get_object_or_404(access.plan.access_requests.select_related("person", "answered_by"), pk=asked)
    person = access_request.person
    sharing_url = reverse("plans:sharing", kwargs={"pk": pk})
    form = AnswerForm(post_data(request), cancel=sharing_url)

    if request.method == "POST" and form.is_valid():
        grant = form.cleaned_data["answer"] == "grant"
        with show_refusal(form, UnableToShare):
            with collect_recipients() as recipients:
                answer_request(
                    request=access_request,
                    grant=grant,
                    may_comment=form.cleaned_data["may_comment"],
                    ends_on=form.cleaned_data["ends_on"],
                    message=form.cleaned_data["message"],
                    author=signed_in(request),
                    now=timezone.now(),
                )
            name = person.display_name
            message = f"{name} can see the draft." if grant else f"You have declined the request from {name}."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(sharing_url)

    return form_page(
        request,
        "plans/answer.html",
        form,
        plan=access.plan,
        access_request=access_request,
        organisation_names=organisation_names_by_person([person.pk]).get(person.pk, ""),
        back=sharing_url,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def ask_to_see_draft(request: HttpRequest) -> HttpResponse:
    """Ask to see a draft of a partnership. The message does not reveal whether such a draft exists."""
    user = signed_in(request)
    initial: dict[str, Any] = {}
    # The address has the id of the plan and not its title, because proxies log addresses.
    plan_pk = row_number(request.GET.get("plan", ""))
    if plan_pk is not None:
        plan = open_plan(request, plan_pk).plan
        initial = {"partnership": plan.partnership_id, "about": plan.title}

    form = AskForm(post_data(request), user=user, initial=initial)
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToAskForAccess, field="about"):
            ask_for_access(
                partnership=form.cleaned_data["partnership"],
                about=form.cleaned_data["about"],
                message=form.cleaned_data["message"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, "If this plan exists, its owners have received your request.")
            return redirect("plans:list")

    return form_page(request, "plans/ask.html", form)
