"""Pages to create a plan, to show and discard its draft, and to attach files to the draft."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.documents.queries import last_saves
from partnerships.documents.views import piece_lists
from partnerships.kit.forms import ReasonForm
from partnerships.kit.http import form_page, post_data, post_data_and_files, show_refusal
from partnerships.people.requests import signed_in
from partnerships.plans import presenting
from partnerships.plans.changes import homes_totals
from partnerships.plans.content import PLAN
from partnerships.plans.forms import DocumentForm, PlanForm
from partnerships.plans.queries import area_names, comment_counts, content_of_draft, owners_by_age
from partnerships.plans.services import (
    UnableToAttach,
    UnableToCreatePlan,
    UnableToSavePiece,
    attach_document,
    create_plan,
    discard_draft,
)
from partnerships.plans.views.fetching import open_draft, open_to_edit
from partnerships.plans.views.previewing import read_draft


@require_http_methods(["GET", "HEAD", "POST"])
def plan_create(request: HttpRequest) -> HttpResponse:
    """Show the form to create a plan. On POST, create the plan with a first draft."""
    user = signed_in(request)
    form = PlanForm(post_data(request), user=user, initial={"partnership": request.GET.get("partnership", "")})

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToCreatePlan):
            plan = create_plan(
                owners=form.all_owners(),
                partnership=form.cleaned_data["partnership"],
                title=form.cleaned_data["title"],
                kind=form.cleaned_data["kind"],
                audience=form.cleaned_data["audience"],
                years=form.cleaned_data["years"],
                author=user,
                now=timezone.now(),
            )
            message = f"“{plan.title}” created. Only editors and leads of its owners can see this draft."
            messages.success(request, message)
            return redirect("plans:draft", plan.pk)

    return form_page(request, "plans/create.html", form)


def _address(pk: int, action: str, code: str, key: str) -> str:
    """Return the address at which to add, edit, move, remove or comment on an item of the draft."""
    if action == "comments":
        return f"{reverse('plans:draft-comments', kwargs={'pk': pk})}?about={code}/{key}"
    if action == "add" and code == "documents":
        return reverse("plans:add-document", args=[pk])
    if action == "add":
        return reverse("plans:add-item", args=[pk, code])
    return reverse(f"plans:{action}-item", kwargs={"pk": pk, "code": code, "key": key})


@require_safe
def draft_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the draft with links to edit each piece. People who may not edit the draft can only read it."""
    access, draft = open_draft(request, pk)
    if not access.may_edit:
        return read_draft(request, access, draft)

    plan = access.plan
    content = content_of_draft(draft)
    last_save_by_piece = last_saves(draft)
    lists = piece_lists(
        PLAN,
        content,
        partial(_address, pk),
        last_saves=last_save_by_piece,
        comment_counts=comment_counts(request.user, plan, on_draft=True),
        details=presenting.item_detail,
        add_words={"documents": "Attach a document"},
        import_urls={code: reverse("spreadsheets:new", args=["plan", pk, code]) for code in ("sites", "milestones")},
    )
    context = {
        "plan": plan,
        "access": access,
        "draft": draft,
        "owners": owners_by_age(plan),
        "about": content["about"],
        "about_last_save": last_save_by_piece.get("about"),
        "lists": lists,
        "totals": homes_totals(content, content, area_names(content)),
    }
    return render(request, "plans/draft.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_document(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form to attach a file to the draft. On POST, save the file."""
    access, _draft = open_to_edit(request, pk)
    draft_url = reverse("plans:draft", kwargs={"pk": pk})
    form = DocumentForm(*post_data_and_files(request), cancel=draft_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToAttach, field="file"):
            document = attach_document(
                plan=access.plan,
                title=form.cleaned_data["title"],
                file=form.cleaned_data["file"],
                restricted=form.cleaned_data["restricted"],
                author=signed_in(request),
                now=timezone.now(),
            )
            messages.success(request, f"“{document.file_name}” has been attached to the draft.")
            return redirect(f"{draft_url}#documents")

    return form_page(request, "plans/attach.html", form, plan=access.plan, back=draft_url)


@require_http_methods(["GET", "HEAD", "POST"])
def draft_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a reason, and then replace the draft with the newest version."""
    access, _draft = open_to_edit(request, pk)
    draft_url = reverse("plans:draft", kwargs={"pk": pk})
    form = ReasonForm(post_data(request), submit="Discard draft", cancel=draft_url, danger=True)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToSavePiece):
            discard_draft(
                plan=access.plan, author=signed_in(request), reason=form.cleaned_data["reason"], now=timezone.now()
            )
            message = f"Changes discarded. The draft is the same as version {access.plan.current_number} again."
            messages.success(request, message)
            return redirect(access.plan)

    return form_page(request, "plans/discard.html", form, plan=access.plan, back=draft_url)
